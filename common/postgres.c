/* SPDX-License-Identifier: PostgreSQL */
#include "common/postgres.h"

#include "common/postgres_wait.h"

#include "common/interrupt.h"
#include "sql.h"
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#define CANCEL_AGAIN_MS 500
#define ANSWER_MS       10000 /* how long a server that was asked to cancel may take */
#define BOOL_OID        16    /* pg_type.dat; fixed since ever */

/* A struct rows is a PGresult under another name, so that libpq's types stay in here. */
static PGresult *result_of(const struct rows *rows)
{
    return (PGresult *)(uintptr_t)rows;
}

struct pg_conn *postgres_connection(const struct postgres *postgres)
{
    return postgres->connection;
}

bool postgres_was_cancelled(const struct postgres *postgres)
{
    return postgres->cancelled_ms != 0;
}

/* ---- errors ---- */

static char *first_line(const char *text)
{
    const char *end = strchrnul(text, '\n');
    return text_copy_part(text, (size_t)(end - text));
}

/* libpq puts one line per tried address into a connection error; the lines are joined, the advice is dropped.
 */
bool postgres_connection_error(const struct postgres *postgres, struct error *error)
{
    if (interrupt_signal() != 0)
        return interrupt_error(error);
    const struct error *words = &postgres->last_words;
    if (words->code != ERROR_NONE) {
        error_set(error, words->code, "%s", words->message);
        error_detail(error, "%s", words->detail == NULL ? "" : words->detail);
        error_hint(error, "%s", words->hint == NULL ? "" : words->hint);
        memcpy(error->sqlstate, words->sqlstate, sizeof error->sqlstate);
        return false;
    }
    OWNED char *line = first_line(PQerrorMessage(postgres->connection));
    error_set(error, ERROR_CONNECTION, "%s", *line != '\0' ? line : "the connection to the server was lost");
    return false;
}

/* Class 08 alone says nothing of our connection: dblink reports its own with it. */
static enum error_code code_of(const char *severity, const char *state)
{
    if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
        return ERROR_CONNECTION;
    if (strcmp(state, "25006") == 0)
        return ERROR_CONNECTION;
    return strcmp(state, "55P03") == 0 ? ERROR_LOCKED : ERROR_FAILED;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text == NULL ? "" : text;
}

static struct server_message message_of(const PGresult *result)
{
    return (struct server_message){
        .notice = {.severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED),
                   .message = field(result, PG_DIAG_MESSAGE_PRIMARY),
                   .detail = field(result, PG_DIAG_MESSAGE_DETAIL),
                   .hint = field(result, PG_DIAG_MESSAGE_HINT),
                   .sqlstate = field(result, PG_DIAG_SQLSTATE)},
        .context = field(result, PG_DIAG_CONTEXT),
        .position = field(result, PG_DIAG_STATEMENT_POSITION),
    };
}

bool postgres_server_error(const struct server_message *message, struct error *error)
{
    const char *state = message->notice.sqlstate, *detail = message->notice.detail;
    if (interrupt_signal() != 0 && (strcmp(state, "57014") == 0 || strcmp(state, "57P01") == 0))
        return interrupt_error(error);
    error_set(error, code_of(message->notice.severity, state), "%s", message->notice.message);
    if (*message->context != '\0')
        error_detail(error, "%s%sIn %s", detail, *detail != '\0' ? "\n" : "", message->context);
    else
        error_detail(error, "%s", detail);
    error_hint(error, "%s", message->notice.hint);
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", state);
    error->statement_position = (size_t)strtoul(message->position, NULL, 10);
    return false;
}

bool postgres_result_error(const struct postgres *postgres, const PGresult *result, struct error *error)
{
    if (*field(result, PG_DIAG_SQLSTATE) == '\0')
        return postgres_connection_error(postgres, error);
    struct server_message message = message_of(result);
    return postgres_server_error(&message, error);
}

/* Between two statements the server's last words come as a notice, of which the next error would know
 * nothing. */
static void keep_last_words(struct postgres *postgres, const struct server_message *message)
{
    if (postgres->last_words.code == ERROR_NONE && code_of(message->notice.severity, "") == ERROR_CONNECTION)
        postgres_server_error(message, &postgres->last_words);
}

void postgres_notice(struct postgres *postgres, const struct server_message *message)
{
    const struct notice *notice = &message->notice;
    keep_last_words(postgres, message);
    if (postgres->hooks.notice != NULL)
        postgres->hooks.notice(postgres->hooks.context, notice);
}

void postgres_receive_notice(void *context, const PGresult *result)
{
    struct server_message message = message_of(result);
    postgres_notice(context, &message);
}

/* ---- waiting ---- */

void postgres_cancel(struct postgres *postgres)
{
    char reason[256];
    PGcancel *cancel = PQgetCancel(postgres->connection);
    if (cancel != NULL)
        PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
}

