/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_seed.h"

#include "migrator/rls_tenant.h"
#include "sql.h"
#include <string.h>

#define DEPTH_MAX    8
#define ATTEMPTS_MAX 200
#define PATIENCE     20 /* attempts before a row's data are taken */
#define TABLE        "pgmigrate table"
#define PLACE        "pgmigrate place"

/* What one column may be given. */
struct column {
    char *name;
    bool varies;  /* a unique index wants another value in each row */
    bool checked; /* a CHECK constraint looks at it */
    struct text_list constraints;
    struct text_list candidates;
    size_t model; /* 1-based: the candidate that a row has which was there; 0: none */
};

/* One row in the making. */
struct making {
    struct postgres *postgres;
    const struct rls_targets *targets;
    const char *tenant;
    int depth;

    const char *oid, *object;
    const struct rls_target *target; /* NULL: not a table of tenants */
    struct column *columns;
    size_t count;
    bool modelled; /* a row that was there tells what may be in such a row */
};

static void making_clear(struct making *making)
{
    for (size_t i = 0; i < making->count; i++) {
        free(making->columns[i].name);
        text_list_clear(&making->columns[i].constraints);
        text_list_clear(&making->columns[i].candidates);
    }
    free(making->columns);
}
CLEANUP_VALUE(struct making, making_clear)

void rls_row_clear(struct rls_row *row)
{
    free(row->table);
    free(row->place);
    rls_pairs_clear(&row->values);
    text_list_clear(&row->copied);
    *row = (struct rls_row){0};
}

void rls_seed_clear(struct rls_seed *seed)
{
    rls_row_clear(&seed->row);
    rls_row_clear(&seed->fresh);
    free(seed->problem);
    *seed = (struct rls_seed){0};
}

/* ---- columns and what may be in them ---- */

static struct column *column_of(const struct making *making, const char *name)
{
    for (size_t i = 0; i < making->count; i++)
        if (text_equal(making->columns[i].name, name))
            return &making->columns[i];
    return NULL;
}

static bool read_columns(struct making *making, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {making->oid, making->object};

    if (!postgres_query(making->postgres, sql_rls_seed_columns, 2, values, &rows, error))
        return false;
    making->columns = memory_allocate(rows_count(rows) + 1, sizeof *making->columns);
    for (size_t row = 0; row < rows_count(rows); row++) {
        const char *name = rows_text(rows, row, "name");
        struct column *column = column_of(making, name);
        if (!column) {
            column = &making->columns[making->count++];
            *column = (struct column){.name = text_copy(name),
                                      .varies = rows_bool(rows, row, "varies"),
                                      .checked = rows_bool(rows, row, "checked")};
            const char *constraints = rows_text(rows, row, "constraints");
            if (constraints)
                column->constraints = text_list_split(constraints, '\n');
        }
        text_list_add(&column->candidates, text_copy(rows_text(rows, row, "value")));
    }
    return true;
}

static char *literal_of(const char *value)
{
    return value ? postgres_quote_literal(value) : text_copy("NULL");
}

static void only(struct column *column, char *owned)
{
    text_list_clear(&column->candidates);
    text_list_add(&column->candidates, owned);
    column->model = 0;
}

/* A column that cannot be given a value (generated) is what it is. */
static void force(struct making *making, const char *name, const char *value)
{
    struct column *column = column_of(making, name);

    if (column)
        only(column, literal_of(value));
}

static const char *forced(const struct rls_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (text_equal(pairs->items[i].name, name))
            return pairs->items[i].value;
    return NULL;
}

/* ---- rows that are there ---- */

static struct rls_row row_of(const struct rows *rows)
{
    return (struct rls_row){.table = text_copy(rows_text(rows, 0, TABLE)),
                            .place = text_copy(rows_text(rows, 0, PLACE))};
}

/* Of the tenant, where the table knows tenants, and with these values. */
static char *condition_of(const struct rls_target *target, const char *tenant, const struct rls_pairs *equal)
{
    char *condition = target ? rls_target_condition(target, "=", tenant) : text_copy("true");

    for (size_t i = 0; i < equal->count; i++) {
        OWNED char *before = condition;
        OWNED char *one =
            postgres_bind(sql_rls_seed_equal, (const struct postgres_name[]){{"column", equal->items[i].name},
                                                                             {"value", equal->items[i].value},
                                                                             {NULL, NULL}});
        condition = text_format("%s %s", one, before);
    }
    return condition;
}

