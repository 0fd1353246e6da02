/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/estimate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MB         (INT64_C(1) << 20)
#define NAME(name) ((char[]){name})

static struct table_facts here_tables[] = {{NAME("public.big"), 100 * MB, 20 * MB, 1000000},
                                           {NAME("public.gone"), MB, 0, 20000},
                                           {NAME("public.small"), 8192, 0, 100}};
static struct table_facts target_tables[] = {{NAME("public.big"), 1000 * MB, 200 * MB, 10000000},
                                             {NAME("public.small"), 100 * 8192, 0, 10000}};
static const struct server_facts here = {
    .shared_buffers = 128 * MB, .maintenance_work_mem = 64 * MB, .tables = here_tables, .count = 3};
static const struct server_facts target = {.shared_buffers = 128 * MB,
                                           .maintenance_work_mem = 64 * MB,
                                           .oldest_ms = 90000,
                                           .tables = target_tables,
                                           .count = 2};

/* One statement of 1 s on a table. */
static struct rehearsed_statement *statement(struct rehearsed *rehearsed, enum statement_class class,
                                             const char *table)
{
    rehearsed->statements =
        memory_grow(rehearsed->statements, rehearsed->statement_count, sizeof *rehearsed->statements);
    struct rehearsed_statement *added = &rehearsed->statements[rehearsed->statement_count++];
    *added = (struct rehearsed_statement){.line = rehearsed->statement_count,
                                          .class = class,
                                          .us = 1000000,
                                          .rows = 1000000,
                                          .wal_bytes = 10 * MB};
    struct text_list *list = class == CLASS_REWRITE ? &added->rewritten
                             : class == CLASS_DML   ? &added->written
                                                    : &added->scanned;
    text_list_add(list, text_copy(table));
    return added;
}

static void assert_range(enum statement_class class, const char *table, int64_t low, int64_t high)
{
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    statement(&rehearsed, class, table);
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &target});
    assert_int_equal(rehearsed.statements[0].low_ms, low);
    assert_int_equal(rehearsed.statements[0].high_ms, high);
    assert_int_equal(rehearsed.low_ms, low);
    assert_int_equal(rehearsed.high_ms, high);
    assert_non_null(rehearsed.statements[0].basis);
}

static void each_class_grows_with_what_it_depends_on(void **state)
{
    (void)state;
    assert_range(CLASS_METADATA, "public.big", 1000, 1000);
    assert_range(CLASS_SCAN, "public.big", 10000, 25000);
    assert_range(CLASS_REWRITE, "public.big", 10000, 15000);
    assert_range(CLASS_DML, "public.big", 10000, 40000);
    /* ln(10^7) / ln(10^6) */
    assert_range(CLASS_INDEX_BUILD, "public.big", 11666, 35000);
    assert_range(CLASS_SCAN, "public.made_by_a_migration", 1000, 1000);
}

static void what_cannot_be_said_is_not_estimable(void **state)
{
    (void)state;
    assert_range(CLASS_SCAN, "public.small", -1, -1);
    assert_range(CLASS_SCAN, "public.gone", -1, -1);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    statement(&rehearsed, CLASS_SCAN, "public.big");
    statement(&rehearsed, CLASS_SCAN, "public.gone");
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &target});
    assert_int_equal(rehearsed.high_ms, -1);
    assert_string_equal(rehearsed.basis, "line 2: not estimable: public.gone is not in the target");
    assert_int_equal(rehearsed.needs_disk, -1);
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here});
    assert_null(rehearsed.statements[0].basis);
    assert_int_equal(rehearsed.statements[0].high_ms, -1);
}

static void waits_are_left_out_and_concurrent_builds_name_the_oldest_transaction(void **state)
{
    (void)state;
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    struct rehearsed_statement *build = statement(&rehearsed, CLASS_INDEX_BUILD, "public.big");
    build->lock_wait_us = 900000;
    text_list_add(&build->phases, text_copy("building index 100 ms"));
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &target});
    assert_int_equal(build->low_ms, 1166);
    assert_null(strstr(build->basis, "the oldest at the target"));
    free(take(build->basis));
    text_list_add(&build->phases, text_copy("waiting for old snapshots 20 ms"));
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &target});
    assert_non_null(strstr(build->basis, "the oldest at the target was 1:30 old"));
    free(take(build->basis));
    struct server_facts blind = target;
    blind.oldest_ms = -1;
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &blind});
    assert_non_null(strstr(build->basis, "those at the target could not be seen"));
}

static void earlier_applies_correct_the_estimate(void **state)
{
    (void)state;
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    statement(&rehearsed, CLASS_REWRITE, "public.big");
    estimate_fill(&rehearsed,
                  &(struct estimate_options){.here = &here, .target = &target, .correction = 1.5});
    assert_int_equal(rehearsed.low_ms, 15000);
    estimate_fill(&rehearsed,
                  &(struct estimate_options){.here = &here, .target = &target, .correction = 1000});
    assert_int_equal(rehearsed.low_ms, 50000);
}

static void a_rewrite_needs_a_second_set_of_files(void **state)
{
    (void)state;
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    statement(&rehearsed, CLASS_REWRITE, "public.big");
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &target});
    assert_int_equal(rehearsed.needs_disk, 1200 * MB);
    assert_int_equal(rehearsed.needs_wal, 100 * MB);
}

static void few_rows_that_are_found_without_a_scan_are_as_many_at_the_target(void **state)
{
    (void)state;
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    statement(&rehearsed, CLASS_DML, "public.big")->rows = 3;
    estimate_fill(&rehearsed, &(struct estimate_options){.here = &here, .target = &target});
    assert_int_equal(rehearsed.high_ms, 1000);
}

static void facts_come_back_from_their_file(void **state)
{
    (void)state;
    AUTO(server_facts_clear) struct server_facts again = {0};
    AUTO(error_clear) struct error error = {0};
    struct server_facts facts = target;
    facts.taken_at = (char[]){"2026-11-25T10:00:00Z"};
    facts.version = (char[]){"15.20"};
    facts.database = (char[]){"shop"};
    OWNED char *text = server_facts_text(&facts);
    assert_true(server_facts_parse("facts.json", text, strlen(text), &again, &error));
    assert_int_equal(again.count, 2);
    assert_int_equal(again.oldest_ms, 90000);
    assert_int_equal(server_facts_table(&again, "public.big")->bytes, 1000 * MB);
    assert_null(server_facts_table(&again, "public.none"));
    static const char *const bad[] = {"", "{}", "[1]", "{\"pgmigrate_facts\": 2}",
                                      "{\"pgmigrate_facts\": 1, \"tables\": [{}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO(server_facts_clear) struct server_facts none = {0};
        error_clear(&error);
        assert_false(server_facts_parse("facts.json", bad[i], strlen(bad[i]), &none, &error));
        assert_int_equal(error.code, ERROR_USAGE);
        assert_string_equal(error.file, "facts.json");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_grows_with_what_it_depends_on),
        cmocka_unit_test(what_cannot_be_said_is_not_estimable),
        cmocka_unit_test(waits_are_left_out_and_concurrent_builds_name_the_oldest_transaction),
        cmocka_unit_test(earlier_applies_correct_the_estimate),
        cmocka_unit_test(a_rewrite_needs_a_second_set_of_files),
        cmocka_unit_test(few_rows_that_are_found_without_a_scan_are_as_many_at_the_target),
        cmocka_unit_test(facts_come_back_from_their_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
