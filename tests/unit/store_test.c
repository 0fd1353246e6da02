/* SPDX-License-Identifier: PostgreSQL */
#include "common/interrupt.h"
#include "common/store.h"
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST  "CREATE TABLE t (i integer PRIMARY KEY, s text); PRAGMA user_version = 1"
#define SECOND "ALTER TABLE t ADD COLUMN more text; PRAGMA user_version = 2"

static const char *const one[] = {FIRST, NULL};
static const char *const two[] = {FIRST, SECOND, NULL};

static void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s (%s)", error->message, error->detail == NULL ? "" : error->detail);
}

struct place {
    char *folder, *path;
};

static int place_begin(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct place *place = memory_allocate(1, sizeof *place);

    must(file_make_temporary("pgmigrate-test", &place->folder, &error), &error);
    place->path = file_join(place->folder, "catalog.sqlite");
    *state = place;
    return 0;
}

static int place_end(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct place *place = *state;

    must(file_remove_tree(place->folder, &error), &error);
    free(place->folder);
    free(place->path);
    free(place);
    return 0;
}

static const char *path_of(void **state)
{
    const struct place *place = *state;
    return place->path;
}

static struct store *opened(const char *path, const char *const scripts[])
{
    AUTO(error_clear) struct error error = {0};
    struct store *store = NULL;

    must(store_open(path, scripts, &store, &error), &error);
    return store;
}

static void run(struct store *store, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    must(store_run(store, sql, 0, NULL, NULL, &error), &error);
}

static int64_t count_of(struct store *store)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_rows_free) struct store_rows *rows = NULL;

    must(store_run(store, "SELECT count(*) AS n FROM t", 0, NULL, &rows, &error), &error);
    return store_rows_integer(rows, 0, "n");
}

static void refuses_to_open(const char *path, struct error *error)
{
    struct store *store = NULL;
    assert_false(store_open(path, two, &store, error));
    assert_null(store);
}

/* ---- what goes in comes out ---- */

static void values_go_in_and_come_out_as_they_are(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path_of(state), two);
    AUTO(store_rows_free) struct store_rows *rows = NULL;
    static const char insert[] = "INSERT INTO t VALUES (?1, ?2, ?3)";

    must(store_run(store, insert, 3, (const char *const[]){"1", "it's \"quoted\"; DROP TABLE t", NULL}, NULL,
                   &error),
         &error);
    must(store_run(store, insert, 3, (const char *const[]){"-7", "", "ä"}, NULL, &error), &error);
    must(store_run(store, "SELECT i, s, more FROM t ORDER BY i DESC", 0, NULL, &rows, &error), &error);
    assert_int_equal(store_rows_count(rows), 2);
    assert_string_equal(store_rows_text(rows, 0, "s"), "it's \"quoted\"; DROP TABLE t");
    assert_null(store_rows_text(rows, 0, "more"));
    assert_int_equal(store_rows_integer(rows, 0, "more"), 0);
    assert_int_equal(store_rows_integer(rows, 1, "i"), -7);
    assert_string_equal(store_rows_text(rows, 1, "s"), "");
    assert_string_equal(store_rows_text(rows, 1, "more"), "ä");
}

static void a_transaction_is_kept_or_undone_as_a_whole(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path_of(state), one);

    must(store_begin(store, &error), &error);
    run(store, "INSERT INTO t VALUES (1, 'a')");
    store_rollback(store);
    store_rollback(store);
    assert_int_equal(count_of(store), 0);
    must(store_begin(store, &error), &error);
    run(store, "INSERT INTO t VALUES (1, 'a')");
    must(store_commit(store, &error), &error);
    assert_int_equal(count_of(store), 1);
}

