/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/repair.h"

#include "migrator/match.h"
#include "migrator/prepare.h"
#include "migrator/session.h"
#include "sql.h"
#include <string.h>

/* What one call changes: the statements, to be sent in one transaction. */
struct change {
    struct history_statement **items;
    size_t count;
};

static void change_add(struct change *change, struct history_statement *statement)
{
    change->items = memory_grow(change->items, change->count, sizeof *change->items);
    change->items[change->count++] = statement;
}

static void change_clear(struct change *change)
{
    for (size_t i = 0; i < change->count; i++)
        history_statement_free(change->items[i]);
    free(change->items);
}
CLEANUP_VALUE(struct change, change_clear)

static bool send(struct postgres *postgres, const struct change *change, struct error *error)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct history_statement *statement = change->items[i];

        if (!postgres_query(postgres, statement->sql, statement->count, statement->values, NULL, error))
            return false;
    }
    return true;
}

/* All statements in one transaction. The server's "ROLLBACK" as the answer to COMMIT cannot be: nothing
 * failed. */
static bool commit(struct postgres *postgres, const struct history *history, const struct change *change,
                   struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};

    if (!postgres_execute(postgres, sql_begin, error))
        return false;
    if (postgres_query(postgres, sql_history_patience, 0, NULL, NULL, error) &&
        send(postgres, change, error) && postgres_execute(postgres, sql_commit, error))
        return true;
    if (!postgres_is_lost(postgres) && !postgres_execute(postgres, sql_rollback, &ignored))
        error_clear(&ignored);
    return history_unchangeable(history, error);
}

static struct run_identity identity_of(const struct run_options *options, const char *run_id)
{
    return (struct run_identity){.run_id = run_id,
                                 .tool_version = PGMIGRATE_VERSION,
                                 .git_commit = options->git_commit,
                                 .backup_id = options->backup_id,
                                 .reason = options->reason};
}

/* ---- repair ---- */

void repaired_clear(struct repaired *repaired)
{
    free(take(repaired->version));
}

struct target {
    struct history_row *row;     /* NULL: not in the history */
    struct migration *migration; /* NULL: no file */
};

static bool conflict(const struct target *target, const char *what, const char *hint, struct error *error)
{
    error_set(error, ERROR_CONFLICT, "\"%s\" %s",
              target->row ? target->row->version : target->migration->version.stem, what);
    return error_hint(error, "%s", hint);
}

/* By its own name, or by that of its file: tables that were there first may hold nothing but the number. */
static bool find_row(const struct history *history, const struct folder *folder, const char *word,
                     struct history_row **ret, struct error *error)
{
    AUTO(error_clear) struct error problem = {0}, ignored = {0};
    struct migration *file = NULL;

    if (history_word(history, word, ret, &problem))
        return true;
    if (folder_find(folder, word, &file, &ignored))
        *ret = history_find(history, folder, file);
    if (*ret || match_renamed_word(history, folder, word, ret, &file))
        return true;
    error_move(error, &problem);
    return false;
}

/* Where there is no file, the row tells why that is. */
static bool find_file(const struct history *history, const struct folder *folder, const char *word,
                      struct target *ret, struct error *error)
{
    AUTO(error_clear) struct error problem = {0}, ignored = {0};

    if (folder_find(folder, word, &ret->migration, &problem)) {
        ret->row = history_find(history, folder, ret->migration);
        return true;
    }
    if (history_word(history, word, &ret->row, &ignored))
        return true;
    error_move(error, &problem);
    return false;
}

/* The row and the file that the user's word names. Marking as applied begins with the file, all else with the
 * row. */
