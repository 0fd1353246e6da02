/* SPDX-License-Identifier: PostgreSQL */
/*
 * pg_dump and its companions as children of a backup, on its snapshot: the schema into a file, the data of
 * the tables that are not streamed as frames, and the roles. They get the connection through their
 * environment only, and end with us.
 */
#ifndef BACKUP_DUMP_H
#define BACKUP_DUMP_H

#include "backup/frames.h"
#include "backup/snapshot.h"
#include <stdatomic.h>

/* The server's own major's programs, or those of the smallest newer one. */
struct dump_programs {
    char *folder;
    char *version; /* "15.20" */
    bool newer;
};
void dump_programs_clear(struct dump_programs *programs);
CLEANUP_VALUE(struct dump_programs, dump_programs_clear)

/* server_version as postgres_server_version has it. ERROR_FAILED when there is none that is fit. */
MUST_CHECK bool dump_find(int server_version, struct dump_programs *ret, struct error *error);

struct dump_options {
    const struct dump_programs *programs;
    const struct postgres *control; /* whose parameters the children connect with */
    const struct snapshot *snapshot;
    const char *encoding; /* of the database */
    const char *role;     /* or NULL */
    const atomic_bool *stop;
    atomic_int_fast64_t *bytes;
};

/* Schema, pre-data and post-data, in pg_dump's custom format into a new file. */
MUST_CHECK bool dump_schema(const struct dump_options *options, const char *path, struct error *error);

/* The data that is not streamed, into frames; ret_listing is what pg_restore --list says of it. */
MUST_CHECK bool dump_data(const struct dump_options *options, struct frames *frames, char **ret_listing,
                          struct error *error);

/* Roles and tablespaces by pg_dumpall. Where it fails, *ret_text is NULL and *ret_problem tells why. */
MUST_CHECK bool dump_globals(const struct dump_options *options, bool passwords, char **ret_text,
                             char **ret_problem, struct error *error);

/* Whether pg_dump failed because a table's lock could not be had in time. */
bool dump_was_locked(const struct error *error);

/*
 * Proof that nothing is missing and nothing twice: the dump's own table of contents names exactly the tables
 * that are not streamed, all sequences, and large objects where there are some.
 */
MUST_CHECK bool dump_covers(const char *listing, const struct tables *tables, int64_t sequences,
                            int64_t large_objects, struct error *error);

#endif
