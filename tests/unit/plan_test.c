/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* A folder in memory and a history in memory: no file and no server is touched. */
struct scene {
    struct folder folder;
    struct history history;
    struct plan *plan;
    struct plan_steps steps;
    struct plan_options options;
    struct error error;
};

static int scene_begin(void **state)
{
    struct scene *scene = memory_allocate(1, sizeof *scene);
    char table[] = "schema_migrations";
    scene->history.shape = HISTORY_ADOPTABLE; /* no texts are asked for */
    scene->history.schema = text_copy("public");
    scene->history.table = text_copy(table);
    *state = scene;
    return 0;
}

static int scene_end(void **state)
{
    struct scene *scene = *state;
    plan_steps_clear(&scene->steps);
    plan_free(scene->plan);
    for (size_t i = 0; i < scene->folder.count; i++)
        migration_free(scene->folder.items[i]);
    free(scene->folder.items);
    free(scene->folder.by_stem);
    findings_clear(&scene->folder.findings);
    for (size_t i = 0; i < scene->history.count; i++) {
        version_clear(&scene->history.keys[i]);
        free(scene->history.rows[i].version);
        free(scene->history.rows[i].checksum);
    }
    free(scene->history.rows);
    free(scene->history.keys);
    free(scene->history.schema);
    free(scene->history.table);
    error_clear(&scene->error);
    free(scene);
    return 0;
}

/* Files and rows are given in the order of their versions. A text stands for its own checksum. */
static struct migration *add_file(struct scene *scene, const char *stem, const char *text)
{
    struct migration *migration = memory_allocate(1, sizeof *migration);
    assert_true(version_parse(stem, &migration->version));
    migration->forward.path = text_format("db/%s.sql", stem);
    migration->forward.text = text_copy(text);
    migration->forward.size = strlen(text);
    migration->forward.first_line = 1;
    snprintf(migration->forward.checksum, sizeof migration->forward.checksum, "%s", text);
    struct folder *folder = &scene->folder;
    folder->items = memory_grow(folder->items, folder->count, sizeof *folder->items);
    folder->by_stem = memory_grow(folder->by_stem, folder->count, sizeof *folder->by_stem);
    folder->items[folder->count] = migration;
    folder->by_stem[folder->count] = migration; /* stems of equal width sort like their versions */
    folder->count++;
    return migration;
}

static struct history_row *add_row(struct scene *scene, const char *version, const char *checksum)
{
    struct history *history = &scene->history;
    history->rows = memory_grow(history->rows, history->count, sizeof *history->rows);
    history->keys = memory_grow(history->keys, history->count, sizeof *history->keys);
    history->keys[history->count] = (struct version){0};
    if (!version_parse(version, &history->keys[history->count]))
        history->keys[history->count] = (struct version){0};
    struct history_row *row = &history->rows[history->count++];
    *row = (struct history_row){.version = text_copy(version),
                                .checksum = text_copy(checksum),
                                .sequence = (int64_t)history->count,
                                .statement_started = -1};
    return row;
}

static void make(struct scene *scene)
{
    plan_steps_clear(&scene->steps);
    plan_free(scene->plan);
    scene->plan = NULL;
    if (!plan_make(&scene->folder, &scene->history, &scene->options, &scene->plan, &scene->error))
        fail_msg("%s", scene->error.message);
}

static bool steps_to(struct scene *scene, const char *to, bool out_of_order)
{
    struct plan_target target = {.to = to, .out_of_order = out_of_order};
    plan_steps_clear(&scene->steps);
    error_clear(&scene->error);
    return plan_steps(scene->plan, &scene->folder, &scene->history, &target, &scene->steps, &scene->error);
}

/* "001_a:applied 002_b:pending" */
static char *states_of(const struct scene *scene)
{
    struct text_list words = {0};
    for (size_t i = 0; i < scene->plan->count; i++)
        text_list_add(&words, text_format("%s:%s", scene->plan->entries[i].version,
                                          plan_state_name(scene->plan->entries[i].state)));
    char *text = text_list_join(&words, " ");
    text_list_clear(&words);
    return text;
}

