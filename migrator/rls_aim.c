/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_aim.h"

#include "migrator/rls_tenant.h"
#include "sql.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* In place of a value that is somebody's. */
#define SECRET "'…'"

/* ---- names in a statement ---- */

/* Whether :name, :"name" or :'name' stands in it. */
static bool mentions(const char *sql, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = sql; (at = strstr(at, name)) != NULL; at += length) {
        bool begins = at > sql && (at[-1] == ':' || (at > sql + 1 && strchr("'\"", at[-1]) && at[-2] == ':'));
        if (begins && !isalnum((unsigned char)at[length]) && at[length] != '_')
            return true;
    }
    return false;
}

static char *bind_lists(const char *sql, const struct rls_pairs *const lists[], size_t count)
{
    OWNED struct postgres_name *names = NULL;
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; lists[i] && k < lists[i]->count; k++) {
            const struct rls_pair *pair = &lists[i]->items[k];
            if (!pair->value && mentions(sql, pair->name))
                return NULL;
            names = memory_grow(names, used, sizeof *names);
            if (pair->value)
                names[used++] = (struct postgres_name){pair->name, pair->value};
        }
    names = memory_grow(names, used, sizeof *names);
    names[used] = (struct postgres_name){NULL, NULL};
    return postgres_bind(sql, names);
}

char *rls_aim_bind(const struct rls_aim *aim, const char *sql, const struct rls_pairs *more)
{
    const struct rls_pairs *const lists[] = {more, &aim->names};

    return bind_lists(sql, lists, 2);
}

char *rls_aim_show(const struct rls_aim *aim, const char *sql, const struct rls_pairs *more)
{
    const struct rls_pairs *const lists[] = {more, &aim->shown, &aim->names};

    return bind_lists(sql, lists, 3);
}

bool rls_aim_lacks_rows(const struct rls_aim *aim, const char *sql)
{
    static const char *const made[] = {"own_row",  "their_row", "columns_a",      "columns_b",
                                       "values_a", "values_b",  "values_adopted", NULL};

    if (!aim->a->problem && !aim->b->problem)
        return false;
    for (size_t i = 0; made[i] != NULL; i++)
        for (size_t k = 0; k < aim->names.count; k++)
            if (text_equal(aim->names.items[k].name, made[i]) && !aim->names.items[k].value &&
                mentions(sql, made[i]))
                return true;
    return false;
}

static void put(struct rls_pairs *pairs, const char *name, char *owned)
{
    rls_pairs_add(pairs, name, owned);
    free(owned);
}

/* ---- rows ---- */

static char *literal_of(const char *value)
{
    return value ? postgres_quote_literal(value) : text_copy("NULL");
}

static const struct rls_pair *pair_of(const struct rls_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (text_equal(pairs->items[i].name, name))
            return &pairs->items[i];
    return NULL;
}

static bool is_copied(const struct rls_row *row, const char *column)
{
    for (size_t i = 0; i < row->copied.count; i++)
        if (text_equal(row->copied.items[i], column))
            return true;
    return false;
}

/* The names of the columns, and their values with those of instead in their place. */
static void put_row(struct rls_aim *aim, const char *columns, const char *values, const struct rls_row *row,
                    const struct rls_pairs *instead)
{
    AUTO(text_list_clear) struct text_list names = {0}, literals = {0}, told = {0};

    for (size_t i = 0; i < row->values.count; i++) {
        const struct rls_pair *pair = &row->values.items[i];
        const struct rls_pair *other = instead ? pair_of(instead, pair->name) : NULL;
        OWNED char *literal = literal_of(other ? other->value : pair->value);
        text_list_add(&names, postgres_quote_name(pair->name));
        text_list_add(&told, text_copy(!other && is_copied(row, pair->name) ? SECRET : literal));
        text_list_add(&literals, take(literal));
    }
    for (size_t i = 0; instead && i < instead->count; i++)
        if (!pair_of(&row->values, instead->items[i].name)) {
            text_list_add(&names, postgres_quote_name(instead->items[i].name));
            text_list_add(&literals, literal_of(instead->items[i].value));
            text_list_add(&told, literal_of(instead->items[i].value));
        }
    if (columns)
        put(&aim->names, columns, names.count == 0 ? NULL : text_list_join(&names, ", "));
    put(&aim->names, values, names.count == 0 ? NULL : text_list_join(&literals, ", "));
    if (names.count > 0)
        put(&aim->shown, values, text_list_join(&told, ", "));
}

/* One line of COPY's text format. */
static char *copy_line(const struct rls_pairs *row)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    for (size_t i = 0; i < row->count; i++) {
        fputs(i == 0 ? "" : "\t", stream);
        for (const char *at = row->items[i].value ? row->items[i].value : "\\N"; *at != '\0'; at++) {
            bool escaped = row->items[i].value && strchr("\\\t\n\r", *at);
            fputc(escaped ? '\\' : *at, stream);
            if (escaped)
                fputc(*at == '\\' ? '\\' : *at == '\t' ? 't' : *at == '\n' ? 'n' : 'r', stream);
        }
    }
    fclose(stream);
    return text;
}

