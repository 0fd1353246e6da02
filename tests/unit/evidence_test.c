/* SPDX-License-Identifier: PostgreSQL */
#include "common/moment.h"
#include "deploy/evidence.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define HOUR_US (INT64_C(3600) * 1000000)

static void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s (%s)", error->message, error->detail == NULL ? "" : error->detail);
}

struct scene {
    char *folder, *path;
    struct evidence *evidence;
    struct migration migration;
    int rehearsals;
};

static void write_checksum(struct source *source, const char *path, const char *text)
{
    free(source->path);
    source->path = text_copy(path);
    source_checksum(text, strlen(text), source->checksum);
}

static int scene_begin(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct scene *scene = memory_allocate(1, sizeof *scene);

    must(file_make_temporary("pgmigrate-test", &scene->folder, &error), &error);
    scene->path = file_join(scene->folder, "new/state.db");
    must(evidence_open(scene->path, true, &scene->evidence, &error), &error);
    scene->migration.version.stem = text_copy("042_orders");
    write_checksum(&scene->migration.forward, "042_orders.sql", "ALTER TABLE orders …");
    write_checksum(&scene->migration.rollback, "042_orders_rollback.sql", "ALTER TABLE orders back …");
    *state = scene;
    return 0;
}

static int scene_end(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct scene *scene = *state;

    evidence_close(scene->evidence);
    must(file_remove_tree(scene->folder, &error), &error);
    free(scene->migration.version.stem);
    source_clear(&scene->migration.forward);
    source_clear(&scene->migration.rollback);
    source_clear(&scene->migration.verify);
    free(scene->path);
    free(scene->folder);
    free(scene);
    return 0;
}

/* A rehearsal of the scene's migration, so many hours ago. */
static void rehearse(struct scene *scene, int64_t hours, bool passed, struct rehearsal *ret)
{
    struct rehearsed *item = memory_allocate(1, sizeof *item);
    struct rehearsed_statement *statement = memory_allocate(1, sizeof *statement);

    *item = (struct rehearsed){.version = text_copy("042_orders"),
                               .checksum = text_copy(scene->migration.forward.checksum),
                               .rollback_checksum = migration_has_rollback(&scene->migration)
                                                        ? text_copy(scene->migration.rollback.checksum)
                                                        : NULL,
                               .passed = passed,
                               .execution_ms = 41000,
                               .low_ms = 60000,
                               .high_ms = 100000,
                               .round_trip = ROUND_TRIP_EXACT,
                               .statements = statement,
                               .statement_count = 1};
    statement->locks = memory_allocate(1, sizeof *statement->locks);
    statement->locks[0] =
        (struct held_lock){text_copy("public.orders"), text_copy("AccessExclusiveLock"), 12 << 20, 0, 180999};
    statement->lock_count = 1;
    *ret = (struct rehearsal){.began_at = moment_text(moment_now() - hours * HOUR_US),
                              .ended_at = moment_text(moment_now() - hours * HOUR_US),
                              .environment = text_copy("staging"),
                              .server = text_copy("stage:5432/shop"),
                              .items = item,
                              .count = 1,
                              .passed = passed};
    snprintf(ret->id, sizeof ret->id, "rehearsal %d", ++scene->rehearsals);
    if (!passed)
        error_set(&item->failure, ERROR_FAILED, "relation \"orders\" does not exist");
}

static void keep(struct scene *scene, const struct rehearsal *rehearsal)
{
    AUTO(error_clear) struct error error = {0};
    must(evidence_put(scene->evidence, rehearsal, "{}", &error), &error);
}

static void keep_one(struct scene *scene, int64_t hours, bool passed)
{
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    rehearse(scene, hours, passed, &rehearsal);
    keep(scene, &rehearsal);
}

static void find(struct scene *scene, struct evidence_found *ret)
{
    AUTO(error_clear) struct error error = {0};
    must(evidence_find(scene->evidence, &scene->migration, ret, &error), &error);
}

static enum evidence_state state_of(struct scene *scene)
{
    AUTO(evidence_found_clear) struct evidence_found found = {0};
    find(scene, &found);
    return found.state;
}

static void what_was_rehearsed_is_found_again(void **state)
{
    struct scene *scene = *state;
    AUTO(evidence_found_clear) struct evidence_found found = {0};

    keep_one(scene, 2, true);
    find(scene, &found);
    assert_int_equal(found.state, EVIDENCE_PASSED);
    assert_string_equal(found.rehearsal, "rehearsal 1");
    assert_string_equal(found.where, "staging");
    assert_string_equal(found.round_trip, "exact");
    assert_in_range(found.age_ms, 7200000, 7300000);
    assert_int_equal(found.execution_ms, 41000);
    assert_int_equal(evidence_expected_ms(&found), 80000);
    assert_string_equal(found.lock_relation, "public.orders");
    assert_string_equal(found.lock_mode, "AccessExclusiveLock");
    assert_int_equal(found.lock_ms, 180);
    assert_null(found.failure);
}

