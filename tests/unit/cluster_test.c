/* SPDX-License-Identifier: PostgreSQL */
#include "common/cluster.h"
#include "common/interrupt.h"
#include "common/postgres.h"
#include "common/text.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A temporary folder, and in it the cluster that most tests share. */
struct world {
    char *folder;
    char *cluster;
};

static void assert_ok(bool ok, const struct error *error)
{
    if (!ok)
        fail_msg("%s\n%s", error->message, error->detail ? error->detail : "");
}

static void start(const char *folder)
{
    AUTO(error_clear) struct error error = {0};
    assert_ok(cluster_start(folder, &error), &error);
}

static struct cluster_status status_of(const char *folder)
{
    AUTO(error_clear) struct error error = {0};
    struct cluster_status status = {0};
    assert_ok(cluster_status(folder, &status, &error), &error);
    return status;
}

static int pid_of(const char *folder)
{
    AUTO(cluster_status_clear) struct cluster_status status = status_of(folder);
    return status.pid;
}

static void execute(const char *folder, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(cluster_status_clear) struct cluster_status status = status_of(folder);
    AUTO(postgres_free) struct postgres *postgres = NULL;
    assert_non_null(status.url);
    assert_ok(postgres_connect(status.url, "cluster_test", &postgres, &error), &error);
    assert_ok(postgres_execute(postgres, sql, &error), &error);
}

static void destroy(const char *folder)
{
    AUTO(error_clear) struct error error = {0};
    assert_ok(cluster_destroy(folder, &error), &error);
    assert_false(file_exists(folder));
}

static void kill_server(const char *folder)
{
    int pid = pid_of(folder);
    assert_int_not_equal(pid, 0);
    kill(pid, SIGKILL);
    for (int i = 0; i < 500 && pid_of(folder) != 0; i++)
        usleep(10000);
}

static int make_world(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct world *world = memory_allocate(1, sizeof *world);
    setenv("PGMIGRATE_CLUSTER_FSYNC", "off", 1);
    assert_ok(file_make_temporary("cluster_test", &world->folder, &error), &error);
    chmod(world->folder, 0755);
    world->cluster = file_join(world->folder, "shared");
    *state = world;
    return 0;
}

static int end_world(void **state)
{
    AUTO(error_clear) struct error error = {0};
    struct world *world = *state;
    bool ok = cluster_destroy(world->cluster, &error) && file_remove_tree(world->folder, &error);
    free(world->folder);
    free(world->cluster);
    free(world);
    return ok ? 0 : 1;
}

static void an_absent_cluster_is_told_and_stopped_without_making_its_folder(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    AUTO(cluster_status_clear) struct cluster_status status = status_of(world->cluster);

    assert_int_equal(status.state, CLUSTER_ABSENT);
    assert_string_equal(status.folder, world->cluster);
    assert_null(status.url);
    assert_true(cluster_stop(world->cluster, &error));
    assert_false(file_exists(world->cluster));
}

static void a_started_cluster_answers_at_its_url_as_an_unprivileged_user(void **state)
{
    const struct world *world = *state;
    AUTO(cluster_status_clear) struct cluster_status status = {0};
    struct stat process;

    start(world->cluster);
    status = status_of(world->cluster);
    assert_int_equal(status.state, CLUSTER_RUNNING);
    assert_non_null(status.version);
    execute(world->cluster, "create table kept(); do $$ begin assert current_user = 'postgres'; "
                            "assert current_setting('listen_addresses') = ''; end $$");
    OWNED char *path = text_format("/proc/%d", status.pid);
    assert_int_equal(stat(path, &process), 0);
    assert_int_not_equal(process.st_uid, 0);
}

