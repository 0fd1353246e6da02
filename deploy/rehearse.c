/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/rehearse.h"

#include "common/moment.h"
#include "deploy/state.h"
#include "deploy/trace.h"
#include "migrator/plan.h"
#include "migrator/session.h"
#include "rollback/undo.h"
#include "sql.h"

struct rehearse {
    struct postgres *postgres;  /* borrowed: the run's */
    struct state_source source; /* looks at the database through a connection of its own */
    struct history *history;
    const struct folder *folder;
    const struct rehearse_options *options;
    const struct run_listener *listener;
    struct trace *trace;
    struct rls_gate *gate; /* of the migration that is applied; or NULL */
    struct run_watch watch;
    struct rehearsal *rehearsal;
};

static void rehearse_clear(struct rehearse *rehearse)
{
    trace_free(rehearse->trace);
    rls_gate_free(rehearse->gate);
    history_free(rehearse->history);
    postgres_free(rehearse->source.postgres);
    free(rehearse->source.pg_dump);
}
CLEANUP_VALUE(struct rehearse, rehearse_clear)

bool rehearsed_is_suspect(const struct rehearsed *rehearsed)
{
    if (rehearsed->round_trip == ROUND_TRIP_FAILS || rehearsed->weakness_count > 0)
        return true;
    for (size_t i = 0; i < rehearsed->difference_count; i++)
        if (!rehearsed->differences[i].mild)
            return true;
    return false;
}

/* ---- what there is to do ---- */

static void add_item(struct rehearsal *rehearsal, const struct migration *migration)
{
    rehearsal->items = memory_grow(rehearsal->items, rehearsal->count, sizeof *rehearsal->items);
    rehearsal->items[rehearsal->count++] = (struct rehearsed){
        .version = text_copy(migration->version.stem),
        .description = text_copy(migration->version.description),
        .file = text_copy(migration->forward.path),
        .checksum = text_copy(migration->forward.checksum),
        .rollback_checksum =
            migration_has_rollback(migration) ? text_copy(migration->rollback.checksum) : NULL,
        .verify_checksum = migration_has_verify(migration) ? text_copy(migration->verify.checksum) : NULL,
        .transactional = !migration->directives.no_transaction,
        .execution_ms = -1,
        .lock_wait_ms = -1,
        .commit_ms = -1,
        .rollback_ms = -1,
        .victim_ms = -1,
        .low_ms = -1,
        .high_ms = -1,
    };
}

static bool list_items(struct rehearse *rehearse, struct error *error)
{
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    struct plan_target target = {.to = rehearse->options->to,
                                 .out_of_order = rehearse->options->out_of_order};

    if (!plan_make(rehearse->folder, rehearse->history, &(struct plan_options){0}, &plan, error) ||
        !plan_steps(plan, rehearse->folder, rehearse->history, &target, &steps, error))
        return false;
    for (size_t i = 0; i < steps.count; i++)
        add_item(rehearse->rehearsal, steps.items[i]->migration);
    return true;
}

/* So that the history table's making belongs to no migration. */
static bool prepare_history(struct rehearse *rehearse, struct error *error)
{
    AUTO(session_clear) struct session session = {0};

    if (!session_open(rehearse->history, &rehearse->options->run, rehearse->listener, &session, error))
        return false;
    bool good = history_prepare(rehearse->history, error);
    session_unlock(rehearse->postgres, rehearse->history);
    return good;
}

static bool identify(struct rehearse *rehearse, struct error *error)
{
    struct rehearsal *rehearsal = rehearse->rehearsal;
    AUTO(rows_free) struct rows *rows = NULL;

    run_new_id(rehearsal->id);
    rehearsal->began_at = moment_text(moment_now());
    rehearsal->tool_version = text_copy(PGMIGRATE_VERSION);
    if (!postgres_query(rehearse->source.postgres, sql_server_identity, 0, NULL, &rows, error))
        return false;
    rehearsal->system_identifier = text_copy(rows_text(rows, 0, "system_identifier"));
    rehearsal->server_version = text_copy(rows_text(rows, 0, "version"));
    return true;
}