static bool find_target(const struct history *history, const struct folder *folder,
                        const struct repair *repair, struct target *ret, struct error *error)
{
    bool of_file = repair->action == REPAIR_MARK_APPLIED || repair->action == REPAIR_ACCEPT_CHECKSUM;

    if (of_file && match_renamed_word(history, folder, repair->version, &ret->row, &ret->migration))
        return true;
    if (repair->action == REPAIR_MARK_APPLIED)
        return find_file(history, folder, repair->version, ret, error);
    if (!find_row(history, folder, repair->version, &ret->row, error))
        return false;
    ret->migration = history_file(history, folder, ret->row);
    return true;
}

static bool check_statement(const struct target *target, size_t statement, struct error *error)
{
    int64_t total = target->row->statements_total;

    if (statement >= 1 && (total < 0 || (int64_t)statement <= total + 1))
        return true;
    error_set(error, ERROR_USAGE, "\"%s\" has no statement %zu", target->row->version, statement);
    return error_hint(error, "It has %lld statements, %lld of which are recorded as done.", (long long)total,
                      (long long)target->row->statements_done);
}

static bool half_undone(const struct target *target, struct error *error)
{
    return conflict(target, "was rolled back half way",
                    "Use --mark-rolled-back if the rest was undone by hand, --mark-applied if what was done "
                    "was put back, or --resume-at N.",
                    error);
}

static bool check_half_run(const struct target *target, bool wanted, struct error *error)
{
    bool half_run = target->row && history_row_is_half_run(target->row);

    if (half_run == wanted)
        return true;
    if (wanted)
        return conflict(
            target, "did not stop half way",
            "Only a script without a transaction that stopped half way can be cleared or resumed.", error);
    if (target->row->state == ROW_UNDOING)
        return half_undone(target, error);
    return conflict(target, "stopped half way",
                    "Use --clear to start it from the beginning, --resume-at N to go on at a statement, or "
                    "--mark-applied if you finished it by hand.",
                    error);
}

/* What has run without its file, or not. */
static bool check_whole(const struct target *target, struct error *error)
{
    if (!history_row_is_half_run(target->row))
        return true;
    return conflict(target, "stopped half way, so that it cannot be taken as applied",
                    "Restore its file, or undo it by hand: --mark-rolled-back says that nothing is "
                    "left of it.",
                    error);
}

/* What apply would say to the script when it goes on there. A rollback has its script in the history, which
 * nobody edits. */
static bool check_script(const struct history *history, const struct target *target,
                         const struct repair *repair, struct error *error)
{
    struct history_row row;

    if (repair->action != REPAIR_RESUME_AT || !target->migration || target->row->state == ROW_UNDOING)
        return true;
    row = *target->row;
    row.state = ROW_FAILED;
    row.statements_done = (int64_t)repair->statement - 1;
    row.statement_started = -1;
    return prepare_goes_on(
        &(struct plan_entry){.state = PLAN_FAILED, .migration = target->migration, .row = &row}, history,
        error);
}

/* Whether the version is in the state the action is for. */
static bool check(const struct target *target, const struct repair *repair, struct error *error)
{
    switch (repair->action) {
    case REPAIR_MARK_APPLIED:
        if (target->row && !history_row_is_half_run(target->row))
            return conflict(target, "is applied already", "See \"pgmigrate status\".", error);
        return target->migration || check_whole(target, error);
    case REPAIR_ACCEPT_CHECKSUM:
        if (!target->migration)
            return conflict(target, "has no file whose checksum could be accepted",
                            "Use --accept-missing if the file is rightly gone.", error);
        return check_half_run(target, false, error);
    case REPAIR_ACCEPT_MISSING:
        if (target->migration)
            return conflict(target, "is not missing", "See \"pgmigrate status\".", error);
        return check_whole(target, error);
    case REPAIR_MARK_ROLLED_BACK:
        return true;
    case REPAIR_CLEAR:
        if (target->row && target->row->state == ROW_UNDOING)
            return half_undone(target, error);
        return check_half_run(target, true, error);
    case REPAIR_RESUME_AT:
        return check_half_run(target, true, error) && check_statement(target, repair->statement, error);
    }
    return false;
}

