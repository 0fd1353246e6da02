/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restore.h"

#include "backup/restoring.h"

#include "backup/compare.h"
#include "backup/load.h"
#include "backup/snapshot.h"
#include "backup/target.h"
#include "common/interrupt.h"
#include "common/test_point.h"
#include "sql.h"

#define MATVIEW_DATA " MATERIALIZED VIEW DATA " /* in a list of pg_restore */

/* What one process sorts in. More costs time: 256 MB took half as long again as 64 MB, for caches are small.
 */
#define SORT_MB      32
#define MOST_SORT_MB 256

void restoring_clear(struct restoring *restoring)
{
    AUTO(error_clear) struct error ignored = {0};

    postgres_free(restoring->target);
    archive_reader_free(restoring->archive);
    manifest_free(restoring->manifest);
    pgrestore_clear(&restoring->pgrestore);
    toc_clear(&restoring->toc);
    selection_clear(&restoring->selection);
    ledger_clear(&restoring->ledger);
    free(restoring->schema);
    if (restoring->folder && !file_remove_tree(restoring->folder, &ignored))
        error_clear(&ignored);
    free(restoring->folder);
    if (restoring->held >= 0)
        close(restoring->held);
}

void restore_result_clear(struct restore_result *result)
{
    free(result->database);
    text_list_clear(&result->created_roles);
    text_list_clear(&result->notes);
    *result = (struct restore_result){0};
}

/* ---- telling ---- */

void restoring_tell(const struct restoring *restoring, int64_t done, int64_t total, const char *message)
{
    struct restore_event event = {
        .phase = restoring->phase, .done = done, .total = total, .message = message};

    if (restoring->listener && restoring->listener->event)
        restoring->listener->event(restoring->listener->context, &event);
}

static void enter(struct restoring *restoring, enum restore_phase phase)
{
    restoring->phase = phase;
    restoring_tell(restoring, 0, 0, NULL);
}

static void progress(void *context, int64_t done, int64_t total)
{
    restoring_tell(context, done, total, NULL);
}

/* ---- objects ---- */

static struct pgrestore_job job_of(const struct restoring *restoring, const char *list)
{
    const struct restore_options *options = restoring->options;

    return (struct pgrestore_job){.server = restoring->server,
                                  .database = options->to,
                                  .archive = restoring->schema,
                                  .list = list,
                                  .folder = restoring->folder,
                                  .jobs = options->jobs,
                                  .no_owner = options->no_owner,
                                  .no_privileges = options->no_privileges,
                                  .no_subscriptions = options->no_subscriptions,
                                  .no_tablespaces = restoring->no_tablespaces};
}

static bool run_job(const struct restoring *restoring, const struct pgrestore_job *job, struct error *error)
{
    return pgrestore_run(&restoring->pgrestore, job, NULL, error);
}

static bool restore_objects(struct restoring *restoring, struct error *error)
{
    OWNED char *list = toc_list(&restoring->toc, TOC_OBJECTS, restoring->selection.chosen, NULL);
    struct pgrestore_job job = job_of(restoring, list);

    job.section = "pre-data";
    job.jobs = 1;
    if (run_job(restoring, &job, error))
        return true;
    if (!restoring->superuser && error->detail && strstr(error->detail, " OWNER TO "))
        error_hint(error, "Restore with --no-owner, or as a superuser: other roles may not create anything "
                          "there before the backup's privileges are set, which comes last.");
    return false;
}

static struct load load_of(struct restoring *restoring, const struct ledger *ledger)
{
    const struct restore_options *options = restoring->options;

    return (struct load){.server = restoring->server,
                         .database = options->to,
                         .archive = restoring->archive,
                         .manifest = restoring->manifest,
                         .pgrestore = &restoring->pgrestore,
                         .ledger = ledger,
                         .tables = restoring->selection.tables,
                         .data_keys = restoring->selection.partial ? &restoring->selection.data_keys : NULL,
                         .folder = restoring->folder,
                         .jobs = options->jobs,
                         .no_owner = options->no_owner,
                         .no_privileges = options->no_privileges,
                         .progress = progress,
                         .context = restoring};
}

static bool restore_data(struct restoring *restoring, struct error *error)
{
    struct load load = load_of(restoring, restoring->resumed ? &restoring->ledger : NULL);

    return restoring->options->schema_only || load_run(&load, error);
}

