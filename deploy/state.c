/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/state.h"

#include "deploy/changes.h"
#include "deploy/schema_text.h"
#include "sql.h"
#include <string.h>

/* Something that is said of an object, and its value; kind "rows" for how many a table has. */
struct fact {
    char *kind, *object, *what, *value;
};

struct state {
    struct schema_text schema;
    struct fact *facts; /* in order of kind, object and what */
    size_t count;
    struct rows *noticed;
};

void state_free(struct state *state)
{
    if (!state)
        return;
    schema_text_clear(&state->schema);
    for (size_t i = 0; i < state->count; i++) {
        free(state->facts[i].kind);
        free(state->facts[i].object);
        free(state->facts[i].what);
        free(state->facts[i].value);
    }
    free(state->facts);
    rows_free(state->noticed);
    free(state);
}

/* ---- reading ---- */

static void add_fact(struct state *state, struct fact fact)
{
    state->facts = memory_grow(state->facts, state->count, sizeof *state->facts);
    state->facts[state->count++] = fact;
}

static bool read_facts(struct postgres *postgres, const struct history *history, struct state *state,
                       struct error *error)
{
    const char *values[] = {history->schema, history->table, history->log};
    AUTO(rows_free) struct rows *facts = NULL;
    AUTO(rows_free) struct rows *detaching = NULL;

    if (!postgres_query(postgres, sql_state_facts, 3, values, &facts, error) ||
        (postgres_server_version(postgres) >= 140000 &&
         !postgres_query(postgres, sql_state_detaching, 0, NULL, &detaching, error)))
        return false;
    const struct rows *answers[] = {facts, detaching};
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; answers[a] && i < rows_count(answers[a]); i++)
            add_fact(state, (struct fact){.kind = text_copy(rows_text(answers[a], i, "kind")),
                                          .object = text_copy(rows_text(answers[a], i, "object")),
                                          .what = text_copy(rows_text(answers[a], i, "what")),
                                          .value = text_copy(rows_text(answers[a], i, "value"))});
    return true;
}

/* A table whose rows cannot be counted says why instead: the same both times, or it is a difference. */
static void keep_count(struct state *state, const char *schema, const char *table, const struct query *query)
{
    add_fact(state, (struct fact){.kind = text_copy("rows"),
                                  .object = text_format("%s.%s", schema, table),
                                  .what = text_copy("count"),
                                  .value = text_copy(query->rows ? rows_text(query->rows, 0, "rows")
                                                                 : query->error.message)});
}

static bool count_tables(struct postgres *postgres, const struct rows *tables, size_t first,
                         struct state *state, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    AUTO(text_list_clear) struct text_list statements = {0};
    size_t most = sizeof queries.items / sizeof *queries.items;

    for (size_t i = first; i < rows_count(tables) && queries.count < most; i++) {
        const struct postgres_name names[] = {
            {"schema", rows_text(tables, i, "schema")}, {"table", rows_text(tables, i, "table")}, {0}};

        text_list_add(&statements, postgres_bind(sql_state_count, names));
        queries_add(&queries, statements.items[statements.count - 1], 0, NULL);
    }
    if (!postgres_query_all(postgres, &queries, error))
        return false;
    for (size_t i = 0; i < queries.count; i++)
        keep_count(state, rows_text(tables, first + i, "schema"), rows_text(tables, first + i, "table"),
                   &queries.items[i]);
    return true;
}

static bool read_counts(struct postgres *postgres, const struct history *history, struct state *state,
                        struct error *error)
{
    const char *values[] = {history->schema, history->table, history->log};
    AUTO(rows_free) struct rows *tables = NULL;
    size_t step = sizeof((struct queries *)NULL)->items / sizeof *((struct queries *)NULL)->items;

    if (!postgres_query(postgres, sql_state_tables, 3, values, &tables, error))
        return false;
    for (size_t first = 0; first < rows_count(tables); first += step)
        if (!count_tables(postgres, tables, first, state, error))
            return false;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct fact *left = a, *right = b;
    int order = strcmp(left->kind, right->kind);

    if (order == 0)
        order = strcmp(left->object, right->object);
    return order ? order : strcmp(left->what, right->what);
}

bool state_read(struct state_source *source, struct state **ret, struct error *error)
{
    AUTO(state_free) struct state *state = memory_allocate(1, sizeof *state);
    struct postgres *postgres = source->postgres;
    const struct history *history = source->history;
    const char *values[] = {history->schema, history->table, history->log};

    if ((!source->pg_dump && !schema_text_program(postgres, &source->pg_dump, error)) ||
        !postgres_query(postgres, sql_state_noticed, 3, values, &state->noticed, error) ||
        !read_facts(postgres, history, state, error) || !read_counts(postgres, history, state, error) ||
        !schema_text_read(postgres, source->pg_dump, &state->schema, error))
        return error_prefix(error, "could not look at the database");
    if (state->count > 0)
        qsort(state->facts, state->count, sizeof *state->facts, by_key);
    *ret = take(state);
    return true;
}

/* ---- comparing ---- */

static bool went_on(const struct fact *before, const struct fact *after)
{
    return text_equal(before->value, "none") ||
           (!text_equal(after->value, "none") &&
            strtoll(after->value, NULL, 10) > strtoll(before->value, NULL, 10));
}

static void compare_fact(const struct fact *before, const struct fact *after, struct rehearsed *ret)
{
    bool sequence = text_equal(before->kind, "sequence");

    if (text_equal(before->value, after->value))
        return;
    if (text_equal(before->kind, "rows"))
        difference_add(ret, "rows", before->object, false, "%s rows instead of %s", after->value,
                       before->value);
    else
        difference_add(ret, before->kind, before->object, sequence && went_on(before, after),
                       "%s is %s instead of %s", before->what, after->value, before->value);
}

void state_compare(const struct state *before, const struct state *after, struct rehearsed *ret)
{
    schema_text_compare(&before->schema, &after->schema, ret);
    for (size_t i = 0; i < before->count; i++) {
        const struct fact *found = after->count > 0 ? bsearch(&before->facts[i], after->facts, after->count,
                                                              sizeof *after->facts, by_key)
                                                    : NULL;
        if (found)
            compare_fact(&before->facts[i], found, ret);
        else if (text_equal(before->facts[i].kind, "rows") && !text_equal(before->facts[i].value, "0"))
            difference_add(ret, "rows", before->facts[i].object, false, "all %s rows are lost with the table",
                           before->facts[i].value);
    }
}

void state_changes(const struct state *before, const struct state *after, struct rehearsed *ret)
{
    changes_find(before->noticed, after->noticed, ret);
}
