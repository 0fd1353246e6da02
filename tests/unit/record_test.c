/* SPDX-License-Identifier: PostgreSQL */
#include "history_scene.h"

static struct history_row *row(struct scene *scene, const char *version)
{
    struct history_row *found = NULL;
    must(history_word(scene->history, version, &found, &scene->error), &scene->error);
    return found;
}

/* ---- recording ---- */

static void a_recorded_migration_reads_back_with_its_texts(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene->identity.git_commit = "abc123";
    scene->identity.backup_id = "b1";
    struct migration *migration = scene_migration(scene, "042_add_orders");
    AUTO(rows_free) struct rows *rows = NULL;
    must(scene_try(scene, history_record(history, &scene->identity, migration, true), &rows), &scene->error);
    assert_int_equal(rows_count(rows), 1);
    assert_true(rows_integer(rows, 0, "xid") > 0);
    assert_true(rows_integer(rows, 0, "execution_ms") >= 0);
    scene_refresh(scene);

    assert_int_equal(history->count, 1);
    const struct history_row *applied = &history->rows[0];
    assert_string_equal(applied->version, "042_add_orders");
    assert_string_equal(applied->description, "add_orders");
    assert_string_equal(applied->file_name, "042_add_orders.sql");
    assert_string_equal(applied->applied_by, "postgres");
    assert_string_equal(applied->checksum, migration->forward.checksum);
    assert_string_equal(applied->rollback_checksum, migration->rollback.checksum);
    assert_string_equal(applied->run_id, RUN_ID);
    assert_string_equal(applied->backup_id, "b1");
    assert_int_equal(applied->state, ROW_APPLIED);
    assert_true(applied->transactional && applied->has_rollback && applied->out_of_order);
    assert_int_equal(applied->applied_at[strlen(applied->applied_at) - 1], 'Z');

    AUTO(history_texts_clear) struct history_texts texts = {0};
    must(history_texts(history, applied->version, &texts, &scene->error), &scene->error);
    assert_string_equal(texts.forward, migration->forward.text);
    assert_string_equal(texts.rollback, migration->rollback.text);
    assert_value(
        scene,
        "SELECT concat_ws('|', action, version, run_id, reason, tool_version, git_commit, backup_id, who) "
        "FROM schema_migrations_log",
        "applied|042_add_orders|" RUN_ID "|a test|0.1.0|abc123|b1|postgres");
}

static void a_table_that_selects_well_has_its_short_columns_first(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    assert_value(
        scene,
        "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attnum BETWEEN 1 AND 6 AND "
        "attrelid = 'schema_migrations'::regclass",
        "version description applied_at applied_by execution_ms state");
}

/* The planner must neither skip the guard nor settle it while planning: both kinds of plans are tried. */
static void recording_without_the_run_lock_fails(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "001_a");
    static const char *const modes[] = {"SET plan_cache_mode = force_generic_plan",
                                        "SET plan_cache_mode = force_custom_plan"};
    for (size_t i = 0; i < 2; i++) {
        scene_sql(scene, modes[i]);
        scene_sql(scene, "SELECT pg_advisory_unlock_all()");
        assert_false(scene_try(scene, history_record(history, &scene->identity, migration, false), NULL));
        assert_string_equal(scene->error.message, "the run lock was lost");
        assert_false(scene_try(scene, history_forget(history, &scene->identity, "001_a", 0, -1), NULL));
        assert_string_equal(scene->error.message, "the run lock was lost");
        scene_lock(scene);
        assert_true(scene_try(scene, history_record(history, &scene->identity, migration, false), NULL));
    }
}

static void a_lock_of_another_session_does_not_count(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    AUTO(postgres_free) struct postgres *other = NULL;
    scene_sql(scene, "SELECT pg_advisory_unlock_all()");
    must(postgres_connect(scene->url, "pgmigrate-test", &other, &scene->error), &scene->error);
    OWNED char *sql = text_format("SELECT pg_try_advisory_lock(%jd)", (intmax_t)history->lock_key);
    must(postgres_query(other, sql, 0, NULL, NULL, &scene->error), &scene->error);
    struct migration *migration = scene_migration(scene, "001_a");
    assert_false(scene_try(scene, history_record(history, &scene->identity, migration, false), NULL));
    assert_string_equal(scene->error.message, "the run lock was lost");
}

