/* SPDX-License-Identifier: PostgreSQL */
/*
 * The tables and columns of a database at one moment, outside the system schemas and without the history, and
 * how many rows this session has deleted from each table so far: two of them tell what was lost in between.
 */
#ifndef ROLLBACK_CATALOG_H
#define ROLLBACK_CATALOG_H

#include "common/postgres.h"
#include "migrator/history.h"

/* One column; a table without columns has one entry with number 0. */
struct catalog_entry {
    int64_t relation; /* oid */
    int64_t number;   /* of the column */
    int64_t parent;   /* oid of the partitioned table it is part of, or 0 */
    int64_t file;     /* changes when the table is truncated or rewritten; 0 for a partitioned table */
    bool derived;     /* the column is inherited or generated: what is in it stands elsewhere */
    bool partitioned; /* it holds no rows itself */
};

struct catalog;
MUST_CHECK bool catalog_read(struct postgres *postgres, const struct history *history, struct catalog **ret,
                             struct error *error);
void catalog_free(struct catalog *catalog);
CLEANUP_POINTER(struct catalog *, catalog_free)

/* Entries are in order of relation and number. */
size_t catalog_size(const struct catalog *catalog);
const struct catalog_entry *catalog_entry(const struct catalog *catalog, size_t row);
bool catalog_begins(const struct catalog *catalog, size_t row); /* the first entry of its table */

/* The entry of a column, or with number 0 the first one of a table. */
#define CATALOG_NONE ((size_t)-1)
size_t catalog_find(const struct catalog *catalog, int64_t relation, int64_t number);
bool catalog_has(const struct catalog *catalog, int64_t relation, int64_t number);

int64_t catalog_deleted(const struct catalog *catalog, int64_t relation);
int64_t catalog_unlinked(const struct catalog *catalog); /* large objects */
/* Rows inserted so far; when the table was truncated the server begins anew. */
int64_t catalog_inserted(const struct catalog *catalog, int64_t relation);
bool catalog_counts(const struct catalog *catalog); /* whether the server counts deleted rows */

/* The name of a table or a column as written in SQL, the query that counts what is in it, up to $1, and the
 * statement that locks the table against all; the caller frees them. */
char *catalog_name(const struct catalog *catalog, size_t row, bool column);
char *catalog_count(const struct catalog *catalog, size_t row, bool column);
char *catalog_lock(const struct catalog *catalog, size_t row);

#endif
