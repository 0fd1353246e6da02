/* SPDX-License-Identifier: PostgreSQL */
#include "history_scene.h"

#define TABLE "public.schema_migrations"

static struct history_row *row(struct scene *scene, const char *version)
{
    struct history_row *found = NULL;
    must(history_word(scene->history, version, &found, &scene->error), &scene->error);
    return found;
}

/* ---- opening and creating ---- */

static void looking_at_a_database_without_history_creates_nothing(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_open(scene, TABLE);
    assert_int_equal(history->shape, HISTORY_ABSENT);
    assert_null(history->oid);
    assert_null(history->other_tool);
    assert_value(scene, "SELECT count(*) FROM pg_class WHERE relname LIKE 'schema_migrations%'", "0");
}

static void preparing_creates_table_and_log_with_primary_keys(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    assert_int_equal(history->shape, HISTORY_OURS);
    assert_true(history->has_log);
    assert_value(scene,
                 "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conrelid IN "
                 "('schema_migrations'::regclass, 'schema_migrations_log'::regclass)",
                 "2");
    assert_value(
        scene,
        "SELECT collname FROM pg_attribute a JOIN pg_collation c ON c.oid = attcollation WHERE attrelid = "
        "'schema_migrations'::regclass AND attname = 'version'",
        "C");
}

static void preparing_creates_the_schema_that_was_asked_for(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_open(scene, "\"Ops\".\"Done \"\"well\"\"\"");
    assert_string_equal(history->schema, "Ops");
    assert_string_equal(history->table, "Done \"well\"");
    must(history_prepare(history, &scene->error), &scene->error);
    scene_lock(scene);
    scene_record(scene, "001_a");
    assert_int_equal(history->count, 1);
    assert_value(scene, "SELECT count(*) FROM \"Ops\".\"Done \"\"well\"\"_log\"", "1");
}

static void preparing_what_another_session_has_created_meanwhile_is_fine(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(history_free) struct history *other = NULL;
    must(history_open(scene->postgres, TABLE, &other, &scene->error), &scene->error);
    scene_prepare(scene);
    assert_int_equal(other->shape, HISTORY_ABSENT);
    must(history_prepare(other, &scene->error), &scene->error);
    assert_int_equal(other->shape, HISTORY_OURS);
}

static void a_log_that_was_dropped_is_made_again(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_sql(scene, "DROP TABLE schema_migrations_log");
    scene_refresh(scene);
    assert_int_equal(history->shape, HISTORY_ADOPTABLE);
    assert_int_equal(history->count, 1);
    AUTO(rows_free) struct rows *log = NULL;
    must(history_log(history, 0, &log, &scene->error), &scene->error);
    assert_int_equal(rows_count(log), 0);
    must(history_prepare(history, &scene->error), &scene->error);
    assert_int_equal(history->shape, HISTORY_OURS);
}

static void names_that_are_no_table_are_refused(void **state)
{
    struct scene *scene = scene_of(state);
    static const char *const names[] = {"",
                                        ".",
                                        "a.",
                                        ".a",
                                        "a.b.c",
                                        "\"a",
                                        "\"a\"b",
                                        "a\"b\"",
                                        "\"\"",
                                        "\"a\"\"",
                                        "a_table_whose_name_is_so_long_that_the_log_has_no_room_beside"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        AUTO(history_free) struct history *history = NULL;
        AUTO(error_clear) struct error error = {0};
        assert_false(history_open(scene->postgres, names[i], &history, &error));
        assert_int_equal(error.code, ERROR_USAGE);
    }
}

static void names_without_quotes_are_folded_as_sql_does(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_open(scene, "Ops.Done");
    assert_string_equal(history->schema, "ops");
    assert_string_equal(history->table, "done");
    assert_string_equal(scene_open(scene, "Done")->schema, "public");
}

static void each_table_has_a_run_lock_of_its_own(void **state)
{
    struct scene *scene = scene_of(state);
    int64_t key = scene_open(scene, "a.b")->lock_key;
    assert_true(key == scene_open(scene, "a.b")->lock_key);
    assert_true(key != scene_open(scene, "ab.b")->lock_key);
    assert_true(key != scene_open(scene, "a.bb")->lock_key);
}

static void a_role_that_may_not_create_tables_is_told_the_grant(void **state)
{
    struct scene *scene = scene_of(state);
    scene_sql(scene, "REVOKE CREATE ON SCHEMA public FROM PUBLIC; SET ROLE pg_monitor");
    scene_open(scene, TABLE);
    assert_false(history_prepare(scene->history, &scene->error));
    assert_string_equal(scene->error.sqlstate, "42501");
    assert_non_null(strstr(scene->error.hint, "GRANT CREATE ON SCHEMA \"public\" TO \"pg_monitor\""));
}

