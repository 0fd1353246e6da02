/* SPDX-License-Identifier: PostgreSQL */
/*
 * Restore a backup into a new database: commit record, digest and structure are checked before the target is
 * touched; then the database with the old one's properties, pg_restore's pre-data without ACLs, our COPY
 * streams beside pg_restore's data, post-data, ACLs, materialized views, properties, ANALYZE, and every table
 * read back and compared with the manifest. Never into a database that has objects.
 *
 * A restore that was interrupted leaves a ledger in the target (schema pgmigrate_restore): which chunks are
 * in, each written in the transaction of its rows. resume goes on from there; otherwise what is left of it is
 * dropped.
 */
#ifndef BACKUP_RESTORE_H
#define BACKUP_RESTORE_H

#include "backup/manifest.h"
#include "backup/record.h"
#include "common/postgres.h"

enum restore_phase {
    RESTORE_CHECKING,
    RESTORE_CREATING,
    RESTORE_PRE_DATA,
    RESTORE_DATA,
    RESTORE_POST_DATA,
    RESTORE_PRIVILEGES,
    RESTORE_LATE, /* materialized views */
    RESTORE_ANALYZE,
    RESTORE_COMPARING,
    RESTORE_TRIGGERS, /* event triggers */
    RESTORE_SWAPPING,
};
struct restore_event {
    enum restore_phase phase;
    int64_t done, total; /* bytes, where the phase has them */
    size_t streams;
    const char *const *current;
    const char *message; /* a warning or NULL */
};
struct restore_listener {
    void (*event)(void *context, const struct restore_event *event); /* from the calling thread only */
    void *context;
};

struct restore_options {
    const char *to; /* the new database's name */
    int jobs;
    bool schema_only, no_owner, no_privileges, create_missing_roles, resume;
    bool no_compare;       /* do not read the tables back */
    bool swap_follows;     /* mark what is restored, so that a swap that was killed can be repeated */
    const char *replaces;  /* the database whose place it takes then */
    bool any_locale;       /* an empty database of another locale will do */
    bool no_subscriptions; /* leave out subscriptions and publications: a test must not touch a publisher */
    const struct text_list *tables; /* only these ("schema.name" or "name"); NULL or empty: all */
};

struct restore_result {
    char *database;
    int64_t tables, rows, milliseconds;
    bool kept; /* after a failure: the database is there, and resume goes on with it */
    struct text_list created_roles;
    struct text_list notes; /* what does not follow a database's name, what to check */
    size_t unfilled;        /* materialized views that could not be filled, each with a note */
    bool damaged;           /* the archive: nothing was restored */
    bool wants_search_path; /* a function failed for that; the archive is whole */
};
void restore_result_clear(struct restore_result *result);
CLEANUP_VALUE(struct restore_result, restore_result_clear)

/* record NULL: an archive without a record, which the caller has decided to trust. server is a connection to
 * any database of the target server, as a role that may create databases. */
MUST_CHECK bool restore_run(struct postgres *server, const char *archive_path, const struct record *record,
                            const struct restore_options *options, const struct restore_listener *listener,
                            struct restore_result *ret, struct error *error);

/* What restore_run does before it touches the target: is the archive whole, does it have what is wanted? */
MUST_CHECK bool restore_try(struct postgres *server, const char *archive_path, const struct record *record,
                            const struct restore_options *options, const struct restore_listener *listener,
                            struct restore_result *ret, struct error *error);

/* Of the checks those that need no more than the manifest: what would be done and what is in the way (missing
 * roles, extension versions, server version, an existing database) as findings. */
MUST_CHECK bool restore_preflight(struct postgres *server, const struct manifest *manifest,
                                  const struct restore_options *options, struct text_list *ret_problems,
                                  struct error *error);

/* The bytes that are free where the server keeps its data; -1 where it is not on this machine, so far as can
 * be known, or where they cannot be looked at. */
int64_t restore_room(struct postgres *server);

/* "<database>_<suffix>_<time>", cut to the length that a name may have. The caller frees it. */
char *restore_name(const char *database, const char *suffix);
/* How all of suffix "restore" begin, before the time. The caller frees it. */
char *restore_prefix(const char *database);

/*
 * Put the restored database in the place of another: no new connections, the old ones ended, both renamed in
 * one transaction. ret_previous is the old one's new name, "<name>_before_restore_<time>"; NULL where there
 * was none. When it fails, everything is as it was, and connections are taken again.
 */
MUST_CHECK bool restore_swap(struct postgres *server, const char *restored, const char *name,
                             char **ret_previous, struct error *error);

/* Before it: what belongs to the database called name and does not follow the name, as sentences. */
MUST_CHECK bool restore_swap_notes(struct postgres *server, const char *restored, const char *name,
                                   struct text_list *ret, struct error *error);

#endif
