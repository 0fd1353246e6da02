/* SPDX-License-Identifier: PostgreSQL */
/*
 * How a rehearsal is told: in a terminal, as JSON, as evidence that can be read back, as a page. With "--page
 * FILE" the page is only written, for tests/cli/rehearsal_page.bats.
 */
#include "cli/rehearsal_document.h"
#include "cli/rehearsal_html.h"
#include "cli/rehearsal_report.h"
#include "cli/rehearsal_words.h"
#include "common/file.h"
#include "tests/unit/rehearsal_scene.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s (%s)", error->message, error->detail == NULL ? "" : error->detail);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static void the_terminal_shows_one_line_a_migration_and_the_verdict_last(void **state)
{
    (void)state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    OWNED char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    scene_rehearsal(&rehearsal);
    rehearsal_print(out, false, &rehearsal);
    fclose(out);
    assert_has(text, "42_<orders> & \"more\"");
    assert_has(text, "  12.4 s  ################  nobody reads or writes public.orders for 12.3 s");
    assert_has(text, "  exact      24.0 s to 37.0 s\n");
    assert_has(text, "   5.0 s  ######            no lock is felt");
    assert_has(text, "  differs    not estimable\n");
    assert_has(text, "    3 ms  failed            no lock is felt");
    assert_has(text, "migrations/044_fails.sql:1:13: error: relation \"no_such\" does not exist (42P01)\n");
    assert_has(text, "after the rollback: table public.orders: columns come in another order\n");
    assert_has(text, "an application notices: public.orders.note was dropped\n");
    assert_has(text, "an application was held up for 12.2 s by public.orders\n");
    assert_has(text, ".sql:3: warning: add a column, and fill it in batches [rewrite]\n");
    assert_has(text,
               "differs from the target: TimeZone is UTC here and Europe/Vienna at the target\n"
               "failed: 4 migrations in 17.4 s on staging, stage.example:5432/shop (a scratch database)\n"
               "advice: maintenance window: public.orders is locked for 12.3 s\n");
    assert_lacks(text, "\033");
}

static void the_document_has_every_field(void **state)
{
    (void)state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    json_t *document = json_object();
    const char *version, *mode, *rollback, *error;
    json_int_t ms, held, rows, low, disk, line, victim;

    scene_rehearsal(&rehearsal);
    rehearsal_fill(document, &rehearsal);
    assert_int_equal(json_unpack(document,
                                 "{s: [{s:s, s:s, s:[{s:I, s:[{s:s, s:I}]}, {s:I}], s:{s:I, s:I}, s:[{s:I}],"
                                 " s:{s:I}}]}",
                                 "migrations", "version", &version, "rollback", &rollback, "statements", "ms",
                                 &ms, "locks", "mode", &mode, "held_ms", &held, "rows", &rows, "estimate",
                                 "low_ms", &low, "disk_bytes", &disk, "advice", "line", &line, "victim", "ms",
                                 &victim),
                     0);
    assert_string_equal(rollback, "exact");
    assert_string_equal(mode, "AccessExclusiveLock");
    assert_int_equal(ms, 12000);
    assert_int_equal(held, 12300);
    assert_int_equal(rows, 1200000);
    assert_int_equal(low, 24000);
    assert_int_equal(disk, 800 * SCENE_MB);
    assert_int_equal(line, 3);
    assert_int_equal(victim, 12200);
    const json_t *failed = json_array_get(json_object_get(document, "migrations"), 2);
    error = json_string_value(json_object_get(json_object_get(failed, "error"), "sqlstate"));
    assert_string_equal(error, "42P01");
    assert_null(json_object_get(json_object_get(failed, "estimate"), "low_ms"));
    json_decref(document);
}

static void evidence_is_read_back(void **state)
{
    (void)state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0}, back = {0};
    AUTO(error_clear) struct error error = {0};
    OWNED char *text = NULL;

    scene_rehearsal(&rehearsal);
    text = rehearsal_evidence(&rehearsal);
    must(rehearsal_evidence_read("e.json", text, strlen(text), &back, &error), &error);
    assert_string_equal(back.id, rehearsal.id);
    assert_string_equal(back.ended_at, rehearsal.ended_at);
    assert_string_equal(back.environment, "staging");
    assert_int_equal(back.count, 4);
    assert_true(back.correction == 1.5);
    assert_string_equal(back.items[0].version, rehearsal.items[0].version);
    assert_string_equal(back.items[0].rollback_checksum, "r042");
    assert_null(back.items[0].verify_checksum);
    assert_true(back.items[0].passed);
    assert_int_equal(back.items[0].high_ms, 37000);
    OWNED char *lock = rehearsed_lock_words(&back.items[0]);
    assert_string_equal(lock, "nobody reads or writes public.orders for 12.3 s");
    assert_int_equal(back.items[1].round_trip, ROUND_TRIP_DIFFERS);
    assert_int_equal(back.items[1].low_ms, -1);
    assert_false(back.items[2].passed);
    assert_string_equal(back.items[2].failure.message, "relation \"no_such\" does not exist");
}

