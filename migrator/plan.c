/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/plan.h"

#include "migrator/drift.h"
#include "migrator/match.h"
#include "migrator/script.h"

const char *plan_state_name(enum plan_state state)
{
    static const char *const names[PLAN_STATES] = {"applied",      "pending", "changed", "missing",
                                                   "out_of_order", "failed",  "running"};
    return names[state];
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->entries[i].message);
        free(plan->entries[i].hint);
        free(plan->entries[i].diff);
    }
    free(plan->entries);
    findings_clear(&plan->findings);
    free(plan);
}

struct maker {
    const struct folder *folder;
    const struct history *history;
    const struct plan_options *options;
    const struct version *newest; /* of the history; NULL when it has none */
    struct plan *plan;
    struct match match;
    size_t unchecked; /* applied rows without a checksum */
};

/* "2026-11-23 03:21:09 UTC" of the RFC 3339 time; NULL is a time nobody wrote down. */
static char *applied_at(const struct history_row *row)
{
    if (row->applied_at == NULL || strlen(row->applied_at) < 19)
        return text_copy("at an unknown time");
    return text_format("%.10s %.8s UTC", row->applied_at, row->applied_at + 11);
}

static struct plan_entry *add_entry(struct maker *maker, enum plan_state state, struct migration *migration,
                                    struct history_row *row)
{
    struct plan *plan = maker->plan;
    plan->entries = memory_grow(plan->entries, plan->count, sizeof *plan->entries);
    struct plan_entry *entry = &plan->entries[plan->count++];
    *entry = (struct plan_entry){.state = state,
                                 .migration = migration,
                                 .row = row,
                                 .version = migration != NULL ? migration->version.stem : row->version};
    return entry;
}

/* ---- a file with its row ---- */

static void describe_foreign_failure(struct plan_entry *entry)
{
    entry->message = text_copy("is marked as failed in the history, which does not tell what it left");
    entry->hint =
        text_format("Look at the database. If nothing is left of it: pgmigrate repair %s "
                    "--mark-rolled-back --reason …, and \"pgmigrate apply\" runs it again; if all of it "
                    "is there: --mark-applied.",
                    entry->version);
}

static void describe_half_run(struct plan_entry *entry)
{
    const struct history_row *row = entry->row;
    const char *version = entry->version;
    if (row->statements_total < 0) /* somebody wrote the row by hand */
        entry->message = text_copy("stopped half way");
    else if (row->statement_started >= 0 && row->statement_started >= row->statements_done)
        entry->message = text_format("stopped in statement %jd of %jd", (intmax_t)row->statement_started + 1,
                                     (intmax_t)row->statements_total);
    else if (row->statements_done < row->statements_total)
        entry->message = text_format("stopped at statement %jd of %jd", (intmax_t)row->statements_done + 1,
                                     (intmax_t)row->statements_total);
    else
        entry->message =
            text_format("stopped after the last of %jd statements", (intmax_t)row->statements_total);
    entry->hint =
        text_format("\"pgmigrate apply\" goes on from there. If it was undone by hand: pgmigrate repair %s "
                    "--mark-rolled-back --reason …",
                    version);
}

static void describe_half_undone(struct plan_entry *entry)
{
    const struct history_row *row = entry->row;
    bool begun = row->statement_started >= row->statements_done;
    entry->message =
        text_format("was rolled back half way: %jd of %jd statements of the rollback script are done%s",
                    (intmax_t)row->statements_done, (intmax_t)row->statements_total,
                    begun ? ", and the next one may be" : "");
    entry->hint =
        text_format("\"pgmigrate rollback\" goes on from there%s. If the rest was undone by hand: pgmigrate "
                    "repair %s --mark-rolled-back --reason …; if what was done was put back: "
                    "--mark-applied.",
                    begun ? ", or says what to look at first" : "", entry->version);
}

