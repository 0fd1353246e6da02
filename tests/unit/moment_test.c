/* SPDX-License-Identifier: PostgreSQL */
#include "common/moment.h"
#include "common/text.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } times[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"2026-11-23T03:21:09.123456Z", 1795404069123456}, /* date -ud … +%s */
        {"2026-11-23T03:21:09.1234567890Z", 1795404069123456},
        {"2026-11-23T03:21:09.1z", 1795404069100000},
        {"2026-11-23 05:21:09+02:00", 1795404069000000},
        {"2026-11-22t22:51:09-04:30", 1795404069000000},
        {"2024-02-29T00:00:00Z", 1709164800000000},
        {"2016-12-31T23:59:60Z", 1483228800000000}, /* a leap second */
    };

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t us = -1;
        if (!moment_parse(times[i].text, &us) || us != times[i].us)
            fail_msg("%s is %lld", times[i].text, (long long)us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",
        "now",
        "2026-11-23",
        "2026-11-23T03:21Z",
        "2026-11-23T03:21:09",
        "2026-11-23T03:21:09.Z",
        "2026-11-23T03:21:09Zx",
        "2026-11-23T03:21:09+0200",
        "2026-11-23T03:21:09+24:00",
        "2026-02-29T03:21:09Z",
        "2026-13-01T03:21:09Z",
        "2026-00-01T03:21:09Z",
        "2026-11-31T03:21:09Z",
        "2026-11-23T24:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "-026-11-23T03:21:09Z",
        "2026-11-23T03:21: 9Z",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t us = 0;
        if (moment_parse(texts[i], &us))
            fail_msg("%s is %lld", texts[i], (long long)us);
    }
}

static void text_and_back(void **state)
{
    (void)state;
    int64_t now = moment_now(), back = 0;
    OWNED char *text = moment_text(now), *zero = moment_text(7);

    assert_string_equal(zero, "1970-01-01T00:00:00.000007Z");
    assert_true(moment_parse(text, &back));
    assert_int_equal(back, now);
    assert_true(now > 1700000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(text_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