static bool add_done(struct postgres *postgres, const char *sql, struct text_list *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(ret, toc_key(rows_text(rows, i, "kind"), rows_text(rows, i, "schema"),
                                   rows_text(rows, i, "name")));
    return true;
}

/* Each entry of the archive is there as a whole or not. */
static bool find_there(const struct restoring *restoring, struct text_list *ret, struct error *error)
{
    return add_done(restoring->target, sql_restore_done, ret, error) &&
           (postgres_server_version(restoring->target) < 150000 ||
            add_done(restoring->target, sql_restore_done_schemas, ret, error));
}

/* What an attempt that was interrupted has made. */
static bool find_done(const struct restoring *restoring, struct text_list *ret, struct error *error)
{
    return !restoring->resumed || find_there(restoring, ret, error);
}

static bool add_objects(struct restoring *restoring, const bool *chosen, const struct text_list *done,
                        int jobs, struct error *error)
{
    OWNED char *list = NULL, *settings = NULL;
    /* The last index has all processors; before it, jobs indexes share them. */
    int workers = restoring->options->jobs - 1, memory = SORT_MB * (workers > 1 ? workers + 1 : 2);
    struct pgrestore_job job;

    list = toc_list(&restoring->toc, TOC_OBJECTS, chosen, done);
    settings = text_format("-c maintenance_work_mem=%dMB -c max_parallel_maintenance_workers=%d",
                           memory < MOST_SORT_MB ? memory : MOST_SORT_MB, workers);
    job = job_of(restoring, list);
    job.section = "post-data";
    job.settings = settings;
    job.jobs = jobs;
    return run_job(restoring, &job, error);
}

/* pg_dump does not list everything that an entry needs, such as a trigger of a partition's partition whose
 * state is another: what fails side by side may not fail in order. */
static bool restore_post_data(struct restoring *restoring, const bool *chosen, bool begun,
                              struct error *error)
{
    AUTO(text_list_clear) struct text_list done = {0}, again = {0};
    AUTO(error_clear) struct error failure = {0};

    if (begun && !find_there(restoring, &done, error))
        return false;
    if (add_objects(restoring, chosen, &done, restoring->options->jobs, &failure))
        return true;
    if (failure.code != ERROR_FAILED || restoring->options->jobs == 1 || interrupt_signal() != 0) {
        error_move(error, &failure);
        return false;
    }
    return restoring_end_others(restoring, error) && find_there(restoring, &again, error) &&
           add_objects(restoring, chosen, &again, 1, error);
}

static bool restore_indexes_only(struct restoring *restoring, struct error *error)
{
    const struct toc *toc = &restoring->toc;
    const bool *chosen = restoring->selection.chosen;
    OWNED bool *indexes = memory_allocate(toc->count, sizeof *indexes);

    for (size_t i = 0; i < toc->count; i++)
        indexes[i] = (!chosen || chosen[i]) && toc_makes_index(&toc->items[i]);
    return restore_post_data(restoring, indexes, restoring->resumed, error);
}

/* Rows that name indexes: after them, and before foreign keys want the rows and triggers see them come. */
static bool restore_left_out(struct restoring *restoring, bool *ret_found, struct error *error)
{
    AUTO(ledger_clear) struct ledger ledger = {0};
    struct load load = load_of(restoring, &ledger);
    bool present;

    load.second = true;
    load.progress = NULL; /* of another phase */
    if (restoring->options->schema_only)
        return true;
    if (!ledger_read(restoring->target, &present, &ledger, error))
        return false;
    *ret_found = load_is_needed(&load);
    return !*ret_found || (restore_indexes_only(restoring, error) && load_run(&load, error));
}

static bool restore_indexes(struct restoring *restoring, struct error *error)
{
    bool begun = false;

    return restore_left_out(restoring, &begun, error) &&
           restore_post_data(restoring, restoring->selection.chosen, begun || restoring->resumed, error);
}

/* ---- what comes last ---- */

static bool restore_privileges(struct restoring *restoring, struct error *error)
{
    OWNED char *list = toc_list(&restoring->toc, TOC_PRIVILEGES, restoring->selection.chosen, NULL);
    struct pgrestore_job job = job_of(restoring, list);

    job.jobs = 1;
    return restoring->options->no_privileges || run_job(restoring, &job, error);
}

