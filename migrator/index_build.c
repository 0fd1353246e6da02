/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/index_build.h"

#include "migrator/parse.h"
#include "sql.h"

#define CLEAN_TIMEOUT "1s"

/* Only such as run outside a transaction: they are the concurrent ones. */
static bool read_build(const struct statement *statement, struct index_build *ret)
{
    return statement->kind == STATEMENT_OUTSIDE && parse_index_build(statement->text, ret);
}

bool index_build_is(const struct statement *statement)
{
    AUTO(index_build_clear) struct index_build build = {0};
    return read_build(statement, &build);
}

bool index_build_has_name(const struct statement *statement)
{
    AUTO(index_build_clear) struct index_build build = {0};
    return read_build(statement, &build) && !build.reindex && build.index != NULL;
}

/* The indexes the statement builds or has left: rows with valid, schema, index. NULL: there can be none. */
static bool find(struct postgres *postgres, const struct statement *statement, struct rows **ret,
                 struct error *error)
{
    AUTO(index_build_clear) struct index_build build = {0};
    if (!read_build(statement, &build))
        return true;
    if (build.reindex) {
        const char *values[] = {build.schema, build.index != NULL ? build.index : build.table};
        return postgres_query(postgres, sql_index_leftovers, 2, values, ret, error);
    }
    const char *values[] = {build.index, build.schema, build.table};
    return postgres_query(postgres, sql_index_state, 3, values, ret, error);
}

static bool is_nameless(const struct statement *statement)
{
    AUTO(index_build_clear) struct index_build build = {0};
    return read_build(statement, &build) && !build.reindex && build.index == NULL;
}

/* Of an index without a name only this tells which it was: it was not there before. */
static void remember(struct execution *execution, const struct rows *found)
{
    text_list_clear(&execution->invalid);
    for (size_t row = 0; row < rows_count(found); row++)
        text_list_add(&execution->invalid, text_copy(rows_text(found, row, "name")));
}

/* Also not ours is what somebody else may be building since ours has failed. */
static bool is_anothers(const struct execution *execution, const struct statement *statement,
                        const struct rows *found, size_t row)
{
    return is_nameless(statement) &&
           (text_list_contains(&execution->invalid, rows_text(found, row, "name")) ||
            rows_bool(found, row, "busy"));
}

static bool drop(struct execution *execution, const struct rows *found, size_t row, struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_index_drop, (struct postgres_name[]){{"schema", rows_text(found, row, "schema")},
                                                               {"index", rows_text(found, row, "index")},
                                                               {0}});
    OWNED char *text =
        text_format("dropping the INVALID index %s that a failed build left", rows_text(found, row, "name"));
    execution_tell(execution, (struct run_event){.type = RUN_NOTICE, .text = text});
    return postgres_execute(execution->postgres, sql, error);
}

static bool in_the_way(struct execution *execution, const struct statement *statement, const char *name,
                       struct error *error)
{
    error_set(error, ERROR_FAILED, "index %s is already there and INVALID", name);
    error_detail(error, "A build that failed earlier left it; this migration did not make it.");
    error_hint(error, "Drop it (DROP INDEX CONCURRENTLY %s), then run the same command again.", name);
    return execution_place(execution->now.script, statement, error);
}

static void tell_leftover(struct execution *execution, const char *name)
{
    OWNED char *text = text_format("%s is INVALID: an earlier REINDEX CONCURRENTLY has left it; drop it with "
                                   "DROP INDEX CONCURRENTLY %s",
                                   name, name);
    execution_tell(execution, (struct run_event){.type = RUN_NOTICE, .text = text});
}

bool index_build_prepare(struct execution *execution, const struct statement *statement, bool ours,
                         bool *ret_exists, struct error *error)
{
    AUTO(rows_free) struct rows *found = NULL;
    *ret_exists = false;
    if (!find(execution->postgres, statement, &found, error))
        return false;
    if (is_nameless(statement)) {
        remember(execution, found);
        return true;
    }
    for (size_t row = 0; row < rows_count(found); row++) {
        if (rows_bool(found, row, "valid"))
            *ret_exists = ours;
        else if (ours && !drop(execution, found, row, error))
            return execution_place(execution->now.script, statement, error);
        else if (!ours && index_build_has_name(statement))
            return in_the_way(execution, statement, rows_text(found, row, "name"), error);
        else if (!ours)
            tell_leftover(execution, rows_text(found, row, "name"));
    }
    return true;
}