static void refuses(const char *text, const char *reason)
{
    AUTO(rehearsal_clear) struct rehearsal back = {0};
    AUTO(error_clear) struct error error = {0};

    assert_false(rehearsal_evidence_read("e.json", text, strlen(text), &back, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_has(error.message, "\"e.json\"");
    assert_has(error.message, reason);
    assert_int_equal(back.count, 0);
}

static void evidence_that_was_changed_is_refused(void **state)
{
    (void)state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    OWNED char *text = NULL;

    scene_rehearsal(&rehearsal);
    text = rehearsal_evidence(&rehearsal);
    memcpy(strstr(text, "c044"), "c045", 4);
    refuses(text, "digest does not fit");
    free(text);
    text = rehearsal_evidence(&rehearsal);
    memcpy(strstr(text, "\"pgmigrate_rehearsal\": 1"), "\"pgmigrate_rehearsal\": 9", 24);
    refuses(text, "newer pgmigrate");
    text[strlen(text) / 2] = '\0';
    refuses(text, "no evidence of a rehearsal");
    refuses("", "no evidence of a rehearsal");
    refuses("[1]", "no evidence of a rehearsal");
    refuses("{\"pgmigrate_rehearsal\": 1}", "digest does not fit");
    refuses("{\"pgmigrate_rehearsal\": 1, \"signed_off\": [], \"migrations\": {}}", "digest does not fit");
}

static void the_page_needs_nothing_and_takes_no_name_for_html(void **state)
{
    (void)state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    OWNED char *page = NULL;

    scene_rehearsal(&rehearsal);
    page = rehearsal_html(&rehearsal);
    assert_has(page, "042_&lt;orders&gt; &amp; &quot;more&quot;");
    assert_has(page, "SET note = '&lt;b&gt;' WHERE note &lt;&gt; '&amp;amp;'");
    assert_has(page, "ACCESS EXCLUSIVE on public.orders, 12.3 s");
    assert_lacks(page, "<orders>");
    assert_lacks(page, "<b>");
    assert_lacks(page, "<script");
    assert_lacks(page, "http:");
    assert_lacks(page, "https:");
    assert_lacks(page, "RowExclusiveLock");
    assert_lacks(page, "ROW EXCLUSIVE on");
    assert_lacks(page, "left out");
}

static void a_long_script_shows_what_takes_time(void **state)
{
    (void)state;
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    OWNED char *page = NULL;

    scene_rehearsal(&rehearsal);
    for (size_t i = 0; i < 200; i++)
        scene_statement(&rehearsal.items[0], 20 + i, "INSERT INTO quick …;", CLASS_DML, 100);
    page = rehearsal_html(&rehearsal);
    assert_has(page, "201 shorter statements are left out");
    assert_has(page, "ALTER TABLE orders");
    assert_lacks(page, "INSERT INTO quick");
}

static void says(struct evidence_found found, const char *expected)
{
    OWNED char *words = evidence_words(&found);

    if (expected == NULL)
        assert_null(words);
    else
        assert_string_equal(words, expected);
}

static void evidence_is_told_in_one_line(void **state)
{
    (void)state;
    char staging[] = "staging", orders[] = "public.orders", mode[] = "AccessExclusiveLock", exact[] = "exact",
         fails[] = "fails", local[] = "/run/postgresql/shop";
    struct evidence_found found = {.state = EVIDENCE_PASSED,
                                   .age_ms = 2 * 3600000 + 59 * 60000,
                                   .where = staging,
                                   .round_trip = exact,
                                   .execution_ms = 41000,
                                   .lock_relation = orders,
                                   .lock_mode = mode,
                                   .lock_ms = 180};

    says(found, "rehearsed 2 h ago on staging: 00:00:41, ACCESS EXCLUSIVE on orders 180 ms");
    found.lock_relation = NULL;
    found.age_ms = 59999;
    found.execution_ms = 12;
    found.round_trip = fails;
    says(found, "rehearsed just now on staging: 12 ms, rollback fails");
    found.where = local;
    found.execution_ms = 9999;
    says(found, "rehearsed just now on [local]/shop: 10.0 s, rollback fails");
    found.where = staging;
    found.state = EVIDENCE_FAILED;
    found.age_ms = 47 * 3600000;
    says(found, "rehearsal failed 47 h ago on staging");
    found.state = EVIDENCE_CHANGED;
    found.age_ms = INT64_C(49) * 3600000;
    says(found, "changed since it was rehearsed 2 d ago");
    found.state = EVIDENCE_NONE;
    says(found, NULL);
}

static int write_page(const char *path)
{
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    AUTO(error_clear) struct error error = {0};
    OWNED char *page = NULL;

    scene_rehearsal(&rehearsal);
    page = rehearsal_html(&rehearsal);
    return file_write_new(path, page, strlen(page), 0644, &error) ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_terminal_shows_one_line_a_migration_and_the_verdict_last),
        cmocka_unit_test(the_document_has_every_field),
        cmocka_unit_test(evidence_is_read_back),
        cmocka_unit_test(evidence_that_was_changed_is_refused),
        cmocka_unit_test(the_page_needs_nothing_and_takes_no_name_for_html),
        cmocka_unit_test(a_long_script_shows_what_takes_time),
        cmocka_unit_test(evidence_is_told_in_one_line),
    };

    if (argc == 3 && strcmp(argv[1], "--page") == 0)
        return write_page(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
