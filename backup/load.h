/* SPDX-License-Identifier: PostgreSQL */
/*
 * The data of a backup into a database that has its tables, and neither indexes nor constraints yet.
 *
 * Several connections, each with its own decompressor. A table whose physical order matters, or that is one
 * COPY anyway, is loaded by one of them in one transaction, begun by TRUNCATE, so that its rows may be frozen
 * and, where wal_level is minimal, need no log. Other tables go in part by part, by all connections, each
 * part a COPY with its row of the ledger: their rows are mixed only as far as the parts that are under way
 * reach (16 MiB each). pg_restore's own data (small tables, large objects, sequences) are one more
 * item of that list.
 *
 * Everything is compared with the manifest as it goes by: the members' digests, the rows of each COPY as the
 * server counts them, the tables' fingerprints. The first failure stops all but two: rows that a CHECK
 * refuses may need rows of other tables, and are tried once more at the end; those of a partition then go
 * through the partitioned table, which finds the right one where its bounds mean something else here. Small
 * tables, which pg_restore loads, have no such second way.
 *
 * Rows that name what is not there (a regclass: an index, a constraint's) are left out, and go in by a second
 * run, once there are indexes and before anything else is that would see them come. That the ledger does not
 * have them is all that tells of them. A backup streams tables with such columns however small they are.
 */
#ifndef BACKUP_LOAD_H
#define BACKUP_LOAD_H

#include "backup/ledger.h"
#include "backup/manifest.h"
#include "backup/pgrestore.h"

struct load {
    const struct postgres *server;
    const char *database;
    const struct archive_reader *archive;
    const struct manifest *manifest;
    const struct pgrestore *pgrestore;
    const struct ledger *ledger; /* what an earlier attempt has loaded; NULL: nothing, this is the first */
    const bool *tables;          /* of the manifest's tables, those that are wanted; NULL: all */
    const struct text_list *data_keys; /* what of pg_restore's data is wanted (toc_key); NULL: all */
    const char *folder;                /* temporary */
    int jobs;
    bool second; /* what the first run has left out, which the ledger tells; nothing of pg_restore's */
    bool no_owner, no_privileges;
    void (*progress)(void *context, int64_t done, int64_t total); /* from the calling thread */
    void *context;
};

MUST_CHECK bool load_run(const struct load *load, struct error *error);

/* Whether the ledger lacks rows that a second run would load. */
bool load_is_needed(const struct load *load);

/* Bytes before compression of what load_run would read. */
int64_t load_bytes(const struct load *load);

#endif