static void no_file_is_made_for_who_only_asks(void **state)
{
    struct scene *scene = *state;
    AUTO(error_clear) struct error error = {0};
    AUTO(evidence_found_clear) struct evidence_found found = {0};
    OWNED char *path = file_join(scene->folder, "other.db");
    struct evidence *evidence = NULL;

    must(evidence_open(path, false, &evidence, &error), &error);
    assert_null(evidence);
    assert_false(file_exists(path));
    must(evidence_find(evidence, &scene->migration, &found, &error), &error);
    assert_int_equal(found.state, EVIDENCE_NONE);
    assert_int_equal(evidence_expected_ms(&found), -1);
}

static void a_change_of_any_file_wants_another_rehearsal(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(state_of(scene), EVIDENCE_NONE);
    keep_one(scene, 2, true);
    write_checksum(&scene->migration.rollback, "042_orders_rollback.sql", "another way back");
    assert_int_equal(state_of(scene), EVIDENCE_CHANGED);
    keep_one(scene, 1, true);
    assert_int_equal(state_of(scene), EVIDENCE_PASSED);
    write_checksum(&scene->migration.verify, "042_orders_verify.sql", "SELECT 1 / 0");
    assert_int_equal(state_of(scene), EVIDENCE_CHANGED);
    source_clear(&scene->migration.verify);
    assert_int_equal(state_of(scene), EVIDENCE_PASSED);
    source_clear(&scene->migration.rollback);
    assert_int_equal(state_of(scene), EVIDENCE_CHANGED);
}

static void the_newest_rehearsal_counts(void **state)
{
    struct scene *scene = *state;
    AUTO(evidence_found_clear) struct evidence_found found = {0};

    keep_one(scene, 2, true);
    keep_one(scene, 1, false);
    keep_one(scene, 3, true);
    find(scene, &found);
    assert_int_equal(found.state, EVIDENCE_FAILED);
    assert_string_equal(found.failure, "relation \"orders\" does not exist");
    assert_int_equal(evidence_expected_ms(&found), -1);
}

static void a_rehearsal_is_kept_once(void **state)
{
    struct scene *scene = *state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};

    rehearse(scene, 1, true, &rehearsal);
    keep(scene, &rehearsal);
    rehearsal.items[0].passed = false;
    keep(scene, &rehearsal);
    assert_int_equal(state_of(scene), EVIDENCE_PASSED);
}

/* Applied to a server, took so long. */
static void applied(struct scene *scene, const char *server, int64_t ms)
{
    static int runs;
    AUTO(error_clear) struct error error = {0};
    AUTO(evidence_found_clear) struct evidence_found found = {0};
    OWNED char *run = text_format("run %d", ++runs);
    struct evidence_actual actual = {run, "042_orders", server, "shop", ms};

    find(scene, &found);
    must(evidence_applied(scene->evidence, &actual, &found, &error), &error);
}

static void assert_correction(struct scene *scene, const char *database, double expected)
{
    AUTO(error_clear) struct error error = {0};
    double correction = -1;

    must(evidence_correction(scene->evidence, database, &correction, &error), &error);
    assert_true(fabs(correction - expected) < 0.001);
}

static void estimates_are_corrected_by_what_applies_took(void **state)
{
    struct scene *scene = *state;
    AUTO(rehearsal_clear) struct rehearsal corrected = {0};

    applied(scene, "prod:5432/shop", 80000);
    assert_correction(scene, "shop", 0);
    keep_one(scene, 2, true);
    applied(scene, "stage:5432/shop", 8000);
    assert_correction(scene, "shop", 0);
    applied(scene, "prod:5432/shop", 120000);
    assert_correction(scene, "shop", 1.5);
    applied(scene, "prod:5432/shop", 40000);
    assert_correction(scene, "shop", 1.0);
    applied(scene, "prod:5432/shop", 160000);
    assert_correction(scene, "shop", 1.5);
    assert_correction(scene, "elsewhere", 0);
    /* An estimate that was corrected already, and right, leaves the correction as it is. */
    rehearse(scene, 1, true, &corrected);
    corrected.correction = 1.5;
    keep(scene, &corrected);
    applied(scene, "prod:5432/shop", 80000);
    assert_correction(scene, "shop", 1.5);
}

static void what_was_not_estimated_corrects_nothing(void **state)
{
    struct scene *scene = *state;
    AUTO(rehearsal_clear) struct rehearsal unknown = {0}, quick = {0};

    rehearse(scene, 2, true, &unknown);
    unknown.items[0].low_ms = unknown.items[0].high_ms = -1;
    keep(scene, &unknown);
    applied(scene, "prod:5432/shop", 80000);
    rehearse(scene, 1, true, &quick);
    quick.items[0].low_ms = quick.items[0].high_ms = 3;
    keep(scene, &quick);
    applied(scene, "prod:5432/shop", 90);
    assert_correction(scene, "shop", 0);
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(what_was_rehearsed_is_found_again),
        scene_test(no_file_is_made_for_who_only_asks),
        scene_test(a_change_of_any_file_wants_another_rehearsal),
        scene_test(the_newest_rehearsal_counts),
        scene_test(a_rehearsal_is_kept_once),
        scene_test(estimates_are_corrected_by_what_applies_took),
        scene_test(what_was_not_estimated_corrects_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