static bool apply_properties(struct restoring *restoring, struct error *error)
{
    return target_properties(restoring->server, restoring->manifest, restoring->options,
                             &restoring->result->notes, error);
}

/* The lines of a list that are about materialized views, or the others. */
static struct text_list lines_of(const char *list, bool of_views)
{
    AUTO(text_list_clear) struct text_list all = text_list_split(list, '\n');
    struct text_list some = {0};

    for (size_t i = 0; i < all.count; i++)
        if (all.items[i][0] != '\0' && (strstr(all.items[i], MATVIEW_DATA) != NULL) == of_views)
            text_list_add(&some, text_copy(all.items[i]));
    return some;
}

/* What the server said, of all that pg_restore printed. */
static char *said(const struct error *failure)
{
    const char *text = failure->detail == NULL ? failure->message : failure->detail;
    const char *server = strstr(text, "ERROR:");

    text = server == NULL ? text : server + strlen("ERROR:");
    text += strspn(text, " ");
    return text_copy_part(text, strcspn(text, "\n"));
}

/* Each for itself: one that cannot be filled keeps no other from it, nor the database from being used. */
static bool fill_each(struct restoring *restoring, struct pgrestore_job *job, const struct text_list *lines,
                      struct error *error)
{
    for (size_t i = 0; i < lines->count; i++) {
        AUTO(error_clear) struct error failure = {0};
        OWNED char *line = text_format("%s\n", lines->items[i]);
        const char *name = strstr(line, MATVIEW_DATA) + strlen(MATVIEW_DATA);

        job->list = line;
        if (run_job(restoring, job, &failure))
            continue;
        if (failure.code != ERROR_FAILED || interrupt_signal() != 0) {
            error_move(error, &failure);
            return false;
        }
        OWNED char *reason = said(&failure);
        restoring->result->unfilled++;
        text_list_add(&restoring->result->notes,
                      text_format("Materialized view \"%.*s\" (schema, name, owner) is empty: %s. REFRESH "
                                  "MATERIALIZED VIEW fills "
                                  "it once that is mended.",
                                  (int)strcspn(name, "\n"), name, reason));
    }
    return true;
}

/* Where they cannot be filled as they stand, it is found out which. */
static bool fill_views(struct restoring *restoring, const struct text_list *lines, struct error *error)
{
    AUTO(error_clear) struct error failure = {0};
    OWNED char *list = text_list_join(lines, "\n");
    struct pgrestore_job job = job_of(restoring, list);

    /* An event trigger of the database must not fire at the refreshing of a materialized view here. */
    job.settings = restoring->superuser ? "-c session_replication_role=replica" : NULL;
    if (lines->count == 0 || restoring->options->schema_only || run_job(restoring, &job, &failure))
        return true;
    if (failure.code == ERROR_FAILED && interrupt_signal() == 0)
        return fill_each(restoring, &job, lines, error);
    error_move(error, &failure);
    return false;
}

/* Contents of materialized views, which may need privileges and the database's settings. */
static bool restore_late(struct restoring *restoring, struct error *error)
{
    OWNED char *list = toc_list(&restoring->toc, TOC_LATE, restoring->selection.chosen, NULL);
    AUTO(text_list_clear) struct text_list views = lines_of(list, true);

    return fill_views(restoring, &views, error);
}

/* After everything else, of which they are to see nothing. */
static bool restore_event_triggers(struct restoring *restoring, struct error *error)
{
    AUTO(text_list_clear) struct text_list done = {0};

    if (!find_done(restoring, &done, error))
        return false;
    OWNED char *list = toc_list(&restoring->toc, TOC_LATE, restoring->selection.chosen, &done);
    AUTO(text_list_clear) struct text_list triggers = lines_of(list, false);
    OWNED char *rest = text_list_join(&triggers, "\n");
    struct pgrestore_job job = job_of(restoring, rest);
    return triggers.count == 0 || run_job(restoring, &job, error);
}

static struct compare compare_of(struct restoring *restoring)
{
    return (struct compare){.server = restoring->server,
                            .database = restoring->options->to,
                            .manifest = restoring->manifest,
                            .tables = restoring->selection.tables,
                            .jobs = restoring->options->jobs,
                            .progress = progress,
                            .context = restoring};
}