/* What kept the build from ending may keep the drop from ending, too; hence the timeout. */
bool index_build_clean(struct execution *execution, const struct statement *statement)
{
    AUTO(rows_free) struct rows *found = NULL;
    AUTO(error_clear) struct error problem = {0};
    if (!index_build_is(statement) || postgres_is_lost(execution->postgres))
        return true;
    postgres_shield(execution->postgres, true);
    OWNED char *timeout =
        postgres_bind(sql_set_session_lock_timeout, (struct postgres_name[]){{"value", CLEAN_TIMEOUT}, {0}});
    OWNED char *unlimited =
        postgres_bind(sql_set_session_statement_timeout, (struct postgres_name[]){{"value", "0"}, {0}});
    bool good = postgres_execute(execution->postgres, unlimited, &problem) &&
                find(execution->postgres, statement, &found, &problem) &&
                postgres_execute(execution->postgres, timeout, &problem);
    for (size_t row = 0; good && row < rows_count(found); row++)
        good = rows_bool(found, row, "valid") || is_anothers(execution, statement, found, row) ||
               drop(execution, found, row, &problem);
    postgres_shield(execution->postgres, false);
    if (good)
        return true;
    OWNED char *text =
        text_format("what the failed build has left could not be dropped (%s); the next run tries again",
                    problem.message);
    execution_tell(execution, (struct run_event){.type = RUN_NOTICE, .text = text});
    return false;
}

bool index_build_check(struct execution *execution, const struct statement *statement, struct error *error)
{
    AUTO(rows_free) struct rows *found = NULL;
    if (!index_build_has_name(statement))
        return true;
    if (!find(execution->postgres, statement, &found, error))
        return false;
    for (size_t row = 0; row < rows_count(found); row++) {
        if (rows_bool(found, row, "valid"))
            continue;
        error_set(error, ERROR_FAILED, "index %s is INVALID after CREATE INDEX CONCURRENTLY",
                  rows_text(found, row, "name"));
        error_hint(error, "IF NOT EXISTS keeps an INVALID index of that name. Drop it, then run the same "
                          "command again.");
        return execution_place(execution->now.script, statement, error);
    }
    return true;
}

bool index_build_foresee(struct postgres *postgres, const struct script *script,
                         const struct statement *statement, struct findings *findings, struct error *error)
{
    AUTO(rows_free) struct rows *found = NULL;
    if (!index_build_has_name(statement))
        return true;
    if (!find(postgres, statement, &found, error))
        return false;
    for (size_t row = 0; row < rows_count(found); row++) {
        const char *name = rows_text(found, row, "name");
        if (rows_bool(found, row, "valid"))
            continue;
        struct finding *finding =
            finding_add(findings, "invalid-index", SEVERITY_WARNING, script->source->path,
                        "index %s is already there and INVALID", name);
        finding_at(finding, statement->line, statement->column);
        finding_hint(
            finding,
            "A build that failed has left it, or goes on. Where nothing drops it before, apply stops "
            "here: DROP INDEX CONCURRENTLY %s.",
            name);
    }
    return true;
}

bool index_build_undo(struct postgres *postgres, const struct statement *statement, char **ret,
                      struct error *error)
{
    AUTO(rows_free) struct rows *found = NULL;
    *ret = NULL;
    if (!find(postgres, statement, &found, error))
        return false;
    for (size_t row = 0; *ret == NULL && row < rows_count(found); row++)
        if (!rows_bool(found, row, "valid"))
            *ret = postgres_bind(sql_index_drop_left,
                                 (struct postgres_name[]){{"schema", rows_text(found, row, "schema")},
                                                          {"index", rows_text(found, row, "index")},
                                                          {0}});
    return true;
}
