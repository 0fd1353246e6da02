/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_check.h"

#include "migrator/rls_expression.h"
#include "sql.h"
#include <stdio.h>
#include <string.h>

#define QUOTE "$scope$"

static bool always_true(const struct rows *rows, size_t row)
{
    return rls_expression_always_true(rows_text(rows, row, "expression"));
}

static bool fails_open(const struct rows *rows, size_t row)
{
    return rls_expression_fails_open(rows_text(rows, row, "expression"),
                                     rows_text(rows, row, "about") != NULL);
}

static bool has_free_branch(const struct rows *rows, size_t row)
{
    const char *expression = rows_text(rows, row, "expression");

    return expression == NULL || rls_expression_has_free_branch(expression, rows_text(rows, row, "about"));
}

const struct rls_check rls_checks[] = {
    {"S1", "tables of tenants have row-level security", sql_rls_s01_row_security_off, NULL, RLS_OF_TABLES},
    {"S2", "policies are in force", sql_rls_s02_policies_asleep, NULL, RLS_OF_TABLES},
    {"S3", "protected tables show somebody something", sql_rls_s03_nothing_permitted, NULL, RLS_OF_TABLES},
    {"S4", "the application has no owner's rights", sql_rls_s04_owner_not_forced, NULL, RLS_OF_ROLES},
    {"S5", "policies apply to the application's roles", sql_rls_s05_role_exempt, NULL, RLS_OF_ROLES},
    {"S6", "the server says so, too, asked as the role", sql_rls_s06_not_active, NULL, RLS_AS_ROLE},
    {"S7", "no policy is true for every row", sql_rls_s07_always_true, always_true, RLS_OF_TABLES},
    {"S8", "policies look at the tenant of the row", sql_rls_s08_tenant_not_mentioned, has_free_branch,
     RLS_OF_TABLES},
    {"S9", "so does WITH CHECK", sql_rls_s09_check_without_tenant, NULL, RLS_OF_TABLES},
    {"S10", "policies stay shut when no tenant is set", sql_rls_s10_fails_open, fails_open, RLS_OF_TABLES},
    {"S11", "a setting that is missing is dealt with", sql_rls_s11_setting_missing, NULL, RLS_OF_TABLES},
    {"S12", "tenants are not told apart by a shared login", sql_rls_s12_by_login, NULL, RLS_OF_TABLES},
    {"S13", "no tenant is written into a policy", sql_rls_s13_fixed_tenant, NULL, RLS_OF_TABLES},
    {"S14", "every row has a tenant", sql_rls_s14_tenant_nullable, NULL, RLS_OF_TABLES},
    {"S15", "unique keys do not span tenants", sql_rls_s15_key_across_tenants, NULL, RLS_OF_TABLES},
    {"S16", "foreign keys hold the tenant", sql_rls_s16_key_without_tenant, NULL, RLS_OF_TABLES},
    {"S17", "no rights on which policies have no say", sql_rls_s17_not_covered, NULL, RLS_OF_ROLES},
    {"S18", "partitions and children are not open by their own names", sql_rls_s18_child_open, NULL,
     RLS_OF_ROLES},
    {"S19", "views show what policies allow", sql_rls_s19_view_of_exempt_owner, NULL, RLS_OF_ROLES},
    {"S20", "no copies without policies", sql_rls_s20_copies, NULL, RLS_OF_ROLES},
    {"S21", "SECURITY DEFINER functions are no way around", sql_rls_s21_definer_function, NULL, RLS_OF_ROLES},
    {"S22", "functions in policies are what they are declared", sql_rls_s22_function_of_policy, NULL,
     RLS_OF_TABLES},
    {"S23", "what policies read cannot be written", sql_rls_s23_self_service, NULL, RLS_OF_ROLES},
    {"S24", "new tables are not born open", sql_rls_s24_born_open, NULL, RLS_OF_TABLES},
    {"S25", "publications do not send what policies hide", sql_rls_s25_published, NULL, RLS_OF_TABLES},
    {"S26", "no policy is idle", sql_rls_s26_untidy, NULL, RLS_OF_TABLES},
    {"S27", "the server has no known hole in row security", sql_rls_s27_server_vulnerable, NULL,
     RLS_OF_TABLES},
    {"S28", "this role's backups are complete", sql_rls_s28_dump_incomplete, NULL, RLS_OF_TABLES},
    {NULL, NULL, NULL, NULL, RLS_OF_TABLES},
};

bool rls_check_is_of_gate(const char *id)
{
    static const char *const guards[] = {"M1", "M2", "M5", "M7"};

    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++)
        if (strcmp(guards[i], id) == 0)
            return true;
    for (const struct rls_check *check = rls_checks; check->id != NULL; check++)
        if (check->about != RLS_AS_ROLE && strcmp(check->id, id) == 0)
            return true;
    return false;
}

bool rls_check_begin(struct postgres *postgres, const struct rls_settings *settings, struct error *error)
{
    OWNED char *scope = rls_settings_scope(settings);

    return postgres_query(postgres, sql_rls_settings, 1, (const char *const[]){scope}, NULL, error) &&
           postgres_execute(postgres, sql_rls_no_nestloop, error);
}

