/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/settle.h"

#include "common/interrupt.h"
#include "migrator/session.h"
#include "sql.h"

#define RECONNECT_MS     60000
#define OLD_BACKEND_MS   30000
#define END_IT_AFTER_MS  3000
#define BETWEEN_TRIES_MS 200

/* The server may be restarting: try for a minute. */
static struct postgres *reconnect(struct execution *execution)
{
    int64_t deadline = clock_ms() + RECONNECT_MS;
    struct postgres *postgres = NULL;
    do {
        AUTO(error_clear) struct error ignored = {0};
        if (postgres_connect_again(execution->postgres, &postgres, &ignored))
            return postgres;
    } while (clock_ms() < deadline && interrupt_sleep(BETWEEN_TRIES_MS));
    return NULL;
}

static bool wait_for_end(struct execution *execution, struct postgres *postgres)
{
    OWNED char *pid = text_format("%d", execution->observer.pid);
    const char *values[] = {pid, execution->backend_began};
    int64_t began = clock_ms();
    bool ended = false;
    while (clock_ms() - began < OLD_BACKEND_MS) {
        AUTO(error_clear) struct error ignored = {0};
        AUTO(rows_free) struct rows *rows = NULL;
        if (!postgres_query(postgres, sql_session_gone, 2, values, &rows, &ignored))
            return false;
        if (rows_bool(rows, 0, "gone"))
            return true;
        if (!ended && clock_ms() - began > END_IT_AFTER_MS)
            ended = postgres_query(postgres, sql_session_end, 2, values, NULL, &ignored);
        if (!interrupt_sleep(BETWEEN_TRIES_MS))
            return false;
    }
    return false;
}

/* The history is the role's; whoever logs in may not even read it. */
static bool take_role(const struct execution *execution, struct postgres *postgres)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *role = session_role(execution->options);
    return postgres_execute(postgres, role, &ignored);
}

static bool is_committed(struct execution *execution, struct postgres *postgres, const char *version,
                         const char *run_id, bool forgetting, bool *ret)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *sql =
        postgres_bind(sql_history_settle, (struct postgres_name[]){{"schema", execution->history->schema},
                                                                   {"table", execution->history->table},
                                                                   {0}});
    if (!postgres_query(postgres, sql, 2, (const char *const[]){version, run_id}, &rows, &ignored))
        return false;
    *ret = forgetting ? !rows_bool(rows, 0, "present") : rows_bool(rows, 0, "ours");
    return true;
}

enum settled settle(struct execution *execution, const char *run_id, const struct job *jobs, size_t count,
                    bool forgetting, size_t *ret_committed)
{
    *ret_committed = 0;
    if (count == 0)
        return SETTLED_UNDONE;
    execution_tell(execution, (struct run_event){
                                  .type = RUN_NOTICE,
                                  .text = "the connection was lost; asking the server what was committed"});
    AUTO(postgres_free) struct postgres *postgres = reconnect(execution);
    if (postgres == NULL || !wait_for_end(execution, postgres) || !take_role(execution, postgres))
        return SETTLED_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        bool committed = false;
        if (!is_committed(execution, postgres, jobs[i].version, run_id, forgetting, &committed))
            return SETTLED_UNKNOWN;
        if (!committed)
            return SETTLED_UNDONE;
        *ret_committed = i + 1;
    }
    return SETTLED_COMMITTED;
}

bool settle_error(enum settled settled, const struct job *job, struct error *lost, struct error *error)
{
    if (settled == SETTLED_UNKNOWN) {
        error_set(error, ERROR_UNKNOWN,
                  "the connection was lost and it is not known whether \"%s\" was committed", job->version);
        error_detail(error, "%s", lost->message);
        error_at(error, job->script->source->path, 0, 0);
        error_clear(lost);
        return error_hint(
            error,
            "When the server can be reached again, \"pgmigrate status\" tells; running the same command "
            "again is safe.");
    }
    error_move(error, lost);
    error_at(error, job->script->source->path, error->line, error->column);
    error_prefix(error, "the connection was lost while \"%s\" ran, and it was rolled back", job->version);
    return error_hint(error, "%s Running the same command again is safe.",
                      job->commit_sent ? "The server was asked after reconnecting."
                                       : "COMMIT had not been reached.");
}
