/* SPDX-License-Identifier: PostgreSQL */
/*
 * A local SQLite file: the only user of sqlite3. Statements come from sql/store/, values travel as
 * parameters. Several processes may use one file: a busy one is waited for (10 s). Journal mode WAL is not
 * used, because a repository may lie on a network file system.
 *
 * The schema is a list of scripts; the file's user_version tells how many of them it has had: the last
 * statement of the third is "PRAGMA user_version = 3". A file from a newer program is ERROR_FAILED and left
 * alone. What may only be read can be read.
 */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct store_rows;

/* Open or create (0600); path NULL is one in memory, gone when it is closed; scripts ends with NULL. A
 * damaged file is ERROR_FAILED with the hint to move it away.
 */
MUST_CHECK bool store_open(const char *path, const char *const scripts[], struct store **ret,
                           struct error *error);
void store_close(struct store *store);
CLEANUP_POINTER(struct store *, store_close)

/* One statement with text values (NULL is SQL NULL), answered with rows (ret may be NULL). */
MUST_CHECK bool store_run(struct store *store, const char *sql, size_t count, const char *const values[],
                          struct store_rows **ret, struct error *error);

MUST_CHECK bool store_begin(struct store *store, struct error *error);
MUST_CHECK bool store_commit(struct store *store, struct error *error);
void store_rollback(struct store *store);

size_t store_rows_count(const struct store_rows *rows);
const char *store_rows_text(const struct store_rows *rows, size_t row, const char *column); /* or NULL */
int64_t store_rows_integer(const struct store_rows *rows, size_t row, const char *column);  /* 0 for NULL */
void store_rows_free(struct store_rows *rows);
CLEANUP_POINTER(struct store_rows *, store_rows_free)

#endif
