/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/index_build.h"

#include "migrator/parse.h"
#include "sql.h"

struct found {
    bool there, valid;
    char *schema, *index;
};

static void found_clear(struct found *found)
{
    free(found->schema);
    free(found->index);
}
CLEANUP_VALUE(struct found, found_clear)

/* Nothing is found for statements that build no index with a name given in the statement. */
static bool find(struct execution *execution, const struct statement *statement, struct found *ret,
                 struct error *error)
{
    AUTO(index_build_clear) struct index_build build = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (statement->kind != STATEMENT_OUTSIDE || !parse_index_build(statement->text, &build) ||
        build.index == NULL || build.table == NULL)
        return true;
    const char *values[] = {build.index, build.schema, build.table};
    if (!postgres_query(execution->postgres, sql_index_state, 3, values, &rows, error))
        return false;
    if (rows_count(rows) == 0)
        return true;
    *ret = (struct found){.there = true,
                          .valid = rows_bool(rows, 0, "valid"),
                          .schema = text_copy(rows_text(rows, 0, "schema")),
                          .index = text_copy(rows_text(rows, 0, "index"))};
    return true;
}

static bool drop(struct execution *execution, const struct found *found, struct error *error)
{
    OWNED char *sql = postgres_bind(
        sql_index_drop, (struct postgres_name[]){{"schema", found->schema}, {"index", found->index}, {0}});
    OWNED char *text =
        text_format("dropping the INVALID index \"%s\" that a failed build left", found->index);
    execution_tell(execution, (struct run_event){.type = RUN_NOTICE, .text = text});
    return postgres_execute(execution->postgres, sql, error);
}

bool index_build_prepare(struct execution *execution, const struct statement *statement, bool ours,
                         bool *ret_exists, struct error *error)
{
    AUTO(found_clear) struct found found = {0};
    *ret_exists = false;
    if (!find(execution, statement, &found, error))
        return false;
    if (found.there && !found.valid && !ours) {
        error_set(error, ERROR_FAILED, "index \"%s\" is already there and INVALID", found.index);
        error_detail(error, "A build that failed earlier left it; this migration did not make it.");
        error_hint(error, "Drop it (DROP INDEX CONCURRENTLY %s.%s), then apply again.", found.schema,
                   found.index);
        return execution_place(execution->now.script, statement, error);
    }
    *ret_exists = ours && found.there && found.valid;
    return !found.there || found.valid || drop(execution, &found, error);
}

void index_build_clean(struct execution *execution, const struct statement *statement)
{
    AUTO(found_clear) struct found found = {0};
    AUTO(error_clear) struct error ignored = {0};
    postgres_shield(execution->postgres, true);
    if (find(execution, statement, &found, &ignored) && found.there && !found.valid &&
        !drop(execution, &found, &ignored))
        error_clear(&ignored); /* the next run finds it and tries again */
    postgres_shield(execution->postgres, false);
}

bool index_build_check(struct execution *execution, const struct statement *statement, struct error *error)
{
    AUTO(found_clear) struct found found = {0};
    if (!find(execution, statement, &found, error))
        return false;
    if (!found.there || found.valid)
        return true;
    error_set(error, ERROR_FAILED, "index \"%s\" is INVALID after CREATE INDEX CONCURRENTLY", found.index);
    error_hint(error, "IF NOT EXISTS keeps an INVALID index of that name. Drop it, then apply again.");
    return execution_place(execution->now.script, statement, error);
}