static void a_statement_that_fails_says_where_and_why(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path_of(state), one);

    assert_false(store_run(store, "SELECT elsewhere FROM t", 0, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_non_null(strstr(error.message, path_of(state)));
    assert_non_null(strstr(error.message, "no such column: elsewhere"));
    assert_false(store_run(store, "SELECT ?1", 0, NULL, NULL, &error));
    assert_non_null(strstr(error.message, "has 1 parameters, but 0 values came"));
}

/* ---- the file ---- */

static void the_file_is_for_its_owner_only(void **state)
{
    struct stat facts;

    umask(0);
    store_close(opened(path_of(state), one));
    umask(022);
    assert_int_equal(stat(path_of(state), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void an_older_file_gets_the_scripts_it_lacks(void **state)
{
    AUTO(store_close) struct store *old = opened(path_of(state), one);
    run(old, "INSERT INTO t VALUES (1, 'kept')");
    store_close(take(old));

    AUTO(store_close) struct store *store = opened(path_of(state), two);
    run(store, "UPDATE t SET more = s");
    assert_int_equal(count_of(store), 1);
}

static void a_script_that_fails_leaves_the_file_as_it_was(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct store *store = NULL;
    static const char *const broken[] = {FIRST, "CREATE TABLE u (i); nonsense", NULL};

    store_close(opened(path_of(state), one));
    assert_false(store_open(path_of(state), broken, &store, &error));
    assert_non_null(strstr(error.message, "nonsense"));
    AUTO(store_close) struct store *again = opened(path_of(state), one);
    assert_false(store_run(again, "SELECT * FROM u", 0, NULL, NULL, &error));
}

static void a_file_of_a_newer_program_is_left_alone(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path_of(state), two);

    run(store, "PRAGMA user_version = 3");
    refuses_to_open(path_of(state), &error);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_non_null(strstr(error.message, "was made by a newer pgmigrate"));
}

/* Overwrite some of the file. */
static void damage(const char *path, off_t from, size_t size)
{
    OWNED char *rubbish = memory_allocate(size, 1);
    memset(rubbish, 0xa5, size);
    FILE *file = fopen(path, "r+");

    assert_non_null(file);
    fseeko(file, from, SEEK_SET);
    assert_int_equal(fwrite(rubbish, 1, size, file), size);
    fclose(file);
}

static void a_damaged_file_says_what_to_do(void **state)
{
    static const off_t places[] = {0, 100, 4096, 8192};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO(error_clear) struct error error = {0};
        struct store *store = opened(path_of(state), two);
        run(store, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                   " INSERT INTO t (s) SELECT 'text ' || i FROM n");
        store_close(store);
        damage(path_of(state), places[i], 600);
        refuses_to_open(path_of(state), &error);
        assert_int_equal(error.code, ERROR_FAILED);
        assert_non_null(strstr(error.message, "is damaged"));
        assert_non_null(strstr(error.hint, "Move it away"));
        assert_int_equal(unlink(path_of(state)), 0);
    }
}

static void a_file_cut_short_is_damaged(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct store *store = opened(path_of(state), two);
    run(store, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
               " INSERT INTO t (s) SELECT 'text ' || i FROM n");
    store_close(store);
    assert_int_equal(truncate(path_of(state), 6000), 0);
    refuses_to_open(path_of(state), &error);
    assert_int_equal(error.code, ERROR_FAILED);
}

static void a_full_disk_undoes_the_transaction(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path_of(state), one);

    run(store, "INSERT INTO t VALUES (1, 'a')");
    run(store, "PRAGMA max_page_count = 4");
    must(store_begin(store, &error), &error);
    assert_false(store_run(store, "INSERT INTO t VALUES (2, hex(zeroblob(100000)))", 0, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_non_null(strstr(error.message, "no space left"));
    store_rollback(store);
    assert_int_equal(count_of(store), 1);
    run(store, "INSERT INTO t VALUES (2, 'b')");
    assert_int_equal(count_of(store), 2);
}

/* As a user for whom permissions count: root becomes one. */
static bool reads_but_does_not_write(const char *folder, const char *path)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = NULL;
    OWNED char *other = file_join(folder, "new.sqlite");
    struct store *none = NULL;

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return false;
    if (!store_open(path, one, &store, &error) || count_of(store) != 1)
        return false;
    if (store_run(store, "INSERT INTO t VALUES (2, 'b')", 0, NULL, NULL, &error) ||
        error.code != ERROR_FAILED || strstr(error.hint, "permissions") == NULL)
        return false;
    return !store_open(other, one, &none, &error) && strstr(error.message, "Permission denied") != NULL;
}

static void what_may_only_be_read_can_be_read(void **state)
{
    struct place *place = *state;
    int status = -1;
    struct store *store = opened(place->path, one);
    run(store, "INSERT INTO t VALUES (1, 'a')");
    store_close(store);
    chmod(place->path, 0444);
    chmod(place->folder, 0555);

    pid_t pid = fork();
    if (pid == 0)
        _exit(reads_but_does_not_write(place->folder, place->path) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    chmod(place->folder, 0700);
    assert_int_equal(status, 0);
}

static void a_name_means_a_file_whatever_it_is(void **state)
{
    const struct place *place = *state;
    OWNED char *before = getcwd(NULL, 0);

    assert_int_equal(chdir(place->folder), 0);
    store_close(opened(":memory:", one));
    assert_true(file_exists(":memory:"));
    assert_int_equal(chdir(before), 0);
}

/* ---- several processes ---- */

static void write_much(const char *path)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path, two);

    for (int i = 0; i < 25; i++) {
        must(store_begin(store, &error), &error);
        run(store, "INSERT INTO t (s) VALUES ('a')");
        must(store_commit(store, &error), &error);
    }
}

static void processes_create_and_write_one_file_at_once(void **state)
{
    pid_t pids[4];

    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            write_much(path_of(state));
            _exit(0);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    AUTO(store_close) struct store *store = opened(path_of(state), two);
    assert_int_equal(count_of(store), 100);
}

static bool is_interrupted(const char *path)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path, two);
    pid_t self = getpid();

    interrupt_install();
    if (fork() == 0) {
        usleep(200000);
        kill(self, SIGINT);
        _exit(0);
    }
    return !store_begin(store, &error) && error.code == ERROR_INTERRUPTED;
}