/* Nothing goes on without the file, but for a rollback, whose script is stored. */
static void describe_half_missing(const struct maker *maker, struct plan_entry *entry)
{
    if (entry->row->state == ROW_UNDOING) {
        describe_half_undone(entry);
        return;
    }
    if (entry->row->state == ROW_RUNNING && maker->options->lock_held)
        entry->message = text_copy("is running");
    else
        describe_half_run(entry);
    OWNED char *state = take(entry->message);
    entry->message = text_format("%s, and has no file in the folder", state);
    free(entry->hint);
    entry->hint = text_format("Restore the file from version control: what is left of it has not run. If it "
                              "was undone by hand: pgmigrate repair %s --mark-rolled-back --reason …",
                              entry->version);
}

static void add_half_run(struct maker *maker, struct migration *migration, struct history_row *row)
{
    bool undoing = row->state == ROW_UNDOING;
    bool running = row->state != ROW_FAILED && maker->options->lock_held;
    struct plan_entry *entry = add_entry(maker, running ? PLAN_RUNNING : PLAN_FAILED, migration, row);
    if (undoing && running)
        entry->message = text_copy("is being rolled back");
    else if (undoing)
        describe_half_undone(entry);
    else if (history_row_is_foreign_failure(row))
        describe_foreign_failure(entry);
    else if (!running)
        describe_half_run(entry);
    else
        entry->message = text_format("is running, %jd of %jd statements are done",
                                     (intmax_t)row->statements_done, (intmax_t)row->statements_total);
}

/* The rollback that is stored is what runs, so a newer file is worth a word. */
static void check_rollback(struct maker *maker, const struct migration *migration,
                           const struct history_row *row)
{
    if (row->rollback_checksum == NULL || !migration_has_rollback(migration) ||
        strcmp(row->rollback_checksum, migration->rollback.checksum) == 0)
        return;
    struct finding *finding =
        finding_add(&maker->plan->findings, "rollback-changed", SEVERITY_WARNING, migration->rollback.path,
                    "was changed after \"%s\" was applied", migration->version.stem);
    finding_hint(
        finding,
        "\"pgmigrate rollback\" runs the one stored when it was applied; --use=file takes the file's.");
}

static void explain_changed(struct plan_entry *entry)
{
    OWNED char *when = applied_at(entry->row);
    entry->message = text_format("was changed after it was applied (%s)", when);
    entry->hint =
        text_format("Take back the change and put it into a new migration; if the file is right as it is: "
                    "pgmigrate repair %s --accept-checksum --reason …",
                    entry->version);
}

/* The file's checksum is not the row's: a change, or comments and white space only. */
static bool add_changed(struct maker *maker, struct migration *migration, struct history_row *row,
                        struct error *error)
{
    AUTO(history_texts_clear) struct history_texts texts = {0};
    if (!history_texts(maker->history, row->version, &texts, error) ||
        !source_load(&migration->forward, error))
        return false;
    const char *path = migration->forward.path;
    if (texts.forward != NULL && script_same_tokens(texts.forward, migration->forward.text)) {
        add_entry(maker, PLAN_APPLIED, migration, row);
        finding_add(&maker->plan->findings, "comments-changed", SEVERITY_WARNING, path,
                    "comments or white space were changed after it was applied");
        return true;
    }
    struct plan_entry *entry = add_entry(maker, PLAN_CHANGED, migration, row);
    explain_changed(entry);
    if (texts.forward != NULL) {
        OWNED char *when = applied_at(row);
        OWNED char *label = text_format("what ran, %s", when);
        entry->diff = drift_show((struct drift_text){label, texts.forward},
                                 (struct drift_text){path, migration->forward.text});
    }
    return true;
}

static bool add_matched(struct maker *maker, struct migration *migration, struct history_row *row,
                        struct error *error)
{
    if (history_row_is_half_run(row)) {
        add_half_run(maker, migration, row);
        return true;
    }
    check_rollback(maker, migration, row);
    if (row->checksum != NULL && strcmp(row->checksum, migration->forward.checksum) != 0)
        return add_changed(maker, migration, row, error);
    struct plan_entry *entry = add_entry(maker, PLAN_APPLIED, migration, row);
    if (row->state == ROW_BASELINE)
        entry->message = text_copy("was marked as applied without running");
    if (row->checksum == NULL)
        maker->unchecked++;
    return true;
}

/* ---- a file or a row alone ---- */