/* ---- the steps ---- */

/* What ends a rehearsal without saying anything about the migration. */
static bool is_fatal(const struct rehearse *rehearse, const struct error *error)
{
    return error->code == ERROR_INTERRUPTED || error->code == ERROR_TERMINATED ||
           error->code == ERROR_UNKNOWN || postgres_is_lost(rehearse->postgres);
}

/* The migration's own failure is kept with it; false when the rehearsal cannot go on at all. */
static bool keep_failure(const struct rehearse *rehearse, struct rehearsed *item, struct error *failure,
                         struct error *error)
{
    if (is_fatal(rehearse, failure)) {
        error_move(error, failure);
        return false;
    }
    error_move(&item->failure, failure);
    return true;
}

static int64_t time_of(const struct run_result *result, const char *version)
{
    for (size_t i = 0; i < result->count; i++)
        if (text_equal(result->items[i].version, version))
            return result->items[i].execution_ms;
    return -1;
}

/* The trace and the gate; what the gate asks belongs to no statement. */
static bool look_twice(void *context, const struct run_look *look, struct error *error)
{
    struct rehearse *rehearse = context;
    const struct run_watch *watches[] = {trace_watch(rehearse->trace), rls_gate_watch(rehearse->gate)};
    size_t first = look->moment == RUN_LOOK_BEGIN || look->moment == RUN_LOOK_BEFORE ? 1 : 0;
    const struct run_watch *one = watches[first], *other = watches[1 - first];

    return one->look(one->context, look, error) && other->look(other->context, look, error);
}

/* A gate of its own for each migration: one does not answer for what another's rollback left. */
static const struct run_watch *begin_watch(struct rehearse *rehearse)
{
    if (!rehearse->options->isolation)
        return trace_watch(rehearse->trace);
    rls_gate_free(rehearse->gate);
    rehearse->gate = rls_gate_new(rehearse->options->isolation);
    const struct run_watch *gate = rls_gate_watch(rehearse->gate);
    rehearse->watch = (struct run_watch){
        .context = rehearse, .look = look_twice, .begins = gate->begins, .explain = gate->explain};
    return &rehearse->watch;
}

static bool apply_one(struct rehearse *rehearse, struct rehearsed *item, bool watched,
                      struct run_result *result, struct error *error)
{
    struct apply_options options = {.run = rehearse->options->run,
                                    .to = item->version,
                                    .out_of_order = rehearse->options->out_of_order,
                                    .batch = 1};

    options.run.watch = watched ? begin_watch(rehearse) : NULL;
    /* What is pending is decided by the history as the last run left it in memory. */
    return history_refresh(rehearse->history, error) &&
           apply_run(rehearse->postgres, rehearse->history, rehearse->folder, &options,
                     watched ? rehearse->listener : NULL, result, error);
}

/* item->passed: it is applied. */
static bool forward(struct rehearse *rehearse, struct rehearsed *item, struct error *error)
{
    AUTO(run_result_clear) struct run_result result = {0};
    AUTO(error_clear) struct error failure = {0};

    item->passed = apply_one(rehearse, item, true, &result, &failure) &&
                   (!rehearse->gate || rls_gate_finish(rehearse->gate, rehearse->postgres, &failure));
    item->execution_ms = time_of(&result, item->version);
    if (!trace_take(rehearse->trace, item->version, item))
        item->statement_count = 0;
    return item->passed || keep_failure(rehearse, item, &failure, error);
}

