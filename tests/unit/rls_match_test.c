/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_match.h"

#include "common/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(struct rls_findings *findings, const char *check, enum rls_severity severity,
                const char *object, const char *message)
{
    rls_finding_add(findings, check, severity, object)->message = text_copy(message);
}

/* Which of the later findings were there, as "1 0 1". */
static void assert_known(const struct rls_findings *before, const struct rls_findings *after,
                         const struct rls_renames *renames, const char *expected)
{
    AUTO(rls_match_clear) struct rls_match match = rls_match_of(before, after, renames);
    AUTO(text_list_clear) struct text_list known = {0};

    for (size_t i = 0; i < after->count; i++)
        text_list_add(&known, text_copy(match.known[i] ? "1" : "0"));
    OWNED char *found = text_list_join(&known, " ");
    assert_string_equal(found, expected);
}

static void each_finding_stands_for_one(void **state)
{
    AUTO(rls_findings_clear) struct rls_findings before = {0}, after = {0};
    const struct rls_renames none = {0};

    (void)state;
    add(&before, "S19", RLS_HIGH, "view public.v", "shows all rows of public.a");
    add(&before, "S7", RLS_MEDIUM, "policy p on public.a", "is true");
    add(&after, "S19", RLS_HIGH, "view public.v", "shows all rows of public.b");
    add(&after, "S19", RLS_HIGH, "view public.v", "shows all rows of public.a");
    add(&after, "S7", RLS_HIGH, "policy p on public.a", "is true");
    add(&after, "S7", RLS_LOW, "policy p on public.a", "is true");
    assert_known(&before, &after, &none, "0 1 0 1");
}

static void where_a_message_names_keys_the_number_counts(void **state)
{
    AUTO(rls_findings_clear) struct rls_findings before = {0}, after = {0};
    const struct rls_renames none = {0};

    (void)state;
    add(&before, "S16", RLS_MEDIUM, "public.c", "foreign key x");
    add(&after, "S16", RLS_MEDIUM, "public.c", "foreign key renamed");
    assert_known(&before, &after, &none, "1");
    add(&after, "S16", RLS_MEDIUM, "public.c", "foreign key x");
    assert_known(&before, &after, &none, "0 1");
}

static void what_is_called_otherwise_is_the_same(void **state)
{
    AUTO(rls_findings_clear) struct rls_findings before = {0}, after = {0};
    struct rls_rename items[] = {{"public.a", "public.a_old"}, {"public.b", "public.a"}};
    const struct rls_renames renames = {items, 2};

    (void)state;
    add(&before, "S17", RLS_HIGH, "public.a", "has TRUNCATE");
    add(&before, "S19", RLS_HIGH, "view public.v", "shows all rows of public.b");
    add(&after, "S17", RLS_HIGH, "public.a_old", "has TRUNCATE");
    add(&after, "S17", RLS_HIGH, "public.a", "has TRUNCATE");
    add(&after, "S19", RLS_HIGH, "view public.v", "shows all rows of public.a");
    assert_known(&before, &after, &renames, "1 0 1");
}

static void names_are_replaced_as_a_whole(void **state)
{
    struct rls_rename items[] = {{"public.a", "public.b"}, {"public.c", "public.\"B\""}};
    const struct rls_renames renames = {items, 2};
    static const char *const texts[][2] = {{"public.b", "public.a"},
                                           {"policy p on public.b.", "policy p on public.a."},
                                           {"public.bb, public.b_2, notpublic.b", NULL},
                                           {"(public.b, public.\"B\")", "(public.a, public.c)"},
                                           {"", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        OWNED char *undone = rls_renames_undo(&renames, texts[i][0]);
        assert_string_equal(undone, texts[i][1] == NULL ? texts[i][0] : texts[i][1]);
    }
}

static void what_was_not_decided_was_no_finding(void **state)
{
    AUTO(rls_findings_clear) struct rls_findings before = {0}, after = {0};
    const struct rls_renames none = {0};

    (void)state;
    add(&before, "S1", RLS_HIGH, "public.a", "off");
    before.items[0].inconclusive = true;
    add(&after, "S1", RLS_HIGH, "public.a", "off");
    assert_known(&before, &after, &none, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding_stands_for_one),
        cmocka_unit_test(where_a_message_names_keys_the_number_counts),
        cmocka_unit_test(what_is_called_otherwise_is_the_same),
        cmocka_unit_test(names_are_replaced_as_a_whole),
        cmocka_unit_test(what_was_not_decided_was_no_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