/* Forgetting or resuming a half-run script: what only repair does, guarded as everything that changes the
 * history. */
static struct history_statement *half_run_statement(const struct history *history,
                                                    const struct run_identity *identity, const char *version,
                                                    const struct repair *repair)
{
    struct history_statement *statement = memory_allocate(1, sizeof *statement);
    OWNED char *schema = postgres_quote_name(history->schema), *table = postgres_quote_name(history->table);
    bool clears = repair->action == REPAIR_CLEAR;
    const struct postgres_name names[] = {
        {"schema", history->schema}, {"table", history->table}, {"log", history->log}, {0}};
    char *made[] = {
        text_format("%s.%s", schema, table),
        text_format("%d", (int)(history->lock_key >> 32)),
        text_format("%d", (int)(uint32_t)history->lock_key),
        text_format("%zu", repair->statement - 1),
        postgres_bind(clears ? sql_repair_clear : sql_repair_resume, names),
        NULL,
    };
    const char *values[] = {made[0],
                            history->oid,
                            made[1],
                            made[2],
                            version,
                            identity->run_id,
                            identity->tool_version,
                            identity->git_commit,
                            identity->reason,
                            made[3]};

    statement->name = clears ? "repair_clear" : "repair_resume";
    statement->sql = made[4];
    statement->count = clears ? 9 : 10;
    statement->values = memory_allocate(statement->count, sizeof *values);
    memcpy(statement->values, values, statement->count * sizeof *values);
    statement->owned = memory_allocate(sizeof made / sizeof *made, sizeof *made);
    memcpy(statement->owned, made, sizeof made);
    return statement;
}

static bool load_texts(struct migration *migration, struct error *error)
{
    return source_load(&migration->forward, error) &&
           (!migration_has_rollback(migration) || source_load(&migration->rollback, error));
}

static struct history_statement *make_statement(const struct history *history,
                                                const struct run_identity *identity,
                                                const struct target *target, const struct repair *repair)
{
    switch (repair->action) {
    case REPAIR_MARK_APPLIED:
        return history_mark_applied(history, identity, target->migration);
    case REPAIR_ACCEPT_CHECKSUM:
        return history_accept_checksum(history, identity, target->row->version, target->migration);
    case REPAIR_ACCEPT_MISSING:
        return history_archive(history, identity, target->row->version);
    case REPAIR_MARK_ROLLED_BACK:
        return history_mark_rolled_back(history, identity, target->row->version);
    case REPAIR_CLEAR:
    case REPAIR_RESUME_AT:
        break;
    }
    return half_run_statement(history, identity, target->row->version, repair);
}

static bool repair_locked(struct postgres *postgres, struct history *history, const struct folder *folder,
                          const struct repair *repair, const struct run_options *options,
                          struct repaired *ret, struct error *error)
{
    AUTO(change_clear) struct change change = {0};
    struct target target = {0};
    struct run_identity identity;
    char run_id[37];

    if (history->shape != HISTORY_OURS && !history_prepare(history, error))
        return false;
    if (!find_target(history, folder, repair, &target, error) || !check(&target, repair, error) ||
        (target.migration && !load_texts(target.migration, error)) ||
        !check_script(history, &target, repair, error))
        return false;
    run_new_id(run_id);
    identity = identity_of(options, run_id);
    /* A table that was there first may call the row by its number alone: it must not stay beside ours. */
    if (repair->action == REPAIR_MARK_APPLIED && target.row != NULL &&
        strcmp(target.row->version, target.migration->version.stem) != 0)
        change_add(&change, history_mark_rolled_back(history, &identity, target.row->version));
    change_add(&change, make_statement(history, &identity, &target, repair));
    if (!commit(postgres, history, &change, error))
        return false;
    *ret = (struct repaired){
        .version = text_copy(target.migration ? target.migration->version.stem : target.row->version),
        .backwards = target.row && target.row->state == ROW_UNDOING};
    return true;
}