/* ROUND_TRIP_EXACT: it is rolled back, whatever the comparison will say. */
static bool back(struct rehearse *rehearse, struct rehearsed *item, struct error *error)
{
    AUTO(run_result_clear) struct run_result result = {0};
    AUTO(data_losses_clear) struct data_losses losses = {0};
    AUTO(error_clear) struct error failure = {0};
    struct undo_options options = {
        .run = rehearse->options->run, .steps = 1, .accept_data_loss = true, .use_file = true};
    const struct migration *migration = folder_stem(rehearse->folder, item->version);

    if (!migration || !migration_has_rollback(migration)) {
        item->round_trip = ROUND_TRIP_MISSING;
        return true;
    }
    if (history_refresh(rehearse->history, &failure) &&
        undo_run(rehearse->postgres, rehearse->history, rehearse->folder, &options, NULL, &losses, &result,
                 &failure)) {
        item->round_trip = ROUND_TRIP_EXACT;
        item->rollback_ms = time_of(&result, item->version);
        return true;
    }
    item->round_trip = ROUND_TRIP_FAILS;
    item->passed = false;
    return keep_failure(rehearse, item, &failure, error);
}

static bool again(struct rehearse *rehearse, struct rehearsed *item, struct error *error)
{
    AUTO(run_result_clear) struct run_result result = {0};
    AUTO(error_clear) struct error failure = {0};

    if (apply_one(rehearse, item, false, &result, &failure))
        return true;
    item->passed = false;
    error_prefix(&failure, "applied again after its rollback");
    return keep_failure(rehearse, item, &failure, error);
}

static bool look(struct rehearse *rehearse, struct state **state, struct error *error)
{
    state_free(take(*state));
    return state_read(&rehearse->source, state, error);
}

static bool compare(struct rehearse *rehearse, const struct state *before, struct rehearsed *item,
                    struct error *error)
{
    AUTO(state_free) struct state *now = NULL;

    if (!look(rehearse, &now, error))
        return false;
    state_compare(before, now, item);
    if (item->difference_count > 0)
        item->round_trip = ROUND_TRIP_DIFFERS;
    return true;
}

/* What is different since before the migration. */
static void judge(const struct state *before, const struct state *after, struct rehearsed *item)
{
    state_changes(before, after, item);
    state_weaknesses(before, after, item);
}

/* ---- the two ways ---- */

/* A rollback that was undone as a whole leaves what there was; another one leaves nothing to go on with. */
static bool goes_on(const struct rehearse *rehearse, const struct rehearsed *item)
{
    const struct migration *migration = folder_stem(rehearse->folder, item->version);

    return item->passed || (item->round_trip == ROUND_TRIP_FAILS && item->failure.code != ERROR_PARTIAL &&
                            !migration->rollback_directives.no_transaction);
}

/* *now, how it is after the migration, becomes how it is after the round trip. */
static bool trip(struct rehearse *rehearse, const struct state *before, struct state **now,
                 struct rehearsed *item, struct error *error)
{
    if (!back(rehearse, item, error))
        return false;
    return item->round_trip != ROUND_TRIP_EXACT ||
           (compare(rehearse, before, item, error) && again(rehearse, item, error) &&
            look(rehearse, now, error));
}

static bool run_each(struct rehearse *rehearse, struct error *error)
{
    AUTO(state_free) struct state *before = NULL;
    AUTO(state_free) struct state *now = NULL;
    struct rehearsal *rehearsal = rehearse->rehearsal;

    if (!look(rehearse, &now, error))
        return false;
    for (size_t i = 0; i < rehearsal->count; i++) {
        struct rehearsed *item = &rehearsal->items[i];

        state_free(before);
        before = take(now);
        if (!forward(rehearse, item, error))
            return false;
        if (!item->passed)
            return true;
        if (!look(rehearse, &now, error))
            return false;
        judge(before, now, item);
        if (rehearse->options->trip == TRIP_EACH && !trip(rehearse, before, &now, item, error))
            return false;
        if (!goes_on(rehearse, item))
            return true;
    }
    return true;
}

struct states {
    struct state **items;
    size_t count;
};

static void states_clear(struct states *states)
{
    for (size_t i = 0; i < states->count; i++)
        state_free(states->items[i]);
    free(states->items);
}
CLEANUP_VALUE(struct states, states_clear)

