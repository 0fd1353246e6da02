/* SPDX-License-Identifier: PostgreSQL */
/*
 * Facts of a database that an estimate needs: its tables' sizes and the settings that decide what fits into
 * memory. Read from a connection, without changing anything, or from the file that `rehearse --export-facts`
 * wrote, so that who rehearses needs no login to production.
 *
 * The file is JSON: {"pgmigrate_facts": 1, "taken_at": …, "tables": [{"name": "public.orders", "bytes": …,
 * "index_bytes": …, "rows": …}]}. It holds names and sizes of tables, no data and no connection.
 */
#ifndef DEPLOY_SERVER_FACTS_H
#define DEPLOY_SERVER_FACTS_H

#include "common/postgres.h"
#include "common/text.h"

struct table_facts {
    char *name; /* "public.orders", quoted where needed */
    int64_t bytes, index_bytes;
    int64_t rows; /* -1: never counted */
};

struct server_facts {
    char *taken_at, *version, *database;
    int64_t shared_buffers, maintenance_work_mem;
    int64_t oldest_ms;          /* age of the oldest transaction; 0: none; -1: not known */
    int64_t bytes;              /* of the database */
    struct table_facts *tables; /* in order of name */
    size_t count;
};
void server_facts_clear(struct server_facts *facts);
CLEANUP_VALUE(struct server_facts, server_facts_clear)

MUST_CHECK bool server_facts_read(struct postgres *postgres, struct server_facts *ret, struct error *error);

/* As the file's text, and back; what is not such a file is ERROR_USAGE. name is the file's, for messages. */
char *server_facts_text(const struct server_facts *facts);
MUST_CHECK bool server_facts_parse(const char *name, const char *text, size_t size, struct server_facts *ret,
                                   struct error *error);

/* NULL when there is no such table. */
const struct table_facts *server_facts_table(const struct server_facts *facts, const char *name);

#endif