/* scope.sql is a statement of psql's, whose answer is the text between the quotes. */
static char *scope_text(void)
{
    const char *begin = strstr(sql_rls_scope, QUOTE) + strlen(QUOTE);

    return text_copy_part(begin, (size_t)(strstr(begin, QUOTE) - begin));
}

static char *with_scope(const char *sql)
{
    OWNED char *scope = scope_text();

    return postgres_bind(sql, (const struct postgres_name[]){{"scope", scope}, {NULL, NULL}});
}

bool rls_check_query(struct postgres *postgres, const char *sql, struct rows **ret, struct error *error)
{
    OWNED char *whole = with_scope(sql);

    return postgres_query(postgres, whole, 0, NULL, ret, error);
}

bool rls_check_query_kept(struct postgres *postgres, const char *name, const char *sql, struct rows **ret,
                          struct error *error)
{
    OWNED char *whole = with_scope(sql);

    return postgres_query_kept(postgres, name, whole, 0, NULL, ret, error);
}

static bool keep(const struct rows *rows, struct rls_findings *findings, struct error *error)
{
    for (size_t row = 0; row < rows_count(rows); row++) {
        const char *id = rows_text(rows, row, "check");
        const struct rls_check *check = rls_checks;
        while (check->id != NULL && strcmp(check->id, id) != 0)
            check++;
        if ((check->judge == NULL || check->judge(rows, row)) &&
            !rls_finding_read(rows, row, findings, error))
            return false;
    }
    return true;
}

static bool run_check(struct postgres *postgres, const struct rls_check *check, struct rls_findings *findings,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    return (rls_check_query(postgres, check->sql, &rows, error) ||
            error_prefix(error, "check %s", check->id)) &&
           keep(rows, findings, error);
}

/*
 * All catalog checks as one statement, below one WITH: the scope is planned and read once instead of
 * twenty-eight times, which is most of what they cost. A check's own WITH stays where it is.
 */
static char *all_checks(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    const char *between = "WITH RECURSIVE :scope\n";

    for (const struct rls_check *check = rls_checks; check->id != NULL; check++) {
        if (check->about == RLS_AS_ROLE)
            continue;
        const char *rest = strstr(check->sql, ":scope") + strlen(":scope");
        fprintf(
            stream,
            "%sSELECT c.\"check\"::text, c.severity::text, c.object::text, c.role::text, c.message::text, "
            "c.hint::text, c.evidence::text, c.inconclusive, %s FROM (%s%s) AS c\n",
            between,
            check->judge == NULL ? "NULL::text AS expression, NULL::text AS about"
                                 : "c.expression::text, c.about::text",
            *rest == ',' ? "WITH RECURSIVE " : "", *rest == ',' ? rest + 1 : rest);
        between = "UNION ALL ";
    }
    fclose(stream);
    return text;
}

static bool run_in_savepoint(struct postgres *postgres, const struct rls_check *check, const char *role,
                             struct rls_findings *findings, struct error *error)
{
    OWNED char *become = postgres_bind(sql_set_role, (const struct postgres_name[]){{"role", role}, {0}});
    AUTO(error_clear) struct error refused = {0};

    if (!postgres_execute(postgres, sql_savepoint, error))
        return false;
    if (postgres_execute(postgres, become, &refused)) {
        if (!run_check(postgres, check, findings, error))
            return false;
    } else {
        OWNED char *object = text_format("role %s", role);
        struct rls_finding *finding = rls_finding_add(findings, check->id, RLS_HIGH, object);
        finding->role = text_copy(role);
        finding->inconclusive = true;
        finding->message = text_format("cannot become the role: %s", refused.message);
        finding->hint = text_copy("Verify as a superuser, or as a member of the role.");
        if (postgres_is_lost(postgres)) {
            error_move(error, &refused);
            return false;
        }
    }
    return postgres_execute(postgres, sql_savepoint_back, error);
}

static bool run_as_roles(struct postgres *postgres, const struct rls_check *check,
                         struct rls_findings *findings, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(postgres, sql_rls_app_roles, &rows, error))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++)
        if (!rows_bool(rows, row, "missing") &&
            !run_in_savepoint(postgres, check, rows_text(rows, row, "name"), findings, error))
            return false;
    return true;
}

bool rls_check_all(struct postgres *postgres, bool catalogs_only, struct rls_findings *findings,
                   struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *sql = all_checks();

    if (!rls_check_query(postgres, sql, &rows, error))
        return error_prefix(error, "could not look at row-level security");
    if (!keep(rows, findings, error))
        return false;
    for (const struct rls_check *check = rls_checks; check->id != NULL; check++)
        if (check->about == RLS_AS_ROLE && !catalogs_only && !run_as_roles(postgres, check, findings, error))
            return false;
    return true;
}

bool rls_check_narrow(struct postgres *postgres, struct rls_findings *findings, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *sql = all_checks();

    if (!rls_check_query_kept(postgres, "pgmigrate_rls", sql, &rows, error))
        return error_prefix(error, "could not look at row-level security");
    return keep(rows, findings, error);
}