/* *ret_count: how many are applied; the first failure ends it. states has room for one more than items. */
static bool chain_forward(struct rehearse *rehearse, struct states *states, size_t *ret_count,
                          struct error *error)
{
    struct rehearsal *rehearsal = rehearse->rehearsal;

    if (!look(rehearse, &states->items[states->count++], error))
        return false;
    for (*ret_count = 0; *ret_count < rehearsal->count; ++*ret_count) {
        struct rehearsed *item = &rehearsal->items[*ret_count];

        if (!forward(rehearse, item, error))
            return false;
        if (!item->passed)
            return true;
        if (!look(rehearse, &states->items[states->count++], error))
            return false;
        judge(states->items[*ret_count], states->items[*ret_count + 1], item);
    }
    return true;
}

/* From the newest on; *ret_first: the oldest one that is rolled back. */
static bool chain_back(struct rehearse *rehearse, const struct states *states, size_t *ret_first,
                       struct error *error)
{
    for (*ret_first = rehearse->rehearsal->count; *ret_first > 0; --*ret_first) {
        struct rehearsed *item = &rehearse->rehearsal->items[*ret_first - 1];

        if (!back(rehearse, item, error))
            return false;
        if (item->round_trip != ROUND_TRIP_EXACT)
            return true;
        if (!compare(rehearse, states->items[*ret_first - 1], item, error))
            return false;
    }
    return true;
}

static bool run_chain(struct rehearse *rehearse, struct error *error)
{
    struct rehearsal *rehearsal = rehearse->rehearsal;
    AUTO(states_clear)
    struct states states = {.items = memory_allocate(rehearsal->count + 1, sizeof *states.items)};
    size_t applied = 0, first = 0;

    if (!chain_forward(rehearse, &states, &applied, error))
        return false;
    if (applied < rehearsal->count)
        return true;
    if (!chain_back(rehearse, &states, &first, error))
        return false;
    if (first > 0 && !goes_on(rehearse, &rehearsal->items[first - 1]))
        return true;
    for (size_t i = first; i < rehearsal->count; i++) {
        if (!again(rehearse, &rehearsal->items[i], error))
            return false;
        if (!rehearsal->items[i].passed)
            return true;
    }
    return true;
}

/* ---- all of it ---- */

/* What looks wrong keeps no other migration from being rehearsed, but counts in the end. */
static bool has_passed(struct rehearsal *rehearsal)
{
    bool passed = true;

    for (size_t i = 0; i < rehearsal->count; i++) {
        struct rehearsed *item = &rehearsal->items[i];

        item->passed = item->passed && !rehearsed_is_suspect(item);
        passed = passed && item->passed;
    }
    return passed;
}

static bool run_items(struct rehearse *rehearse, struct error *error)
{
    struct trace_options options = {.history = rehearse->history,
                                    .probe_victims = rehearse->options->probe_victims};

    rehearse->source.history = rehearse->history;
    rehearse->source.isolation = rehearse->options->isolation;
    rehearse->source.probe = rehearse->options->probe;
    return rehearse->rehearsal->count == 0 ||
           (prepare_history(rehearse, error) &&
            trace_begin(rehearse->postgres, &options, &rehearse->trace, error) &&
            (rehearse->options->trip == TRIP_CHAIN ? run_chain(rehearse, error) : run_each(rehearse, error)));
}

bool rehearse_run(struct postgres *postgres, const struct folder *folder,
                  const struct rehearse_options *options, const struct run_listener *listener,
                  struct rehearsal *ret, struct error *error)
{
    AUTO(rehearse_clear)
    struct rehearse rehearse = {
        .postgres = postgres, .folder = folder, .options = options, .listener = listener, .rehearsal = ret};
    bool good = postgres_connect_again(postgres, &rehearse.source.postgres, error) &&
                identify(&rehearse, error) &&
                history_open(postgres, options->history_table, &rehearse.history, error) &&
                list_items(&rehearse, error) && run_items(&rehearse, error);

    ret->ended_at = moment_text(moment_now());
    ret->passed = has_passed(ret) && good;
    return good;
}
