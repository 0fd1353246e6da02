/* SPDX-License-Identifier: PostgreSQL */
/*
 * The tables of a database as a backup sees them: which have rows of their own, who copies them (our streams
 * or pg_dump), and into which ranges of pages they are cut. Partitioned tables are among them, because they
 * are locked too; they have no rows.
 *
 * Streamed are ordinary heap tables of some size. pg_dump keeps what it knows better (extensions'
 * configuration tables, partitions whose hash depends on OIDs, tables without columns) and what is too small
 * to be worth a member of its own. docs/decisions tells why the limit for streaming is lower than the one for
 * cutting.
 */
#ifndef BACKUP_TABLES_H
#define BACKUP_TABLES_H

#include "backup/manifest.h"
#include "common/postgres.h"

struct table {
    char *oid, *filenode; /* what is compared after the snapshot is there */
    char *schema, *name;
    char *qualified; /* quoted */
    char *columns;   /* as in manifest_table */
    int64_t bytes;   /* with TOAST */
    int64_t pages;   /* of the heap */
    bool partitioned;
    bool config; /* an extension's configuration table: pg_dump copies the rows that the extension names */
    char *root;  /* as in manifest_table */
    bool ordered;
    enum table_source source;
    char *reason;
};

struct tables {
    struct table *items; /* largest first */
    size_t count;
};
void tables_clear(struct tables *tables);
CLEANUP_VALUE(struct tables, tables_clear)

struct tables_options {
    int64_t stream_larger_than; /* bytes; INT64_MAX: none */
    size_t most_streamed;       /* pg_dump is told each by name: an argument list has an end */
};

/* What is there now; one statement, so it is what the connection's snapshot sees. */
MUST_CHECK bool tables_read(struct postgres *postgres, const struct tables_options *options,
                            struct tables *ret, struct error *error);
/* The first difference that matters between two readings (a table more, less, or rewritten), or NULL: "table
 * \"public.a\" was rewritten". The caller frees it. */
char *tables_difference(const struct tables *before, const struct tables *after);
/* The same for tables that are there in both, as for a later reading outside the snapshot. */
char *tables_rewritten(const struct tables *before, const struct tables *after);
/* LOCK TABLE ONLY … IN ACCESS SHARE MODE on all of them that are read, or only on the streamed ones, in
 * batches. */
MUST_CHECK bool tables_lock(struct postgres *postgres, const struct tables *tables, bool streamed_only,
                            struct error *error);

/* One COPY: pages [first, last) of a table; last -1 is open. */
struct range {
    const struct table *table;
    int64_t first, last;
    bool whole;
};
struct ranges {
    struct range *items; /* table by table, each in order */
    size_t count;
};
/* Cut the streamed tables into ranges of about split_larger_than bytes; can_cut: server 14 or later. */
void tables_cut(const struct tables *tables, int64_t split_larger_than, bool can_cut, struct ranges *ret);
/* "COPY (SELECT … FROM ONLY … WHERE ctid …) TO STDOUT"; the caller frees it. encoding is the database's: the
 * rows come in it, whatever client_encoding is; NULL is UTF8. */
char *range_statement(const struct range *range, bool binary, const char *encoding);

#endif
