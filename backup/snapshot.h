/* SPDX-License-Identifier: PostgreSQL */
/*
 * One consistent moment, seen by several connections. In this order, because TRUNCATE and rewriting ALTER
 * TABLE are not MVCC-safe (PostgreSQL's manual, "Caveats" of "Concurrency Control"): list the tables; lock
 * them ACCESS SHARE; only then take and export the snapshot; list again inside it and compare; let the
 * workers import it and lock theirs. Each connection is left behind a savepoint, so that a statement that
 * fails does not end the snapshot. Whatever fails in between lets everything go, so that a DDL statement
 * queued behind us gets through, and begins again after a pause.
 *
 * Each connection has the settings that make COPY's text mean the same everywhere (snapshot_settings), among
 * them row_security = off: rows that a policy would hide are an error, never missing.
 */
#ifndef BACKUP_SNAPSHOT_H
#define BACKUP_SNAPSHOT_H

#include "backup/tables.h"

struct snapshot_options {
    size_t streams;               /* connections that copy: the leader and streams - 1 workers */
    int64_t lock_wait_timeout_ms; /* for all attempts together */
    struct tables_options tables;
    const char *role; /* SET ROLE, or NULL */
    const char *id;   /* the backup's: application_name is "pgmigrate backup <id>" */
    bool few_locks;   /* lock only the streamed tables: the server has not enough locks for all */
};

struct snapshot {
    struct postgres **connections; /* [0] is the leader, which holds the locks on all tables */
    size_t count;
    char *name; /* for pg_dump --snapshot */
    char *taken_at, *lsn, *visible;
    char *application_name; /* as the server shows it */
    bool standby;
    bool few_locks; /* asked for, or found out: tables that pg_dump copies may be rewritten before it has
                     * locked them. Who uses it has to look whether one was (tables_difference). */
    struct text_list settings; /* of the connections: "DateStyle=ISO, MDY" … */
    struct tables tables;
};
void snapshot_free(struct snapshot *snapshot);
CLEANUP_POINTER(struct snapshot *, snapshot_free)

/* control is any connection to the database; the snapshot's own are opened from it. ERROR_LOCKED when the
 * locks could not be had: names the table and who holds it. told (may be NULL) is called before each pause.
 */
MUST_CHECK bool snapshot_take(const struct postgres *control, const struct snapshot_options *options,
                              void (*told)(void *context, const char *why), void *context,
                              struct snapshot **ret, struct error *error);

/* Sessions that wait for a lock that one of our connections or children holds, longest first: pid, seconds,
 * application, user, query. Asked on control. */
MUST_CHECK bool snapshot_blocked(struct postgres *control, const struct snapshot *snapshot, struct rows **ret,
                                 struct error *error);

/* What both directions need: the settings for reading (backup) or writing (restore). client_encoding stays
 * UTF8, for names; rows travel in the database's encoding by COPY's option ENCODING. ret_settings (may be
 * NULL) is what was set, "name=value". */
MUST_CHECK bool snapshot_settings(struct postgres *postgres, bool writing, struct text_list *ret_settings,
                                  struct error *error);

/* SET ROLE; NULL changes nothing. */
MUST_CHECK bool snapshot_role(struct postgres *postgres, const char *role, struct error *error);

#endif
