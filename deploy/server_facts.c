/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/server_facts.h"

#include "backup/json.h"
#include "sql.h"
#include <string.h>

#define FORMAT 1

void server_facts_clear(struct server_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        free(facts->tables[i].name);
    free(facts->tables);
    free(facts->taken_at);
    free(facts->version);
    free(facts->database);
    *facts = (struct server_facts){0};
}

static struct table_facts *add(struct server_facts *facts)
{
    facts->tables = memory_grow(facts->tables, facts->count, sizeof *facts->tables);
    facts->tables[facts->count] = (struct table_facts){0};
    return &facts->tables[facts->count++];
}

bool server_facts_read(struct postgres *postgres, struct server_facts *ret, struct error *error)
{
    AUTO(rows_free) struct rows *server = NULL;
    AUTO(rows_free) struct rows *tables = NULL;
    if (!postgres_query(postgres, sql_server_facts, 0, NULL, &server, error) ||
        !postgres_query(postgres, sql_server_facts_tables, 0, NULL, &tables, error))
        return error_prefix(error, "could not read the sizes of the tables");
    *ret = (struct server_facts){
        .taken_at = text_copy(rows_text(server, 0, "taken_at")),
        .version = text_copy(rows_text(server, 0, "version")),
        .database = text_copy(rows_text(server, 0, "database")),
        .shared_buffers = rows_integer(server, 0, "shared_buffers"),
        .maintenance_work_mem = rows_integer(server, 0, "maintenance_work_mem"),
        .oldest_ms = rows_integer(server, 0, "oldest_ms"),
        .bytes = rows_integer(server, 0, "bytes"),
    };
    for (size_t row = 0; row < rows_count(tables); row++)
        *add(ret) = (struct table_facts){.name = text_copy(rows_text(tables, row, "name")),
                                         .bytes = rows_integer(tables, row, "bytes"),
                                         .index_bytes = rows_integer(tables, row, "index_bytes"),
                                         .rows = rows_integer(tables, row, "rows")};
    return true;
}

/* ---- the file ---- */

char *server_facts_text(const struct server_facts *facts)
{
    AUTO(json_release) json_t *top = json_object();
    json_t *tables = json_array();
    json_put_integer(top, "pgmigrate_facts", FORMAT);
    json_put_text(top, "taken_at", facts->taken_at);
    json_put_text(top, "server_version", facts->version);
    json_put_text(top, "database", facts->database);
    json_put_integer(top, "shared_buffers", facts->shared_buffers);
    json_put_integer(top, "maintenance_work_mem", facts->maintenance_work_mem);
    json_put_integer(top, "oldest_transaction_ms", facts->oldest_ms);
    json_put_integer(top, "bytes", facts->bytes);
    for (size_t i = 0; i < facts->count; i++) {
        json_t *table = json_object();
        json_put_text(table, "name", facts->tables[i].name);
        json_put_integer(table, "bytes", facts->tables[i].bytes);
        json_put_integer(table, "index_bytes", facts->tables[i].index_bytes);
        json_put_integer(table, "rows", facts->tables[i].rows);
        json_array_append_new(tables, table);
    }
    json_object_set_new(top, "tables", tables);
    OWNED char *text = json_dumps(top, JSON_INDENT(1));
    return text_format("%s\n", text);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct table_facts *)a)->name, ((const struct table_facts *)b)->name);
}

/* By hand or by another program the order may be another. */
static void read_tables(struct json_reader *reader, const json_t *top, struct server_facts *ret)
{
    const json_t *list = json_take_list(reader, top, "tables"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        struct table_facts *table = add(ret);
        json_enter(reader, "tables", i);
        table->name = json_take_text(reader, item, "name");
        table->bytes = json_take_integer(reader, item, "bytes", 0, INT64_MAX);
        table->index_bytes = json_take_integer(reader, item, "index_bytes", 0, INT64_MAX);
        table->rows = json_take_integer(reader, item, "rows", -1, INT64_MAX);
        json_leave(reader);
    }
    if (json_is_good(reader) && ret->count > 0)
        qsort(ret->tables, ret->count, sizeof *ret->tables, compare);
}

static bool read_facts(struct json_reader *reader, const json_t *top, struct server_facts *ret)
{
    AUTO(server_facts_clear) struct server_facts facts = {0};
    json_take_integer(reader, top, "pgmigrate_facts", FORMAT, FORMAT);
    facts.taken_at = json_take_time(reader, top, "taken_at");
    facts.version = json_take_text(reader, top, "server_version");
    facts.database = json_take_text(reader, top, "database");
    facts.shared_buffers = json_take_integer(reader, top, "shared_buffers", 0, INT64_MAX);
    facts.maintenance_work_mem = json_take_integer(reader, top, "maintenance_work_mem", 0, INT64_MAX);
    facts.oldest_ms = json_take_integer(reader, top, "oldest_transaction_ms", -1, INT64_MAX);
    facts.bytes = json_take_integer(reader, top, "bytes", 0, INT64_MAX);
    read_tables(reader, top, &facts);
    if (!json_is_good(reader))
        return false;
    *ret = facts;
    facts = (struct server_facts){0};
    return true;
}

bool server_facts_parse(const char *name, const char *text, size_t size, struct server_facts *ret,
                        struct error *error)
{
    struct json_reader reader = {.what = "facts", .error = error};
    json_t *top = json_read(&reader, text, size);
    bool good = top != NULL && read_facts(&reader, top, ret);
    json_decref(top);
    if (good)
        return true;
    error->code = ERROR_USAGE;
    error_hint(error, "Such a file is written by \"pgmigrate rehearse --export-facts FILE\".");
    return error_at(error, name, 0, 0);
}

const struct table_facts *server_facts_table(const struct server_facts *facts, const char *name)
{
    struct table_facts wanted = {.name = (char *)(uintptr_t)name};
    return facts->count == 0 ? NULL
                             : bsearch(&wanted, facts->tables, facts->count, sizeof *facts->tables, compare);
}