/* SET clauses of the columns that have a value in the row. */
static char *assignments(const struct text_list *columns, const struct rls_pairs *row)
{
    AUTO(text_list_clear) struct text_list parts = {0};

    for (size_t i = 0; i < columns->count; i++) {
        const struct rls_pair *pair = pair_of(row, columns->items[i]);
        if (!pair || !pair->value)
            continue;
        OWNED char *name = postgres_quote_name(pair->name), *value = literal_of(pair->value);
        text_list_add(&parts, text_format("%s = %s", name, value));
    }
    return parts.count == 0 ? NULL : text_list_join(&parts, ", ");
}

/* ---- what the catalogs say ---- */

static bool read_columns(struct postgres *postgres, const struct rls_aim *aim, const char *sql,
                         const char *oids, struct text_list *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {aim->target->oid, aim->target->tenant, oids};

    if (!postgres_query(postgres, sql, 3, values, &rows, error))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++)
        text_list_add(ret, text_copy(rows_text(rows, row, "column")));
    return true;
}

/* Values of these columns of a row that is there. */
static bool read_values(struct postgres *postgres, const struct rls_aim *aim, const struct rls_row *row,
                        const struct text_list *columns, struct rls_pairs *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(text_list_clear) struct text_list quoted = {0};
    OWNED char *condition = rls_row_condition(row);

    for (size_t i = 0; i < columns->count; i++)
        text_list_add(&quoted, postgres_quote_name(columns->items[i]));
    OWNED char *list = text_list_join(&quoted, ", ");
    OWNED char *sql = postgres_bind(
        sql_rls_probe_values,
        (const struct postgres_name[]){
            {"columns", list}, {"relation", aim->target->object}, {"condition", condition}, {NULL, NULL}});
    if (!postgres_query(postgres, sql, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < columns->count && rows_count(rows) > 0; i++)
        rls_pairs_add(ret, columns->items[i], rows_value(rows, 0, i));
    return true;
}

/* ---- the names ---- */

static bool put_moves(struct postgres *postgres, struct rls_aim *aim, const char *oids, struct error *error)
{
    AUTO(text_list_clear) struct text_list moving = {0}, adopting = {0};
    AUTO(rls_pairs_clear) struct rls_pairs own = {0}, adopted = {0};

    if (!read_columns(postgres, aim, sql_rls_probe_moving, oids, &moving, error) ||
        !read_columns(postgres, aim, sql_rls_probe_adopting, oids, &adopting, error) ||
        (aim->a->row.table && moving.count > 0 &&
         !read_values(postgres, aim, &aim->a->row, &moving, &own, error)))
        return false;
    put(&aim->names, "move", assignments(&moving, &aim->b->fresh.values));
    put(&aim->names, "stay", assignments(&moving, &own));
    for (size_t i = 0; i < adopting.count; i++) {
        const struct rls_pair *pair = pair_of(&aim->b->fresh.values, adopting.items[i]);
        if (pair && pair->value)
            rls_pairs_add(&adopted, pair->name, pair->value);
    }
    if (adopted.count > 0 && aim->a->fresh.values.count > 0)
        put_row(aim, NULL, "values_adopted", &aim->a->fresh, &adopted);
    else
        put(&aim->names, "values_adopted", NULL);
    return true;
}

/* Keys are shown only of rows that were made. */
static bool put_taken(struct postgres *postgres, struct rls_aim *aim, struct error *error)
{
    AUTO(text_list_clear) struct text_list key = {0}, quoted = {0};
    AUTO(rls_pairs_clear) struct rls_pairs own = {0}, theirs = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {aim->target->oid, aim->target->tenant};

    if (!postgres_query(postgres, sql_rls_probe_key, 2, values, &rows, error))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++)
        text_list_add(&key, text_copy(rows_text(rows, row, "column")));
    bool possible = key.count > 0 && aim->a->made && aim->b->made && aim->a->fresh.values.count > 0;
    if (possible && (!read_values(postgres, aim, &aim->a->row, &key, &own, error) ||
                     !read_values(postgres, aim, &aim->b->row, &key, &theirs, error)))
        return false;
    for (size_t i = 0; i < key.count; i++)
        text_list_add(&quoted, postgres_quote_name(key.items[i]));
    put(&aim->names, "key", key.count == 0 ? NULL : text_list_join(&quoted, ", "));
    if (possible) {
        put_row(aim, "columns_taken", "values_taken", &aim->a->fresh, &theirs);
        put_row(aim, NULL, "values_taken_own", &aim->a->fresh, &own);
        if (rows_bool(rows, 0, "unguessable"))
            put(&aim->names, "values_guessed", NULL);
        else
            put_row(aim, NULL, "values_guessed", &aim->a->fresh, &theirs);
        return true;
    }
    put(&aim->names, "columns_taken", NULL);
    put(&aim->names, "values_taken", NULL);
    put(&aim->names, "values_guessed", NULL);
    put(&aim->names, "values_taken_own", NULL);
    return true;
}