bool repair_run(struct postgres *postgres, struct history *history, const struct folder *folder,
                const struct repair *repair, const struct run_options *options,
                const struct run_listener *listener, struct repaired *ret, struct error *error)
{
    AUTO(session_clear) struct session session = {0};
    bool ok;

    if (history->shape == HISTORY_ABSENT && repair->action != REPAIR_MARK_APPLIED) {
        error_set(error, ERROR_CONFLICT, "there is no history to repair");
        return error_hint(error, "Table \"%s.%s\" does not exist; is this the right database?",
                          history->schema, history->table);
    }
    if (!session_open(history, options, listener, &session, error))
        return false;
    ok = repair_locked(postgres, history, folder, repair, options, ret, error);
    session_unlock(postgres, history);
    return ok;
}

/* ---- baseline ---- */

/* The last file to mark. "0" marks none, unless a file has that number: the history begins empty, beside
 * whatever another tool keeps. */
static bool find_last(const struct folder *folder, const char *word, struct migration **ret,
                      struct error *error)
{
    AUTO(error_clear) struct error problem = {0};

    *ret = NULL;
    if (folder_find(folder, word, ret, &problem) || strcmp(word, "0") == 0)
        return true;
    error_move(error, &problem);
    return false;
}

/* Everything up to the named file that the history does not have. */
static bool find_unmarked(const struct history *history, const struct folder *folder, const char *word,
                          struct text_list *ret_versions, struct error *error)
{
    struct migration *last = NULL;

    if (!find_last(folder, word, &last, error))
        return false;
    for (size_t i = 0; last && i < folder->count; i++) {
        struct migration *migration = folder->items[i];
        struct history_row *row = history_find(history, folder, migration);

        if (row && history_row_is_half_run(row))
            return check_half_run(&(struct target){row, migration}, false, error);
        if (!row)
            text_list_add(ret_versions, text_copy(migration->version.stem));
        if (migration == last)
            break;
    }
    return true;
}

static bool mark(struct postgres *postgres, struct history *history, const struct folder *folder,
                 const struct text_list *versions, const struct run_options *options, struct error *error)
{
    AUTO(change_clear) struct change change = {0};
    struct run_identity identity;
    char run_id[37];

    run_new_id(run_id);
    identity = identity_of(options, run_id);
    for (size_t i = 0; i < versions->count; i++) {
        struct migration *migration = folder_stem(folder, versions->items[i]);

        if (!load_texts(migration, error))
            return false;
        change_add(&change, history_baseline(history, &identity, migration));
    }
    return commit(postgres, history, &change, error);
}

static bool baseline_locked(struct postgres *postgres, struct history *history, const struct folder *folder,
                            const struct baseline *baseline, const struct run_options *options,
                            struct text_list *ret_marked, struct error *error)
{
    AUTO(text_list_clear) struct text_list versions = {0};

    if ((history->shape != HISTORY_OURS && !history_prepare(history, error)) ||
        !find_unmarked(history, folder, baseline->version, &versions, error) ||
        (versions.count && !mark(postgres, history, folder, &versions, options, error)))
        return false;
    *ret_marked = versions;
    versions = (struct text_list){0};
    return true;
}

bool baseline_run(struct postgres *postgres, struct history *history, const struct folder *folder,
                  const struct baseline *baseline, const struct run_options *options,
                  const struct run_listener *listener, struct text_list *ret_marked, struct error *error)
{
    AUTO(session_clear) struct session session = {0};
    struct migration *last = NULL;
    bool ok;

    if (baseline->dry_run)
        return find_unmarked(history, folder, baseline->version, ret_marked, error);
    if (!find_last(folder, baseline->version, &last, error) ||
        !session_open(history, options, listener, &session, error))
        return false;
    ok = baseline_locked(postgres, history, folder, baseline, options, ret_marked, error);
    session_unlock(postgres, history);
    return ok;
}
