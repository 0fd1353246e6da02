/* SPDX-License-Identifier: PostgreSQL */
#include "common/finding.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void a_finding_holds_what_it_was_given(void **state)
{
    (void)state;
    AUTO(findings_clear) struct findings findings = {0};
    char file[] = "001_a.sql";
    struct finding *finding = finding_add(&findings, "gap", SEVERITY_NOTICE, file, "%d is missing", 2);

    finding_at(finding, 4, 5);
    finding_hint(finding, "Add %d.", 2);
    finding_hint(finding, "Add it.");
    file[0] = 'x'; /* it has its own copy */
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.items[0].rule, "gap");
    assert_string_equal(findings.items[0].file, "001_a.sql");
    assert_string_equal(findings.items[0].message, "2 is missing");
    assert_string_equal(findings.items[0].hint, "Add it.");
    assert_int_equal(findings.items[0].line, 4);
    assert_int_equal(findings.items[0].column, 5);
}

static void place_and_hint_are_optional(void **state)
{
    (void)state;
    AUTO(findings_clear) struct findings findings = {0};
    struct finding *finding = finding_add(&findings, "empty", SEVERITY_ERROR, NULL, "no migrations");

    assert_null(finding->file);
    assert_null(finding->hint);
    assert_int_equal(finding->line, 0);
    assert_int_equal(finding->column, 0);
}

static void counts_are_of_a_severity_and_above(void **state)
{
    (void)state;
    AUTO(findings_clear) struct findings findings = {0};

    assert_int_equal(findings_count(&findings, SEVERITY_NOTICE), 0);
    finding_add(&findings, "a", SEVERITY_NOTICE, NULL, "a");
    finding_add(&findings, "b", SEVERITY_ERROR, NULL, "b");
    finding_add(&findings, "c", SEVERITY_WARNING, NULL, "c");
    finding_add(&findings, "d", SEVERITY_NOTICE, NULL, "d");
    assert_int_equal(findings_count(&findings, SEVERITY_NOTICE), 4);
    assert_int_equal(findings_count(&findings, SEVERITY_WARNING), 2);
    assert_int_equal(findings_count(&findings, SEVERITY_ERROR), 1);
}

static void severities_have_names(void **state)
{
    (void)state;
    assert_string_equal(severity_name(SEVERITY_NOTICE), "notice");
    assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
    assert_string_equal(severity_name(SEVERITY_ERROR), "error");
}

static void clearing_takes_null_and_leaves_an_empty_list(void **state)
{
    (void)state;
    struct findings findings = {0};

    finding_add(&findings, "a", SEVERITY_NOTICE, "f", "a");
    findings_clear(&findings);
    findings_clear(&findings);
    findings_clear(NULL);
    assert_int_equal(findings.count, 0);
    assert_null(findings.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_holds_what_it_was_given),
        cmocka_unit_test(place_and_hint_are_optional),
        cmocka_unit_test(counts_are_of_a_severity_and_above),
        cmocka_unit_test(severities_have_names),
        cmocka_unit_test(clearing_takes_null_and_leaves_an_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
