/* SPDX-License-Identifier: PostgreSQL */
/*
 * One connection to one server: with common/connect, which makes it, and common/copy, the only user of libpq.
 *
 * While a statement runs, the connection is waited for with poll(): the tick hook is called regularly, and
 * SIGINT/SIGTERM cancel the statement on the server, wait for its answer and make the call fail with
 * ERROR_INTERRUPTED / ERROR_TERMINATED. A lost connection is ERROR_CONNECTION and postgres_is_lost().
 *
 * Statements come from sql/ and hold names as :"name" (psql's own quoted variables, so that a file can be
 * tried with psql -v); postgres_bind() puts quoted identifiers in their place. Values travel as parameters
 * only.
 */
#ifndef COMMON_POSTGRES_H
#define COMMON_POSTGRES_H

#include "common/error.h"
#include "common/file.h"
#include "common/quote.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postgres;
struct rows;

/* ---- connecting ---- */

/*
 * conninfo is a libpq URI or keyword string; NULL or "" means the PG* environment. Sets client_encoding UTF8,
 * keepalives, and a connect_timeout of 10 s where the user gave none. Errors never contain the password.
 */
MUST_CHECK bool postgres_connect(const char *conninfo, const char *application_name, struct postgres **ret,
                                 struct error *error);
/* The database's name in a conninfo, as libpq understands it; "" where it cannot be read. The caller frees
 * it. */
char *postgres_conninfo_database(const char *conninfo);
/* To the server that conninfo names, whether its database is there or not: to the database postgres, else
 * template1. ret_database is the name that conninfo has, the caller's to free. */
MUST_CHECK bool postgres_connect_server(const char *conninfo, const char *application_name,
                                        struct postgres **ret, char **ret_database, struct error *error);
/* Another connection with the same parameters: an observer, or the way back after a lost one. Shielded if the
 * first one is. */
MUST_CHECK bool postgres_connect_again(const struct postgres *postgres, struct postgres **ret,
                                       struct error *error);
void postgres_free(struct postgres *postgres);
CLEANUP_POINTER(struct postgres *, postgres_free)

bool postgres_is_lost(const struct postgres *postgres);
int postgres_server_version(const struct postgres *postgres);   /* 150020 */
int postgres_backend_pid(const struct postgres *postgres);      /* as the server told at connection start */
const char *postgres_database(const struct postgres *postgres); /* owned by the connection, as below */
const char *postgres_user(const struct postgres *postgres);
const char *postgres_address(const struct postgres *postgres); /* "host:port" or the socket's folder */
const char *postgres_parameter(const struct postgres *postgres,
                               const char *name); /* ParameterStatus, or NULL */
/* Whether standard_conforming_strings is off, so that a backslash in '…' escapes. */
bool postgres_escapes(const struct postgres *postgres);
/* The conninfo with any password removed, fit for messages; the caller frees it. NULL gives "". */
char *postgres_conninfo_safe(const char *conninfo);

/*
 * What a child such as pg_dump needs to connect to the same server as the same user: "PGHOST=…" and so on;
 * behind the last item stands a NULL, so that the items can be process_request.environment as they are. Every
 * other PG* variable that would change the connection is unset. The password, if there is one, is among them
 * and nowhere else. options are added to PGOPTIONS ("-c name=value"); may be NULL. database NULL is this
 * connection's.
 *
 * What has no variable does not reach the child: the password of a client key (sslpassword).
 */
void postgres_environment(const struct postgres *postgres, const char *database, const char *options,
                          struct text_list *ret);
/* A connection to another database (NULL: the same one) of the same server, also where its name has several
 * addresses: a snapshot is known by its server only. */
MUST_CHECK bool postgres_connect_database(const struct postgres *postgres, const char *database,
                                          struct postgres **ret, struct error *error);
/*
 * The same with settings of the session's beginning ("-c name=value", as in PGOPTIONS): RESET ALL comes back
 * to them, and connections made from this one have them too.
 */
MUST_CHECK bool postgres_connect_with(const struct postgres *postgres, const char *database,
                                      const char *settings, struct postgres **ret, struct error *error);

/* ---- what happens meanwhile ---- */

struct notice {
    const char *severity; /* NOTICE, WARNING, INFO, LOG, DEBUG */
    const char *message;
    const char *detail; /* "" when absent, as all below */
    const char *hint;
    const char *sqlstate;
};

struct postgres_hooks {
    void *context;
    void (*notice)(void *context, const struct notice *notice);
    void (*tick)(
        void *context); /* about every 100 ms while waiting for the server; may use other connections */
};
/* hooks is copied; NULL removes. */
void postgres_set_hooks(struct postgres *postgres, const struct postgres_hooks *hooks);

/* ---- statements ---- */

/*
 * One statement with text parameters (NULL is SQL NULL), answered with rows (ret may be NULL).
 * Extended protocol: never leave a transaction idle after it where a CREATE INDEX CONCURRENTLY may be
 * waiting.
 */
MUST_CHECK bool postgres_query(struct postgres *postgres, const char *sql, size_t count,
                               const char *const values[], struct rows **ret, struct error *error);