static bool analyze(struct restoring *restoring, struct error *error)
{
    struct compare compare = compare_of(restoring);

    return restoring->options->schema_only ||
           compare_analyze(&compare, restoring->target, &restoring->result->notes, error);
}

static bool compare(struct restoring *restoring, struct error *error)
{
    struct compare comparison = compare_of(restoring);
    struct restore_result *result = restoring->result;

    if (restoring->options->schema_only || restoring->options->no_compare)
        return true;
    return compare_tables(&comparison, restoring->target, &result->tables, &result->rows, &result->notes,
                          error);
}

/* ---- all of it ---- */

struct step {
    const char *name; /* in the ledger, once it is done */
    enum restore_phase phase;
    bool (*run)(struct restoring *restoring, struct error *error);
};

static const struct step steps[] = {
    {"objects", RESTORE_PRE_DATA, restore_objects},
    {"data", RESTORE_DATA, restore_data},
    {"indexes", RESTORE_POST_DATA, restore_indexes},
    {"privileges", RESTORE_PRIVILEGES, restore_privileges},
    {"properties", RESTORE_PRIVILEGES, apply_properties},
    {"late", RESTORE_LATE, restore_late},
    {"statistics", RESTORE_ANALYZE, analyze},
    {"compared", RESTORE_COMPARING, compare},
    {"triggers", RESTORE_TRIGGERS, restore_event_triggers},
};
#define STEPS (sizeof steps / sizeof *steps)

/* The first step to do. */
static size_t first_step(const struct restoring *restoring)
{
    for (size_t i = 0; restoring->resumed && i < STEPS; i++)
        if (text_equal(steps[i].name, restoring->ledger.step))
            return i + 1;
    return 0;
}

static bool run_steps(struct restoring *restoring, struct error *error)
{
    for (size_t i = first_step(restoring); i < STEPS; i++) {
        OWNED char *point = text_format("restore-%s", steps[i].name);

        enter(restoring, steps[i].phase);
        if (!steps[i].run(restoring, error)) {
            restoring->result->wants_search_path =
                !restoring->selection.partial && pgrestore_wants_search_path(error);
            return false;
        }
        test_point(point);
        if (!ledger_step(restoring->target, steps[i].name, error))
            return false;
    }
    return true;
}

/* A setting of a name that the server does not know is a superuser's to make. */
static bool mark(struct restoring *restoring, struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_restore_mark, (struct postgres_name[]){{"database", restoring->options->to},
                                                                 {"backup", restoring->manifest->id},
                                                                 {0}});

    return !restoring->options->swap_follows || !restoring->superuser ||
           postgres_execute(restoring->target, sql, error);
}

static bool close_ledger(struct restoring *restoring, struct error *error)
{
    return postgres_execute(restoring->target, sql_begin, error) && mark(restoring, error) &&
           ledger_drop(restoring->target, restoring->superuser, error) &&
           postgres_execute(restoring->target, sql_commit, error);
}

/* Who cannot mark the database keeps the ledger until it has taken the other's place (restore_swap). */
static bool finish(struct restoring *restoring, struct error *error)
{
    return (restoring->options->swap_follows && !restoring->superuser) || close_ledger(restoring, error);
}

static bool is_selected(const struct restoring *restoring, size_t table)
{
    return !restoring->selection.tables || restoring->selection.tables[table];
}

static void count(struct restoring *restoring)
{
    const struct manifest *manifest = restoring->manifest;
    struct restore_result *result = restoring->result;

    result->tables = result->rows = 0;
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (!is_selected(restoring, i))
            continue;
        result->tables++;
        if (!restoring->options->schema_only && manifest->tables[i].source != TABLE_SKIPPED)
            result->rows += manifest->tables[i].fingerprint.rows;
    }
}

/* What is not in the backup beside rows is of the database as a whole, or of tables that cannot be chosen. */
static void add_notes(struct restoring *restoring)
{
    const struct manifest *manifest = restoring->manifest;
    struct text_list *notes = &restoring->result->notes;

    for (size_t i = 0; i < manifest->table_count; i++)
        if (manifest->tables[i].source == TABLE_SKIPPED && is_selected(restoring, i))
            text_list_add(notes, text_format("The rows of \"%s.%s\" are not in the backup: %s.",
                                             manifest->tables[i].schema, manifest->tables[i].name,
                                             manifest->tables[i].reason));
    for (size_t i = 0; i < manifest->not_included.count && !restoring->selection.partial; i++)
        text_list_add(notes, text_copy(manifest->not_included.items[i]));
}

