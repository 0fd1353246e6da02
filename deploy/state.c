/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/state.h"

#include "deploy/changes.h"
#include "deploy/schema_text.h"
#include "migrator/rls_check.h"
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
    struct rls_findings findings;
    enum rls_severity at_least; /* counts */
    bool probed;
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
    rls_findings_clear(&state->findings);
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

static bool attack(const struct state_source *source, struct rls_findings *findings, struct error *error)
{
    AUTO(rls_probe_result_clear) struct rls_probe_result result = {0};

    if (!source->probe)
        return true;
    if (!rls_probe_run(source->postgres, source->isolation->settings, source->probe, &result, error))
        return false;
    rls_findings_move(findings, &result.findings);
    return true;
}

/* Before everything else, for probes draw numbers from sequences. */
static bool read_isolation(const struct state_source *source, struct state *state, struct error *error)
{
    const struct rls_gate_options *options = source->isolation;
    struct rls_findings *findings = &state->findings;
    struct postgres *postgres = source->postgres;

    if (!options)
        return true;
    state->at_least = options->at_least;
    state->probed = source->probe != NULL;
    if (!attack(source, findings, error) || !postgres_execute(postgres, sql_rls_begin, error) ||
        !rls_check_begin(postgres, options->settings, error) ||
        !rls_check_all(postgres, false, findings, error) || !postgres_execute(postgres, sql_rollback, error))
        return false;
    if (options->accept)
        options->accept(options->context, findings);
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
        !read_isolation(source, state, error) ||
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

static void compare_fact(const struct fact *before, const struct fact *after, bool probed,
                         struct rehearsed *ret)
{
    bool further = text_equal(before->kind, "sequence") && went_on(before, after);

    if (text_equal(before->value, after->value) || (further && probed))
        return;
    if (text_equal(before->kind, "rows"))
        difference_add(ret, "rows", before->object, false, "%s rows instead of %s", after->value,
                       before->value);
    else
        difference_add(ret, before->kind, before->object, further, "%s is %s instead of %s", before->what,
                       after->value, before->value);
}

/* "the message, as app (S4)" */
static char *finding_text(const struct rls_finding *finding)
{
    return text_format("%s%s%s (%s)", finding->message, finding->role ? ", as " : "",
                       finding->role ? finding->role : "", finding->check);
}

/* The next one that counts and was not there before, from *at on; NULL after the last. */
static const struct rls_finding *next_new(const struct state *before, const struct state *after, size_t *at)
{
    while (*at < after->findings.count) {
        const struct rls_finding *finding = &after->findings.items[(*at)++];
        if (!finding->inconclusive && !finding->accepted && finding->severity >= after->at_least &&
            !rls_findings_have(&before->findings, finding))
            return finding;
    }
    return NULL;
}

static void compare_findings(const struct state *before, const struct state *after, struct rehearsed *ret)
{
    const struct rls_finding *finding;

    for (size_t at = 0; (finding = next_new(before, after, &at)) != NULL;) {
        OWNED char *text = finding_text(finding);
        difference_add(ret, "row-level security of", finding->object, false, "%s", text);
    }
}

void state_weaknesses(const struct state *before, const struct state *after, struct rehearsed *ret)
{
    const struct rls_finding *finding;

    for (size_t at = 0; (finding = next_new(before, after, &at)) != NULL;) {
        if (finding->check[0] != 'D')
            continue;
        ret->weaknesses = memory_grow(ret->weaknesses, ret->weakness_count, sizeof *ret->weaknesses);
        ret->weaknesses[ret->weakness_count++] =
            (struct change){.object = text_copy(finding->object), .what = finding_text(finding)};
    }
}

void state_compare(const struct state *before, const struct state *after, struct rehearsed *ret)
{
    schema_text_compare(&before->schema, &after->schema, ret);
    for (size_t i = 0; i < before->count; i++) {
        const struct fact *found = after->count > 0 ? bsearch(&before->facts[i], after->facts, after->count,
                                                              sizeof *after->facts, by_key)
                                                    : NULL;
        if (found)
            compare_fact(&before->facts[i], found, after->probed, ret);
        else if (text_equal(before->facts[i].kind, "rows") && !text_equal(before->facts[i].value, "0"))
            difference_add(ret, "rows", before->facts[i].object, false, "all %s rows are lost with the table",
                           before->facts[i].value);
    }
    compare_findings(before, after, ret);
}

void state_changes(const struct state *before, const struct state *after, struct rehearsed *ret)
{
    changes_find(before->noticed, after->noticed, ret);
}