/*
 * The same for a statement that the session keeps under name, planned once if plan_cache_mode is
 * force_generic_plan; prepared anew where a script threw it away.
 */
MUST_CHECK bool postgres_query_kept(struct postgres *postgres, const char *name, const char *sql,
                                    size_t count, const char *const values[], struct rows **ret,
                                    struct error *error);

/* One of several statements that travel together. */
struct query {
    const char *sql;
    size_t count;
    const char *const *values;
    struct rows *rows;  /* the answer, owned; NULL when the statement failed */
    struct error error; /* why it failed */
    bool joined;        /* shares the transaction of the next one, which is left out where this one fails */
};
struct queries {
    struct query items[10];
    size_t count;
};
void queries_add(struct queries *queries, const char *sql, size_t count, const char *const values[]);
void queries_clear(struct queries *queries);
CLEANUP_VALUE(struct queries, queries_clear)

/*
 * Several statements in one round trip, in order, each in a transaction of its own unless it is joined: a
 * failure is in its query and stops none of the others. False when the connection is lost or a signal came.
 */
MUST_CHECK bool postgres_query_all(struct postgres *postgres, struct queries *queries, struct error *error);

/* One or more statements without parameters, by the simple protocol. */
MUST_CHECK bool postgres_execute(struct postgres *postgres, const char *sql, struct error *error);

/* What is kept of a result: all, or only its command tag. The rows of a script's statement may be any number
 * and are thrown away as they come. */
enum keep { KEEP_ROWS, KEEP_TAG };

/* The same for one statement whose result is wanted (ret may be NULL). */
MUST_CHECK bool postgres_run(struct postgres *postgres, const char *sql, enum keep keep, struct rows **ret,
                             struct error *error);

/* Ask the server to cancel what the connection is running; harmless when nothing is. */
void postgres_cancel(struct postgres *postgres);

/* While shielded, signals neither refuse nor cancel statements, nor connections made from this one: for
 * cleaning up after one came. */
void postgres_shield(struct postgres *postgres, bool shielded);

enum postgres_transaction {
    POSTGRES_IDLE,
    POSTGRES_ACTIVE,
    POSTGRES_IN_TRANSACTION,
    POSTGRES_IN_ERROR,
    POSTGRES_GONE
};
enum postgres_transaction postgres_transaction(const struct postgres *postgres);

/* ---- rows ---- */

size_t rows_count(const struct rows *rows);
/* By column name, which must exist. Text is owned by rows; NULL for SQL NULL. */
const char *rows_text(const struct rows *rows, size_t row, const char *column);
int64_t rows_integer(const struct rows *rows, size_t row, const char *column); /* 0 for NULL */
bool rows_bool(const struct rows *rows, size_t row, const char *column);       /* false for NULL */
/* "BEFORE 1:30" of column "seconds"; "" for NULL, which is what a role may not see of others' sessions. */
char *rows_age(const struct rows *rows, size_t row, const char *before);
/* By position, for the results of statements that are not ours. */
const char *rows_value(const struct rows *rows, size_t row, size_t column);
size_t rows_columns(const struct rows *rows);
bool rows_column_is_bool(const struct rows *rows, size_t column);
const char *rows_tag(const struct rows *rows);  /* command tag: "INSERT 0 1" */
int64_t rows_affected(const struct rows *rows); /* -1 when the tag has no number */
void rows_free(struct rows *rows);
CLEANUP_POINTER(struct rows *, rows_free)

/* ---- statements in flight (libpq's pipeline mode), for migrator/run ---- */

/*
 * Begin and end pipeline mode. Between them: send statements, ask for their answers to be flushed, sync, and
 * receive one answer per statement and one per sync, in order. After a failed statement the server skips
 * everything up to the sync; each skipped one is received as POSTGRES_SKIPPED.
 */
MUST_CHECK bool postgres_pipeline_begin(struct postgres *postgres, struct error *error);
MUST_CHECK bool postgres_pipeline_end(struct postgres *postgres, struct error *error);
MUST_CHECK bool postgres_send(struct postgres *postgres, const char *sql, size_t count,
                              const char *const values[], struct error *error);
/* Prepare under a name, and run what was prepared. */
MUST_CHECK bool postgres_send_prepare(struct postgres *postgres, const char *name, const char *sql,
                                      struct error *error);
MUST_CHECK bool postgres_send_prepared(struct postgres *postgres, const char *name, size_t count,
                                       const char *const values[], struct error *error);
MUST_CHECK bool postgres_send_flush(struct postgres *postgres, struct error *error);
MUST_CHECK bool postgres_send_sync(struct postgres *postgres, struct error *error);

enum postgres_answer { POSTGRES_ROWS, POSTGRES_ERROR, POSTGRES_SKIPPED, POSTGRES_SYNCED };
/* Wait for the next answer. POSTGRES_ERROR fills error (of a statement, or of the connection: see is_lost).
 */
enum postgres_answer postgres_receive(struct postgres *postgres, enum keep keep, struct rows **ret,
                                      struct error *error);

#endif
