/* SPDX-License-Identifier: PostgreSQL */
/*
 * The session that changes the schema: a server that can be written to, no transaction pooler in between,
 * timeouts of its own, the run lock.
 *
 * The run lock is a session-level advisory lock, polled by pg_try_advisory_lock in autocommit: a session
 * waiting inside the server would hold a snapshot and dead-lock with CREATE INDEX CONCURRENTLY.
 */
#ifndef MIGRATOR_SESSION_H
#define MIGRATOR_SESSION_H

#include "migrator/apply.h"

/*
 * Refuse standbys, read-only servers, servers before 13 and transaction poolers (the server's own pid differs
 * from the one libpq was told). ERROR_CONNECTION. read_only callers (status, plan) only have the version
 * checked.
 */
MUST_CHECK bool session_check(struct postgres *postgres, bool read_only, bool pooler_session,
                              struct error *error);

/* Our session as the server knows it. */
struct session {
    int pid;     /* of the server process: not libpq's, where a pooler is between */
    char *began; /* when it did, as text: with the pid its identity, for settling a lost COMMIT */
};

/*
 * Check as session_check does, make the settings of the whole run (client_connection_check_interval, no idle
 * timeouts, role), and poll for the run lock until options->wait_lock_ms have passed; its holder is told by
 * RUN_LOCK_WAIT events. The history is refreshed under the lock. Two round trips when nobody holds it.
 */
MUST_CHECK bool session_open(struct history *history, const struct run_options *options,
                             const struct run_listener *listener, struct session *ret, struct error *error);
void session_clear(struct session *session);
CLEANUP_VALUE(struct session, session_clear)

/* The settings and the run lock alone: for who only reads, also on a standby. */
MUST_CHECK bool session_lock(const struct history *history, const struct run_options *options,
                             const struct run_listener *listener, struct error *error);

/* Take back what a script did to the session (settings, session user, role), and make the run's settings
 * again. */
MUST_CHECK bool session_reset(struct postgres *postgres, const struct run_options *options,
                              struct error *error);

/* The parts of that, for those who send them together with other statements. The statements are constants;
 * the role's statement is the caller's to free. */
#define SESSION_SETTINGS_MAX 4
size_t session_settings(const struct postgres *postgres, const char *ret_statements[SESSION_SETTINGS_MAX]);
char *session_role(const struct run_options *options);

/* Give the run lock back; a lost connection has already done so. */
void session_unlock(struct postgres *postgres, const struct history *history);
/* The same as one of the statements in flight. */
MUST_CHECK bool session_send_unlock(struct postgres *postgres, const struct history *history,
                                    struct error *error);

/* Who holds the run lock: "pid 42 (pgmigrate, user deploy, since 00:00:41)"; NULL when nobody does. */
MUST_CHECK bool session_lock_holder(struct postgres *postgres, const struct history *history,
                                    char **ret_holder, struct error *error);

#endif
