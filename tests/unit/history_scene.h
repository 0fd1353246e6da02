/* SPDX-License-Identifier: PostgreSQL */
/*
 * A database of its own on the tests' server (TEST_SERVER_URL), a folder of migrations, and the history
 * opened on it. Without a server the tests are skipped.
 */
#ifndef TESTS_UNIT_HISTORY_SCENE_H
#define TESTS_UNIT_HISTORY_SCENE_H

#include "migrator/history.h"
#include "sql.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define RUN_ID "11111111-2222-4333-8444-555555555555"

struct scene {
    char *database;
    char *url;
    struct postgres *postgres;
    struct history *history;
    char *path;
    struct folder *folder;
    struct run_identity identity;
    struct error error;
};

static inline void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s (%s)", error->message, error->detail == NULL ? "" : error->detail);
}

static inline void scene_sql(struct scene *scene, const char *sql)
{
    must(postgres_execute(scene->postgres, sql, &scene->error), &scene->error);
}

/* The one value a query answers; "" for NULL, or when there is no row. The caller frees it. */
static inline char *scene_value(struct scene *scene, const char *sql)
{
    AUTO(rows_free) struct rows *rows = NULL;
    must(postgres_query(scene->postgres, sql, 0, NULL, &rows, &scene->error), &scene->error);
    const char *value = rows_count(rows) == 0 ? NULL : rows_value(rows, 0, 0);
    return text_copy(value == NULL ? "" : value);
}

#define assert_value(scene, sql, expected)                                                                   \
    do {                                                                                                     \
        OWNED char *value_ = scene_value(scene, sql);                                                        \
        assert_string_equal(value_, expected);                                                               \
    } while (0)

static inline bool server_execute(const char *format, const char *name, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    OWNED char *sql = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&sql, &size);
    for (const char *at = format; *at != '\0'; at++)
        fputs(*at == '%' ? name : (const char[]){*at, '\0'}, stream);
    fclose(stream);
    return postgres_connect(getenv("TEST_SERVER_URL"), "pgmigrate-test", &postgres, error) &&
           postgres_execute(postgres, sql, error);
}

/* The server's URL is postgresql://user@/database?host=… */
static inline char *url_of(const char *database, const char *user)
{
    const char *query = strchr(getenv("TEST_SERVER_URL"), '?');
    return text_format("postgresql://%s@/%s%s", user, database, query == NULL ? "" : query);
}

static inline int scene_begin(void **state)
{
    struct scene *scene = memory_allocate(1, sizeof *scene);
    *state = scene;
    if (getenv("TEST_SERVER_URL") == NULL)
        return 0;
    static int number;
    scene->database = text_format("unit_%d_%d", (int)getpid(), ++number);
    scene->url = url_of(scene->database, "postgres");
    scene->identity = (struct run_identity){.run_id = RUN_ID, .tool_version = "0.1.0", .reason = "a test"};
    must(server_execute("CREATE DATABASE %", scene->database, &scene->error), &scene->error);
    must(postgres_connect(scene->url, "pgmigrate-test", &scene->postgres, &scene->error), &scene->error);
    must(file_make_temporary("pgmigrate-history", &scene->path, &scene->error), &scene->error);
    return 0;
}

static inline int scene_end(void **state)
{
    struct scene *scene = *state;
    history_free(scene->history);
    folder_free(scene->folder);
    postgres_free(scene->postgres);
    error_clear(&scene->error);
    if (scene->database != NULL) {
        must(server_execute("DROP DATABASE IF EXISTS % WITH (FORCE)", scene->database, &scene->error),
             &scene->error);
        must(file_remove_tree(scene->path, &scene->error), &scene->error);
    }
    free(scene->database);
    free(scene->url);
    free(scene->path);
    free(scene);
    return 0;
}

static inline struct scene *scene_of(void **state)
{
    struct scene *scene = *state;
    if (scene->postgres != NULL)
        return scene;
    print_message("# skipped: no server; tests/run starts one\n");
    skip();
    return NULL;
}

static inline struct history *scene_open(struct scene *scene, const char *name)
{
    history_free(scene->history);
    scene->history = NULL;
    must(history_open(scene->postgres, name, &scene->history, &scene->error), &scene->error);
    return scene->history;
}

static inline void scene_refresh(struct scene *scene)
{
    must(history_refresh(scene->history, &scene->error), &scene->error);
}

static inline void scene_lock(struct scene *scene)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *key = text_format("%jd", (intmax_t)scene->history->lock_key);
    must(postgres_query(scene->postgres, sql_lock_try, 1, (const char *const[]){key}, &rows, &scene->error),
         &scene->error);
    assert_true(rows_bool(rows, 0, "locked"));
}

/* Opened under the usual name, created, and locked. */
static inline struct history *scene_prepare(struct scene *scene)
{
    scene_open(scene, "public.schema_migrations");
    scene_lock(scene);
    must(history_prepare(scene->history, &scene->error), &scene->error);
    return scene->history;
}

static inline void scene_write(struct scene *scene, const char *name, const char *text)
{
    OWNED char *path = file_join(scene->path, name);
    must(file_write_atomic(path, text, strlen(text), 0644, &scene->error), &scene->error);
}

static inline struct folder *scene_read(struct scene *scene)
{
    folder_free(scene->folder);
    scene->folder = NULL;
    struct folder_options options = {.rollback_required = ROLLBACK_NO, .allow_duplicates = true};
    text_list_add(&options.directories, text_copy(scene->path));
    must(folder_read(&options, &scene->folder, &scene->error), &scene->error);
    text_list_clear(&options.directories);
    return scene->folder;
}

/* The migration of the stem, with a forward and a rollback text. */
static inline struct migration *scene_migration(struct scene *scene, const char *stem)
{
    OWNED char *forward = text_format("%s.sql", stem), *rollback = text_format("%s_rollback.sql", stem);
    OWNED char *table = text_format("CREATE TABLE \"%s\" ();\n", stem);
    OWNED char *drop = text_format("DROP TABLE \"%s\";\n", stem);
    scene_write(scene, forward, table);
    scene_write(scene, rollback, drop);
    return folder_stem(scene_read(scene), stem);
}

/* Send a statement; what goes wrong is explained in scene->error. */
static inline bool scene_try(struct scene *scene, struct history_statement *owned, struct rows **ret)
{
    AUTO(history_statement_free) struct history_statement *statement = owned;
    error_clear(&scene->error);
    if (postgres_query(scene->postgres, statement->sql, statement->count, statement->values, ret,
                       &scene->error))
        return true;
    history_explain(scene->history, &scene->error);
    return false;
}

static inline void scene_send(struct scene *scene, struct history_statement *owned)
{
    AUTO(rows_free) struct rows *rows = NULL;
    must(scene_try(scene, owned, &rows), &scene->error);
}

static inline void scene_record(struct scene *scene, const char *stem)
{
    struct migration *migration = scene_migration(scene, stem);
    scene_send(scene, history_record(scene->history, &scene->identity, migration, false));
    scene_refresh(scene);
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

#endif
