/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/drift.h"

#include "history_scene.h"
#include "migrator/plan.h"

/* ---- showing ---- */

static const struct drift_text was = {"what ran, 2026-11-23 03:21:09 UTC", "a\nb\nc\n"};

static void the_difference_is_a_unified_diff_with_our_labels(void **state)
{
    (void)state;
    OWNED char *diff = drift_show(was, (struct drift_text){"db/001_a.sql", "a\nB\nc\n"});
    assert_string_equal(diff, "--- what ran, 2026-11-23 03:21:09 UTC\n+++ db/001_a.sql\n"
                              "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
}

static void line_ends_are_no_difference(void **state)
{
    (void)state;
    OWNED char *diff = drift_show(was, (struct drift_text){"now", "a\r\nB\rc\r\n"});
    assert_non_null(strstr(diff, " a\n-b\n+B\n c\n"));
}

static void without_diff_the_first_different_line_is_told(void **state)
{
    (void)state;
    OWNED char *path = text_copy(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    OWNED char *diff = drift_show(was, (struct drift_text){"now", "a\nb\nd\n"});
    setenv("PATH", path, 1);
    assert_string_equal(diff, "--- what ran, 2026-11-23 03:21:09 UTC\n+++ now\n"
                              "The first difference is in line 3:\n-c\n+d\n");
}

static void the_first_difference_may_be_the_end(void **state)
{
    (void)state;
    OWNED char *diff = drift_first_difference(was, (struct drift_text){"now", "a\nb\nc\nd"});
    assert_non_null(strstr(diff, "in line 4:\n-\n+d\n"));
}

/* ---- finding, on a server, where the text that ran is stored ---- */

static struct plan *plan_of(struct scene *scene)
{
    struct plan *plan = NULL;
    scene_refresh(scene);
    must(plan_make(scene_read(scene), scene->history, &(struct plan_options){0}, &plan, &scene->error),
         &scene->error);
    return plan;
}

static void a_changed_file_shows_what_ran(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_write(scene, "001_a.sql", "CREATE TABLE \"001_b\" ();\n");
    AUTO(plan_free) struct plan *plan = plan_of(scene);
    assert_int_equal(plan->counts[PLAN_CHANGED], 1);
    const struct plan_entry *entry = &plan->entries[0];
    assert_non_null(strstr(entry->diff, "-CREATE TABLE \"001_a\" ();\n+CREATE TABLE \"001_b\" ();\n"));
    assert_non_null(strstr(entry->diff, "--- what ran, 20"));
    assert_non_null(strstr(entry->hint, "pgmigrate repair 001_a --accept-checksum"));

    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    assert_false(
        plan_steps(plan, scene->folder, scene->history, &(struct plan_target){0}, &steps, &scene->error));
    assert_int_equal(scene->error.code, ERROR_CONFLICT);
    assert_string_equal(scene->error.detail, entry->diff);
    assert_true(text_ends_with(scene->error.file, "/001_a.sql"));
}

static void comments_and_white_space_are_a_warning(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_write(scene, "001_a.sql", "-- a table\nCREATE  TABLE\n \"001_a\" (); /* without columns */\n");
    AUTO(plan_free) struct plan *plan = plan_of(scene);
    assert_int_equal(plan->counts[PLAN_APPLIED], 1);
    assert_int_equal(plan->findings.count, 1);
    assert_string_equal(plan->findings.items[0].rule, "comments-changed");
    assert_int_equal(plan->findings.items[0].severity, SEVERITY_WARNING);
}

static void line_ends_are_not_even_a_warning(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_write(scene, "001_a.sql", "CREATE TABLE \"001_a\" ();\r\n");
    AUTO(plan_free) struct plan *plan = plan_of(scene);
    assert_int_equal(plan->counts[PLAN_APPLIED], 1);
    assert_int_equal(plan->findings.count, 0);
}

static void a_changed_rollback_script_is_a_warning(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_write(scene, "001_a_rollback.sql", "DROP TABLE IF EXISTS \"001_a\";\n");
    AUTO(plan_free) struct plan *plan = plan_of(scene);
    assert_int_equal(plan->counts[PLAN_APPLIED], 1);
    assert_int_equal(plan->findings.count, 1);
    assert_string_equal(plan->findings.items[0].rule, "rollback-changed");
}

static void accepting_a_checksum_ends_the_conflict(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_write(scene, "001_a.sql", "CREATE TABLE \"001_b\" ();\n");
    scene_read(scene);
    scene_send(scene,
               history_accept_checksum(scene->history, &scene->identity, "001_a", scene->folder->items[0]));
    AUTO(plan_free) struct plan *plan = plan_of(scene);
    assert_int_equal(plan->counts[PLAN_APPLIED], 1);
    assert_int_equal(plan->findings.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_difference_is_a_unified_diff_with_our_labels),
        cmocka_unit_test(line_ends_are_no_difference),
        cmocka_unit_test(without_diff_the_first_different_line_is_told),
        cmocka_unit_test(the_first_difference_may_be_the_end),
        scene_test(a_changed_file_shows_what_ran),
        scene_test(comments_and_white_space_are_a_warning),
        scene_test(line_ends_are_not_even_a_warning),
        scene_test(a_changed_rollback_script_is_a_warning),
        scene_test(accepting_a_checksum_ends_the_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
