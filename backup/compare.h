/* SPDX-License-Identifier: PostgreSQL */
/*
 * After the data and the indexes: statistics for the planner, and the proof that the tables hold what the
 * backup says. Every table is read back, as it was read for the backup, and its rows' fingerprint is compared
 * with the manifest's. Large tables are read in ranges of pages by several connections.
 */
#ifndef BACKUP_COMPARE_H
#define BACKUP_COMPARE_H

#include "backup/manifest.h"
#include "common/postgres.h"

struct compare {
    const struct postgres *server;
    const char *database;
    const struct manifest *manifest;
    const bool *tables; /* of the manifest's tables; NULL: all */
    int jobs;
    void (*progress)(void *context, int64_t done, int64_t total); /* bytes; from the calling thread */
    void *context;
};

/* ANALYZE of everything that holds rows. postgres is a connection to the database. */
MUST_CHECK bool compare_analyze(const struct compare *compare, struct postgres *postgres,
                                struct text_list *ret_notes, struct error *error);

/* A difference is ERROR_PARTIAL naming the table, its detail naming them all. ret_tables and ret_rows count
 * what was found. That rows are in another partition of the same table is a sentence in ret_notes. */
MUST_CHECK bool compare_tables(const struct compare *compare, struct postgres *postgres, int64_t *ret_tables,
                               int64_t *ret_rows, struct text_list *ret_notes, struct error *error);

#endif
