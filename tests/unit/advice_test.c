/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/advice.h"
#include "trace_scene.h"

#define ROWS "CREATE TABLE t AS SELECT i AS id, i AS n FROM generate_series(1, 2000) AS i; "

static const struct advice_options any_size = {
    .exclusive_ms = ADVICE_EXCLUSIVE_MS, .expected_ms = ADVICE_EXPECTED_MS, .exclusive_bytes = -1};

static char *advice_text(const struct rehearsed *rehearsed)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < rehearsed->advice_count; i++)
        fprintf(stream, "%s%zu %s", i == 0 ? "" : ", ", rehearsed->advice[i].line, rehearsed->advice[i].rule);
    fclose(stream);
    return text;
}

static void each_trap_gets_its_advice_at_its_line(void **state)
{
    static const struct {
        const char *setup, *migration, *expected;
    } traps[] = {
        {ROWS, "CREATE INDEX ti ON t (n);", "1 index-not-concurrent"},
        {ROWS, "-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY ti ON t (n);", ""},
        {ROWS, "CREATE TABLE u (i int);\nCREATE INDEX ui ON u (i);", ""},
        {ROWS, "ALTER TABLE t ADD PRIMARY KEY (id);", "1 unique-not-concurrent"},
        {ROWS "CREATE INDEX ti ON t (n)", "REINDEX TABLE t;", "1 reindex-not-concurrent"},
        {ROWS "CREATE INDEX ti ON t (n)", "SELECT 1;\nDROP INDEX ti;", "2 drop-index-not-concurrent"},
        {ROWS, "ALTER TABLE t ALTER COLUMN n SET NOT NULL;", "1 scan-under-lock"},
        {ROWS, "ALTER TABLE t ADD CHECK (n > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT t_n_check;",
         "2 validate-under-exclusive"},
        {ROWS "ALTER TABLE t ADD CHECK (n > 0) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT t_n_check;",
         ""},
        {ROWS, "ALTER TABLE t ALTER COLUMN n TYPE bigint;", "1 rewrite"},
        {ROWS, "ALTER TABLE t ADD COLUMN c int;\n\nUPDATE t SET c = n;", "3 rows-under-exclusive"},
        {ROWS "CREATE TABLE u (i int)", "ALTER TABLE t ADD COLUMN c int;\nALTER TABLE u ADD COLUMN c int;",
         "2 several-exclusive"},
        {ROWS, "ALTER TABLE t ADD COLUMN c int;\nSELECT pg_sleep(0.15);", "2 long-under-exclusive"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i)",
         "CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) TO (9);", "1 partition-of"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) "
         "TO (9)",
         "ALTER TABLE p DETACH PARTITION c;", "1 detach-not-concurrent"},
    };
    struct scene *scene = scene_of(state);
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
        trace_setup(scene, traps[i].setup);
        must(trace_apply(scene, traps[i].migration, false, &rehearsed), &scene->error);
        rehearsed.transactional = true;
        advice_fill(&rehearsed, &any_size);
        OWNED char *text = advice_text(&rehearsed);
        if (strcmp(text, traps[i].expected) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", traps[i].migration, text, traps[i].expected);
    }
}

static void small_tables_are_left_alone(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    AUTO(server_facts_clear) struct server_facts facts = {0};
    trace_setup(scene, ROWS);
    must(server_facts_read(scene->postgres, &facts, &scene->error), &scene->error);
    must(trace_apply(scene, "CREATE INDEX ti ON t (n);", false, &rehearsed), &scene->error);
    struct advice_options options = any_size;
    options.exclusive_bytes = ADVICE_EXCLUSIVE_BYTES;
    advice_fill(&rehearsed, &options);
    assert_int_equal(rehearsed.advice_count, 0);

    struct table_facts *table = (struct table_facts *)(uintptr_t)server_facts_table(&facts, "public.t");
    assert_true(table->bytes > 50000 && table->index_bytes == 0);
    table->bytes = INT64_C(1) << 30;
    options.target = &facts;
    advice_fill(&rehearsed, &options);
    assert_int_equal(rehearsed.advice_count, 1);
    assert_string_equal(
        rehearsed.advice[0].text,
        "nobody can write public.t while the index is built; use CREATE INDEX CONCURRENTLY in "
        "a no-transaction migration");
}

/* ---- the window ---- */

static void assert_conclusion(int64_t held_us, int64_t high_ms, const char *expected)
{
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    rehearsal.items = memory_allocate(1, sizeof *rehearsal.items);
    rehearsal.count = 1;
    struct rehearsed *item = &rehearsal.items[0];
    *item = (struct rehearsed){.version = text_copy("001_a"), .execution_ms = 500, .high_ms = high_ms};
    item->statements = memory_allocate(1, sizeof *item->statements);
    item->statement_count = 1;
    item->statements[0] =
        (struct rehearsed_statement){.us = 500000, .class = CLASS_METADATA, .lock_count = 1};
    item->statements[0].locks = memory_allocate(1, sizeof(struct held_lock));
    item->statements[0].locks[0] = (struct held_lock){.relation = text_copy("public.t"),
                                                      .mode = text_copy("AccessExclusiveLock"),
                                                      .bytes = INT64_C(100) << 20,
                                                      .held_us = held_us};
    struct advice_options options = {.exclusive_ms = ADVICE_EXCLUSIVE_MS,
                                     .exclusive_bytes = ADVICE_EXCLUSIVE_BYTES,
                                     .expected_ms = ADVICE_EXPECTED_MS};
    advice_conclude(&rehearsal, &options);
    assert_string_equal(rehearsal.advice, expected);
    assert_int_equal(rehearsal.window, text_starts_with(expected, "maintenance"));
    assert_string_equal(advice_worst_lock(item)->relation, "public.t");
}

static void a_lock_held_long_or_a_long_time_needs_a_window(void **state)
{
    (void)state;
    assert_conclusion(600000, -1, "standard deployment");
    assert_conclusion(1500000, -1,
                      "maintenance window: 001_a holds ACCESS EXCLUSIVE on public.t (100.0 MB) for 1.5 s");
    assert_conclusion(500000, 2000,
                      "maintenance window: 001_a holds ACCESS EXCLUSIVE on public.t (100.0 MB) for 2.0 s");
    assert_conclusion(1000, 70000, "maintenance window: the migrations may take 1:10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(each_trap_gets_its_advice_at_its_line),
        scene_test(small_tables_are_left_alone),
        cmocka_unit_test(a_lock_held_long_or_a_long_time_needs_a_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
