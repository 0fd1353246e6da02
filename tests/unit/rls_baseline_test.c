/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_baseline.h"

#include "common/moment.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t moment(const char *text)
{
    int64_t us = 0;

    assert_true(moment_parse(text, &us));
    return us;
}

static void parse(const char *text, const char *now, struct rls_baseline *ret)
{
    AUTO(error_clear) struct error error = {0};

    if (!rls_baseline_parse("accepted", text, moment(now), ret, &error))
        fail_msg("%s", error.message);
}

static void a_line_has_check_role_object_day_and_reason(void **state)
{
    AUTO(rls_baseline_clear) struct rls_baseline baseline = {0};

    (void)state;
    parse("# comment\r\n\n  S4 as app core.orders until 2027-01-31:  a reason: with colons  \r\n"
          "S7 policy \"a until 2020-01-01: b\" on core.\"as x\" until 2027-01-31: y\n"
          "S5 as \"A \"\"b\"\" c\" role \"A \"\"b\"\" c\" until 2027-01-31: z",
          "2026-11-25T00:00:00Z", &baseline);
    assert_int_equal(baseline.count, 3);
    assert_string_equal(baseline.items[0].check, "S4");
    assert_string_equal(baseline.items[0].role, "app");
    assert_string_equal(baseline.items[0].object, "core.orders");
    assert_string_equal(baseline.items[0].until, "2027-01-31");
    assert_string_equal(baseline.items[0].reason, "a reason: with colons");
    assert_int_equal(baseline.items[0].line, 3);
    assert_null(baseline.items[1].role);
    assert_string_equal(baseline.items[1].object, "policy \"a until 2020-01-01: b\" on core.\"as x\"");
    assert_string_equal(baseline.items[2].role, "A \"b\" c");
    assert_string_equal(baseline.items[2].object, "role \"A \"\"b\"\" c\"");
}

static void the_last_day_is_included(void **state)
{
    AUTO(rls_baseline_clear) struct rls_baseline last = {0}, over = {0};
    const char *text = "S1 a.b until 2026-11-25: x\n";

    (void)state;
    parse(text, "2026-11-25T23:59:59Z", &last);
    assert_false(last.items[0].expired);
    parse(text, "2026-11-26T00:00:00Z", &over);
    assert_true(over.items[0].expired);
}

static void a_wrong_line_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *message;
        size_t line, column;
    } wrong[] = {
        {"\nS1\n", "an object after the check", 2, 3},
        {"S1 until 2027-01-01: x\n", "an object after the check", 1, 4},
        {"S1 a.b\n", "\"until\" and a day after the object", 1, 7},
        {"S1 a.b till 2027-01-01: x\n", "\"until\" and a day after the object", 1, 26},
        {"S1 \"é until 2027-01-01: x\n", "\"until\" and a day after the object", 1, 26},
        {"S1 a.b until 2027-13-01: x\n", "a day such as 2027-01-31 after \"until\"", 1, 14},
        {"S1 a.b until forever: x\n", "a day such as 2027-01-31 after \"until\"", 1, 14},
        {"S1 a.b until 2027-01-01 x\n", "a colon after the day", 1, 24},
        {"S1 a.b until 2027-01-01: \n", "a reason after the day", 1, 25},
        {"S1 as \"x a.b until 2027-01-01: y\n", "a role after \"as\"", 1, 7},
        {"S1 as \"x\"a.b until 2027-01-01: y\n", "a role after \"as\"", 1, 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(rls_baseline_clear) struct rls_baseline baseline = {0};
        OWNED char *message = text_format("the baseline wants %s", wrong[i].message);

        assert_false(rls_baseline_parse("accepted", wrong[i].text, 0, &baseline, &error));
        assert_int_equal(error.code, ERROR_USAGE);
        assert_string_equal(error.message, message);
        assert_string_equal(error.file, "accepted");
        assert_int_equal(error.line, wrong[i].line);
        assert_int_equal(error.column, wrong[i].column);
    }
}

static void add(struct rls_findings *findings, const char *check, const char *object, const char *role)
{
    rls_finding_add(findings, check, RLS_HIGH, object)->role = text_copy(role);
}

static void only_the_same_check_object_and_role_is_accepted(void **state)
{
    AUTO(rls_baseline_clear) struct rls_baseline baseline = {0};
    AUTO(rls_findings_clear) struct rls_findings findings = {0};

    (void)state;
    add(&findings, "S1", "a.b", NULL);
    add(&findings, "S1", "a.c", NULL);
    add(&findings, "S4", "a.b", "app");
    add(&findings, "S4", "a.b", "other");
    add(&findings, "S9", "a.b", NULL);
    add(&findings, "S8", "a.b", NULL);
    findings.items[5].inconclusive = true;
    parse("S1 a.b until 2027-01-01: one\nS4 as app a.b until 2027-01-01: two\n"
          "S9 a.b until 2026-01-01: over\nS8 a.b until 2027-01-01: cannot be known\nS2 a.b until 2027-01-01: "
          "gone",
          "2026-11-25T00:00:00Z", &baseline);
    rls_baseline_accept(&baseline, &findings);
    assert_string_equal(findings.items[0].accepted, "one");
    assert_null(findings.items[1].accepted);
    assert_string_equal(findings.items[2].accepted, "two");
    for (size_t i = 3; i < 6; i++)
        assert_null(findings.items[i].accepted);
    assert_true(baseline.items[2].matched);
    assert_false(baseline.items[4].matched);
}

static void what_is_written_accepts_what_was_found(void **state)
{
    AUTO(rls_baseline_clear) struct rls_baseline before = {0}, after = {0};
    AUTO(rls_findings_clear) struct rls_findings findings = {0};

    (void)state;
    add(&findings, "S1", "a.\"b until 2020-01-01: c\"", NULL);
    add(&findings, "S4", "function a.f(role text)", "The \"App\"");
    add(&findings, "S5", "role as", "as");
    add(&findings, "S9", "a.b", NULL);
    add(&findings, "S9", "a.b", NULL);
    add(&findings, "S9", "a.\"b\nc\"", NULL);
    parse("S1 a.\"b until 2020-01-01: c\" until 2026-12-01: kept\nS9 a.b until 2025-12-01: known\n"
          "S2 a.b until 2026-12-01: gone",
          "2026-11-25T00:00:00Z", &before);
    OWNED char *text = rls_baseline_text(&before, &findings, "2027-02-28", "new");
    assert_string_equal(strchr(text, '\n') + 1,
                        "S1 a.\"b until 2020-01-01: c\" until 2026-12-01: kept\n"
                        "S4 as \"The \"\"App\"\"\" function a.f(role text) until 2027-02-28: new\n"
                        "S5 as as role as until 2027-02-28: new\n"
                        "S9 a.b until 2027-02-28: known\n");
    parse(text, "2026-11-25T00:00:00Z", &after);
    rls_baseline_accept(&after, &findings);
    for (size_t i = 0; i < 5; i++)
        assert_non_null(findings.items[i].accepted);
    assert_null(findings.items[5].accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_check_role_object_day_and_reason),
        cmocka_unit_test(the_last_day_is_included),
        cmocka_unit_test(a_wrong_line_is_told_with_its_place),
        cmocka_unit_test(only_the_same_check_object_and_role_is_accepted),
        cmocka_unit_test(what_is_written_accepts_what_was_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
