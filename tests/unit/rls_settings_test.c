/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add(struct text_list *list, const char *text)
{
    text_list_add(list, text_copy(text));
}

static void names_become_patterns_in_which_only_the_star_is_one(void **state)
{
    AUTO(rls_settings_clear) struct rls_settings settings = {0};

    (void)state;
    add(&settings.schemas, "app*");
    add(&settings.tenant_columns, "tenant_id");
    add(&settings.tenant_columns, "a%b\\c");
    add(&settings.exempt, "core.*_type");
    add(&settings.roles, "the \"app\"");
    rls_pairs_add(&settings.through, "app.line", "app.order");
    settings.tenant_role = text_copy("tenant_{tenant}");
    OWNED char *scope = rls_settings_scope(&settings);
    assert_string_equal(scope,
                        "{\"schemas\":[\"app%\"],\"tenant_columns\":[\"tenant\\\\_id\",\"a\\\\%b\\\\\\\\c\"],"
                        "\"exempt\":[\"core.%\\\\_type\"],\"roles\":[\"the \\\"app\\\"\"],"
                        "\"through\":{\"app.line\":\"app.order\"},\"tenant_role\":true}");
}

static void what_is_left_out_is_not_in_the_scope(void **state)
{
    AUTO(rls_settings_clear) struct rls_settings settings = {0};

    (void)state;
    OWNED char *scope = rls_settings_scope(&settings);
    assert_string_equal(scope, "{\"through\":{}}");
}

static void every_place_of_the_tenant_is_filled(void **state)
{
    (void)state;
    OWNED char *claims = rls_settings_fill("{\"sub\": \"{tenant}\", \"org\": \"{tenant}\"}", "a{tenant}b");
    assert_string_equal(claims, "{\"sub\": \"a{tenant}b\", \"org\": \"a{tenant}b\"}");
    OWNED char *fixed = rls_settings_fill("fixed", "7");
    assert_string_equal(fixed, "fixed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_patterns_in_which_only_the_star_is_one),
        cmocka_unit_test(what_is_left_out_is_not_in_the_scope),
        cmocka_unit_test(every_place_of_the_tenant_is_filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