char *rls_row_condition(const struct rls_row *row)
{
    char *text = postgres_bind(
        sql_rls_place,
        (const struct postgres_name[]){{"table", row->table}, {"place", row->place}, {NULL, NULL}});
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static bool find_row(struct postgres *postgres, const char *object, const char *condition, struct rows **ret,
                     struct error *error)
{
    OWNED char *sql = postgres_bind(
        sql_rls_seed_find,
        (const struct postgres_name[]){{"relation", object}, {"condition", condition}, {NULL, NULL}});

    return postgres_query(postgres, sql, 0, NULL, ret, error);
}

/* A row that is there passed all checks once: what may repeat can be taken from it. It is somebody's data, so
 * it comes last. */
static bool take_model(struct making *making, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!making->target)
        return true;
    OWNED char *condition = rls_target_condition(making->target, "=", making->tenant);
    if (!find_row(making->postgres, making->object, condition, &rows, error))
        return false;
    making->modelled = rows_count(rows) > 0;
    for (size_t i = 0; i < making->count && making->modelled; i++) {
        struct column *column = &making->columns[i];
        if (column->varies || (!column->checked && text_equal(column->candidates.items[0], "DEFAULT")))
            continue;
        text_list_add(&column->candidates, literal_of(rows_text(rows, 0, column->name)));
        column->model = column->candidates.count;
    }
    return true;
}

/* ---- parents ---- */

static bool make_row(struct making *making, const struct rls_pairs *given, bool keep, struct rls_row *ret,
                     struct error *error);

static bool make_parent(const struct making *child, const char *oid, const char *object,
                        const struct rls_pairs *equal, struct rls_row *ret, struct error *error)
{
    AUTO(making_clear)
    struct making making = {.postgres = child->postgres,
                            .targets = child->targets,
                            .tenant = child->tenant,
                            .depth = child->depth + 1,
                            .oid = oid,
                            .object = object,
                            .target = rls_targets_find(child->targets, oid)};

    if (making.depth > DEPTH_MAX)
        return error_set(error, ERROR_FAILED, "%s needs a parent that needs a parent, and so on", object);
    return make_row(&making, equal, true, ret, error);
}

/* One foreign key: the rows [begin, end) of seed_keys. */
struct key {
    const struct rows *rows;
    size_t begin, end;
};

/* The parent's columns that have to have a value already. */
static struct rls_pairs known_of(const struct making *making, const struct key *key,
                                 const struct rls_pairs *given)
{
    struct rls_pairs known = {0};

    for (size_t row = key->begin; row < key->end; row++) {
        const char *name = rows_text(key->rows, row, "column");
        const char *value = forced(given, name);
        if (value && column_of(making, name))
            rls_pairs_add(&known, rows_text(key->rows, row, "parent_column"), value);
    }
    return known;
}

/* All of the key as the row has it that was there; false where that is not possible. */
static bool take_modelled(struct making *making, const struct key *key)
{
    for (size_t row = key->begin; row < key->end; row++) {
        const struct column *column = column_of(making, rows_text(key->rows, row, "column"));
        if (!making->modelled || (column && column->varies))
            return false;
    }
    for (size_t row = key->begin; row < key->end; row++) {
        struct column *column = column_of(making, rows_text(key->rows, row, "column"));
        if (column && column->model > 0)
            only(column, text_copy(column->candidates.items[column->model - 1]));
    }
    return true;
}

static bool settle_key(struct making *making, const struct key *key, struct rls_pairs *given,
                       struct error *error)
{
    const char *parent = rows_text(key->rows, key->begin, "parent");
    const char *object = rows_text(key->rows, key->begin, "object");
    const struct rls_target *target = rls_targets_find(making->targets, parent);
    AUTO(rls_pairs_clear) struct rls_pairs known = known_of(making, key, given);
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(rls_row_clear) struct rls_row made = {0};
    bool whole = known.count == key->end - key->begin;
    bool alone = rows_bool(key->rows, key->begin, "alone") && !whole;

    if (!whole && !alone && (take_modelled(making, key) || !rows_bool(key->rows, key->begin, "needed")))
        return true;
    OWNED char *condition = condition_of(target, making->tenant, &known);
    if (!alone && !find_row(making->postgres, object, condition, &rows, error))
        return false;
    if (!rows || rows_count(rows) == 0) {
        if (!make_parent(making, parent, object, &known, &made, error))
            return false;
        OWNED char *there = rls_row_condition(&made);
        rows_free(take(rows));
        if (!find_row(making->postgres, object, there, &rows, error))
            return false;
    }
    if (rows_count(rows) == 0)
        return error_set(error, ERROR_FAILED, "the parent made in %s cannot be found", object);
    for (size_t row = key->begin; row < key->end; row++) {
        const char *name = rows_text(key->rows, row, "column");
        const char *value = rows_text(rows, 0, rows_text(key->rows, row, "parent_column"));
        force(making, name, value);
        rls_pairs_add(given, name, value);
    }
    return true;
}