static char *steps_of(const struct scene *scene)
{
    struct text_list words = {0};
    for (size_t i = 0; i < scene->steps.count; i++)
        text_list_add(&words, text_copy(scene->steps.items[i]->version));
    char *text = text_list_join(&words, " ");
    text_list_clear(&words);
    return text;
}

#define assert_text(owned, expected)                                                                         \
    do {                                                                                                     \
        OWNED char *text_ = (owned);                                                                         \
        assert_string_equal(text_, expected);                                                                \
    } while (0)

/* ---- states ---- */

static void files_without_rows_are_pending(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    make(scene);
    assert_text(states_of(scene), "001_a:pending 002_b:pending");
    assert_int_equal(scene->plan->counts[PLAN_PENDING], 2);
    assert_true(steps_to(scene, NULL, false));
    assert_text(steps_of(scene), "001_a 002_b");
}

static void what_is_applied_does_not_run_again(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    add_row(scene, "001_a", "a");
    make(scene);
    assert_text(states_of(scene), "001_a:applied 002_b:pending");
    assert_true(steps_to(scene, NULL, false));
    assert_text(steps_of(scene), "002_b");
}

static void a_changed_file_stops_the_run(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "edited");
    add_file(scene, "002_b", "b");
    add_row(scene, "001_a", "a");
    make(scene);
    assert_text(states_of(scene), "001_a:changed 002_b:pending");
    assert_false(steps_to(scene, "2", false));
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
    assert_string_equal(scene->error.message,
                        "migration \"001_a\" was changed after it was applied (at an unknown time)");
    assert_string_equal(scene->error.file, "db/001_a.sql");
}

static void a_missing_file_stops_the_run_and_keeps_its_place(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "003_c", "c");
    add_row(scene, "001_a", "a");
    add_row(scene, "002_b", "b")->applied_at = text_copy("2026-11-23T03:21:09.123456Z");
    make(scene);
    free(scene->history.rows[1].applied_at);
    assert_text(states_of(scene), "001_a:applied 002_b:missing 003_c:pending");
    assert_null(scene->plan->entries[1].migration);
    assert_string_equal(scene->plan->entries[1].message,
                        "was applied (2026-11-23 03:21:09 UTC), but has no file in the folder");
    assert_false(steps_to(scene, NULL, false));
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
    assert_non_null(strstr(scene->error.hint, "repair 002_b --accept-missing"));
}

static void a_row_that_was_archived_needs_no_file(void **state)
{
    struct scene *scene = *state;
    add_row(scene, "001_a", "a")->state = ROW_ARCHIVED;
    add_file(scene, "002_b", "b");
    make(scene);
    assert_text(states_of(scene), "001_a:applied 002_b:pending");
    assert_true(steps_to(scene, NULL, false));
}

static void several_conflicts_are_counted(void **state)
{
    struct scene *scene = *state;
    add_row(scene, "001_a", "a");
    add_row(scene, "002_b", "b");
    add_row(scene, "003_c", "c");
    make(scene);
    assert_false(steps_to(scene, NULL, false));
    assert_string_equal(scene->error.detail,
                        "2 more migrations disagree with the history; \"pgmigrate status\" lists all.");
}

static void an_older_file_is_out_of_order(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    add_row(scene, "002_b", "b");
    make(scene);
    assert_text(states_of(scene), "001_a:out_of_order 002_b:applied");
    assert_false(steps_to(scene, NULL, false));
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
    assert_string_equal(scene->error.message,
                        "migration \"001_a\" is older than \"002_b\", which is applied already");
    assert_true(steps_to(scene, NULL, true));
    assert_text(steps_of(scene), "001_a");
}

static void an_out_of_order_file_beyond_the_target_does_not_matter(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    add_file(scene, "003_c", "c");
    add_row(scene, "001_a", "a");
    add_row(scene, "003_c", "c");
    make(scene);
    assert_true(steps_to(scene, "1", false));
    assert_int_equal(scene->steps.count, 0);
    assert_false(steps_to(scene, "2", false));
}

