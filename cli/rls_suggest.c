/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_suggest.h"

#include "cli/document.h"
#include "cli/report.h"
#include "sql.h"

static bool has_tenant(const struct rows *rows)
{
    for (size_t row = 0; row < rows_count(rows); row++)
        if (text_equal(rows_text(rows, row, "key"), "tenant_column"))
            return true;
    return false;
}

bool rls_suggest(const struct invocation *invocation, struct postgres *postgres, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    json_t *suggestion;

    if (!postgres_execute(postgres, sql_rls_begin, error) ||
        !postgres_query(postgres, sql_rls_suggest, 0, NULL, &rows, error) ||
        !postgres_execute(postgres, sql_rollback, error))
        return false;
    if (!has_tenant(rows))
        report_warning(invocation, "no column says whose a row is: name it as tenant_column");
    if (!invocation->json) {
        printf("[rls]\n");
        for (size_t row = 0; row < rows_count(rows); row++)
            printf("%s = %s\n", rows_text(rows, row, "key"), rows_text(rows, row, "value"));
        return true;
    }
    suggestion = json_object();
    for (size_t row = 0; row < rows_count(rows); row++)
        document_text(suggestion, rows_text(rows, row, "key"), rows_text(rows, row, "value"));
    json_object_set_new(invocation->document, "suggestion", suggestion);
    return true;
}