static bool settle_keys(struct making *making, struct rls_pairs *given, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {making->oid, making->target ? making->target->tenant : NULL};

    if (!postgres_query(making->postgres, sql_rls_seed_keys, 2, values, &rows, error))
        return false;
    struct key key = {.rows = rows};
    for (; key.begin < rows_count(rows); key.begin = key.end) {
        for (key.end = key.begin; key.end < rows_count(rows) && text_equal(rows_text(rows, key.begin, "oid"),
                                                                           rows_text(rows, key.end, "oid"));)
            key.end++;
        if (!settle_key(making, &key, given, error))
            return false;
    }
    return true;
}

/* ---- the row ---- */

static char *insert_statement(const struct making *making, const size_t chosen[])
{
    AUTO(text_list_clear) struct text_list columns = {0}, values = {0};
    OWNED char *mine =
        making->target ? rls_target_condition(making->target, "=", making->tenant) : text_copy("true");

    for (size_t i = 0; i < making->count; i++) {
        const char *value = making->columns[i].candidates.items[chosen[i]];
        if (text_equal(value, "DEFAULT"))
            continue;
        text_list_add(&columns, postgres_quote_name(making->columns[i].name));
        text_list_add(&values, text_copy(value));
    }
    OWNED char *names = text_list_join(&columns, ", "), *expressions = text_list_join(&values, ", ");
    return postgres_bind(columns.count > 0 ? sql_rls_seed_insert : sql_rls_seed_insert_default,
                         (const struct postgres_name[]){{"relation", making->object},
                                                        {"columns", names},
                                                        {"values", expressions},
                                                        {"condition", mine},
                                                        {NULL, NULL}});
}

/* The columns left to their defaults are none of the row's values. */
static void take_row(const struct making *making, const size_t chosen[], const struct rows *rows,
                     struct rls_row *ret)
{
    *ret = row_of(rows);
    for (size_t i = 0; i < making->count; i++) {
        const struct column *column = &making->columns[i];
        if (text_equal(column->candidates.items[chosen[i]], "DEFAULT"))
            continue;
        rls_pairs_add(&ret->values, column->name, rows_text(rows, 0, column->name));
        if (chosen[i] + 1 == column->model)
            text_list_add(&ret->copied, text_copy(column->name));
    }
}

static bool attempt(const struct making *making, const size_t chosen[], bool keep, struct rls_row *ret,
                    struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error second = {0};
    OWNED char *sql = insert_statement(making, chosen);

    if (!postgres_execute(making->postgres, sql_savepoint, error))
        return false;
    bool good = postgres_query(making->postgres, sql, 0, NULL, &rows, error);
    if (good && rows_count(rows) == 0)
        good = error_set(error, ERROR_FAILED, "a trigger or rule of %s lets no row in", making->object);
    else if (good && !rows_bool(rows, 0, "pgmigrate mine"))
        good = error_set(error, ERROR_FAILED,
                         "a row made in %s belongs to another tenant than it was made for", making->object);
    if (good)
        take_row(making, chosen, rows, ret);
    if (postgres_is_lost(making->postgres) ||
        !postgres_execute(making->postgres, good && keep ? sql_rls_seed_keep : sql_rls_seed_undo, &second))
        return good ? error_set(error, ERROR_CONNECTION, "%s", second.message) : false;
    return good;
}

static bool quotes(const char *message, const char *name)
{
    OWNED char *quoted = text_format("\"%s\"", name);

    return strstr(message, quoted) != NULL;
}

/* Whether the server's message names the column, or a constraint that looks at it. */
static bool is_concerned(const struct column *column, const char *message)
{
    bool concerned = quotes(message, column->name);

    for (size_t i = 0; i < column->constraints.count; i++)
        concerned = concerned || quotes(message, column->constraints.items[i]);
    return concerned;
}

/* The next choice, as an odometer counts: of the columns that the message is about, or of all (NULL); false
 * after the last one. */
static bool advance(const struct making *making, size_t chosen[], const char *message)
{
    for (size_t i = 0; i < making->count; i++) {
        if (message && !is_concerned(&making->columns[i], message))
            continue;
        if (++chosen[i] < making->columns[i].candidates.count)
            return true;
        chosen[i] = 0;
    }
    return message && advance(making, chosen, NULL);
}