static void a_file_older_than_a_missing_one_is_out_of_order_too(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_row(scene, "002_b", "b");
    make(scene);
    assert_text(states_of(scene), "001_a:out_of_order 002_b:missing");
}

static void a_baselined_migration_counts_as_applied(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_row(scene, "001_a", "a")->state = ROW_BASELINE;
    make(scene);
    assert_text(states_of(scene), "001_a:applied");
    assert_string_equal(scene->plan->entries[0].message, "was marked as applied without running");
}

/* ---- scripts that stopped half way ---- */

static struct history_row *half_run(struct scene *scene, enum row_state row_state, int64_t done)
{
    add_file(scene, "001_a", "a");
    struct history_row *row = add_row(scene, "001_a", "before it was edited");
    row->state = row_state;
    row->statements_done = done;
    row->statements_total = 5;
    return row;
}

static void a_script_that_stopped_is_taken_up_again(void **state)
{
    struct scene *scene = *state;
    half_run(scene, ROW_FAILED, 2);
    make(scene);
    assert_text(states_of(scene), "001_a:failed");
    assert_string_equal(scene->plan->entries[0].message, "stopped at statement 3 of 5");
    assert_true(steps_to(scene, NULL, false));
    assert_text(steps_of(scene), "001_a");
}

static void a_script_whose_client_died_says_which_statement_had_begun(void **state)
{
    struct scene *scene = *state;
    half_run(scene, ROW_RUNNING, 2)->statement_started = 2;
    make(scene);
    assert_text(states_of(scene), "001_a:failed");
    assert_string_equal(scene->plan->entries[0].message, "stopped in statement 3 of 5");
}

static void a_script_that_was_only_not_marked_says_so(void **state)
{
    struct scene *scene = *state;
    half_run(scene, ROW_RUNNING, 5);
    make(scene);
    assert_string_equal(scene->plan->entries[0].message, "stopped after the last of 5 statements");
}

static void a_script_is_running_while_somebody_holds_the_lock(void **state)
{
    struct scene *scene = *state;
    scene->options.lock_held = true;
    half_run(scene, ROW_RUNNING, 2);
    make(scene);
    assert_text(states_of(scene), "001_a:running");
    assert_string_equal(scene->plan->entries[0].message, "is running, 2 of 5 statements are done");
}

static void a_failed_script_does_not_run_because_of_somebody_elses_lock(void **state)
{
    struct scene *scene = *state;
    scene->options.lock_held = true;
    half_run(scene, ROW_FAILED, 2);
    make(scene);
    assert_text(states_of(scene), "001_a:failed");
}

/* ---- numbers and names ---- */

static void a_row_with_a_bare_number_is_the_file_with_that_number(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    add_row(scene, "1", NULL);
    add_row(scene, "002", NULL);
    make(scene);
    assert_text(states_of(scene), "001_a:applied 002_b:applied");
    assert_int_equal(scene->plan->findings.count, 1);
    assert_string_equal(scene->plan->findings.items[0].rule, "unchecked-rows");
    assert_int_equal(strncmp(scene->plan->findings.items[0].message, "2 applied migrations are", 24), 0);
}

static void a_bare_number_of_two_files_is_ambiguous(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "001_b", "b");
    add_row(scene, "001", NULL);
    make(scene);
    assert_int_equal(scene->plan->counts[PLAN_MISSING], 1);
    assert_string_equal(scene->plan->entries[0].message, "was applied, but several files have that number");
    assert_non_null(strstr(scene->plan->entries[0].hint,
                           "UPDATE \"public\".\"schema_migrations\" SET version = … WHERE version = '001';"));
}

static void a_bare_number_beside_the_stem_is_only_a_warning(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_row(scene, "001", NULL);
    add_row(scene, "001_a", "a");
    make(scene);
    assert_text(states_of(scene), "001_a:applied");
    assert_int_equal(scene->plan->findings.count, 1);
    assert_string_equal(scene->plan->findings.items[0].rule, "duplicate-row");
}

static void a_version_without_a_number_is_missing_and_comes_last(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_row(scene, "001_a", "a");
    add_row(scene, "initial", NULL);
    add_row(scene, "second", NULL);
    make(scene);
    assert_text(states_of(scene), "001_a:applied initial:missing second:missing");
}

