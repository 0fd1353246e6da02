/* SPDX-License-Identifier: PostgreSQL */
/* Files that the build puts into the program. */
#ifndef COMMON_EMBEDDED_H
#define COMMON_EMBEDDED_H

struct embedded_file {
    const char *name; /* without folders */
    const char *text;
};

/* The sample application's migrations in docs/examples/shop, ended by a NULL name. */
extern const struct embedded_file shop_files[];
/* What the demo adds later, docs/examples/later: right, and with mistakes. */
extern const struct embedded_file later_files[];

/*
 * What every backup carries, backup/archive_files: README.txt and restore.sh, ended as above. restore.sh
 * reads these members besides schema.dump, data/ and tables/NNNNNN/:
 *
 *     database.sql           CREATE DATABASE :"database" …, a line "-- properties …", then the properties
 *     roles.tsv              roles that the database's objects name, one a line
 *     tables/NNNNNN/copy.sql COPY "s"."t" (…) FROM STDIN (ENCODING '…'[, FORMAT binary]); in UTF-8, no data
 *     tables/index.tsv       one line a table, largest first, fields parted by tabs: number ("000012"; \N of
 * a table in pg_dump's data), how ("copy", "copy-ordered", "binary", "binary-ordered", "dump", "skipped"),
 * rows (\N: not known), quoted name ("s"."t") SHA256SUMS             as sha256sum writes it: digests of all
 * members that come before it
 *
 * The .tsv files are COPY's text format in UTF-8: in roles and names, backslash, tab, newline and carriage
 * return are \\, \t, \n, \r.
 */
extern const struct embedded_file archive_files[];

/* What the pages of reports look like, cli/report_files. */
extern const struct embedded_file report_files[];

#endif