/* ---- the log ---- */

static void the_log_comes_newest_first_and_limited(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_record(scene, "002_b");
    AUTO(rows_free) struct rows *all = NULL;
    AUTO(rows_free) struct rows *one = NULL;
    must(history_log(history, 0, &all, &scene->error), &scene->error);
    must(history_log(history, 1, &one, &scene->error), &scene->error);
    assert_int_equal(rows_count(all), 2);
    assert_int_equal(rows_count(one), 1);
    assert_string_equal(rows_text(one, 0, "version"), "002_b");
}

static void not_even_the_owner_changes_the_log(void **state)
{
    struct scene *scene = scene_of(state);
    scene_sql(scene, "GRANT ALL ON SCHEMA public TO pg_monitor; SET ROLE pg_monitor");
    scene_prepare(scene);
    scene_record(scene, "001_a");
    static const char *const changes[] = {"DELETE FROM schema_migrations_log",
                                          "TRUNCATE schema_migrations_log",
                                          "UPDATE schema_migrations_log SET who = 'nobody'"};
    for (size_t i = 0; i < 3; i++) {
        assert_false(postgres_execute(scene->postgres, changes[i], &scene->error));
        assert_string_equal(scene->error.sqlstate, "42501");
    }
}

/* ---- rows and files, words ---- */

static void a_bare_number_belongs_to_the_one_file_that_has_it(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_sql(scene,
              "INSERT INTO schema_migrations (version) VALUES ('42'), ('043'), ('044_c.sql'), ('initial')");
    scene_refresh(scene);
    scene_write(scene, "042_a.sql", "select 1;");
    scene_write(scene, "043_a.sql", "select 2;");
    scene_write(scene, "043_b.sql", "select 3;");
    scene_write(scene, "044_c.sql", "select 4;");
    struct folder *folder = scene_read(scene);
    assert_string_equal(history_find(history, folder, folder->items[0])->version, "42");
    assert_null(history_find(history, folder, folder->items[1]));
    assert_null(history_find(history, folder, folder->items[2]));
    assert_string_equal(history_find(history, folder, folder->items[3])->version, "044_c.sql");
    assert_ptr_equal(history_file(history, folder, row(scene, "42")), folder->items[0]);
    assert_null(history_file(history, folder, row(scene, "043")));
    assert_ptr_equal(history_file(history, folder, row(scene, "44")), folder->items[3]);
    assert_null(history_file(history, folder, row(scene, "initial")));
}

static void words_that_name_nothing_or_several_are_refused(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct history_row *found = NULL;
    assert_false(history_word(history, "latest", &found, &scene->error));
    scene_sql(scene, "INSERT INTO schema_migrations (version) VALUES ('042_add_orders'), ('042_b')");
    scene_refresh(scene);
    assert_false(history_word(history, "42", &found, &scene->error));
    assert_string_equal(scene->error.detail, "They are \"042_add_orders\", \"042_b\".");
    assert_false(history_word(history, "042_add_order", &found, &scene->error));
    assert_string_equal(scene->error.hint, "Did you mean \"042_add_orders\"?");
    assert_string_equal(row(scene, "042_b")->version, "042_b");
}

static void a_role_that_may_not_read_is_told_the_grant(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_sql(scene, "SET ROLE pg_monitor");
    assert_false(history_refresh(scene->history, &scene->error));
    assert_non_null(strstr(scene->error.hint, "GRANT USAGE ON SCHEMA \"public\" TO"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(looking_at_a_database_without_history_creates_nothing),
        scene_test(preparing_creates_table_and_log_with_primary_keys),
        scene_test(preparing_creates_the_schema_that_was_asked_for),
        scene_test(preparing_what_another_session_has_created_meanwhile_is_fine),
        scene_test(a_log_that_was_dropped_is_made_again),
        scene_test(names_that_are_no_table_are_refused),
        scene_test(names_without_quotes_are_folded_as_sql_does),
        scene_test(each_table_has_a_run_lock_of_its_own),
        scene_test(a_role_that_may_not_create_tables_is_told_the_grant),
        scene_test(the_log_comes_newest_first_and_limited),
        scene_test(not_even_the_owner_changes_the_log),
        scene_test(a_bare_number_belongs_to_the_one_file_that_has_it),
        scene_test(words_that_name_nothing_or_several_are_refused),
        scene_test(a_role_that_may_not_read_is_told_the_grant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
