/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_tenant.h"

#include "common/interrupt.h"
#include "migrator/rls_check.h"
#include "sql.h"
#include <string.h>

bool rls_is_over(const struct postgres *postgres, const struct error *error)
{
    return postgres_is_lost(postgres) || error->code == ERROR_INTERRUPTED || error->code == ERROR_TERMINATED;
}

/* ---- two tenants ---- */

/* What goes wrong leaves the transaction as it was. */
static bool try_query(struct postgres *postgres, const char *sql, struct rows **ret, struct error *error)
{
    if (!postgres_execute(postgres, sql_savepoint, error))
        return false;
    bool good = postgres_query(postgres, sql, 0, NULL, ret, error);
    AUTO(error_clear) struct error second = {0};
    return postgres_execute(postgres, good ? sql_rls_seed_keep : sql_rls_seed_undo, &second) && good;
}

static bool take_two(const struct rows *rows, struct rls_tenants *ret)
{
    if (rows_count(rows) < 2 || rows_columns(rows) == 0 || !rows_value(rows, 0, 0) || !rows_value(rows, 1, 0))
        return false;
    ret->names[0] = text_copy(rows_value(rows, 0, 0));
    ret->names[1] = text_copy(rows_value(rows, 1, 0));
    return true;
}

static bool ask(struct postgres *postgres, const char *query, struct rls_tenants *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!try_query(postgres, query, &rows, error))
        return error_prefix(error, "tenants_query");
    return take_two(rows, ret) ||
           error_set(error, ERROR_USAGE, "\"tenants_query\" does not answer two tenants");
}

static bool look_in(struct postgres *postgres, const struct rls_target *target, struct rls_tenants *ret,
                    struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error problem = {0};
    OWNED char *sql = postgres_bind(
        sql_rls_tenants_in, (const struct postgres_name[]){
                                {"relation", target->object}, {"column", target->tenant}, {NULL, NULL}});

    if (try_query(postgres, sql, &rows, &problem)) {
        take_two(rows, ret);
        return true;
    }
    if (!rls_is_over(postgres, &problem))
        return true;
    error_move(error, &problem);
    return false;
}

static bool make(struct postgres *postgres, const struct rls_target *like, struct rls_tenants *ret,
                 struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {like->type, like->category};

    if (!postgres_query(postgres, sql_rls_tenants_make, 2, values, &rows, error))
        return false;
    if (!ret->names[0] && (ret->made = take_two(rows, ret)) == false)
        return error_set(error, ERROR_USAGE, "two tenants could not be made of type %s", like->type) ||
               error_hint(error, "Name two with --tenants.");
    ret->unknown = rows_count(rows) < 3 ? NULL : text_copy(rows_text(rows, 2, "tenant"));
    return true;
}

/* Those that were named, if any were. */
static bool take_named(const struct text_list *tenants, struct rls_tenants *ret, struct error *error)
{
    if (tenants->count == 0)
        return true;
    if (tenants->count == 1)
        return error_set(error, ERROR_USAGE, "probing takes two tenants, not one");
    if (text_equal(tenants->items[0], tenants->items[1]))
        return error_set(error, ERROR_USAGE, "probing takes two tenants, not \"%s\" twice",
                         tenants->items[0]);
    for (size_t i = 0; i < 2; i++)
        ret->names[i] = text_copy(tenants->items[i]);
    return true;
}

bool rls_tenants_find(struct postgres *postgres, const struct rls_settings *settings,
                      const struct rls_targets *targets, struct rls_tenants *ret, struct error *error)
{
    if (!take_named(&settings->tenants, ret, error))
        return false;
    if (!ret->names[0] && settings->tenants_query && !ask(postgres, settings->tenants_query, ret, error))
        return false;
    for (size_t i = 0; i < targets->count && !ret->names[0] && !settings->make_tenants; i++)
        if (targets->items[i].tenant && rls_target_is_table(&targets->items[i]) &&
            !look_in(postgres, &targets->items[i], ret, error))
            return false;
    return targets->count == 0 || make(postgres, &targets->items[0], ret, error);
}

void rls_tenants_clear(struct rls_tenants *tenants)
{
    free(tenants->names[0]);
    free(tenants->names[1]);
    free(tenants->unknown);
    *tenants = (struct rls_tenants){0};
}

