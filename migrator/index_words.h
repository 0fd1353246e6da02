/* SPDX-License-Identifier: PostgreSQL */
/* The statements that build an index without locking out writers, and may leave an invalid one behind. */
#ifndef MIGRATOR_INDEX_WORDS_H
#define MIGRATOR_INDEX_WORDS_H

#include "common/memory.h"
#include <stdbool.h>

/*
 * CREATE INDEX CONCURRENTLY: table and, unless the server chooses it, index; an index is in its table's
 * schema. REINDEX … CONCURRENTLY: the index, or the table whose indexes are built anew. Names are as in the
 * catalogs; a schema is NULL when none is written.
 */
struct index_build {
    char *schema, *index;
    char *table_schema, *table;
    bool if_not_exists;
};

/* False when the statement is none of these, or names are written as U&"…". */
bool script_index_build(const char *statement, struct index_build *ret);
void index_build_clear(struct index_build *build);
CLEANUP_VALUE(struct index_build, index_build_clear)

#endif