static void a_renamed_file_is_one_entry_with_its_remedy(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "042_create_orders", "orders");
    add_row(scene, "042_add_orders", "orders");
    make(scene);
    assert_text(states_of(scene), "042_create_orders:changed");
    assert_string_equal(scene->plan->entries[0].message, "was called \"042_add_orders\" when it was applied");
    assert_ptr_equal(scene->plan->entries[0].row, &scene->history.rows[0]);
    assert_non_null(strstr(scene->plan->entries[0].hint, "repair 042_create_orders --accept-checksum"));
    assert_false(steps_to(scene, NULL, false));
}

static void a_renumbered_file_is_known_by_its_checksum(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "003_orders", "orders");
    add_row(scene, "001_a", "a");
    add_row(scene, "002_orders", "orders");
    make(scene);
    assert_text(states_of(scene), "001_a:applied 003_orders:changed");
}

static void one_number_with_another_text_is_not_a_new_name(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "042_invoices", "invoices");
    add_row(scene, "042_orders", "orders");
    make(scene);
    assert_text(states_of(scene), "042_invoices:out_of_order 042_orders:missing");
}

static void two_files_with_the_same_text_are_not_taken_for_a_renamed_one(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "003_a", "select 1");
    add_file(scene, "004_b", "select 1");
    add_row(scene, "001_x", "select 1");
    make(scene);
    assert_text(states_of(scene), "001_x:missing 003_a:pending 004_b:pending");
}

static void a_row_without_checksum_asks_about_a_new_name(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_new", "a");
    add_row(scene, "001_old", NULL);
    make(scene);
    assert_text(states_of(scene), "001_new:changed");
    assert_string_equal(scene->plan->entries[0].message,
                        "may be what was applied as \"001_old\"; nothing was stored to compare");
}

/* ---- targets ---- */

static void a_target_ends_the_run(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    add_file(scene, "003_c", "c");
    make(scene);
    assert_true(steps_to(scene, "2", false));
    assert_text(steps_of(scene), "001_a 002_b");
    assert_null(scene->steps.notice);
    assert_false(steps_to(scene, "9", false));
    assert_int_equal(scene->error.code, ERROR_USAGE);
}

static void a_target_that_lies_behind_points_to_rollback(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    add_row(scene, "001_a", "a");
    add_row(scene, "002_b", "b");
    make(scene);
    assert_true(steps_to(scene, "1", false));
    assert_int_equal(scene->steps.count, 0);
    assert_non_null(strstr(scene->steps.notice, "pgmigrate rollback --to 001_a"));
    assert_true(steps_to(scene, "2", false));
    assert_null(scene->steps.notice);
}

/* ---- requires ---- */

static void require(struct migration *migration, const char *word)
{
    text_list_add(&migration->directives.requires, text_copy(word));
}

static void what_is_required_may_be_applied_or_come_before(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    add_file(scene, "002_b", "b");
    struct migration *migration = add_file(scene, "003_c", "c");
    require(migration, "1");
    require(migration, "002_b");
    add_row(scene, "001_a", "a");
    make(scene);
    assert_true(steps_to(scene, NULL, false));
    assert_text(steps_of(scene), "002_b 003_c");
}

static void what_is_required_and_not_there_is_named_with_its_line(void **state)
{
    struct scene *scene = *state;
    require(add_file(scene, "001_a", "-- first\n-- pgmigrate: requires=2\nselect 1"), "2");
    add_file(scene, "002_b", "b");
    make(scene);
    assert_false(steps_to(scene, NULL, false));
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
    assert_string_equal(scene->error.message, "migration \"001_a\" requires \"2\", which is not applied");
    assert_string_equal(scene->error.file, "db/001_a.sql");
    assert_int_equal(scene->error.line, 2);
}

static void an_out_of_order_file_may_require_what_is_newer_and_applied(void **state)
{
    struct scene *scene = *state;
    require(add_file(scene, "001_a", "a"), "2");
    add_file(scene, "002_b", "b");
    add_row(scene, "002_b", "b");
    make(scene);
    assert_true(steps_to(scene, NULL, true));
}

