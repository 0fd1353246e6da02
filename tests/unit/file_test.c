/* SPDX-License-Identifier: PostgreSQL */
#include "common/file.h"
#include "common/interrupt.h"
#include "tests/unit/scratch.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *path, const char *text)
{
    AUTO(error_clear) struct error error = {0};

    if (!file_write_new(path, text, strlen(text), 0644, &error))
        fail_msg("%s", error.message);
}

static void assert_content(const char *path, const char *expected)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *text = NULL;
    size_t size = 0;

    if (!file_read(path, &text, &size, &error))
        fail_msg("%s", error.message);
    assert_int_equal(size, strlen(expected));
    assert_string_equal(text, expected);
}

static void assert_mode(const char *path, unsigned mode)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, mode);
}

static size_t count_files(const char *folder)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(text_list_clear) struct text_list names = {0};

    assert_true(file_list(folder, &names, &error));
    return names.count;
}

/* ---- reading ---- */

static void a_file_is_read_whole_with_its_nul_bytes(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *text = NULL;
    size_t size;

    assert_true(file_write_new("data", "a\0b\n", 4, 0600, &error));
    assert_true(file_read("data", &text, &size, &error));
    assert_int_equal(size, 4);
    assert_memory_equal(text, "a\0b\n\0", 5);
    write_file("empty", "");
    assert_content("empty", "");
}