static void waiting_for_another_process_can_be_interrupted(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(store_close) struct store *store = opened(path_of(state), two);
    int status = -1;

    must(store_begin(store, &error), &error);
    pid_t pid = fork();
    if (pid == 0)
        _exit(is_interrupted(path_of(state)) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    must(store_commit(store, &error), &error);
}

/* ---- our own statements ---- */

static bool is_schema(const char *name)
{
    return strstr(name, "_create") != NULL;
}

/* …_create….sql are scripts and run in the order of their names; all others are prepared. */
static void every_statement_for_sqlite_can_be_prepared(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(text_list_clear) struct text_list names = {0};
    sqlite3 *file = NULL;
    size_t prepared = 0;

    must(file_list("sql/store", &names, &error), &error);
    assert_int_equal(sqlite3_open(":memory:", &file), SQLITE_OK);
    for (int schema = 1; schema >= 0; schema--)
        for (size_t i = 0; i < names.count; i++) {
            OWNED char *path = file_join("sql/store", names.items[i]);
            OWNED char *text = NULL;
            size_t size;
            sqlite3_stmt *statement = NULL;
            if (is_schema(names.items[i]) != (schema == 1))
                continue;
            must(file_read(path, &text, &size, &error), &error);
            if ((schema ? sqlite3_exec(file, text, NULL, NULL, NULL)
                        : sqlite3_prepare_v2(file, text, -1, &statement, NULL)) != SQLITE_OK)
                fail_msg("%s: %s", path, sqlite3_errmsg(file));
            sqlite3_finalize(statement);
            prepared++;
        }
    sqlite3_close(file);
    assert_true(prepared > 3);
}

#define place_test(test) cmocka_unit_test_setup_teardown(test, place_begin, place_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        place_test(values_go_in_and_come_out_as_they_are),
        place_test(a_transaction_is_kept_or_undone_as_a_whole),
        place_test(a_statement_that_fails_says_where_and_why),
        place_test(the_file_is_for_its_owner_only),
        place_test(an_older_file_gets_the_scripts_it_lacks),
        place_test(a_script_that_fails_leaves_the_file_as_it_was),
        place_test(a_file_of_a_newer_program_is_left_alone),
        place_test(a_damaged_file_says_what_to_do),
        place_test(a_file_cut_short_is_damaged),
        place_test(a_full_disk_undoes_the_transaction),
        place_test(what_may_only_be_read_can_be_read),
        place_test(a_name_means_a_file_whatever_it_is),
        place_test(processes_create_and_write_one_file_at_once),
        place_test(waiting_for_another_process_can_be_interrupted),
        cmocka_unit_test(every_statement_for_sqlite_can_be_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
