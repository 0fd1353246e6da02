/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_performance.h"

#include "migrator/rls_check.h"
#include "migrator/rls_tenant.h"
#include "sql.h"
#include <jansson.h>
#include <string.h>

const struct rls_performance_check rls_performance_checks[] = {
    {"D13", "policies come to an end", true},
    {"P1", "nothing is called for every row", true},
    {"P2", "an index leads to the rows of a tenant", true},
    {"P3", "no cast of the tenant column is in its way", true},
    {"P4", "no OR is in its way", true},
    {"P5", "no VOLATILE function is in its way", true},
    {"P6", "one permissive policy is enough", false},
    {"P7", "conditions of tenants can use the indexes there are", false},
    {"P8", "no subquery runs for every row", true},
    {"P9", "no procedural function runs for every row", true},
    {NULL, NULL, false},
};

struct look {
    struct postgres *postgres;
    const struct rls_role *role;
    const char *session; /* SQL: that of the tenant */
    struct rls_findings *findings;
};

struct table {
    const char *object, *size, *columns, *functions, *volatile_functions, *procedural_functions;
    int64_t pages;
};

/* ---- plans ---- */

/* The node that reads a table, and what it filters by. */
struct scan {
    bool by_index;
    char *filter; /* or NULL */
};

static const char *text_of(json_t *node, const char *name)
{
    const char *text = json_string_value(json_object_get(node, name));

    return text == NULL ? "" : text;
}

/* Nodes of a table's own, not those of what its policies ask. */
static void find_scan(json_t *node, struct scan *scan)
{
    const char *type = text_of(node, "Node Type");
    const char *filter = text_of(node, "Filter");
    json_t *child;
    size_t i;

    if (strstr(type, "Index") != NULL || strstr(type, "Bitmap") != NULL)
        scan->by_index = true;
    if (*filter != '\0' && scan->filter == NULL)
        scan->filter = text_copy(filter);
    json_array_foreach(json_object_get(node, "Plans"), i,
                       child) if (!text_equal(text_of(child, "Parent Relationship"), "InitPlan") &&
                                  !text_equal(text_of(child, "Parent Relationship"), "SubPlan"))
        find_scan(child, scan);
}

static bool explain(struct look *look, const char *object, struct scan *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *sql =
        postgres_bind(sql_rls_explain, (const struct postgres_name[]){{"table", object}, {NULL, NULL}});

    if (!postgres_query(look->postgres, sql, 0, NULL, &rows, error))
        return false;
    json_t *plan = json_loads(rows_value(rows, 0, 0), 0, NULL);
    find_scan(json_object_get(json_array_get(plan, 0), "Plan"), ret);
    json_decref(plan);
    return true;
}

/* ---- what they say ---- */

static void add(struct look *look, const char *check, const struct table *table, const char *message,
                const char *hint, const char *filter)
{
    struct rls_finding *finding = rls_finding_add(look->findings, check, RLS_LOW, table->object);

    finding->role = text_copy(look->role->name);
    finding->message = text_format("%s (table of %s)", message, table->size);
    finding->hint = text_copy(hint);
    finding->evidence = filter == NULL ? NULL : text_format("Filter: %s", filter);
}

/* Whether one of the functions is called outside an InitPlan, whose result would be written $0 or
 * (InitPlan 1). */
static bool calls(const char *filter, const char *functions)
{
    AUTO(text_list_clear) struct text_list list = text_list_split(functions == NULL ? "" : functions, ',');

    for (size_t i = 0; i < list.count; i++) {
        OWNED char *call = text_format("%s(", list.items[i]);
        if (strstr(filter, call) != NULL)
            return true;
    }
    return false;
}

static bool casts_tenant(const char *filter, const char *columns)
{
    AUTO(text_list_clear) struct text_list list = text_list_split(columns == NULL ? "" : columns, ',');

    for (size_t i = 0; i < list.count; i++) {
        OWNED char *cast = text_format("(%s)::", list.items[i]);
        if (strstr(filter, cast) != NULL)
            return true;
    }
    return false;
}

static void judge(struct look *look, const struct table *table, const struct scan *chosen,
                  const struct scan *forced)
{
    const char *filter = chosen->filter == NULL ? "" : chosen->filter;

    if (strstr(filter, "SubPlan") != NULL && strstr(filter, "hashed SubPlan") == NULL) {
        add(look, "P8", table, "a subquery runs for every row",
            "Write it as column IN (SELECT …), without looking at the row inside.", filter);
        return;
    }
    if (calls(filter, table->volatile_functions)) {
        add(look, "P5", table, "a VOLATILE function is called for every row, and no index helps",
            "Declare it STABLE if it changes nothing.", filter);
        return;
    }
    if (!chosen->by_index && calls(filter, table->procedural_functions))
        add(look, "P9", table,
            "a procedural function, which cannot become part of the plan, is called for every row",
            "Write (SELECT …) around the call, or the function in LANGUAGE sql.", filter);
    else if (!chosen->by_index && (calls(filter, table->functions) || calls(filter, "current_setting")))
        add(look, "P1", table, "a function is called for every row", "Write (SELECT …) around the call.",
            filter);
    if (forced->by_index || *filter == '\0')
        return;
    if (casts_tenant(filter, table->columns))
        add(look, "P3", table, "the tenant column is cast, so that no index on it helps",
            "Cast the setting instead of the column.", filter);
    else if (strstr(filter, " OR ") != NULL)
        add(look, "P4", table, "an OR in the policy keeps the server from using an index",
            "Write the other branch as a policy of its own, for a role of its own.", filter);
    else
        add(look, "P2", table, "no index leads to the rows of a tenant: every statement reads all of them",
            "CREATE INDEX CONCURRENTLY … with the tenant column first.", filter);
}