static void a_migration_that_replaces_the_history_table_is_stopped(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "001_a");
    static const struct {
        const char *sql, *message;
    } cases[] = {
        {"BEGIN; DROP TABLE schema_migrations",
         "the history table \"public.schema_migrations\" was dropped meanwhile"},
        {"BEGIN; ALTER TABLE schema_migrations RENAME TO old; CREATE TABLE schema_migrations (LIKE old "
         "INCLUDING ALL)",
         "the history table \"public.schema_migrations\" was replaced meanwhile"},
        {"BEGIN; DROP TABLE schema_migrations; CREATE TABLE schema_migrations (version text PRIMARY KEY)",
         "the history table \"public.schema_migrations\" was changed meanwhile"},
        {"BEGIN; ALTER TABLE schema_migrations DROP CONSTRAINT schema_migrations_pkey",
         "the history table \"public.schema_migrations\" was changed meanwhile"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_sql(scene, cases[i].sql);
        assert_false(scene_try(scene, history_record(history, &scene->identity, migration, false), NULL));
        assert_string_equal(scene->error.message, cases[i].message);
        scene_sql(scene, "ROLLBACK");
    }
}

static void recording_works_whatever_the_search_path_is(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_sql(scene, "SELECT set_config('search_path', '', false)");
    scene_record(scene, "001_a");
    scene_sql(scene, "CREATE SCHEMA evil; CREATE TABLE evil.schema_migrations (version text); "
                     "SET search_path = evil, public");
    scene_record(scene, "002_b");
    assert_int_equal(scene->history->count, 2);
}

static void a_row_the_migration_wrote_itself_is_completed(void **state)
{
    static const char *const versions[] = {"042_add_orders", "042", "42"};
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    for (size_t i = 0; i < 3; i++) {
        OWNED char *own =
            text_format("INSERT INTO schema_migrations (version, description, applied_at) VALUES ('%s', "
                        "'Adds orders', now()) ON CONFLICT DO NOTHING",
                        versions[i]);
        scene_sql(scene, "BEGIN");
        scene_sql(scene, own);
        struct migration *migration = scene_migration(scene, "042_add_orders");
        scene_send(scene, history_record(history, &scene->identity, migration, false));
        assert_value(
            scene,
            "SELECT string_agg(version || ':' || description || ':' || run_id, ',') FROM schema_migrations",
            "042_add_orders:Adds orders:" RUN_ID);
        assert_value(scene, "SELECT count(*) FROM schema_migrations_log", "1");
        scene_sql(scene, "ROLLBACK");
    }
}

static void a_number_somebody_else_recorded_stays(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_sql(scene, "INSERT INTO schema_migrations (version) VALUES ('042')");
    scene_refresh(scene);
    scene_record(scene, "042_add_orders");
    assert_value(scene, "SELECT string_agg(version, ',' ORDER BY version) FROM schema_migrations",
                 "042,042_add_orders");
}

static void recording_again_does_not_double(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_record(scene, "001_a");
    assert_int_equal(scene->history->count, 1);
}

static void the_order_of_application_is_kept(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "002_b");
    scene_record(scene, "010_c");
    scene_record(scene, "001_a");
    assert_string_equal(scene->history->rows[0].version, "001_a");
    assert_string_equal(scene->history->rows[2].version, "010_c");
    assert_string_equal(row(scene, "latest")->version, "001_a");
    assert_true(row(scene, "2")->sequence < row(scene, "10")->sequence);
}

/* ---- scripts without a transaction ---- */

static struct text_list three_hashes(void)
{
    struct text_list hashes = {0};
    text_list_add(&hashes, text_copy("aa"));
    text_list_add(&hashes, text_copy("b\"\\b"));
    text_list_add(&hashes, text_copy("cc"));
    return hashes;
}

static void a_script_that_stops_half_way_is_taken_up_where_it_stopped(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "001_a");
    AUTO(text_list_clear) struct text_list hashes = three_hashes();
    scene_send(scene, history_begin(history, &scene->identity, migration, false, &hashes));
    scene_send(scene, history_started(history, "001_a", 0));
    scene_send(scene, history_advance(history, "001_a", 1, 17));
    scene_send(scene, history_started(history, "001_a", 1));
    scene_send(scene, history_fail(history, &scene->identity, "001_a", "it broke"));
    scene_refresh(scene);
    const struct history_row *half = &history->rows[0];
    assert_int_equal(half->state, ROW_FAILED);
    assert_false(half->transactional);
    assert_int_equal(half->statements_done, 1);
    assert_int_equal(half->statements_total, 3);
    assert_int_equal(half->statement_started, 1);
    assert_int_equal(half->execution_ms, 17);
    assert_value(scene, "SELECT action || ':' || detail FROM schema_migrations_log", "failed:it broke");

    struct text_list stored = {0};
    must(history_hashes(history, "001_a", &stored, &scene->error), &scene->error);
    assert_int_equal(stored.count, 3);
    assert_string_equal(stored.items[1], "b\"\\b");
    text_list_clear(&stored);

    scene_send(scene, history_begin(history, &scene->identity, migration, false, &hashes));
    scene_refresh(scene);
    assert_int_equal(history->rows[0].state, ROW_RUNNING);
    assert_int_equal(history->rows[0].statements_done, 1);
    scene_send(scene, history_advance(history, "001_a", 3, 40));
    scene_send(scene, history_finish(history, &scene->identity, "001_a", 40));
    scene_refresh(scene);
    assert_int_equal(history->rows[0].state, ROW_APPLIED);
    assert_int_equal(history->rows[0].statement_started, -1);
    assert_value(scene, "SELECT string_agg(action, ',' ORDER BY id) FROM schema_migrations_log",
                 "failed,applied");
}