/* Whether the target's ledger tells of a step that was begun: then it can be resumed. So it can, for all that
 * is known, where nobody answers. */
static bool has_begun(const struct restoring *restoring)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(ledger_clear) struct ledger ledger = {0};
    AUTO(postgres_free) struct postgres *again = NULL;
    struct postgres *target = restoring->target;
    bool present = false;

    if (!target)
        return false;
    if (postgres_is_lost(target)) {
        if (!postgres_connect_again(target, &again, &ignored))
            return true;
        target = again;
    }
    postgres_shield(target, true);
    return (postgres_transaction(target) == POSTGRES_IDLE ||
            postgres_execute(target, sql_rollback, &ignored)) &&
           ledger_read(target, &present, &ledger, &ignored) && present && *ledger.step;
}

/* Before there are tables, and of a backup that is damaged, nothing is worth keeping. */
static void give_up(struct restoring *restoring, struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    const char *to = restoring->options->to;
    bool begun;

    if (!restoring->opened && !restoring->created)
        return;
    postgres_shield(restoring->server, true);
    begun = has_begun(restoring);
    postgres_free(take(restoring->target));
    if (restoring->created && (!begun || error->code == ERROR_BACKUP) &&
        target_drop(restoring->server, to, &ignored)) {
        if (!error->detail)
            error_detail(error, "Database \"%s\" was dropped again.", to);
        return;
    }
    restoring->result->kept = true;
    if (error->code != ERROR_INTERRUPTED && error->code != ERROR_TERMINATED)
        error->code = ERROR_PARTIAL;
    if (!error->detail)
        error_detail(error, "Database \"%s\" holds what was restored until then.", to);
}

/* Complete already, in an attempt that ended before it took the other's place. */
static bool is_complete(struct restoring *restoring, bool *ret, struct error *error)
{
    AUTO(target_state_clear) struct target_state state = {0};

    *ret = false;
    if (!restoring->options->swap_follows || !restoring->options->resume)
        return true;
    if (!target_look(restoring->server, restoring->options->to, &state, error))
        return false;
    *ret = text_equal(state.marked, restoring->manifest->id);
    return true;
}

static bool run(struct restoring *restoring, struct error *error)
{
    enter(restoring, RESTORE_CREATING);
    if (restoring->options->create_missing_roles &&
        !target_create_roles(restoring->server, restoring->manifest, restoring->options,
                             &restoring->result->created_roles, error))
        return false;
    restoring->opened = restoring_open(restoring, error);
    if (restoring->opened && run_steps(restoring, error) && finish(restoring, error))
        return true;
    give_up(restoring, error);
    return false;
}

/* Before the target is touched. */
static bool look(struct restoring *restoring, const char *archive_path, const struct record *record,
                 struct error *error)
{
    enter(restoring, RESTORE_CHECKING);
    return snapshot_settings(restoring->server, true, NULL,
                             error) && /* no timeout of a role ends it half way */
           restoring_check(restoring, archive_path, record, error);
}

bool restore_try(struct postgres *server, const char *archive_path, const struct record *record,
                 const struct restore_options *options, const struct restore_listener *listener,
                 struct restore_result *ret, struct error *error)
{
    AUTO(restoring_clear)
    struct restoring restoring = {
        .server = server, .options = options, .listener = listener, .result = ret, .held = -1};

    return look(&restoring, archive_path, record, error);
}

bool restore_run(struct postgres *server, const char *archive_path, const struct record *record,
                 const struct restore_options *options, const struct restore_listener *listener,
                 struct restore_result *ret, struct error *error)
{
    AUTO(restoring_clear)
    struct restoring restoring = {
        .server = server, .options = options, .listener = listener, .result = ret, .held = -1};
    int64_t began = clock_ms();
    bool complete = false;

    ret->database = text_copy(options->to);
    if (!look(&restoring, archive_path, record, error) || !is_complete(&restoring, &complete, error) ||
        (!complete && !run(&restoring, error)))
        return false;
    count(&restoring);
    add_notes(&restoring);
    ret->milliseconds = clock_ms() - began;
    return true;
}
