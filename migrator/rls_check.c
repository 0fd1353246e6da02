/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_check.h"

#include "sql.h"
#include <string.h>

#define QUOTE "$scope$"

const struct rls_check rls_checks[] = {
    {"S1", "tables of tenants have row-level security", sql_rls_s01_row_security_off},
    {NULL, NULL, NULL},
};

bool rls_check_begin(struct postgres *postgres, const struct rls_settings *settings, struct error *error)
{
    OWNED char *scope = rls_settings_scope(settings);

    return postgres_query(postgres, sql_rls_settings, 1, (const char *const[]){scope}, NULL, error);
}

/* scope.sql is a statement of psql's, whose answer is the text between the quotes. */
static char *scope_text(void)
{
    const char *begin = strstr(sql_rls_scope, QUOTE) + strlen(QUOTE);

    return text_copy_part(begin, (size_t)(strstr(begin, QUOTE) - begin));
}

bool rls_check_query(struct postgres *postgres, const char *sql, struct rows **ret, struct error *error)
{
    OWNED char *scope = scope_text();
    OWNED char *whole = postgres_bind(sql, (const struct postgres_name[]){{"scope", scope}, {NULL, NULL}});

    return postgres_query(postgres, whole, 0, NULL, ret, error);
}

bool rls_check_run(struct postgres *postgres, const struct rls_check *check, struct rls_findings *findings,
                   struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(postgres, check->sql, &rows, error))
        return error_prefix(error, "check %s", check->id);
    return rls_findings_read(rows, findings, error);
}