static void a_number_such_a_script_recorded_itself_is_taken_away_when_it_ends(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "007_a");
    AUTO(text_list_clear) struct text_list hashes = three_hashes();
    scene_send(scene, history_begin(history, &scene->identity, migration, false, &hashes));
    scene_sql(scene, "INSERT INTO schema_migrations (version) VALUES ('7')");
    scene_send(scene, history_finish(history, &scene->identity, "007_a", 1));
    assert_value(scene, "SELECT string_agg(version || ':' || state, ',') FROM schema_migrations",
                 "007_a:applied");
}

static void progress_of_a_row_that_is_gone_is_an_error(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    assert_false(scene_try(scene, history_advance(history, "001_a", 1, 1), NULL));
    assert_non_null(strstr(scene->error.message, "was robbed of the row meanwhile"));
    assert_false(scene_try(scene, history_finish(history, &scene->identity, "001_a", 1), NULL));
    assert_false(scene_try(scene, history_archive(history, &scene->identity, "001_a"), NULL));
    assert_false(scene_try(scene, history_started(history, "001_a", 1), NULL));
}

static void the_failure_of_a_transactional_migration_is_only_logged(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_sql(scene, "SELECT pg_advisory_unlock_all()");
    scene_send(scene, history_fail(history, &scene->identity, "001_a", "syntax error"));
    assert_value(scene, "SELECT action || ':' || version || ':' || detail FROM schema_migrations_log",
                 "failed:001_a:syntax error");
    assert_value(scene, "SELECT count(*) FROM schema_migrations", "0");
}

/* ---- going back, repairing ---- */

static void forgetting_keeps_the_whole_row_in_the_log(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    AUTO(rows_free) struct rows *rows = NULL;
    must(scene_try(scene, history_forget(history, &scene->identity, "001_a", 0, -1), &rows), &scene->error);
    assert_true(rows_integer(rows, 0, "xid") > 0);
    assert_true(rows_integer(rows, 0, "execution_ms") >= 0);
    assert_value(scene, "SELECT count(*) FROM schema_migrations", "0");
    assert_value(scene,
                 "SELECT \"row\" ->> 'rollback_text' FROM schema_migrations_log WHERE action = 'rolled_back'",
                 "DROP TABLE \"001_a\";\n");
}

static void a_rollback_script_may_delete_its_own_row(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_sql(scene, "DELETE FROM schema_migrations WHERE version = '001_a'");
    scene_send(scene, history_forget(history, &scene->identity, "001_a", 0, -1));
    assert_value(scene, "SELECT \"row\" IS NULL FROM schema_migrations_log WHERE action = 'rolled_back'",
                 "t");
}

static void a_baseline_stores_the_texts_and_leaves_applied_rows_alone(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "001_a");
    scene_send(scene, history_baseline(history, &scene->identity, migration));
    scene_send(scene, history_baseline(history, &scene->identity, migration));
    scene_refresh(scene);
    assert_int_equal(history->rows[0].state, ROW_BASELINE);
    assert_true(history->rows[0].has_rollback);
    assert_string_equal(history->rows[0].checksum, migration->forward.checksum);
    assert_value(scene, "SELECT string_agg(action || ':' || reason, ',') FROM schema_migrations_log",
                 "baseline:a test");
}

static void marking_as_applied_ends_a_half_run(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "001_a");
    AUTO(text_list_clear) struct text_list hashes = three_hashes();
    scene_send(scene, history_begin(history, &scene->identity, migration, false, &hashes));
    scene_send(scene, history_mark_applied(history, &scene->identity, migration));
    scene_refresh(scene);
    assert_int_equal(history->rows[0].state, ROW_APPLIED);
    assert_value(scene, "SELECT action FROM schema_migrations_log", "mark_applied");
}