static void put_rows(struct rls_aim *aim)
{
    put_row(aim, "columns_a", "values_a", &aim->a->fresh, NULL);
    put_row(aim, "columns_b", "values_b", &aim->b->fresh, NULL);
    put(&aim->names, "data", aim->b->fresh.values.count == 0 ? NULL : copy_line(&aim->b->fresh.values));
    put(&aim->names, "own_row", aim->a->row.table ? rls_row_condition(&aim->a->row) : NULL);
    put(&aim->names, "their_row", aim->b->row.table ? rls_row_condition(&aim->b->row) : NULL);
    /* To people, a row that may be gone by then is any of the tenant's. */
    put(&aim->shown, "own_row", rls_target_condition(aim->target, "=", aim->tenant_a));
    put(&aim->shown, "their_row", rls_target_condition(aim->target, "=", aim->tenant_b));
    put(&aim->names, "returning",
        aim->target->tenant              ? postgres_quote_name(aim->target->tenant)
        : aim->b->fresh.values.count > 0 ? postgres_quote_name(aim->b->fresh.values.items[0].name)
                                         : NULL);
}

/* A condition as the role can judge it. */
static bool put_condition(struct postgres *postgres, struct rls_aim *aim, const char *name, char *owned,
                          int64_t *ret_count, struct error *error)
{
    OWNED char *condition = owned;
    AUTO(rows_free) struct rows *rows = NULL;

    rls_pairs_add(&aim->shown, name, condition);
    if (aim->target->tenant) {
        rls_pairs_add(&aim->names, name, condition);
        return true;
    }
    OWNED char *sql = postgres_bind(
        sql_rls_probe_places, (const struct postgres_name[]){
                                  {"relation", aim->target->object}, {"condition", condition}, {NULL, NULL}});
    if (!postgres_query(postgres, sql, 0, NULL, &rows, error))
        return false;
    rls_pairs_add(&aim->names, name, rows_text(rows, 0, "condition"));
    if (ret_count)
        *ret_count = rows_integer(rows, 0, "count");
    return true;
}

static bool count(struct postgres *postgres, struct rls_aim *aim, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *sql = rls_aim_show(aim, sql_rls_probe_count, NULL);

    if (strchr("vfF", aim->target->kind))
        return true; /* who owns a view, not who asks, decides what it shows */
    if (!postgres_query(postgres, sql, 0, NULL, &rows, error))
        return false;
    if (aim->mine < 0)
        aim->mine = rows_integer(rows, 0, "mine");
    aim->theirs = rows_integer(rows, 0, "theirs");
    aim->foreign = rows_integer(rows, 0, "foreign");
    aim->all = rows_integer(rows, 0, "all");
    return true;
}

static bool take_all(struct postgres *postgres, const struct rls_targets *targets, struct rls_aim *aim,
                     struct error *error)
{
    OWNED char *oids = rls_targets_oids(targets);

    put(&aim->names, "relation", text_copy(aim->target->object));
    put(&aim->names, "own", text_copy(aim->tenant_a));
    put(&aim->names, "whose",
        text_format(aim->target->tenant ? "%s::pg_catalog.text" : "NULL::pg_catalog.text",
                    aim->target->before));
    if (!put_condition(postgres, aim, "mine", rls_target_condition(aim->target, "=", aim->tenant_a),
                       &aim->mine, error) ||
        !put_condition(postgres, aim, "theirs", rls_target_condition(aim->target, "=", aim->tenant_b), NULL,
                       error) ||
        !put_condition(postgres, aim, "foreign", rls_target_condition(aim->target, "<>", aim->tenant_a), NULL,
                       error))
        return false;
    put_rows(aim);
    put(&aim->names, "their", text_copy(aim->tenant_b));
    put(&aim->names, "trap", rls_aim_show(aim, sql_rls_probe_trap_body, NULL));
    put(&aim->names, "leak", aim->target->tenant ? rls_aim_bind(aim, sql_rls_probe_leak_body, NULL) : NULL);
    return count(postgres, aim, error) &&
           (!rls_target_is_table(aim->target) ||
            (put_moves(postgres, aim, oids, error) && put_taken(postgres, aim, error)));
}

bool rls_aim_take(struct postgres *postgres, const struct rls_targets *targets, struct rls_aim *aim,
                  struct error *error)
{
    AUTO(error_clear) struct error problem = {0};

    aim->mine = aim->theirs = aim->foreign = aim->all = -1;
    if (!postgres_execute(postgres, sql_savepoint, error))
        return false;
    if (take_all(postgres, targets, aim, &problem))
        return postgres_execute(postgres, sql_rls_seed_keep, error);
    if (rls_is_over(postgres, &problem)) {
        error_move(error, &problem);
        return false;
    }
    aim->problem = text_copy(problem.message);
    return postgres_execute(postgres, sql_rls_seed_undo, error);
}

void rls_aim_clear(struct rls_aim *aim)
{
    rls_pairs_clear(&aim->names);
    rls_pairs_clear(&aim->shown);
    free(aim->problem);
    *aim = (struct rls_aim){0};
}