/* A cancel request that comes between two statements in flight is lost, so it is sent again. A server that
 * does not answer for long is given up: whoever waits for us would kill us. */
static void heed_signal(struct postgres *postgres)
{
    int64_t now = clock_ms();
    if (interrupt_signal() == 0 || postgres->shielded || now - postgres->cancelled_ms < CANCEL_AGAIN_MS)
        return;
    postgres->cancelled_ms = now;
    if (postgres->asked_ms == 0)
        postgres->asked_ms = now;
    if (now - postgres->asked_ms < ANSWER_MS)
        postgres_cancel(postgres);
    else
        shutdown(PQsocket(postgres->connection), SHUT_RDWR);
}

/* By the clock, too: a server that never stops sending keeps poll() from ever waiting. */
void postgres_meanwhile(struct postgres *postgres, bool timed_out)
{
    int64_t now = clock_ms();
    heed_signal(postgres);
    if (!timed_out && now - postgres->ticked_ms < POSTGRES_TICK_MS)
        return;
    if (postgres->hooks.tick != NULL)
        postgres->hooks.tick(postgres->hooks.context);
    postgres->ticked_ms = clock_ms();
}

void postgres_shield(struct postgres *postgres, bool shielded)
{
    postgres->shielded = shielded;
}

bool postgres_wait(struct postgres *postgres, short events)
{
    struct pollfd wait = {.fd = PQsocket(postgres->connection), .events = events};
    int ready = poll(&wait, 1, POSTGRES_TICK_MS);
    postgres_meanwhile(postgres, ready <= 0);
    return ready > 0;
}

bool postgres_pump(struct postgres *postgres)
{
    int unsent = PQflush(postgres->connection);
    int descriptor = PQsocket(postgres->connection);
    if (unsent < 0 || descriptor < 0)
        return PQconsumeInput(postgres->connection) == 1 && descriptor >= 0;
    bool ready = postgres_wait(postgres, unsent == 1 ? POLLIN | POLLOUT : POLLIN);
    return !ready || PQconsumeInput(postgres->connection) == 1;
}

PGresult *postgres_next_result(struct postgres *postgres)
{
    while (PQisBusy(postgres->connection) == 1)
        if (!postgres_pump(postgres))
            break; /* PQgetResult tells what happened */
    return PQgetResult(postgres->connection);
}

bool postgres_begin_statement(struct postgres *postgres, struct error *error)
{
    postgres->cancelled_ms = postgres->asked_ms = 0;
    bool idle = PQtransactionStatus(postgres->connection) == PQTRANS_IDLE;
    return interrupt_signal() == 0 || !idle || postgres->shielded || interrupt_error(error);
}

/* ---- the connection ---- */

bool postgres_is_lost(const struct postgres *postgres)
{
    return PQstatus(postgres->connection) != CONNECTION_OK;
}

int postgres_server_version(const struct postgres *postgres)
{
    return PQserverVersion(postgres->connection);
}

int postgres_backend_pid(const struct postgres *postgres)
{
    return postgres->backend_pid;
}

const char *postgres_database(const struct postgres *postgres)
{
    return PQdb(postgres->connection);
}

const char *postgres_user(const struct postgres *postgres)
{
    return PQuser(postgres->connection);
}

const char *postgres_address(const struct postgres *postgres)
{
    return postgres->address;
}

const char *postgres_parameter(const struct postgres *postgres, const char *name)
{
    return PQparameterStatus(postgres->connection, name);
}

bool postgres_escapes(const struct postgres *postgres)
{
    const char *value = postgres_parameter(postgres, "standard_conforming_strings");
    return value != NULL && strcmp(value, "off") == 0;
}

void postgres_set_hooks(struct postgres *postgres, const struct postgres_hooks *hooks)
{
    postgres->hooks = hooks == NULL ? (struct postgres_hooks){0} : *hooks;
}

/* ---- statements ---- */

static PGresult *next_kept(struct postgres *postgres, enum keep keep)
{
    if (keep == KEEP_TAG)
        PQsetSingleRowMode(postgres->connection);
    PGresult *result = postgres_next_result(postgres);
    while (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
        PQclear(result);
        result = postgres_next_result(postgres);
    }
    return result;
}

bool postgres_collect(struct postgres *postgres, enum keep keep, struct rows **ret, struct error *error)
{
    AUTO(rows_free) struct rows *last = NULL;
    bool good = true;
    for (PGresult *result; (result = next_kept(postgres, keep)) != NULL;) {
        ExecStatusType status = PQresultStatus(result);
        bool failed = status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
        if (failed && good)
            good = postgres_result_error(postgres, result, error);
        postgres_leave_copy(postgres, status);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || failed) {
            PQclear(result);
        } else {
            rows_free(last);
            last = (struct rows *)result;
        }
        if (postgres_is_lost(postgres) && good)
            good = postgres_connection_error(postgres, error);
    }
    if (good && ret != NULL)
        *ret = take(last);
    return good;
}

