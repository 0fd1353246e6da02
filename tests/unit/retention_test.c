/* SPDX-License-Identifier: PostgreSQL */
#include "backup/retention.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct scene {
    const char *name;
    const char *taken; /* newest first, separated by commas; "shop2/…" is another database, "!" is marked,
                          "~" is ahead of the clock */
    struct retention_rules rules;
    const char *kept; /* places of those kept, from 0 */
};

#define DAY_MS ((int64_t)86400000)

static const struct scene scenes[] = {
    {"last keeps the newest",
     "2026-11-23T10:00:00Z,2026-11-23T09:00:00Z,2026-11-22T10:00:00Z",
     {.last = 2},
     "0 1"},
    {"last more than there are", "2026-11-23T10:00:00Z,2026-11-22T10:00:00Z", {.last = 9}, "0 1"},
    {"daily keeps the newest of each day",
     "2026-11-23T10:00:00Z,2026-11-23T09:00:00Z,2026-11-22T23:00:00Z,2026-11-22T01:00:00Z,2026-11-21T05:00:"
     "00Z",
     {.daily = 2},
     "0 2"},
    {"days without a backup do not count",
     "2026-11-23T10:00:00Z,2026-11-10T09:00:00Z,2026-10-02T23:00:00Z,2026-09-02T23:00:00Z",
     {.daily = 3},
     "0 1 2"},
    {"the oldest is kept where days are lacking",
     "2026-11-23T10:00:00Z,2026-11-23T09:00:00Z,2026-11-23T08:00:00Z",
     {.daily = 2},
     "0 2"},
    {"days are those of UTC",
     "2026-11-23T00:30:00+01:00,2026-11-22T22:00:00Z,2026-11-21T05:00:00Z",
     {.daily = 1},
     "0"},
    {"weeks are ISO weeks: Sunday belongs to the one before",
     "2026-11-23T10:00:00Z,2026-11-22T09:00:00Z,2026-11-16T09:00:00Z,2026-11-15T09:00:00Z",
     {.weekly = 2},
     "0 1"},
    {"the turn of the year is one ISO week",
     "2027-01-03T10:00:00Z,2027-01-01T10:00:00Z,2026-12-31T09:00:00Z,2026-12-28T09:00:00Z,2026-12-27T09:00:"
     "00Z,"
     "2026-12-20T09:00:00Z",
     {.weekly = 2},
     "0 4"},
    {"months",
     "2026-11-23T10:00:00Z,2026-11-01T09:00:00Z,2026-10-31T09:00:00Z,2025-10-31T09:00:00Z",
     {.monthly = 2},
     "0 2"},
    {"a leap day",
     "2024-03-01T00:00:00Z,2024-02-29T23:59:59Z,2024-02-28T23:59:59Z,2024-02-27T00:00:00Z",
     {.daily = 3},
     "0 1 2"},
    {"rules add up",
     "2026-11-23T10:00:00Z,2026-11-23T09:00:00Z,2026-11-22T10:00:00Z,2026-10-01T10:00:00Z,2026-09-01T10:00:"
     "00Z",
     {.last = 2, .monthly = 2},
     "0 1 3"},
    {"within counts from the newest, not from now",
     "2016-11-23T10:00:00Z,2016-11-20T10:00:01Z,2016-11-16T10:00:01Z,2016-11-16T10:00:00Z",
     {.within_ms = 7 * DAY_MS},
     "0 1 2"},
    {"groups are databases of a cluster",
     "2026-11-23T10:00:00Z,shop2/2026-11-22T10:00:00Z,2026-11-21T10:00:00Z,shop2/2026-11-20T10:00:00Z",
     {.last = 1},
     "0 1"},
    {"marked ones stay",
     "2026-11-23T10:00:00Z,2026-11-22T10:00:00Z,!2020-11-21T10:00:00Z",
     {.last = 1},
     "0 2"},
    {"an hour that a time zone has twice, or not at all, changes no day",
     "2026-10-25T01:30:00Z,2026-10-25T00:30:00Z,2026-10-24T22:30:00Z,2026-03-29T01:30:00Z,2026-03-28T23:30:"
     "00Z",
     {.daily = 4},
     "0 2 3 4"},
    {"days and months with an offset are those of UTC",
     "2026-02-28T23:00:00-02:00,2026-02-28T23:30:00Z,2026-03-01T01:00:00+02:00,2026-02-27T12:00:00Z",
     {.monthly = 2, .daily = 1},
     "0 1"},
    {"the end of a month is no period of thirty days",
     "2026-03-31T10:00:00Z,2026-03-01T00:00:00Z,2026-02-28T23:59:59Z,2026-01-31T23:59:59Z",
     {.monthly = 3},
     "0 2 3"},
    {"a year of 53 weeks",
     "2027-01-04T00:00:00Z,2027-01-03T23:59:59Z,2026-12-27T23:59:59Z,2026-12-20T00:00:00Z",
     {.weekly = 3},
     "0 1 2"},
    {"one ahead of the clock counts for no rule and stays",
     "2026-11-23T10:00:00Z,2026-11-22T10:00:00Z,2026-11-01T10:00:00Z,~2999-01-01T00:00:00Z",
     {.last = 1, .within_ms = 7 * DAY_MS},
     "0 1 3"},
    {"where all are ahead of the clock, all stay",
     "~2999-01-02T00:00:00Z,~2999-01-01T00:00:00Z",
     {.last = 1},
     "0 1"},
    {"the newest stays whatever the rules", "2026-11-23T10:00:00Z", {.within_ms = 1}, "0"},
};

