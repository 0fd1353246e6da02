/* SPDX-License-Identifier: PostgreSQL */
/*
 * The inside of common/postgres, common/postgres_connect and common/copy: sending, waiting and answers on
 * libpq's own objects. Nobody else includes it.
 */
#ifndef COMMON_POSTGRES_WAIT_H
#define COMMON_POSTGRES_WAIT_H

#include "common/postgres.h"

#define POSTGRES_TICK_MS 20

/* libpq's PGconn and PGresult. */
struct pg_conn;
struct pg_result;

struct postgres {
    struct pg_conn *connection;
    struct postgres_hooks hooks;
    char *address;
    int backend_pid; /* kept, since libpq forgets it with a lost connection */
    bool shielded;
    int64_t ticked_ms;
    int64_t cancelled_ms;    /* when the running statement was cancelled because a signal came; or 0 */
    int64_t asked_ms;        /* when it was for the first time; or 0 */
    struct error last_words; /* with which the server ended the connection; or empty */
    struct {
        int state; /* libpq's PostgresPollingStatusType */
        int64_t timeout_ms, deadline_ms;
        char *silent; /* the last host that did not answer in time; owned */
    } connecting;
};

struct pg_conn *postgres_connection(const struct postgres *postgres);

/* Before a statement is sent: false when a signal says that nothing new should begin. */
bool postgres_begin_statement(struct postgres *postgres, struct error *error);
/* Until the socket is ready for events, or a tick has passed; signals and hooks are heeded. Whether it is
 * ready. */
bool postgres_wait(struct postgres *postgres, short events);
/* What waiting does besides: for those who read what never ends. */
void postgres_meanwhile(struct postgres *postgres, bool timed_out);
/* Send what is buffered and read what has come, once. False when the connection is gone. */
bool postgres_pump(struct postgres *postgres);
/* The next result of the statement at the front; NULL when it has no more. */
struct pg_result *postgres_next_result(struct postgres *postgres);
/* All results of what was sent: the first error decides, the last rows are kept (ret may be NULL). */
bool postgres_collect(struct postgres *postgres, enum keep keep, struct rows **ret, struct error *error);
/* Go on after a result that began a COPY (its PGresult status), whose data nobody has or wants. */
void postgres_leave_copy(struct postgres *postgres, int status);
/* The running statement was cancelled because a signal came. */
bool postgres_was_cancelled(const struct postgres *postgres);

/* An error or a notice of the server. */
struct server_message {
    struct notice notice;
    const char *context, *position; /* "" when absent */
};
/* Hand a notice to the hook; what ends the connection is kept for the error that follows. */
void postgres_notice(struct postgres *postgres, const struct server_message *message);
void postgres_receive_notice(void *context, const struct pg_result *result); /* libpq's callback */

/* Fill error from what the server said; returns false. */
bool postgres_server_error(const struct server_message *message, struct error *error);
/* Fill error from the connection, or from a failed result; both return false. */
bool postgres_connection_error(const struct postgres *postgres, struct error *error);
bool postgres_result_error(const struct postgres *postgres, const struct pg_result *result,
                           struct error *error);

#endif