bool postgres_query(struct postgres *postgres, const char *sql, size_t count, const char *const values[],
                    struct rows **ret, struct error *error)
{
    if (!postgres_begin_statement(postgres, error))
        return false;
    if (PQsendQueryParams(postgres->connection, sql, (int)count, NULL, values, NULL, NULL, 0) != 1)
        return postgres_connection_error(postgres, error);
    return postgres_collect(postgres, KEEP_ROWS, ret, error);
}

static bool is_kept(struct postgres *postgres, const char *name, bool *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(postgres, sql_prepared, 1, (const char *const[]){name}, &rows, error))
        return false;
    *ret = rows_bool(rows, 0, "prepared");
    return true;
}

bool postgres_query_kept(struct postgres *postgres, const char *name, const char *sql, size_t count,
                         const char *const values[], struct rows **ret, struct error *error)
{
    bool kept = false;
    if (!is_kept(postgres, name, &kept, error))
        return false;
    if (!kept && (!postgres_send_prepare(postgres, name, sql, error) ||
                  !postgres_collect(postgres, KEEP_TAG, NULL, error)))
        return false;
    return postgres_send_prepared(postgres, name, count, values, error) &&
           postgres_collect(postgres, KEEP_ROWS, ret, error);
}

bool postgres_run(struct postgres *postgres, const char *sql, enum keep keep, struct rows **ret,
                  struct error *error)
{
    if (!postgres_begin_statement(postgres, error))
        return false;
    if (PQsendQuery(postgres->connection, sql) != 1)
        return postgres_connection_error(postgres, error);
    return postgres_collect(postgres, keep, ret, error);
}

bool postgres_execute(struct postgres *postgres, const char *sql, struct error *error)
{
    return postgres_run(postgres, sql, KEEP_TAG, NULL, error);
}

enum postgres_transaction postgres_transaction(const struct postgres *postgres)
{
    switch (PQtransactionStatus(postgres->connection)) {
    case PQTRANS_IDLE:
        return POSTGRES_IDLE;
    case PQTRANS_ACTIVE:
        return POSTGRES_ACTIVE;
    case PQTRANS_INTRANS:
        return POSTGRES_IN_TRANSACTION;
    case PQTRANS_INERROR:
        return POSTGRES_IN_ERROR;
    default:
        return POSTGRES_GONE;
    }
}

/* ---- pipeline ---- */

bool postgres_pipeline_begin(struct postgres *postgres, struct error *error)
{
    if (!postgres_begin_statement(postgres, error))
        return false;
    return PQenterPipelineMode(postgres->connection) == 1 || postgres_connection_error(postgres, error);
}

bool postgres_pipeline_end(struct postgres *postgres, struct error *error)
{
    return PQexitPipelineMode(postgres->connection) == 1 || postgres_connection_error(postgres, error);
}

bool postgres_send(struct postgres *postgres, const char *sql, size_t count, const char *const values[],
                   struct error *error)
{
    return PQsendQueryParams(postgres->connection, sql, (int)count, NULL, values, NULL, NULL, 0) == 1 ||
           postgres_connection_error(postgres, error);
}

bool postgres_send_prepare(struct postgres *postgres, const char *name, const char *sql, struct error *error)
{
    return PQsendPrepare(postgres->connection, name, sql, 0, NULL) == 1 ||
           postgres_connection_error(postgres, error);
}

bool postgres_send_prepared(struct postgres *postgres, const char *name, size_t count,
                            const char *const values[], struct error *error)
{
    return PQsendQueryPrepared(postgres->connection, name, (int)count, values, NULL, NULL, 0) == 1 ||
           postgres_connection_error(postgres, error);
}

bool postgres_send_flush(struct postgres *postgres, struct error *error)
{
    return PQsendFlushRequest(postgres->connection) == 1 || postgres_connection_error(postgres, error);
}

bool postgres_send_sync(struct postgres *postgres, struct error *error)
{
    return PQpipelineSync(postgres->connection) == 1 || postgres_connection_error(postgres, error);
}

enum postgres_answer postgres_receive(struct postgres *postgres, enum keep keep, struct rows **ret,
                                      struct error *error)
{
    PGresult *result = next_kept(postgres, keep);
    ExecStatusType status = PQresultStatus(result);
    if (result == NULL || postgres_is_lost(postgres)) {
        if (result != NULL && status == PGRES_FATAL_ERROR)
            postgres_result_error(postgres, result, error);
        else
            postgres_connection_error(postgres, error);
        PQclear(result);
        return POSTGRES_ERROR;
    }
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        return POSTGRES_SYNCED;
    }
    /* Every statement's results end with a NULL, a sync's do not. */
    PQclear(postgres_next_result(postgres));
    if (status == PGRES_PIPELINE_ABORTED) {
        PQclear(result);
        return POSTGRES_SKIPPED;
    }
    if (status == PGRES_FATAL_ERROR) {
        postgres_result_error(postgres, result, error);
        PQclear(result);
        return POSTGRES_ERROR;
    }
    if (ret != NULL)
        *ret = (struct rows *)result;
    else
        PQclear(result);
    return POSTGRES_ROWS;
}