/* ---- asking ---- */

static bool set(struct look *look, const char *sql, struct error *error)
{
    return postgres_execute(look->postgres, sql, error);
}

static void scan_clear(struct scan *scan)
{
    free(scan->filter);
}
CLEANUP_VALUE(struct scan, scan_clear)

static bool look_at(struct look *look, const struct table *table, struct error *error)
{
    AUTO(scan_clear) struct scan chosen = {0}, forced = {0};

    if (!explain(look, table->object, &chosen, error))
        return false;
    if (table->pages < RLS_LARGE_PAGES)
        return true;
    if (!set(look, sql_rls_no_scan, error) || !explain(look, table->object, &forced, error) ||
        !set(look, sql_rls_some_scan, error))
        return false;
    judge(look, table, &chosen, &forced);
    return true;
}

/* A statement that failed has ended the role's savepoint; the next table wants it anew. */
static bool take_failure(struct look *look, const struct table *table, struct error *failure,
                         struct error *error)
{
    if (rls_is_over(look->postgres, failure)) {
        error_move(error, failure);
        return false;
    }
    bool recursion = text_equal(failure->sqlstate, "42P17");
    if (!text_equal(failure->sqlstate, "42501")) {
        struct rls_finding *finding = rls_finding_add(look->findings, "D13", RLS_HIGH, table->object);
        finding->role = text_copy(look->role->name);
        finding->message = text_copy(failure->message);
        finding->inconclusive = !recursion;
        finding->hint =
            recursion ? text_copy("Let a SECURITY DEFINER function look up what the policy asks.") : NULL;
        finding->evidence = text_format("SET ROLE %s; SELECT * FROM %s;", look->role->quoted, table->object);
    }
    return rls_tenant_back(look->postgres, error) &&
           rls_tenant_become(look->postgres, look->role, look->session, error);
}

static bool look_as(struct look *look, const struct rows *tables, struct error *error)
{
    AUTO(error_clear) struct error refused = {0};

    if (!rls_tenant_become(look->postgres, look->role, look->session, &refused)) {
        if (!rls_is_over(look->postgres, &refused))
            return rls_tenant_back(look->postgres, error); /* S6 tells that the role cannot be become */
        error_move(error, &refused);
        return false;
    }
    for (size_t row = 0; row < rows_count(tables); row++) {
        AUTO(error_clear) struct error failure = {0};
        const struct table table = {.object = rows_text(tables, row, "object"),
                                    .size = rows_text(tables, row, "size"),
                                    .columns = rows_text(tables, row, "columns"),
                                    .functions = rows_text(tables, row, "functions"),
                                    .volatile_functions = rows_text(tables, row, "volatile"),
                                    .procedural_functions = rows_text(tables, row, "procedural"),
                                    .pages = rows_integer(tables, row, "pages")};
        if (!look_at(look, &table, &failure) && !take_failure(look, &table, &failure, error))
            return false;
    }
    return rls_tenant_back(look->postgres, error);
}

/* What the catalogs alone tell. */
static bool read_findings(struct postgres *postgres, const char *sql, struct rls_findings *findings,
                          struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(postgres, sql, &rows, error))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++)
        if (!rls_finding_read(rows, row, findings, error))
            return false;
    return true;
}

bool rls_performance_run(struct postgres *postgres, const struct rls_settings *settings,
                         struct rls_findings *findings, struct error *error)
{
    AUTO(rows_free) struct rows *tables = NULL;
    AUTO(rls_targets_clear) struct rls_targets targets = {0};
    AUTO(rls_tenants_clear) struct rls_tenants tenants = {0};
    AUTO(rls_roles_clear) struct rls_roles roles = {0};

    if (!read_findings(postgres, sql_rls_crowded, findings, error) ||
        !read_findings(postgres, sql_rls_leaky_indexes, findings, error) ||
        !rls_check_query(postgres, sql_rls_tables, &tables, error))
        return false;
    if (rows_count(tables) == 0)
        return true;
    if (!rls_targets_read(postgres, &targets, error) ||
        !rls_tenants_find(postgres, settings, &targets, &tenants, error) ||
        !rls_roles_read(postgres, &roles, error))
        return false;
    OWNED char *session = rls_tenant_session(settings, tenants.names[0]);
    for (size_t i = 0; i < roles.count; i++) {
        struct look look = {
            .postgres = postgres, .role = &roles.items[i], .session = session, .findings = findings};
        if (roles.items[i].can && !look_as(&look, tables, error))
            return false;
    }
    return true;
}