/* ---- other tools ---- */

static void another_tools_history_stops_the_first_run(void **state)
{
    struct scene *scene = *state;
    add_file(scene, "001_a", "a");
    scene->history.shape = HISTORY_ABSENT;
    scene->history.other_tool = text_copy("Flyway");
    scene->history.other_table = text_copy("public.flyway_schema_history");
    make(scene);
    bool planned = steps_to(scene, NULL, false);
    free(scene->history.other_tool);
    free(scene->history.other_table);
    assert_false(planned);
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
    assert_string_equal(
        scene->error.message,
        "this database has a history of Flyway in \"public.flyway_schema_history\", and none of "
        "pgmigrate");
    assert_non_null(strstr(scene->error.hint, "pgmigrate baseline VERSION"));
}

static void a_foreign_history_table_stops_every_run(void **state)
{
    struct scene *scene = *state;
    scene->history.shape = HISTORY_FOREIGN;
    scene->history.tool = text_copy("golang-migrate");
    make(scene);
    bool planned = steps_to(scene, NULL, false);
    free(scene->history.tool);
    assert_false(planned);
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
}

/* ---- size ---- */

static void ten_thousand_of_both_take_no_time(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 10000; i++) {
        OWNED char *stem = text_format("%05d_x", i);
        add_file(scene, stem, stem);
        if (i < 9000)
            add_row(scene, stem, stem);
    }
    clock_t began = clock();
    make(scene);
    assert_true(steps_to(scene, NULL, false));
    assert_int_equal(scene->plan->counts[PLAN_APPLIED], 9000);
    assert_int_equal(scene->steps.count, 1000);
    assert_true(clock() - began < CLOCKS_PER_SEC); /* some 20 ms; going over all pairs would take minutes */
}

#define plan_test(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plan_test(files_without_rows_are_pending),
        plan_test(what_is_applied_does_not_run_again),
        plan_test(a_changed_file_stops_the_run),
        plan_test(a_missing_file_stops_the_run_and_keeps_its_place),
        plan_test(a_row_that_was_archived_needs_no_file),
        plan_test(several_conflicts_are_counted),
        plan_test(an_older_file_is_out_of_order),
        plan_test(an_out_of_order_file_beyond_the_target_does_not_matter),
        plan_test(a_file_older_than_a_missing_one_is_out_of_order_too),
        plan_test(a_baselined_migration_counts_as_applied),
        plan_test(a_script_that_stopped_is_taken_up_again),
        plan_test(a_script_whose_client_died_says_which_statement_had_begun),
        plan_test(a_script_that_was_only_not_marked_says_so),
        plan_test(a_script_is_running_while_somebody_holds_the_lock),
        plan_test(a_failed_script_does_not_run_because_of_somebody_elses_lock),
        plan_test(a_row_with_a_bare_number_is_the_file_with_that_number),
        plan_test(a_bare_number_of_two_files_is_ambiguous),
        plan_test(a_bare_number_beside_the_stem_is_only_a_warning),
        plan_test(a_version_without_a_number_is_missing_and_comes_last),
        plan_test(a_renamed_file_is_one_entry_with_its_remedy),
        plan_test(a_renumbered_file_is_known_by_its_checksum),
        plan_test(one_number_with_another_text_is_not_a_new_name),
        plan_test(two_files_with_the_same_text_are_not_taken_for_a_renamed_one),
        plan_test(a_row_without_checksum_asks_about_a_new_name),
        plan_test(a_target_ends_the_run),
        plan_test(a_target_that_lies_behind_points_to_rollback),
        plan_test(what_is_required_may_be_applied_or_come_before),
        plan_test(what_is_required_and_not_there_is_named_with_its_line),
        plan_test(an_out_of_order_file_may_require_what_is_newer_and_applied),
        plan_test(another_tools_history_stops_the_first_run),
        plan_test(a_foreign_history_table_stops_every_run),
        plan_test(ten_thousand_of_both_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
