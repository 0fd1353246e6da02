/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/settle.h"

#include "common/interrupt.h"
#include "migrator/adopt.h"
#include "migrator/session.h"
#include "sql.h"

#define RECONNECT_MS     60000
#define OLD_BACKEND_MS   30000
#define END_IT_AFTER_MS  3000
#define AFTER_SIGNAL_MS  10000
#define BETWEEN_TRIES_MS 200
#define LOG_TIMEOUT      "2s"

/* Until when to go on asking; a signal brings the end nearer. */
struct patience {
    int64_t deadline_ms;
    bool hurried;
};

static bool lasts(struct patience *patience)
{
    int64_t now = clock_ms();
    if (interrupt_signal() != 0 && !patience->hurried) {
        patience->hurried = true;
        if (patience->deadline_ms > now + AFTER_SIGNAL_MS)
            patience->deadline_ms = now + AFTER_SIGNAL_MS;
    }
    return now < patience->deadline_ms;
}

/* The server may be restarting: try for a minute. */
static struct postgres *reconnect(struct execution *execution)
{
    struct patience patience = {.deadline_ms = clock_ms() + RECONNECT_MS};
    struct postgres *postgres = NULL;
    for (;;) {
        AUTO(error_clear) struct error ignored = {0};
        if (postgres_connect_again(execution->postgres, &postgres, &ignored))
            return postgres;
        if (!lasts(&patience))
            return NULL;
        interrupt_pause(BETWEEN_TRIES_MS);
    }
}

static bool wait_for_end(struct execution *execution, struct postgres *postgres)
{
    OWNED char *pid = text_format("%d", execution->session->pid);
    const char *values[] = {pid, execution->session->began};
    struct patience patience = {.deadline_ms = clock_ms() + OLD_BACKEND_MS};
    int64_t began = clock_ms();
    bool ended = false;
    while (lasts(&patience)) {
        AUTO(error_clear) struct error ignored = {0};
        AUTO(rows_free) struct rows *rows = NULL;
        if (!postgres_query(postgres, sql_session_gone, 2, values, &rows, &ignored))
            return false;
        if (rows_bool(rows, 0, "gone"))
            return true;
        if (!ended && (clock_ms() - began > END_IT_AFTER_MS || patience.hurried))
            ended = postgres_query(postgres, sql_session_end, 2, values, NULL, &ignored);
        interrupt_pause(BETWEEN_TRIES_MS);
    }
    return false;
}

/* What one witness says; SETTLED_UNKNOWN when it knows nothing. */
static enum settled ask_status(struct postgres *postgres, const struct job *job)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (job->xid == NULL || !postgres_query(postgres, sql_transaction_status, 1,
                                            (const char *const[]){job->xid}, &rows, &ignored))
        return SETTLED_UNKNOWN;
    const char *status = rows_text(rows, 0, "status");
    if (text_equal(status, "committed"))
        return SETTLED_COMMITTED;
    return text_equal(status, "aborted") ? SETTLED_UNDONE : SETTLED_UNKNOWN;
}

static enum settled ask_log(struct execution *execution, struct postgres *postgres, const struct job *job,
                            const struct settle_question *question)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (question->unlogged)
        return SETTLED_UNKNOWN;
    OWNED char *sql = history_sql(execution->history, sql_history_settle, NULL);
    const char *const values[] = {job->version, question->run_id,
                                  question->forgetting ? "rolled_back" : "applied"};
    if (!postgres_query(postgres, sql, 3, values, &rows, &ignored))
        return SETTLED_UNKNOWN;
    return rows_bool(rows, 0, "recorded") ? SETTLED_COMMITTED : SETTLED_UNDONE;
}

/* The history is the role's; whoever logs in may not even read it. */
static void take_role(const struct execution *execution, struct postgres *postgres)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *role = session_role(execution->options);
    if (!postgres_execute(postgres, role, &ignored))
        error_clear(&ignored);
}

/*
 * A line in the log is proof, and so is an aborted transaction. A committed one without its line is none: a
 * server that crashed before the transaction reached the disk has given its number to another.
 */
enum settled settle_weigh(enum settled status, enum settled log)
{
    if (log == SETTLED_COMMITTED || status == SETTLED_UNDONE)
        return log == SETTLED_COMMITTED ? SETTLED_COMMITTED : SETTLED_UNDONE;
    if (status == SETTLED_COMMITTED)
        return log == SETTLED_UNDONE ? SETTLED_UNKNOWN : SETTLED_COMMITTED;
    return log;
}

static enum settled ask(struct execution *execution, const struct settle_question *question,
                        size_t *ret_committed)
{
    AUTO(postgres_free) struct postgres *postgres = reconnect(execution);
    if (postgres == NULL || !wait_for_end(execution, postgres))
        return SETTLED_UNKNOWN;
    take_role(execution, postgres);
    for (size_t i = 0; i < question->count; i++) {
        const struct job *job = &question->jobs[i];
        enum settled settled =
            settle_weigh(ask_status(postgres, job), ask_log(execution, postgres, job, question));
        if (settled != SETTLED_COMMITTED)
            return settled;
        *ret_committed = i + 1;
    }
    return SETTLED_COMMITTED;
}

enum settled settle(struct execution *execution, const struct settle_question *question,
                    size_t *ret_committed)
{
    *ret_committed = 0;
    if (question->count == 0)
        return SETTLED_UNDONE;
    execution_tell(execution, (struct run_event){
                                  .type = RUN_NOTICE,
                                  .text = "the connection was lost; asking the server what was committed"});
    /* A signal must not keep from asking; the second one ends the program all the same. */
    postgres_shield(execution->postgres, true);
    enum settled settled = ask(execution, question, ret_committed);
    postgres_shield(execution->postgres, false);
    return settled;
}

bool settle_error(enum settled settled, const struct job *job, struct error *lost, struct error *error)
{
    if (settled == SETTLED_UNKNOWN) {
        OWNED char *part =
            job->whole ? text_copy("") : text_format("the transaction of statement %zu of ", job->first + 1);
        error_set(error, ERROR_UNKNOWN,
                  "the connection was lost and it is not known whether %s\"%s\" was committed", part,
                  job->version);
        error_detail(error, "%s", lost->message);
        error_at(error, job->script->source->path, 0, 0);
        error_clear(lost);
        return error_hint(error, "When the server can be reached again, \"pgmigrate status\" tells.");
    }
    error_move(error, lost);
    error_at(error, job->script->source->path, error->line, error->column);
    error_prefix(error, "the connection was lost while \"%s\" ran, and it was rolled back", job->version);
    return error_hint(error, job->commit_sent ? "The server was asked after reconnecting."
                                              : "COMMIT had not been reached.");
}

void settle_log(struct execution *execution, const struct run_identity *identity, const char *version,
                const struct error *failure)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_statement_free)
    struct history_statement *line =
        history_lost(execution->history, identity, version, failure->message, execution->backwards);
    OWNED char *timeout = postgres_bind(sql_set_session_statement_timeout,
                                        (struct postgres_name[]){{"value", LOG_TIMEOUT}, {0}});
    if (failure->code == ERROR_UNKNOWN || !postgres_connect_again(execution->postgres, &postgres, &ignored))
        return;
    take_role(execution, postgres);
    if (!postgres_execute(postgres, timeout, &ignored) ||
        !postgres_query(postgres, line->sql, line->count, line->values, NULL, &ignored))
        error_clear(&ignored);
}