static bool concerns_any(const struct making *making, const char *message)
{
    for (size_t i = 0; i < making->count; i++)
        if (is_concerned(&making->columns[i], message))
            return true;
    return false;
}

/* The choice that is as the row that was there. */
static size_t *model_choice(const struct making *making)
{
    size_t *chosen = memory_allocate(making->count + 1, sizeof *chosen);

    for (size_t i = 0; i < making->count; i++)
        chosen[i] = making->columns[i].model > 0 ? making->columns[i].model - 1 : 0;
    return chosen;
}

/* One choice after the other until a row is taken, and once, where that leads nowhere, the row that was
 * there; the error is that of the first. */
static bool try_choices(struct making *making, bool keep, struct rls_row *ret, struct error *error)
{
    AUTO(error_clear) struct error problem = {0};
    OWNED size_t *chosen = memory_allocate(making->count + 1, sizeof *chosen);
    OWNED size_t *model = model_choice(making);
    bool modelled = making->modelled, copies = false, more = true;

    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        struct error *now = i == 0 ? error : &problem;
        if (attempt(making, copies ? model : chosen, keep, ret, now)) {
            error_clear(error);
            return true;
        }
        if (rls_is_over(making->postgres, now)) {
            if (i > 0)
                error_move(error, &problem);
            return false;
        }
        more = more && (copies || advance(making, chosen, now->message));
        copies = modelled && (!more || i >= PATIENCE || !concerns_any(making, now->message));
        modelled = modelled && !copies;
        if (!more && !copies)
            return false;
        error_clear(&problem);
    }
    return false;
}

static bool make_row(struct making *making, const struct rls_pairs *given, bool keep, struct rls_row *ret,
                     struct error *error)
{
    AUTO(rls_pairs_clear) struct rls_pairs values = {0};

    if (!read_columns(making, error) || !take_model(making, error))
        return false;
    for (size_t i = 0; i < given->count; i++)
        rls_pairs_add(&values, given->items[i].name, given->items[i].value);
    if (making->target && making->target->tenant)
        rls_pairs_add(&values, making->target->tenant, making->tenant);
    for (size_t i = 0; i < values.count; i++)
        force(making, values.items[i].name, values.items[i].value);
    return settle_keys(making, &values, error) && try_choices(making, keep, ret, error);
}

/* ---- a target's rows ---- */

static bool make_one(struct making *like, bool keep, struct rls_row *ret, struct error *error)
{
    const struct rls_pairs none = {0};
    AUTO(making_clear) struct making making = *like;

    return make_row(&making, &none, keep, ret, error);
}

static bool make_all(struct making *making, struct rls_seed *seed, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(rls_row_clear) struct rls_row first = {0};
    OWNED char *condition = rls_target_condition(making->target, "=", making->tenant);

    if (!find_row(making->postgres, making->object, condition, &rows, error))
        return false;
    if (rows_count(rows) > 0)
        first = row_of(rows);
    /* The first one is for the children to refer to. */
    else if (!making->target->child && !make_one(making, true, &first, error))
        return false;
    seed->made = make_one(making, true, &seed->row, error);
    if (!seed->made) {
        /* In an error nothing that was made can be kept. */
        if (rows_count(rows) > 0 || postgres_transaction(making->postgres) != POSTGRES_IN_ERROR) {
            seed->row = first;
            first = (struct rls_row){0};
        }
        return false;
    }
    return make_one(making, false, &seed->fresh, error);
}

bool rls_seed_make(struct postgres *postgres, const struct rls_targets *targets,
                   const struct rls_target *target, const char *tenant, struct rls_seed *ret,
                   struct error *error)
{
    AUTO(error_clear) struct error problem = {0};
    struct making making = {.postgres = postgres,
                            .targets = targets,
                            .tenant = tenant,
                            .oid = target->oid,
                            .object = target->object,
                            .target = target};

    if (!postgres_execute(postgres, sql_savepoint, error))
        return false;
    if (make_all(&making, ret, &problem))
        return postgres_execute(postgres, sql_rls_seed_keep, error);
    if (rls_is_over(postgres, &problem)) {
        error_move(error, &problem);
        return false;
    }
    ret->problem = text_copy(problem.message);
    bool failed = postgres_transaction(postgres) == POSTGRES_IN_ERROR;
    if (failed && ret->made)
        rls_row_clear(&ret->row);
    ret->made = ret->made && !failed;
    return postgres_execute(postgres, failed ? sql_rls_seed_undo : sql_rls_seed_keep, error);
}
