/* SPDX-License-Identifier: PostgreSQL */
#include "history_scene.h"
#include "migrator/apply.h"
#include "migrator/script.h"
#include <stdio.h>

/* What a watch was told, one word a moment; it refuses where it is told the word refuse. */
struct diary {
    char *text;
    size_t size;
    FILE *stream;
    const char *refuse;
    char *seen; /* a value asked for at RUN_LOOK_COMMIT, by the run's connection */
};

static const char *moment_name(const struct run_look *look)
{
    static const char *const names[] = {"begin", "before", "after", "commit", "ended"};
    return names[look->moment];
}

static bool in_transaction(const struct run_look *look)
{
    return postgres_transaction(look->postgres) == POSTGRES_IN_TRANSACTION;
}

static bool keep(void *context, const struct run_look *look, struct error *error)
{
    struct diary *diary = context;
    fprintf(diary->stream, "%s%s", look->bare ? "bare " : "", moment_name(look));
    if (look->statement != NULL)
        fprintf(diary->stream, ":%zu", look->statement->line);
    if (look->moment == RUN_LOOK_AFTER)
        fprintf(diary->stream, " %s %d", look->tag, (int)look->rows);
    if (look->moment == RUN_LOOK_ENDED)
        fprintf(diary->stream, " %s", look->committed ? "committed" : "undone");
    fprintf(diary->stream, "; ");
    bool inside = !look->bare && look->moment != RUN_LOOK_BEGIN && look->moment != RUN_LOOK_ENDED;
    assert_int_equal(in_transaction(look), inside);
    assert_true(look->pid > 0 && look->us >= 0);
    assert_string_equal(look->version, "001_a");
    if (look->moment == RUN_LOOK_COMMIT) {
        AUTO(rows_free) struct rows *rows = NULL;
        must(postgres_query(look->postgres, "SELECT count(*) FROM pg_class WHERE relname = 'watched'", 0,
                            NULL, &rows, error),
             error);
        free(diary->seen);
        diary->seen = text_copy(rows_value(rows, 0, 0));
    }
    if (diary->refuse != NULL && strcmp(diary->refuse, moment_name(look)) == 0)
        return error_set(error, ERROR_REFUSED, "not this one");
    return true;
}

static bool apply_watched(struct scene *scene, const char *sql, struct diary *diary)
{
    struct run_watch watch = {.context = diary, .look = keep};
    struct apply_options options = {.run = {.lock_timeout_ms = 2000, .max_wait_ms = 10000, .watch = &watch},
                                    .batch = 100};
    AUTO(run_result_clear) struct run_result result = {0};
    diary->stream = open_memstream(&diary->text, &diary->size);
    scene_write(scene, "001_a.sql", sql);
    if (scene->history == NULL)
        scene_open(scene, "public.schema_migrations");
    error_clear(&scene->error);
    bool good =
        apply_run(scene->postgres, scene->history, scene_read(scene), &options, NULL, &result, &scene->error);
    fclose(diary->stream);
    return good;
}

static void diary_clear(struct diary *diary)
{
    free(diary->text);
    free(diary->seen);
}
CLEANUP_VALUE(struct diary, diary_clear)

static void who_watches_sees_each_moment_of_a_transaction(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(diary_clear) struct diary diary = {0};
    must(apply_watched(scene,
                       "CREATE TABLE watched (i int);\nINSERT INTO watched VALUES (1), (2);\n"
                       "COPY watched FROM STDIN;\n3\n\\.\n",
                       &diary),
         &scene->error);
    assert_string_equal(diary.text,
                        "begin; before:1; after:1 CREATE TABLE -1; before:2; after:2 INSERT 0 2 2; "
                        "before:3; after:3 COPY 1 1; commit; ended committed; ");
    assert_string_equal(diary.seen, "1");
    assert_value(scene, "SELECT count(*) FROM watched", "3");
}

static void who_watches_may_refuse_what_a_migration_has_done(void **state)
{
    struct scene *scene = scene_of(state);
    static const char *const moments[] = {"begin", "before", "after", "commit"};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        AUTO(diary_clear) struct diary diary = {.refuse = moments[i]};
        assert_false(apply_watched(scene, "CREATE TABLE watched (i int);\n", &diary));
        assert_int_equal(scene->error.code, ERROR_REFUSED);
        assert_string_equal(scene->error.message, "not this one");
        assert_non_null(strstr(diary.text, "ended undone; "));
        assert_value(scene, "SELECT to_regclass('watched')", "");
        assert_value(scene, "SELECT count(*) FROM schema_migrations", "0");
    }
}

static void a_statement_that_fails_ends_what_is_watched(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(diary_clear) struct diary diary = {0};
    assert_false(apply_watched(scene, "SELECT 1;\nSELECT 1/0;\n", &diary));
    assert_string_equal(diary.text, "begin; before:1; after:1 SELECT 1 1; before:2; ended undone; ");
    assert_int_equal(scene->error.line, 2);
}

static void statements_outside_transactions_are_watched_one_by_one(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(diary_clear) struct diary diary = {0};
    must(apply_watched(scene,
                       "-- pgmigrate: no-transaction\nCREATE TABLE watched (i int);\n"
                       "CREATE INDEX CONCURRENTLY ON watched (i);\n",
                       &diary),
         &scene->error);
    assert_string_equal(diary.text,
                        "begin; before:2; after:2 CREATE TABLE -1; commit; ended committed; "
                        "bare begin; bare before:3; bare after:3 CREATE INDEX -1; bare ended:3 committed; ");
}

static void a_dry_run_is_not_watched(void **state)
{
    struct scene *scene = scene_of(state);
    struct run_watch watch = {.look = keep};
    struct apply_options options = {.run = {.watch = &watch}, .dry_run = true, .batch = 1};
    AUTO(run_result_clear) struct run_result result = {0};
    scene_write(scene, "001_a.sql", "CREATE TABLE watched (i int);\n");
    scene_open(scene, "public.schema_migrations");
    must(
        apply_run(scene->postgres, scene->history, scene_read(scene), &options, NULL, &result, &scene->error),
        &scene->error);
    assert_int_equal(result.items[0].state, RUN_STATE_TRIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(who_watches_sees_each_moment_of_a_transaction),
        scene_test(who_watches_may_refuse_what_a_migration_has_done),
        scene_test(a_statement_that_fails_ends_what_is_watched),
        scene_test(statements_outside_transactions_are_watched_one_by_one),
        scene_test(a_dry_run_is_not_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
