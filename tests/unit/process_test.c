/* SPDX-License-Identifier: PostgreSQL */
#include "common/interrupt.h"
#include "common/process.h"
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#define RUN(...)                                                                                             \
    &(struct process_request)                                                                                \
    {                                                                                                        \
        .argv = (const char *const[])                                                                        \
        {                                                                                                    \
            __VA_ARGS__, NULL                                                                                \
        }                                                                                                    \
    }

static void assert_run(const struct process_request *request, struct process_result *result)
{
    AUTO(error_clear) struct error error = {0};

    if (!process_run(request, result, &error))
        fail_msg("%s", error.message);
}

static void output_errors_and_status_come_back(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    assert_run(RUN("sh", "-c", "echo out; echo err >&2; exit 3"), &result);
    assert_string_equal(result.output, "out\n");
    assert_int_equal(result.output_size, 4);
    assert_string_equal(result.errors, "err\n");
    assert_int_equal(result.status, 3);
}

static void a_silent_program_gives_empty_text(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    assert_run(RUN("true"), &result);
    assert_string_equal(result.output, "");
    assert_string_equal(result.errors, "");
    assert_int_equal(result.status, 0);
}

static void arguments_are_not_seen_by_a_shell(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    assert_run(RUN("printf", "%s|", "$HOME; echo `id`", "*"), &result);
    assert_string_equal(result.output, "$HOME; echo `id`|*|");
}

static void a_death_by_signal_is_128_and_the_signal(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    assert_run(RUN("sh", "-c", "kill -9 $$"), &result);
    assert_int_equal(result.status, 137);
}

static void large_input_passes_through_without_deadlock(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    size_t size = 3 << 20;
    OWNED char *input = memory_allocate(size + 1, 1);
    memset(input, 'x', size);

    struct process_request request = *RUN("tee", "/dev/stderr");
    request.input = input;
    request.input_size = size;
    assert_run(&request, &result);
    assert_int_equal(result.output_size, size);
    assert_memory_equal(result.output, input, size);
    assert_true(strlen(result.errors) <= 64 << 10);
    assert_true(strlen(result.errors) > 16 << 10);
}

static void of_many_messages_the_last_are_kept(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    assert_run(RUN("sh", "-c", "seq 1 100000 >&2"), &result);
    assert_true(text_ends_with(result.errors, "\n99999\n100000\n"));
    assert_true(strlen(result.errors) < 64 << 10);
}

static void input_that_nobody_reads_does_no_harm(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    size_t size = 1 << 20;
    OWNED char *input = memory_allocate(size, 1);

    struct process_request request = *RUN("true");
    request.input = input;
    request.input_size = size;
    assert_run(&request, &result);
    assert_int_equal(result.status, 0);
}

static void without_input_stdin_is_empty(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    assert_run(RUN("cat"), &result);
    assert_string_equal(result.output, "");
    assert_int_equal(result.status, 0);
}

static void the_environment_is_changed_for_the_child_only(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    setenv("PGMIGRATE_TEST_GONE", "here", 1);
    setenv("PGMIGRATE_TEST_KEPT", "kept", 1);
    setenv("PGMIGRATE_TEST", "old", 1);

    struct process_request request =
        *RUN("sh", "-c", "echo ${PGMIGRATE_TEST_GONE-unset} $PGMIGRATE_TEST_KEPT $PGMIGRATE_TEST");
    request.environment = (const char *const[]){"PGMIGRATE_TEST=new", "PGMIGRATE_TEST_GONE", NULL};
    assert_run(&request, &result);
    assert_string_equal(result.output, "unset kept new\n");
    assert_string_equal(getenv("PGMIGRATE_TEST"), "old");
}

static void the_child_runs_in_the_folder_that_was_asked_for(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};

    struct process_request request = *RUN("pwd");
    request.folder = "/usr";
    assert_run(&request, &result);
    assert_string_equal(result.output, "/usr\n");
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};

    struct process_request request = *RUN("pwd");
    request.folder = "/no/such";
    assert_false(process_run(&request, &result, &error));
    assert_string_equal(error.message,
                        "could not run \"pwd\" in folder \"/no/such\": No such file or directory");
}

