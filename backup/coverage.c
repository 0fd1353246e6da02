/* SPDX-License-Identifier: PostgreSQL */
#include "backup/dump.h"

#include <string.h>

/* What the dump's table of contents tells of its data. */
struct contents {
    unsigned long *oids; /* of the tables with data */
    size_t count;
    int64_t sequences;
    bool large_objects;
};

static void contents_clear(struct contents *contents)
{
    free(contents->oids);
}
CLEANUP_VALUE(struct contents, contents_clear)

/* "3321; 0 16394 TABLE DATA public users shop": data has the OID of its table. */
static void read_line(const char *line, struct contents *contents)
{
    unsigned long oid = 0;
    int length = 0;
    if (sscanf(line, "%*d; %*u %lu %n", &oid, &length) < 1 || length == 0)
        return;
    const char *what = line + length;
    if (text_starts_with(what, "TABLE DATA ")) {
        contents->oids = memory_grow(contents->oids, contents->count, sizeof *contents->oids);
        contents->oids[contents->count++] = oid;
    } else if (text_starts_with(what, "SEQUENCE SET ")) {
        contents->sequences++;
    } else if (text_starts_with(what, "BLOBS ") || text_starts_with(what, "BLOBS\n")) {
        contents->large_objects = true;
    }
}

static int compare_oids(const void *a, const void *b)
{
    unsigned long first = *(const unsigned long *)a, second = *(const unsigned long *)b;
    return first < second ? -1 : first > second;
}

static void read_listing(const char *listing, struct contents *ret)
{
    for (const char *line = listing; *line != '\0'; line = *line == '\0' ? line : line + 1) {
        read_line(line, ret);
        line = strchrnul(line, '\n');
    }
    if (ret->count > 0)
        qsort(ret->oids, ret->count, sizeof *ret->oids, compare_oids);
}

static bool contains(const struct contents *contents, unsigned long oid)
{
    return contents->count > 0 &&
           bsearch(&oid, contents->oids, contents->count, sizeof *contents->oids, compare_oids) != NULL;
}

static bool table_is_wrong(const struct table *table, bool dumped, struct error *error)
{
    error_set(error, ERROR_FAILED, "table \"%s.%s\" is %s", table->schema, table->name,
              dumped ? "in pg_dump's data and in the streams" : "missing from pg_dump's data");
    return error_detail(error, "The table of contents of pg_dump's output was compared with the tables.");
}

bool dump_covers(const char *listing, const struct tables *tables, int64_t sequences, int64_t large_objects,
                 struct error *error)
{
    AUTO(contents_clear) struct contents contents = {0};
    size_t expected = 0;
    read_listing(listing, &contents);
    for (size_t i = 0; i < tables->count; i++) {
        const struct table *table = &tables->items[i];
        bool dumped = contains(&contents, strtoul(table->oid, NULL, 10));
        if (table->partitioned)
            continue;
        if (dumped != (table->source == TABLE_DUMP))
            return table_is_wrong(table, dumped, error);
        expected += dumped;
    }
    if (contents.count != expected)
        return error_set(error, ERROR_FAILED, "pg_dump's data hold %zu tables instead of %zu", contents.count,
                         expected);
    if (contents.sequences != sequences)
        return error_set(error, ERROR_FAILED, "pg_dump's data hold %lld sequences instead of %lld",
                         (long long)contents.sequences, (long long)sequences);
    if (contents.large_objects != (large_objects > 0))
        return error_set(error, ERROR_FAILED, "pg_dump's data hold %s large objects, the database has %lld",
                         contents.large_objects ? "some" : "no", (long long)large_objects);
    return true;
}
