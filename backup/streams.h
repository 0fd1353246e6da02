/* SPDX-License-Identifier: PostgreSQL */
/*
 * The streams of a backup: each is a thread with one connection of the snapshot, and copies ranges of tables
 * until there are none left. The first one, the leader, before that reads the tables that pg_dump copies,
 * only to count and fingerprint their rows: no other connection has their locks.
 *
 * A table with a row that COPY's text cannot carry (1 GB, and bytea is written with two digits a byte) is
 * copied anew in binary; what was written of it before stays in the archive under a folder that nothing
 * refers to.
 */
#ifndef BACKUP_STREAMS_H
#define BACKUP_STREAMS_H

#include "backup/frames.h"
#include "backup/snapshot.h"
#include <stdatomic.h>

struct streams;

struct streams_options {
    const struct snapshot *snapshot;
    struct archive_writer *writer;
    const char *encoding; /* of the database */
    int level;
    int64_t split_larger_than;
    atomic_bool *stop;          /* looked at by all, set by whoever fails */
    atomic_int_fast64_t *bytes; /* raw bytes done */
};

struct streams *streams_new(const struct streams_options *options);
void streams_free(struct streams *streams);
CLEANUP_POINTER(struct streams *, streams_free)

/* The work of one stream, in a thread of its own. */
MUST_CHECK bool streams_run(struct streams *streams, size_t number, struct error *error);
/* What a stream copies now: a table's quoted name, or NULL. From any thread. */
const char *streams_current(const struct streams *streams, size_t number);

/* When all have ended: that each chunk was copied, whatever the streams have said. */
MUST_CHECK bool streams_check(const struct streams *streams, struct error *error);
/* The tables with their chunks, and the chunks' members, into the manifest. */
void streams_fill(struct streams *streams, struct manifest *manifest);
/* The folder of each of the manifest's tables' members, "tables/000012", or NULL. */
void streams_folders(const struct streams *streams, struct text_list *ret);

#endif