static void a_missing_program_is_named_with_what_to_do(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};

    assert_false(process_run(RUN("no-such-program"), &result, &error));
    assert_string_equal(error.message, "program \"no-such-program\" not found");
    assert_string_equal(error.hint, "Install it, or add the folder it is in to PATH.");
    assert_false(process_run(RUN("./no-such-program"), &result, &error));
    assert_string_equal(error.message, "could not run \"./no-such-program\": No such file or directory");
}

static void a_script_without_interpreter_is_not_given_to_a_shell(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = NULL;
    assert_true(file_make_temporary("pgmigrate-test", &folder, &error));
    OWNED char *script = file_join(folder, "script");
    assert_true(file_write_new(script, "echo hello\n", 11, 0755, &error));

    assert_false(process_run(RUN(script), &result, &error));
    assert_non_null(strstr(error.message, "Exec format error"));
    assert_non_null(strstr(error.hint, "#!/bin/sh"));
    assert_true(file_remove_tree(folder, &error));
}

static void no_other_descriptor_is_inherited(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    int descriptor = dup(0); /* without close-on-exec, as if inherited */

    assert_true(descriptor > 2);
    assert_run(RUN("sh", "-c", "for i in 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$i ]; then echo $i; fi; done"),
               &result);
    assert_string_equal(result.output, "");
    close(descriptor);
}

/* What only a process of its own can show, because it spoils the process. */
static void assert_in_fork(bool (*shows)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(shows() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool works_with_closed_descriptors(void)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    struct process_request request = *RUN("sh", "-c", "cat; echo err >&2");

    request.input = "in";
    request.input_size = 2;
    for (int i = 0; i < 3; i++)
        close(i);
    return process_run(&request, &result, &error) && strcmp(result.output, "in") == 0 &&
           strcmp(result.errors, "err\n") == 0;
}

static void the_standard_descriptors_work_although_ours_are_closed(void **state)
{
    (void)state;
    assert_in_fork(works_with_closed_descriptors);
}

static bool gives_usual_signals(void)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    sigset_t all;

    interrupt_install(); /* ignores SIGPIPE */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return process_run(RUN("sh", "-c", "kill -PIPE $$; echo survived"), &result, &error) &&
           result.status == 128 + SIGPIPE;
}

static void ignored_and_blocked_signals_are_not_inherited(void **state)
{
    (void)state;
    assert_in_fork(gives_usual_signals);
}

static void a_grandchild_that_keeps_the_pipes_is_not_waited_for(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    int64_t start = clock_ms();

    assert_run(RUN("sh", "-c", "sleep 20 & echo $!"), &result);
    assert_true(clock_ms() - start < 5000);
    kill((pid_t)strtol(result.output, NULL, 10), SIGKILL);
}

static void what_outlives_us_may_go_on_writing(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = NULL;
    assert_true(file_make_temporary("pgmigrate-test", &folder, &error));

    struct process_request request = *RUN("sh", "-c",
                                          "echo started; echo careful >&2; (until [ -e go ]; do sleep 0.05; "
                                          "done; echo more && echo done > proof) &");
    request.folder = folder;
    request.outlives_us = true;
    assert_run(&request, &result);
    assert_string_equal(result.output, "started\n");
    assert_string_equal(result.errors, "careful\n");

    OWNED char *go = file_join(folder, "go");
    assert_true(file_write_new(go, "", 0, 0600, &error));
    OWNED char *proof = file_join(folder, "proof");
    for (int i = 0; i < 50 && !file_exists(proof); i++)
        interrupt_sleep(100);
    assert_true(file_exists(proof));
    assert_true(file_remove_tree(folder, &error));
}