static void marking_as_rolled_back_is_told_apart_from_a_rollback(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_send(scene, history_mark_rolled_back(history, &scene->identity, "001_a"));
    assert_value(scene, "SELECT action FROM schema_migrations_log ORDER BY id DESC LIMIT 1",
                 "mark_rolled_back");
    assert_value(scene, "SELECT count(*) FROM schema_migrations", "0");
}

static void accepting_a_checksum_takes_over_texts_and_name(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "042_add_orders");
    OWNED char *before = text_copy(history->rows[0].checksum);
    struct migration *renamed = scene_migration(scene, "042_create_orders");
    scene_send(scene, history_accept_checksum(history, &scene->identity, "042_add_orders", renamed));
    scene_refresh(scene);
    assert_int_equal(history->count, 1);
    assert_string_equal(history->rows[0].version, "042_create_orders");
    assert_string_equal(history->rows[0].file_name, "042_create_orders.sql");
    assert_string_equal(history->rows[0].checksum, renamed->forward.checksum);
    OWNED char *detail = text_format("was 042_add_orders, checksum %s", before);
    assert_value(scene, "SELECT detail FROM schema_migrations_log WHERE action = 'accept_checksum'", detail);
}

/* EXECUTE with the values of a statement, as text. */
static char *execution_of(const struct history_statement *statement)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputs("EXECUTE record(", stream);
    for (size_t i = 0; i < statement->count; i++) {
        OWNED char *value =
            statement->values[i] == NULL ? text_copy("NULL") : postgres_quote_literal(statement->values[i]);
        fprintf(stream, "%s%s", i == 0 ? "" : ", ", value);
    }
    fputc(')', stream);
    fclose(stream);
    return text;
}

/* The plan is kept, and was made when there was nothing to read: it once read all of a growing history. */
static void recording_never_reads_the_whole_history(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    struct migration *migration = scene_migration(scene, "001_a");
    AUTO(history_statement_free)
    struct history_statement *statement = history_record(history, &scene->identity, migration, false);
    OWNED char *prepare = text_format("PREPARE record AS %s", statement->sql);
    OWNED char *execute = execution_of(statement);
    scene_sql(scene, "SET plan_cache_mode = force_generic_plan");
    scene_sql(scene, prepare);
    scene_sql(scene, execute);
    scene_sql(scene,
              "INSERT INTO schema_migrations (version) SELECT '9' || g FROM generate_series(1, 5000) AS g");
    scene_sql(scene, "BEGIN");
    scene_sql(scene, execute);
    assert_value(scene, "SELECT pg_stat_get_xact_tuples_returned('schema_migrations'::regclass) < 10", "t");
    scene_sql(scene, "ROLLBACK");
}

static void archiving_is_logged_with_its_reason(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_send(scene, history_archive(history, &scene->identity, "001_a"));
    scene_refresh(scene);
    assert_int_equal(history->rows[0].state, ROW_ARCHIVED);
    assert_value(scene, "SELECT reason FROM schema_migrations_log WHERE action = 'archive'", "a test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_recorded_migration_reads_back_with_its_texts),
        scene_test(a_table_that_selects_well_has_its_short_columns_first),
        scene_test(recording_without_the_run_lock_fails),
        scene_test(a_lock_of_another_session_does_not_count),
        scene_test(a_migration_that_replaces_the_history_table_is_stopped),
        scene_test(recording_works_whatever_the_search_path_is),
        scene_test(a_row_the_migration_wrote_itself_is_completed),
        scene_test(a_number_somebody_else_recorded_stays),
        scene_test(recording_again_does_not_double),
        scene_test(the_order_of_application_is_kept),
        scene_test(a_script_that_stops_half_way_is_taken_up_where_it_stopped),
        scene_test(a_number_such_a_script_recorded_itself_is_taken_away_when_it_ends),
        scene_test(progress_of_a_row_that_is_gone_is_an_error),
        scene_test(the_failure_of_a_transactional_migration_is_only_logged),
        scene_test(forgetting_keeps_the_whole_row_in_the_log),
        scene_test(a_rollback_script_may_delete_its_own_row),
        scene_test(a_baseline_stores_the_texts_and_leaves_applied_rows_alone),
        scene_test(marking_as_applied_ends_a_half_run),
        scene_test(marking_as_rolled_back_is_told_apart_from_a_rollback),
        scene_test(accepting_a_checksum_takes_over_texts_and_name),
        scene_test(recording_never_reads_the_whole_history),
        scene_test(archiving_is_logged_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
