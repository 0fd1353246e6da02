/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A tenant's setting, as the server writes it. */
#define TENANT "current_setting('app.tenant'::text, true)"

static void always(const char *expression)
{
    if (!rls_expression_always_true(expression))
        fail_msg("not taken for always true: %s", expression);
}

static void not_always(const char *expression)
{
    if (rls_expression_always_true(expression))
        fail_msg("taken for always true: %s", expression);
}

static void open_to_nobody(const char *expression, bool nullable)
{
    if (!rls_expression_fails_open(expression, nullable))
        fail_msg("not taken for open without a tenant: %s", expression);
}

static void closed(const char *expression, bool nullable)
{
    if (rls_expression_fails_open(expression, nullable))
        fail_msg("taken for open without a tenant: %s", expression);
}

static void what_is_true_for_every_row_is_seen_through_its_spelling(void **state)
{
    (void)state;
    always("true");
    always("((true))");
    always("('t'::text)::boolean");
    always("'ON'::boolean");
    always("(1 = 1)");
    always("(tenant_id = tenant_id)");
    always("((tenant_id) >= (tenant_id))");
    always("(1 <> 2)");
    always("(NOT (tenant_id IS DISTINCT FROM tenant_id) OR true)");
    always("((tenant_id = 1) OR (id <= id))");
    always("(true AND (id = id))");
    always("( SELECT true AS bool)");
}

static void what_may_be_false_for_a_row_is_not_always_true(void **state)
{
    (void)state;
    not_always("false");
    not_always("'f'::boolean");
    not_always("NULL::boolean");
    not_always("(tenant_id = other_id)");
    not_always("(tenant_id <> tenant_id)");
    not_always("(1 <> 1)");
    not_always("(tenant_id < tenant_id)");
    not_always("(random() = random())");
    not_always("((id = id) AND (tenant_id = 1))");
    not_always("(NOT true)");
    not_always("( SELECT true AS bool FROM t)");
    not_always("(tenant_id = (" TENANT ")::integer)");
}

static void a_session_without_a_tenant_that_sees_rows_is_found(void **state)
{
    (void)state;
    open_to_nobody("((" TENANT " IS NULL) OR (tenant_id = (" TENANT ")::integer))", false);
    open_to_nobody("((" TENANT " = ''::text) OR (tenant_id = 1))", false);
    open_to_nobody("((( SELECT " TENANT " AS x) IS NULL) OR (tenant_id = 1))", false);
    open_to_nobody("((tenant_id = 1) OR ((app.tenant() IS NULL) OR (id = 2)))", false);
    open_to_nobody("(tenant_id = COALESCE((" TENANT ")::integer, tenant_id))", false);
    open_to_nobody("(COALESCE(app.tenant(), 0, tenant_id) = tenant_id)", false);
    open_to_nobody("CASE WHEN (" TENANT " IS NULL) THEN true ELSE (tenant_id = 1) END", false);
    open_to_nobody("((" TENANT " IS NULL) AND (deleted IS FALSE))", false);
}

static void a_session_without_a_tenant_that_sees_nothing_is_not(void **state)
{
    (void)state;
    closed("(tenant_id = (" TENANT ")::integer)", true);
    closed("(tenant_id = COALESCE((" TENANT ")::integer, 0))", true);
    closed("(tenant_id = COALESCE((" TENANT ")::integer, other_id))", true);
    closed("((" TENANT " IS NOT NULL) OR (tenant_id = 1))", true);
    closed("((tenant_id IS NULL) OR (tenant_id = 1))", true);
    closed("((" TENANT " = 'x'::text) OR (tenant_id = 1))", true);
    closed("(((" TENANT " IS NULL) OR (id = 1)) AND (tenant_id = (" TENANT ")::integer))", false);
    closed("CASE WHEN (" TENANT " IS NULL) THEN false ELSE (tenant_id = 1) END", false);
}

static void rows_without_a_tenant_count_where_there_may_be_some(void **state)
{
    const char *same = "(NOT (tenant_id IS DISTINCT FROM (" TENANT ")::integer))";

    (void)state;
    open_to_nobody(same, true);
    closed(same, false);
    open_to_nobody("(tenant_id IS NOT DISTINCT FROM app.tenant())", true);
    closed("(tenant_id IS NOT DISTINCT FROM app.tenant())", false);
    closed("(tenant_id IS NOT DISTINCT FROM other_id)", true);
}

static void what_the_grammar_does_not_know_is_neither(void **state)
{
    (void)state;
    not_always("(this is no expression");
    closed("(this is no expression", true);
    not_always("");
    closed("", true);
}

#define ROW     "{\"columns\": [\"tenant_id\", \"Org\"], \"branch\": \"row\"}"
#define SESSION "{\"columns\": [\"tenant_id\", \"Org\"], \"branch\": \"session\"}"

static void free_branch(const char *expression, bool row, bool session)
{
    if (rls_expression_has_free_branch(expression, ROW) != row ||
        rls_expression_has_free_branch(expression, SESSION) != session)
        fail_msg("wrong about branches of: %s", expression);
}

static void branches_without_the_tenant_are_seen_and_what_may_ask_for_it_is_not_one(void **state)
{
    (void)state;
    free_branch("((tenant_id = 1) OR public)", true, false);
    free_branch("((tenant_id = 1) OR (\"Org\" = 2))", false, false);
    free_branch("((orders.tenant_id = 1) OR (note = 'x'::text))", true, false);
    free_branch("((tenant_id = 1) OR (current_setting('a.b'::text, true) = 'on'::text))", false, true);
    free_branch("((tenant_id = 1) OR ( SELECT public.is_admin() AS is_admin))", false, true);
    free_branch("((tenant_id = 1) OR public.may_see(id))", false, false);
    free_branch("((tenant_id = 1) OR (EXISTS ( SELECT FROM members m WHERE (m.id = orders.id))))", false,
                false);
    free_branch("((tenant_id = 1) AND (public OR (note = 'x'::text)))", false, false);
    free_branch("(((tenant_id = 1) OR public) AND (note = 'x'::text))", true, false);
    free_branch("(public OR (note = 'x'::text))", false, false); /* asks for no tenant at all: S8's own */
    free_branch("((tenant_id = 1) OR true)", false, false);      /* S7 */
    free_branch("((tenant_id = 1) OR false)", false, false);
    free_branch("((current_setting('a.b'::text, true) IS NULL) OR (tenant_id = 1))", false, false); /* S10 */
    free_branch("not an expression ((", false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_true_for_every_row_is_seen_through_its_spelling),
        cmocka_unit_test(what_may_be_false_for_a_row_is_not_always_true),
        cmocka_unit_test(a_session_without_a_tenant_that_sees_rows_is_found),
        cmocka_unit_test(a_session_without_a_tenant_that_sees_nothing_is_not),
        cmocka_unit_test(rows_without_a_tenant_count_where_there_may_be_some),
        cmocka_unit_test(what_the_grammar_does_not_know_is_neither),
        cmocka_unit_test(branches_without_the_tenant_are_seen_and_what_may_ask_for_it_is_not_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