/* The child sends the signal itself, as soon as it runs. */
static bool is_interrupted_and_cleans_up(void)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    int64_t start = clock_ms();

    interrupt_install();
    return !process_run(RUN("sh", "-c", "kill -TERM $PPID; exec sleep 60"), &result, &error) &&
           error.code == ERROR_TERMINATED && clock_ms() - start < 30000 &&
           process_run(RUN("true"), &result, &error) && result.status == 0;
}

static void an_interruption_ends_the_child_but_not_the_cleaning_up(void **state)
{
    (void)state;
    assert_in_fork(is_interrupted_and_cleans_up);
}

/* The process id written to a file that appears when it is complete. */
static pid_t wait_for_pid(const char *path)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *text = NULL;
    size_t size;

    for (int i = 0; i < 100 && !file_exists(path); i++)
        interrupt_sleep(50);
    assert_true(file_read(path, &text, &size, &error));
    return (pid_t)strtol(text, NULL, 10);
}

static bool is_gone(pid_t pid)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *path = text_format("/proc/%d/stat", (int)pid);
    OWNED char *stat = NULL;
    size_t size;

    return !file_read(path, &stat, &size, &error) || strstr(stat, ") Z ") != NULL;
}

static void the_child_dies_with_us(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = NULL;
    assert_true(file_make_temporary("pgmigrate-test", &folder, &error));
    OWNED char *path = file_join(folder, "pid");
    pid_t pid = fork();

    if (pid == 0) {
        struct process_result result = {0};
        struct process_request request = *RUN("sh", "-c", "echo $$ > pid.new; mv pid.new pid; exec sleep 20");
        request.folder = folder;
        (void)!process_run(&request, &result, &error);
        _exit(1);
    }
    pid_t grandchild = wait_for_pid(path);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < 100 && !is_gone(grandchild); i++)
        interrupt_sleep(20);
    assert_true(is_gone(grandchild));
    assert_true(file_remove_tree(folder, &error));
}

/* The grandchild's id is in a file; the program itself goes on as the script says. */
static void assert_taken_along(const char *script, bool interrupts)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = NULL;
    assert_true(file_make_temporary("pgmigrate-test", &folder, &error));
    OWNED char *path = file_join(folder, "pid");
    struct process_request request = *RUN("sh", "-c", script);
    request.folder = folder;
    request.takes_along = true;
    pid_t pid = fork();

    if (pid == 0) {
        interrupt_install();
        _exit(process_run(&request, &result, &error) == interrupts);
    }
    pid_t grandchild = wait_for_pid(path);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (int i = 0; i < 100 && !is_gone(grandchild); i++)
        interrupt_sleep(20);
    assert_true(is_gone(grandchild));
    assert_true(file_remove_tree(folder, &error));
}

static void what_a_program_left_running_may_be_ended_with_it(void **state)
{
    (void)state;
    assert_taken_along("sleep 20 & echo $! > new; mv new pid; exit 3", false);
    assert_taken_along("sleep 20 & echo $! > new; mv new pid; kill -TERM $PPID; wait", true);
}

static bool is_changed_without_groups(void)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    struct process_request request = *RUN("sh", "-c", "id -u; id -g; id -G");
    gid_t groups[] = {0, 12345};

    request.drop_user = true;
    request.user = 65534;
    request.group = 65534;
    return setgroups(2, groups) == 0 && process_run(&request, &result, &error) &&
           strcmp(result.output, "65534\n65534\n65534\n") == 0;
}

static void the_user_is_changed_without_our_groups(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};
    struct process_request request = *RUN("true");

    if (geteuid() == 0) {
        assert_in_fork(is_changed_without_groups);
        return;
    }
    request.drop_user = true;
    request.user = 65534;
    request.group = 65534;
    assert_false(process_run(&request, &result, &error));
    assert_string_equal(error.message, "could not run \"true\" as user 65534: Operation not permitted");
}