static void nobody_else_can_enter_the_folder_of_the_socket(void **state)
{
    const struct world *world = *state;
    OWNED char *server = file_join(world->cluster, "server");
    struct stat info;

    start(world->cluster);
    assert_int_equal(stat(server, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void starting_a_running_cluster_leaves_it_alone(void **state)
{
    const struct world *world = *state;
    start(world->cluster);
    int pid = pid_of(world->cluster);
    start(world->cluster);
    assert_int_equal(pid_of(world->cluster), pid);
}

static void data_survive_stop_and_start(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};

    start(world->cluster);
    assert_ok(cluster_stop(world->cluster, &error), &error);
    AUTO(cluster_status_clear) struct cluster_status status = status_of(world->cluster);
    assert_int_equal(status.state, CLUSTER_STOPPED);
    assert_int_equal(status.pid, 0);
    start(world->cluster);
    execute(world->cluster, "table kept");
}

static void a_killed_server_is_started_again(void **state)
{
    const struct world *world = *state;
    start(world->cluster);
    kill_server(world->cluster);
    AUTO(cluster_status_clear) struct cluster_status status = status_of(world->cluster);
    assert_int_equal(status.state, CLUSTER_STOPPED);
    start(world->cluster);
    execute(world->cluster, "table kept");
}

static void the_number_of_another_process_in_the_pid_file_is_not_the_server(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *path = text_format("%s/server/data/postmaster.pid", world->cluster);
    OWNED char *text = text_format("%d\n/nowhere\n1700000000\n5432\n/nowhere\n\n0 0\nready\n", getpid());

    start(world->cluster);
    kill_server(world->cluster);
    assert_ok(file_write_atomic(path, text, strlen(text), 0644, &error), &error);
    assert_int_equal(pid_of(world->cluster), 0);
    start(world->cluster);
    execute(world->cluster, "table kept");
}

static pid_t start_in_child(const char *folder)
{
    AUTO(error_clear) struct error error = {0};
    pid_t child = fork();
    if (child == 0)
        _exit(cluster_start(folder, &error) ? 0 : 1);
    return child;
}

static void two_first_starts_at_once_make_one_cluster(void **state)
{
    const struct world *world = *state;
    OWNED char *folder = file_join(world->folder, "twice");
    pid_t children[] = {start_in_child(folder), start_in_child(folder)};

    for (size_t i = 0; i < 2; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    execute(folder, "select 1");
    destroy(folder);
}

static void any_character_may_stand_in_the_path(void **state)
{
    const struct world *world = *state;
    OWNED char *folder = file_join(world->folder, "it's \"$HOME\" `id` %41, \\ ü");
    start(folder);
    execute(folder, "select 1");
    destroy(folder);
}

static void a_path_too_long_for_a_socket_gets_a_short_one(void **state)
{
    const struct world *world = *state;
    OWNED char *name = text_format("%0*d", 120, 0);
    OWNED char *folder = file_join(world->folder, name);

    start(folder);
    AUTO(cluster_status_clear) struct cluster_status status = status_of(folder);
    assert_null(strstr(status.url, name));
    execute(folder, "select 1");
    OWNED char *link = text_format("%s/server/socket", folder);
    OWNED char *socket = realpath(link, NULL);
    destroy(folder);
    assert_false(file_exists(socket));
}

static void root_starts_a_cluster_in_a_folder_only_root_may_enter(void **state)
{
    if (geteuid() != 0) {
        print_message("# skipped: it is about root, as whom the suite runs, too\n");
        skip(); /* jumps, so before anything is owned */
    }
    const struct world *world = *state;
    OWNED char *home = file_join(world->folder, "home");
    OWNED char *folder = file_join(home, "project/.pgmigrate/cluster");
    OWNED char *link = file_join(folder, "server");

    assert_int_equal(mkdir(home, 0700), 0);
    start(folder);
    execute(folder, "select 1");
    OWNED char *server = realpath(link, NULL);
    assert_false(text_starts_with(server, world->folder));
    destroy(folder);
    assert_false(file_exists(server));
}

static void an_interrupted_first_start_is_begun_anew(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = file_join(world->folder, "half");
    OWNED char *half = file_join(folder, "server/data.new/base");

    start(folder);
    assert_ok(cluster_stop(folder, &error), &error);
    OWNED char *data = file_join(folder, "server/data");
    assert_ok(file_remove_tree(data, &error) && file_make_folder(half, 0700, &error), &error);
    start(folder);
    execute(folder, "select 1");
    destroy(folder);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *file = file_join(world->folder, "file");
    OWNED char *folder = file_join(file, "cluster");

    assert_true(file_write_new(file, "", 0, 0644, &error));
    assert_false(cluster_start(folder, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_non_null(strstr(error.message, file));
}

static void a_path_of_two_lines_is_refused(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = file_join(world->folder, "two\nlines");

    assert_false(cluster_start(folder, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_false(file_exists(folder));
}

static void a_wrong_folder_of_programs_is_named(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = file_join(world->folder, "programs");
    const char *former = getenv("PGMIGRATE_PG_BINDIR");
    OWNED char *kept = text_copy(former);

    setenv("PGMIGRATE_PG_BINDIR", "/nowhere", 1);
    bool ok = cluster_start(folder, &error);
    if (kept)
        setenv("PGMIGRATE_PG_BINDIR", kept, 1);
    else
        unsetenv("PGMIGRATE_PG_BINDIR");
    assert_false(ok);
    assert_non_null(strstr(error.message, "\"/nowhere\""));
    assert_non_null(strstr(error.hint, "PGMIGRATE_PG_BINDIR"));
}

static void a_server_that_does_not_start_is_explained_by_its_log(void **state)
{
    const struct world *world = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = file_join(world->folder, "wrong");
    OWNED char *path = file_join(folder, "server/data/postgresql.auto.conf");

    start(folder);
    assert_ok(cluster_stop(folder, &error), &error);
    assert_ok(file_write_atomic(path, "no_such_thing = 1\n", 18, 0644, &error), &error);
    assert_false(cluster_start(folder, &error));
    assert_non_null(strstr(error.detail, "no_such_thing"));
    assert_non_null(strstr(error.hint, "log"));
    destroy(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absent_cluster_is_told_and_stopped_without_making_its_folder),
        cmocka_unit_test(a_started_cluster_answers_at_its_url_as_an_unprivileged_user),
        cmocka_unit_test(nobody_else_can_enter_the_folder_of_the_socket),
        cmocka_unit_test(starting_a_running_cluster_leaves_it_alone),
        cmocka_unit_test(data_survive_stop_and_start),
        cmocka_unit_test(a_killed_server_is_started_again),
        cmocka_unit_test(the_number_of_another_process_in_the_pid_file_is_not_the_server),
        cmocka_unit_test(two_first_starts_at_once_make_one_cluster),
        cmocka_unit_test(any_character_may_stand_in_the_path),
        cmocka_unit_test(a_path_too_long_for_a_socket_gets_a_short_one),
        cmocka_unit_test(root_starts_a_cluster_in_a_folder_only_root_may_enter),
        cmocka_unit_test(an_interrupted_first_start_is_begun_anew),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
        cmocka_unit_test(a_path_of_two_lines_is_refused),
        cmocka_unit_test(a_wrong_folder_of_programs_is_named),
        cmocka_unit_test(a_server_that_does_not_start_is_explained_by_its_log),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