/* ---- several statements in one round trip ---- */

void queries_add(struct queries *queries, const char *sql, size_t count, const char *const values[])
{
    if (queries->count == sizeof queries->items / sizeof *queries->items)
        abort();
    queries->items[queries->count++] = (struct query){.sql = sql, .count = count, .values = values};
}

void queries_clear(struct queries *queries)
{
    for (size_t i = 0; i < queries->count; i++) {
        rows_free(queries->items[i].rows);
        error_clear(&queries->items[i].error);
    }
    *queries = (struct queries){0};
}

/* The answer to one statement, and to the sync behind it. False when nothing after it makes sense. */
static bool receive_query(struct postgres *postgres, struct query *query, struct error *error)
{
    enum postgres_answer answer = postgres_receive(postgres, KEEP_ROWS, &query->rows, &query->error);
    if (!postgres_is_lost(postgres))
        return query->joined || postgres_receive(postgres, KEEP_ROWS, NULL, error) == POSTGRES_SYNCED;
    if (answer == POSTGRES_ERROR)
        error_move(error, &query->error);
    else
        postgres_connection_error(postgres, error);
    return false;
}

bool postgres_query_all(struct postgres *postgres, struct queries *queries, struct error *error)
{
    /* libpq goes on in the single-row mode of an earlier statement up to the first thing in the pipeline. */
    if (!postgres_pipeline_begin(postgres, error) || !postgres_send_sync(postgres, error))
        return false;
    for (size_t i = 0; i < queries->count; i++) {
        const struct query *query = &queries->items[i];
        if (!postgres_send(postgres, query->sql, query->count, query->values, error) ||
            !(query->joined || postgres_send_sync(postgres, error)))
            return false;
    }
    if (postgres_receive(postgres, KEEP_ROWS, NULL, error) != POSTGRES_SYNCED)
        return false;
    for (size_t i = 0; i < queries->count; i++)
        if (!receive_query(postgres, &queries->items[i], error))
            return false;
    return postgres_pipeline_end(postgres, error) &&
           (interrupt_signal() == 0 || postgres->shielded || interrupt_error(error));
}

/* ---- rows ---- */

size_t rows_count(const struct rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

const char *rows_value(const struct rows *rows, size_t row, size_t column)
{
    const PGresult *result = result_of(rows);
    return PQgetisnull(result, (int)row, (int)column) ? NULL : PQgetvalue(result, (int)row, (int)column);
}

/* Not PQfnumber, which takes a name as SQL does and folds it to lower case. */
static int column_number(const PGresult *result, const char *column)
{
    for (int i = 0; i < PQnfields(result); i++)
        if (strcmp(PQfname(result, i), column) == 0)
            return i;
    return -1;
}

const char *rows_text(const struct rows *rows, size_t row, const char *column)
{
    int number = column_number(result_of(rows), column);
    if (number < 0) {
        fprintf(stderr, "pgmigrate: internal error: a statement returned no column \"%s\"\n", column);
        abort();
    }
    return rows_value(rows, row, (size_t)number);
}

int64_t rows_integer(const struct rows *rows, size_t row, const char *column)
{
    const char *text = rows_text(rows, row, column);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

bool rows_bool(const struct rows *rows, size_t row, const char *column)
{
    const char *text = rows_text(rows, row, column);
    return text != NULL && *text == 't';
}

char *rows_age(const struct rows *rows, size_t row, const char *before)
{
    OWNED char *age = text_duration(rows_integer(rows, row, "seconds") * 1000);
    return rows_text(rows, row, "seconds") == NULL ? text_copy("") : text_format("%s%s", before, age);
}

size_t rows_columns(const struct rows *rows)
{
    return (size_t)PQnfields(result_of(rows));
}

bool rows_column_is_bool(const struct rows *rows, size_t column)
{
    return PQftype(result_of(rows), (int)column) == BOOL_OID;
}

const char *rows_tag(const struct rows *rows)
{
    return PQcmdStatus(result_of(rows));
}

int64_t rows_affected(const struct rows *rows)
{
    const char *text = PQcmdTuples(result_of(rows));
    return *text == '\0' ? -1 : strtoll(text, NULL, 10);
}

void rows_free(struct rows *rows)
{
    PQclear(result_of(rows));
}