static void a_file_whose_size_is_not_known_is_read_whole(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *data = memory_allocate(100000, 1);
    OWNED char *text = NULL;
    size_t size;
    int ends[2];

    memset(data, 'x', 100000);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        for (size_t i = 0; i < 100000; i += 1000)
            if (write(ends[1], data, 1000) != 1000)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    OWNED char *path = text_format("/dev/fd/%d", ends[0]);
    assert_true(file_read(path, &text, &size, &error));
    assert_int_equal(size, 100000);
    assert_memory_equal(text, data, 100000);
    close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void what_cannot_be_read_is_named_with_the_reason(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    char *text = NULL;
    size_t size = 42;

    assert_false(file_read("missing", &text, &size, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "could not read \"missing\": No such file or directory");
    assert_false(file_read(".", &text, &size, &error));
    assert_string_equal(error.message, "could not read \".\": Is a directory");
    assert_null(text);
    assert_int_equal(size, 42);
}

static void a_file_beyond_a_gigabyte_is_refused_before_it_is_read(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    char *text = NULL;
    size_t size;

    write_file("huge", "");
    assert_int_equal(truncate("huge", (INT64_C(1) << 30) + 1), 0);
    assert_false(file_read("huge", &text, &size, &error));
    assert_string_equal(error.message, "could not read \"huge\": larger than 1 GB");
}

/* ---- writing ---- */

static void a_new_file_has_content_and_mode(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_true(file_write_new("new", "text", 4, 0600, &error));
    assert_content("new", "text");
    assert_mode("new", 0600);
}

static void a_file_that_exists_is_not_touched_by_a_new_one(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    write_file("old", "old");
    assert_false(file_write_new("old", "new", 3, 0644, &error));
    assert_string_equal(error.message, "could not create \"old\": File exists");
    assert_content("old", "old");
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_false(file_write_new("link", "new", 3, 0644, &error));
    assert_false(file_exists("nowhere"));
}

static void replacing_is_whole_and_leaves_nothing_beside(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_true(file_write_atomic("file", "first", 5, 0644, &error));
    assert_content("file", "first");
    assert_true(file_write_atomic("./file", "second text", 11, 0600, &error));
    assert_content("file", "second text");
    assert_mode("file", 0600);
    assert_int_equal(count_files("."), 1);
}

static void what_a_killed_process_left_is_stepped_over(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *left = text_format("file.%ld-0.tmp", (long)getpid());

    write_file(left, "half");
    assert_true(file_write_atomic("file", "whole", 5, 0644, &error));
    assert_content("file", "whole");
    assert_content(left, "half");
}

static void a_pipe_is_written_to_and_stays(void **state)
{
    (void)state;
    struct error error = {0};
    struct stat status;
    char text[8] = "";
    assert_int_equal(mkfifo("pipe", 0600), 0);
    int reader = open("pipe", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_true(file_write_atomic("pipe", "text", 4, 0644, &error));
    assert_int_equal(read(reader, text, sizeof text), 4);
    assert_string_equal(text, "text");
    close(reader);
    assert_true(stat("pipe", &status) == 0 && S_ISFIFO(status.st_mode));
}

static void a_link_is_replaced_and_what_it_led_to_stays(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    write_file("target", "target");
    assert_int_equal(symlink("target", "link"), 0);
    assert_true(file_write_atomic("link", "new", 3, 0644, &error));
    assert_content("target", "target");
    assert_content("link", "new");
}

/* A size limit stands for the full disk: write() fails in the middle with a reason. */
static bool nothing_is_left_of_failed_writes(void)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *data = memory_allocate(10000, 1);
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return false;
    return !file_write_atomic("file", data, 10000, 0644, &error) &&
           text_equal(error.message, "could not write \"file\": File too large") &&
           !file_write_new("new", data, 10000, 0644, &error) &&
           text_equal(error.message, "could not write \"new\": File too large");
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    int status = -1;

    write_file("file", "old");
    pid_t pid = fork();
    if (pid == 0)
        _exit(nothing_is_left_of_failed_writes() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_content("file", "old");
    assert_int_equal(count_files("."), 1);
}

static void a_write_that_cannot_be_is_named_with_the_reason(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_false(file_write_new("no/file", "x", 1, 0644, &error));
    assert_string_equal(error.message, "could not create \"no/file\": No such file or directory");
    assert_false(file_write_atomic("no/file", "x", 1, 0644, &error));
    assert_string_equal(error.message, "could not write \"no/file\": No such file or directory");
    assert_true(file_make_folder("folder", 0755, &error));
    assert_false(file_write_atomic("folder", "x", 1, 0644, &error));
    assert_string_equal(error.message, "could not replace \"folder\": Is a directory");
    assert_int_equal(count_files("."), 0);
}

/* ---- folders ---- */

static void a_list_is_sorted_and_has_only_files(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(text_list_clear) struct text_list names = {0};

    write_file("b.sql", "");
    write_file("B.sql", "");
    write_file("a.sql", "");
    write_file(".hidden", "");
    assert_true(file_make_folder("folder", 0755, &error));
    assert_int_equal(symlink("folder", "link-to-folder"), 0);
    assert_int_equal(symlink("a.sql", "link-to-file"), 0);
    assert_int_equal(symlink("gone", "link-to-nowhere"), 0);

    assert_true(file_list(".", &names, &error));
    OWNED char *joined = text_list_join(&names, " ");
    assert_string_equal(joined, "B.sql a.sql b.sql link-to-file link-to-nowhere");
}

static void a_folder_that_cannot_be_listed_is_named(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct text_list names = {0};

    assert_false(file_list("missing", &names, &error));
    assert_string_equal(error.message, "could not read folder \"missing\": No such file or directory");
    assert_int_equal(names.count, 0);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_true(file_make_folder("a/b//c/", 0755, &error));
    assert_true(file_is_folder("a/b/c"));
    assert_true(file_make_folder("a/b/c", 0755, &error));
    OWNED char *absolute = file_join(*state, "x/y");
    assert_true(file_make_folder(absolute, 0700, &error));
    assert_mode("x/y", 0700);
    write_file("file", "");
    assert_false(file_make_folder("file/b", 0755, &error));
    assert_string_equal(error.message, "could not create folder \"file\": File exists");
}

static void a_folder_that_cannot_be_made_is_told_with_the_reason_of_making_it(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_false(file_make_folder("dangling", 0755, &error));
    assert_string_equal(error.message, "could not create folder \"dangling\": File exists");
}

static void a_tree_is_removed_without_following_links(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_true(file_make_folder("kept/inside", 0755, &error));
    write_file("kept/file", "kept");
    assert_true(file_make_folder("tree/a/b", 0755, &error));
    write_file("tree/a/file", "");
    write_file("tree/.hidden", "");
    assert_int_equal(symlink("../kept", "tree/link"), 0);
    assert_int_equal(symlink("kept", "link"), 0);

    assert_true(file_remove_tree("tree", &error));
    assert_false(file_exists("tree"));
    assert_true(file_remove_tree("link/", &error));
    assert_content("kept/file", "kept");
    assert_true(file_is_folder("kept/inside"));
}

static void removing_takes_files_and_what_is_not_there(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    write_file("file", "");
    assert_true(file_remove_tree("file", &error));
    assert_false(file_exists("file"));
    assert_true(file_remove_tree("file", &error));
    assert_true(file_remove_tree("no/such/file", &error));
    write_file("file", "");
    assert_false(file_remove_tree("file/inside", &error));
    assert_string_equal(error.message, "could not remove \"file/inside\": Not a directory");
}

static void temporary_folders_are_private_and_where_tmpdir_says(void **state)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *one = NULL, *other = NULL, *saved = text_copy(getenv("TMPDIR"));

    setenv("TMPDIR", *state, 1);
    assert_true(file_make_temporary("pre", &one, &error));
    assert_true(file_make_temporary("pre", &other, &error));
    assert_string_not_equal(one, other);
    OWNED char *beginning = text_format("%s/pre.", (char *)*state);
    assert_true(text_starts_with(one, beginning));
    assert_mode(one, 0700);

    setenv("TMPDIR", "/no/such", 1);
    assert_false(file_make_temporary("pre", &other, &error));
    assert_true(text_ends_with(error.message, "No such file or directory"));
    if (saved == NULL)
        unsetenv("TMPDIR");
    else
        setenv("TMPDIR", saved, 1);
}

/* ---- names ---- */

static void assert_and_free(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void names_are_joined_and_taken_apart(void **state)
{
    (void)state;
    assert_and_free(file_join("a", "b"), "a/b");
    assert_and_free(file_join("a/", "b"), "a/b");
    assert_and_free(file_join("a", "/b"), "/b");
    assert_and_free(file_join("", "b"), "b");
    assert_and_free(file_folder("a/b/c"), "a/b");
    assert_and_free(file_folder("a/b//"), "a");
    assert_and_free(file_folder("a//b"), "a");
    assert_and_free(file_folder("a"), ".");
    assert_and_free(file_folder("a/"), ".");
    assert_and_free(file_folder("/a"), "/");
    assert_and_free(file_folder("/"), "/");
    assert_and_free(file_folder(""), ".");
    assert_string_equal(file_name("a/b.sql"), "b.sql");
    assert_string_equal(file_name("b.sql"), "b.sql");
    assert_string_equal(file_name("a/"), "");
}

static void existence_is_told_for_files_and_folders(void **state)
{
    (void)state;
    write_file("file", "");
    assert_true(file_exists("file"));
    assert_true(file_exists("."));
    assert_false(file_exists("missing"));
    assert_true(file_is_folder("."));
    assert_false(file_is_folder("file"));
    assert_false(file_is_folder("missing"));
}

static void what_cannot_be_seen_is_not_missing(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    enum file_kind kind;

    write_file("file", "");
    assert_true(file_look("file", &kind, &error) && kind == FILE_OTHER);
    assert_true(file_look(".", &kind, &error) && kind == FILE_FOLDER);
    assert_true(file_look("missing", &kind, &error) && kind == FILE_MISSING);
    assert_true(file_look("file/inside", &kind, &error) && kind == FILE_MISSING);
    assert_int_equal(symlink("loop", "loop"), 0);
    assert_false(file_look("loop", &kind, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "could not look at \"loop\": Too many levels of symbolic links");
}

/* ---- locks ---- */

/* A process that holds the lock until it is killed; returns when it has it. */
static pid_t hold_lock(const char *path)
{
    int ends[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct error error = {0};
        int descriptor;
        if (!file_lock(path, &descriptor, &error) || write(ends[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void end_process(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Kills the holder a moment later. */
static pid_t end_later(pid_t holder)
{
    pid_t pid = fork();

    if (pid == 0) {
        usleep(200000);
        kill(holder, SIGKILL);
        _exit(0);
    }
    return pid;
}

static void a_lock_waits_for_its_holder(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    int descriptor = -1;
    pid_t holder = hold_lock("lock");
    int64_t start = clock_ms();
    pid_t killer = end_later(holder);

    assert_true(file_lock("lock", &descriptor, &error));
    assert_true(clock_ms() - start >= 150);
    close(descriptor);
    assert_int_equal(waitpid(killer, NULL, 0), killer);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void a_lock_file_removed_meanwhile_is_made_again(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct stat held, named;
    int descriptor = -1;
    pid_t holder = hold_lock("lock");
    pid_t remover = fork();

    if (remover == 0) {
        usleep(100000);
        unlink("lock");
        usleep(100000);
        kill(holder, SIGKILL);
        _exit(0);
    }
    assert_true(file_lock("lock", &descriptor, &error));
    assert_int_equal(fstat(descriptor, &held), 0);
    assert_int_equal(stat("lock", &named), 0);
    assert_int_equal(held.st_ino, named.st_ino);
    close(descriptor);
    assert_int_equal(waitpid(remover, NULL, 0), remover);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void an_interruption_ends_the_wait_for_a_lock(void **state)
{
    (void)state;
    int status = -1;
    pid_t holder = hold_lock("lock");
    pid_t waiter = fork();

    if (waiter == 0) {
        struct error error = {0};
        int descriptor;
        interrupt_install();
        alarm(20); /* ends a test that would hang */
        write_file("waiting", "");
        bool failed = !file_lock("lock", &descriptor, &error) && error.code == ERROR_TERMINATED;
        error_clear(&error);
        _exit(failed ? 0 : 1);
    }
    for (int i = 0; i < 100 && !file_exists("waiting"); i++)
        interrupt_sleep(20);
    interrupt_sleep(200);
    kill(waiter, SIGTERM);
    assert_int_equal(waitpid(waiter, &status, 0), waiter);
    assert_int_equal(status, 0);
    end_process(holder);
}

static void a_lock_that_cannot_be_is_named(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    int descriptor;

    assert_false(file_lock("no/lock", &descriptor, &error));
    assert_string_equal(error.message, "could not open lock file \"no/lock\": No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole_with_its_nul_bytes),
        TEST(a_file_whose_size_is_not_known_is_read_whole),
        TEST(what_cannot_be_read_is_named_with_the_reason),
        TEST(a_file_beyond_a_gigabyte_is_refused_before_it_is_read),
        TEST(a_new_file_has_content_and_mode),
        TEST(a_file_that_exists_is_not_touched_by_a_new_one),
        TEST(replacing_is_whole_and_leaves_nothing_beside),
        TEST(what_a_killed_process_left_is_stepped_over),
        TEST(a_link_is_replaced_and_what_it_led_to_stays),
        TEST(a_pipe_is_written_to_and_stays),
        TEST(a_failed_write_leaves_the_old_file_and_nothing_else),
        TEST(a_write_that_cannot_be_is_named_with_the_reason),
        TEST(a_list_is_sorted_and_has_only_files),
        TEST(a_folder_that_cannot_be_listed_is_named),
        TEST(folders_are_made_with_their_parents),
        TEST(a_folder_that_cannot_be_made_is_told_with_the_reason_of_making_it),
        TEST(a_tree_is_removed_without_following_links),
        TEST(removing_takes_files_and_what_is_not_there),
        TEST(temporary_folders_are_private_and_where_tmpdir_says),
        TEST(names_are_joined_and_taken_apart),
        TEST(existence_is_told_for_files_and_folders),
        TEST(what_cannot_be_seen_is_not_missing),
        TEST(a_lock_waits_for_its_holder),
        TEST(a_lock_file_removed_meanwhile_is_made_again),
        TEST(an_interruption_ends_the_wait_for_a_lock),
        TEST(a_lock_that_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