static void add_new(struct maker *maker, struct migration *migration)
{
    if (maker->newest == NULL || version_compare(&migration->version, maker->newest) > 0) {
        add_entry(maker, PLAN_PENDING, migration, NULL);
        return;
    }
    struct plan_entry *entry = add_entry(maker, PLAN_OUT_OF_ORDER, migration, NULL);
    entry->message = text_format("is older than \"%s\", which is applied already", maker->newest->stem);
    entry->hint =
        text_copy("Give it a newer number, or run it all the same with \"pgmigrate apply --out-of-order\".");
}

/* Its row is found by the old name only, whether it goes on or not. */
static void describe_half_renamed(struct plan_entry *entry)
{
    const char *name = entry->row->version;
    if (entry->row->state == ROW_UNDOING) {
        entry->message = text_format("was called \"%s\" when it was rolled back half way", name);
        entry->hint =
            text_format("Give the file its old name; \"pgmigrate rollback\" goes on without it. If the "
                        "rest was undone by hand: pgmigrate repair %s --mark-rolled-back --reason …",
                        name);
        return;
    }
    entry->message = text_format("was called \"%s\" when it stopped half way", name);
    entry->hint =
        text_format("Give the file its old name: what is left of it has not run. If it was undone by "
                    "hand: pgmigrate repair %s --mark-rolled-back --reason …; if it was finished by "
                    "hand: --mark-applied.",
                    name);
}

static void add_renamed(struct maker *maker, struct migration *migration, struct history_row *row)
{
    struct plan_entry *entry = add_entry(maker, PLAN_CHANGED, migration, row);
    if (history_row_is_half_run(row)) {
        describe_half_renamed(entry);
        return;
    }
    if (row->checksum != NULL)
        entry->message = text_format("was called \"%s\" when it was applied", row->version);
    else
        entry->message =
            text_format("may be what was applied as \"%s\"; nothing was stored to compare", row->version);
    entry->hint = text_format("Give the file its old name, or let the history follow: pgmigrate repair %s "
                              "--accept-checksum --reason …",
                              migration->version.stem);
}

static void add_missing(struct maker *maker, struct history_row *row)
{
    if (row->state == ROW_ARCHIVED) {
        struct plan_entry *entry = add_entry(maker, PLAN_APPLIED, NULL, row);
        entry->message = text_copy("has no file any more, which was accepted");
        return;
    }
    struct plan_entry *entry = add_entry(maker, PLAN_MISSING, NULL, row);
    OWNED char *when = applied_at(row);
    if (history_row_is_foreign_failure(row)) {
        describe_foreign_failure(entry);
        return;
    }
    if (history_row_is_half_run(row)) {
        describe_half_missing(maker, entry);
        return;
    }
    entry->message = text_format("was applied (%s), but has no file in the folder", when);
    entry->hint = text_format(
        "Restore the file from version control%s; if it is gone for good: pgmigrate repair %s "
        "--accept-missing --reason …",
        row->has_rollback ? ", or take the migration back (\"pgmigrate rollback\" has its script)" : "",
        row->version);
}

static void add_ambiguous(struct maker *maker, struct history_row *row)
{
    struct plan_entry *entry = add_entry(maker, PLAN_MISSING, NULL, row);
    OWNED char *schema = postgres_quote_name(maker->history->schema);
    OWNED char *table = postgres_quote_name(maker->history->table);
    OWNED char *version = postgres_quote_literal(row->version);
    entry->message = text_copy("was applied, but several files have that number");
    entry->hint =
        text_format("Say which it is by giving the row the file's whole name, without \".sql\", as version: "
                    "UPDATE %s.%s SET version = … WHERE version = %s;",
                    schema, table, version);
}

static void note_duplicate(struct maker *maker, const struct history_row *row)
{
    struct finding *finding = finding_add(
        &maker->plan->findings, "duplicate-row", SEVERITY_WARNING, NULL,
        "the history has a row \"%s\" beside the one of the migration with that number", row->version);
    finding_hint(finding, "A script that was run by hand has probably written it; delete the row.");
}