static void check_takes_a_status_as_failure_and_shows_the_last_lines(void **state)
{
    (void)state;
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(error_clear) struct error error = {0};

    assert_false(process_check(RUN("sh", "-c", "seq 1 20 >&2; exit 2"), &result, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "\"sh\" failed with exit status 2");
    assert_string_equal(error.detail, "11\n12\n13\n14\n15\n16\n17\n18\n19\n20");
    assert_null(result.output);

    assert_false(process_check(RUN("sh", "-c", "kill -15 $$"), &result, &error));
    assert_string_equal(error.message, "\"sh\" was ended by signal 15 (Terminated)");
    assert_null(error.detail);

    assert_true(process_check(RUN("echo", "fine"), &result, &error));
    assert_string_equal(result.output, "fine\n");
}

static void assert_split(const char *command, const char *joined)
{
    AUTO(text_list_clear) struct text_list words = {0};
    AUTO(error_clear) struct error error = {0};

    if (!process_split(command, &words, &error))
        fail_msg("%s", error.message);
    OWNED char *text = text_list_join(&words, "|");
    assert_string_equal(text, joined);
}

static void commands_are_split_like_a_shell_does(void **state)
{
    (void)state;
    assert_split("kubectl set  image\tdeployment/api", "kubectl|set|image|deployment/api");
    assert_split("  a 'b  c' \"d e\" f\\ g ", "a|b  c|d e|f g");
    assert_split("a'b'\"c\"d", "abcd");
    assert_split("a '' \"\" b", "a|||b");
    assert_split("'a\\b' \"a\\b\" \"a\\\"b\\\\c\\$\" \\\"", "a\\b|a\\b|a\"b\\c$|\"");
}

static void nothing_is_expanded_in_a_command(void **state)
{
    (void)state;
    assert_split("echo $HOME ~ * `id` > x", "echo|$HOME|~|*|`id`|>|x");
}

static void an_open_quote_or_an_empty_command_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a 'b", "a \"b", "a \"b\\\"", "", "  "};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO(text_list_clear) struct text_list words = {0};
        AUTO(error_clear) struct error error = {0};
        assert_false(process_split(wrong[i], &words, &error));
        assert_int_equal(error.code, ERROR_USAGE);
        assert_int_equal(words.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_errors_and_status_come_back),
        cmocka_unit_test(a_silent_program_gives_empty_text),
        cmocka_unit_test(arguments_are_not_seen_by_a_shell),
        cmocka_unit_test(a_death_by_signal_is_128_and_the_signal),
        cmocka_unit_test(large_input_passes_through_without_deadlock),
        cmocka_unit_test(of_many_messages_the_last_are_kept),
        cmocka_unit_test(input_that_nobody_reads_does_no_harm),
        cmocka_unit_test(without_input_stdin_is_empty),
        cmocka_unit_test(the_environment_is_changed_for_the_child_only),
        cmocka_unit_test(the_child_runs_in_the_folder_that_was_asked_for),
        cmocka_unit_test(a_missing_folder_is_named),
        cmocka_unit_test(a_missing_program_is_named_with_what_to_do),
        cmocka_unit_test(a_script_without_interpreter_is_not_given_to_a_shell),
        cmocka_unit_test(no_other_descriptor_is_inherited),
        cmocka_unit_test(the_standard_descriptors_work_although_ours_are_closed),
        cmocka_unit_test(ignored_and_blocked_signals_are_not_inherited),
        cmocka_unit_test(a_grandchild_that_keeps_the_pipes_is_not_waited_for),
        cmocka_unit_test(what_outlives_us_may_go_on_writing),
        cmocka_unit_test(an_interruption_ends_the_child_but_not_the_cleaning_up),
        cmocka_unit_test(the_child_dies_with_us),
        cmocka_unit_test(what_a_program_left_running_may_be_ended_with_it),
        cmocka_unit_test(the_user_is_changed_without_our_groups),
        cmocka_unit_test(check_takes_a_status_as_failure_and_shows_the_last_lines),
        cmocka_unit_test(commands_are_split_like_a_shell_does),
        cmocka_unit_test(nothing_is_expanded_in_a_command),
        cmocka_unit_test(an_open_quote_or_an_empty_command_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