static struct records make_records(const char *taken)
{
    AUTO(text_list_clear) struct text_list times = text_list_split(taken, ',');
    struct records records = {0};

    for (size_t i = 0; i < times.count; i++) {
        struct record *record = memory_allocate(1, sizeof *record);
        const char *time = times.items[i];
        record->id = text_format("id%zu", i);
        record->kept = *time == '!';
        record->ahead = *time == '~';
        record->whole.bytes = 100;
        record->database = text_copy(text_starts_with(time, "shop2/") ? "shop2" : "shop");
        record->system_identifier = text_copy("7");
        record->taken_at = text_copy(time + (record->kept || record->ahead      ? 1
                                             : text_starts_with(time, "shop2/") ? 6
                                                                                : 0));
        records.items = memory_grow(records.items, records.count, sizeof *records.items);
        records.items[records.count++] = record;
    }
    return records;
}

static void each_rule_means_what_restic_means(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof scenes / sizeof *scenes; s++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(records_clear) struct records records = make_records(scenes[s].taken);
        AUTO(retention_plan_clear) struct retention_plan plan = {0};
        AUTO(text_list_clear) struct text_list kept = {0};
        assert_true(retention_plan(&records, &scenes[s].rules, &plan, &error));
        for (size_t i = 0; i < plan.count; i++) {
            assert_non_null(plan.items[i].reason);
            if (plan.items[i].keep)
                text_list_add(&kept, text_format("%zu", i));
        }
        OWNED char *joined = text_list_join(&kept, " ");
        if (strcmp(joined, scenes[s].kept) != 0)
            fail_msg("%s: %s is kept, not %s", scenes[s].name, joined, scenes[s].kept);
        assert_int_equal(plan.bytes, 100 * (plan.count - kept.count));
    }
}

static void every_backup_has_its_reasons(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(records_clear)
    struct records records = make_records("2026-11-23T10:00:00Z,2026-11-22T10:00:00Z,2026-10-22T10:00:00Z,"
                                          "2026-10-21T10:00:00Z");
    AUTO(retention_plan_clear) struct retention_plan plan = {0};
    struct retention_rules rules = {.last = 2, .daily = 1, .monthly = 2};

    assert_true(retention_plan(&records, &rules, &plan, &error));
    assert_string_equal(plan.items[0].reason,
                        "last 1, daily 2026-11-23, monthly 2026-11, newest of \"shop\"");
    assert_string_equal(plan.items[1].reason, "last 2");
    assert_string_equal(plan.items[2].reason, "monthly 2026-10");
    assert_string_equal(plan.items[3].reason, "no rule keeps it");
}

static void what_the_history_points_at_stays_unless_told(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(records_clear) struct records records = make_records("2026-11-23T10:00:00Z,2026-11-22T10:00:00Z");
    AUTO(retention_plan_clear) struct retention_plan plan = {0}, dropping = {0};
    AUTO(text_list_clear) struct text_list referenced = {0};

    text_list_add(&referenced, text_copy("id1"));
    struct retention_rules rules = {.last = 1, .referenced = &referenced};
    assert_true(retention_plan(&records, &rules, &plan, &error));
    assert_true(plan.items[1].keep);
    assert_string_equal(plan.items[1].reason, "the history points at it");
    rules.drop_referenced = true;
    assert_true(retention_plan(&records, &rules, &dropping, &error));
    assert_false(dropping.items[1].keep);
}

static void no_rule_is_refused(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(records_clear) struct records records = make_records("2026-11-23T10:00:00Z");
    AUTO(retention_plan_clear) struct retention_plan plan = {0};

    assert_false(retention_plan(&records, &(struct retention_rules){0}, &plan, &error));
    assert_int_equal(error.code, ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_means_what_restic_means),
        cmocka_unit_test(every_backup_has_its_reasons),
        cmocka_unit_test(what_the_history_points_at_stays_unless_told),
        cmocka_unit_test(no_rule_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