static bool add_files(struct maker *maker, struct error *error)
{
    for (size_t i = 0; i < maker->folder->count; i++) {
        struct migration *migration = maker->folder->items[i];
        struct history_row *row = maker->match.files[i].row;
        if (row == NULL)
            add_new(maker, migration);
        else if (maker->match.files[i].renamed)
            add_renamed(maker, migration, row);
        else if (!add_matched(maker, migration, row, error))
            return false;
    }
    return true;
}

static void add_rows(struct maker *maker)
{
    for (size_t i = 0; i < maker->history->count; i++) {
        if (maker->match.rows[i] == MATCH_NONE)
            add_missing(maker, &maker->history->rows[i]);
        else if (maker->match.rows[i] == MATCH_AMBIGUOUS)
            add_ambiguous(maker, &maker->history->rows[i]);
        else if (maker->match.rows[i] == MATCH_DUPLICATE)
            note_duplicate(maker, &maker->history->rows[i]);
    }
}

/* ---- the whole ---- */

/* The one error that a folder may have, a rollback that is missing, is no more than a warning unless the file
 * is to run; then plan_steps refuses it. */
static void copy_findings(struct plan *plan, const struct folder *folder)
{
    for (size_t i = 0; i < folder->findings.count; i++) {
        const struct finding *from = &folder->findings.items[i];
        enum severity severity = from->severity == SEVERITY_ERROR ? SEVERITY_WARNING : from->severity;
        struct finding *finding =
            finding_add(&plan->findings, from->rule, severity, from->file, "%s", from->message);
        finding_at(finding, from->line, from->column);
        if (from->hint != NULL)
            finding_hint(finding, "%s", from->hint);
    }
}

struct ordered_entry {
    struct plan_entry entry;
    const struct version *version; /* NULL: has no number */
};

static int compare_entries(const void *a, const void *b)
{
    const struct ordered_entry *x = a, *y = b;
    if (x->version != NULL && y->version != NULL)
        return version_compare(x->version, y->version);
    if (x->version == NULL && y->version == NULL)
        return strcmp(x->entry.version, y->entry.version);
    return x->version == NULL ? 1 : -1;
}

static const struct version *version_of(const struct maker *maker, const struct plan_entry *entry)
{
    if (entry->migration != NULL)
        return &entry->migration->version;
    const struct version *key = &maker->history->keys[entry->row - maker->history->rows];
    return key->stem == NULL ? NULL : key;
}

static void order_and_count(struct maker *maker)
{
    struct plan *plan = maker->plan;
    OWNED struct ordered_entry *ordered = memory_allocate(plan->count + 1, sizeof *ordered);
    for (size_t i = 0; i < plan->count; i++)
        ordered[i] = (struct ordered_entry){plan->entries[i], version_of(maker, &plan->entries[i])};
    qsort(ordered, plan->count, sizeof *ordered, compare_entries);
    for (size_t i = 0; i < plan->count; i++) {
        plan->entries[i] = ordered[i].entry;
        plan->counts[plan->entries[i].state]++;
    }
}

static void note_unchecked(struct maker *maker)
{
    if (maker->unchecked == 0)
        return;
    struct finding *finding =
        finding_add(&maker->plan->findings, "unchecked-rows", SEVERITY_NOTICE, NULL,
                    "%zu applied %s without a checksum: whether the files were changed since cannot be told",
                    maker->unchecked, maker->unchecked == 1 ? "migration is" : "migrations are");
    finding_hint(finding,
                 "pgmigrate repair VERSION --accept-checksum --reason … stores what the file holds now.");
}

bool plan_make(const struct folder *folder, const struct history *history, const struct plan_options *options,
               struct plan **ret, struct error *error)
{
    AUTO(plan_free) struct plan *plan = memory_allocate(1, sizeof *plan);
    AUTO(match_clear) struct match match = match_all(history, folder);
    struct maker maker = {.folder = folder,
                          .history = history,
                          .options = options,
                          .newest = match.newest,
                          .plan = plan,
                          .match = match};
    copy_findings(plan, folder);
    if (!add_files(&maker, error))
        return false;
    add_rows(&maker);
    order_and_count(&maker);
    note_unchecked(&maker);
    *ret = take(plan);
    return true;
}