/* ---- roles ---- */

static char *append(char *text, const char *sql, const struct postgres_name names[])
{
    OWNED char *before = text;
    OWNED char *part = postgres_bind(sql, names);

    part[strcspn(part, "\n")] = ' ';
    return text_format("%s%s", before, part);
}

static char *append_setting(char *text, const char *name, const char *value)
{
    return append(text, sql_rls_probe_set,
                  (const struct postgres_name[]){{"name", name}, {"value", value}, {NULL, NULL}});
}

static bool read_session(struct postgres *postgres, struct rls_role *role, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {role->name};

    if (!postgres_query(postgres, sql_rls_role_settings, 1, values, &rows, error))
        return false;
    role->session = text_copy("");
    for (size_t row = 0; row < rows_count(rows) && role->login; row++)
        role->session =
            append_setting(role->session, rows_text(rows, row, "name"), rows_text(rows, row, "value"));
    return true;
}

bool rls_roles_read(struct postgres *postgres, struct rls_roles *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(postgres, sql_rls_roles, &rows, error))
        return false;
    ret->items = memory_allocate(rows_count(rows) + 1, sizeof *ret->items);
    for (size_t row = 0; row < rows_count(rows); row++) {
        ret->items[ret->count++] = (struct rls_role){.name = text_copy(rows_text(rows, row, "name")),
                                                     .quoted = text_copy(rows_text(rows, row, "quoted")),
                                                     .login = rows_bool(rows, row, "login"),
                                                     .can = rows_bool(rows, row, "can")};
        if (!read_session(postgres, &ret->items[row], error))
            return false;
    }
    return true;
}

void rls_roles_clear(struct rls_roles *roles)
{
    for (size_t i = 0; i < roles->count; i++) {
        free(roles->items[i].name);
        free(roles->items[i].quoted);
        free(roles->items[i].session);
    }
    free(roles->items);
    *roles = (struct rls_roles){0};
}

/* ---- becoming one ---- */

char *rls_tenant_session(const struct rls_settings *settings, const char *tenant)
{
    char *text = text_copy("");

    for (size_t i = 0; i < settings->set.count && tenant; i++) {
        OWNED char *value = rls_settings_fill(settings->set.items[i].value, tenant);
        text = append_setting(text, settings->set.items[i].name, value);
    }
    if (settings->tenant_role && tenant) {
        OWNED char *role = rls_settings_fill(settings->tenant_role, tenant);
        text = append(text, sql_rls_probe_role, (const struct postgres_name[]){{"role", role}, {NULL, NULL}});
    }
    return text;
}

char *rls_tenant_settings(const struct rls_settings *settings, const char *value)
{
    char *text = text_copy("");

    for (size_t i = 0; i < settings->set.count; i++)
        text = append_setting(text, settings->set.items[i].name, value);
    return text;
}

bool rls_tenant_become(struct postgres *postgres, const struct rls_role *role, const char *session,
                       struct error *error)
{
    OWNED char *sql = postgres_bind(
        sql_rls_probe_become,
        (const struct postgres_name[]){{"settings", role->session},
                                       {"authorization", role->login ? "SESSION AUTHORIZATION" : "ROLE"},
                                       {"role", role->name},
                                       {"tenant", session},
                                       {NULL, NULL}});

    return postgres_execute(postgres, sql, error);
}

bool rls_tenant_return(struct postgres *postgres, struct error *error)
{
    return postgres_execute(postgres, sql_rls_probe_return, error);
}

bool rls_tenant_back(struct postgres *postgres, struct error *error)
{
    return postgres_execute(postgres, sql_rls_probe_back, error);
}

char *rls_tenant_statement(const struct rls_role *role, const char *session, const char *statement)
{
    OWNED char *bare = text_copy(statement);

    for (size_t end = strlen(bare); end > 0 && strchr("\n ;", bare[end - 1]); end--)
        bare[end - 1] = '\0';
    char *text =
        postgres_bind(sql_rls_probe_shown,
                      (const struct postgres_name[]){
                          {"role", role->name}, {"session", session}, {"statement", bare}, {NULL, NULL}});
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = at[1] == '\0' ? '\0' : ' ';
    return text;
}
