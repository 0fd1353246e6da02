/* SPDX-License-Identifier: PostgreSQL */
#include "common/interrupt.h"
#include "common/process.h"
#include <pthread.h>
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

#define LARGE ((size_t)3 << 20)

static void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s (%s)", error->message, error->detail == NULL ? "" : error->detail);
}

static struct process *started(const struct process_request *request, bool takes_input, bool gives_output)
{
    AUTO(error_clear) struct error error = {0};
    struct process *process = NULL;

    must(process_start(request, takes_input, gives_output, &process, &error), &error);
    return process;
}

/* All that can still be read; the number of bytes. */
static size_t read_all(struct process *process)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *buffer = memory_allocate(65536, 1);
    size_t total = 0, got;

    do {
        must(process_read(process, buffer, 65536, NULL, &got, &error), &error);
        total += got;
    } while (got > 0);
    return total;
}

static void output_is_read_to_its_end(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(process_free)
    struct process *process =
        started(RUN("sh", "-c", "head -c 3145728 /dev/zero; echo >&2 done"), false, true);

    assert_int_equal(read_all(process), LARGE);
    assert_int_equal(read_all(process), 0);
    must(process_finish(take(process), NULL, &result, &error), &error);
    assert_string_equal(result.output, "");
    assert_string_equal(result.errors, "done\n");
    assert_int_equal(result.status, 0);
}

static void input_is_written_and_ended_by_finish(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *data = memory_allocate(LARGE, 1);
    AUTO(process_free) struct process *process = started(RUN("wc", "-c"), true, false);

    must(process_write(process, data, LARGE, NULL, &error), &error);
    must(process_write(process, "12345", 5, NULL, &error), &error);
    must(process_finish(take(process), NULL, &result, &error), &error);
    assert_string_equal(result.output, "3145733\n");
}

static void a_program_in_between_is_written_to_and_read_from(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    char buffer[16] = "";
    size_t got = 0;
    AUTO(process_free) struct process *process = started(RUN("cat"), true, true);

    must(process_write(process, "hello", 5, NULL, &error), &error);
    must(process_read(process, buffer, sizeof buffer, NULL, &got, &error), &error);
    assert_int_equal(got, 5);
    assert_memory_equal(buffer, "hello", 5);
    must(process_finish(take(process), NULL, &result, &error), &error);
}

static void a_failing_status_is_told_by_finish_with_the_last_lines(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(process_free)
    struct process *process = started(RUN("sh", "-c", "echo broken >&2; exit 3"), false, true);

    assert_int_equal(read_all(process), 0);
    assert_false(process_finish(take(process), NULL, &result, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "\"sh\" failed with exit status 3");
    assert_string_equal(error.detail, "broken");
    assert_null(result.errors);
}

static void a_killed_program_is_told_as_such(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(process_free)
    struct process *process = started(RUN("sh", "-c", "echo half; kill -9 $$"), false, true);

    assert_int_equal(read_all(process), 5);
    assert_false(process_finish(take(process), NULL, &result, &error));
    assert_string_equal(error.message, "\"sh\" was ended by signal 9 (Killed)");
}

static void a_closed_input_fails_the_write_and_finish_tells_why(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *data = memory_allocate(LARGE, 1);
    AUTO(process_free)
    struct process *process = started(RUN("sh", "-c", "head -c 10; echo no space >&2; exit 1"), true, false);

    assert_false(process_write(process, data, LARGE, NULL, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "\"sh\" has closed its input");
    assert_false(process_finish(take(process), NULL, &result, &error));
    assert_string_equal(error.message, "\"sh\" failed with exit status 1");
    assert_string_equal(error.detail, "no space");
}

/* The pipes are held by what the program left running, which neither reads nor ends. */
static void what_a_program_left_running_is_neither_read_nor_waited_for(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *data = memory_allocate(LARGE, 1);
    char pid[16] = "";
    size_t got;
    AUTO(process_free)
    struct process *process = started(RUN("sh", "-c", "sleep 30 <&0 & echo $!"), true, true);

    must(process_read(process, pid, sizeof pid - 1, NULL, &got, &error), &error);
    assert_int_equal(read_all(process), 0);
    assert_false(process_write(process, data, LARGE, NULL, &error));
    assert_string_equal(error.message, "\"sh\" has closed its input");
    error_clear(&error);
    must(process_finish(take(process), NULL, &result, &error), &error);
    kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
}

static void what_it_prints_while_it_is_written_to_blocks_nothing(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *data = memory_allocate(LARGE, 1);
    AUTO(process_free) struct process *process = started(RUN("cat"), true, false);

    must(process_write(process, data, LARGE, NULL, &error), &error);
    must(process_finish(take(process), NULL, &result, &error), &error);
    assert_int_equal(result.output_size, LARGE);
}

static void a_flood_of_messages_neither_blocks_nor_grows(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(process_free)
    struct process *process = started(
        RUN("sh", "-c", "seq 1 1000000 >&2; echo out; cat >/dev/null; seq 1 1000000 >&2"), true, true);
    OWNED char *data = memory_allocate(LARGE, 1);

    char buffer[8];
    size_t got;
    must(process_read(process, buffer, sizeof buffer, NULL, &got, &error), &error);
    assert_int_equal(got, 4);
    must(process_write(process, data, LARGE, NULL, &error), &error);
    must(process_finish(take(process), NULL, &result, &error), &error);
    assert_true(text_ends_with(result.errors, "\n999999\n1000000\n"));
    assert_true(strlen(result.errors) < 64 << 10);
}

/* ---- stopping ---- */

struct timer {
    pthread_t thread;
    atomic_bool stop;
};

static void *set_later(void *argument)
{
    struct timer *timer = argument;
    usleep(100000);
    atomic_store(&timer->stop, true);
    return NULL;
}

static void timer_begin(struct timer *timer)
{
    atomic_init(&timer->stop, false);
    assert_int_equal(pthread_create(&timer->thread, NULL, set_later, timer), 0);
}

static void assert_stopped(struct timer *timer, bool done, const struct error *error)
{
    pthread_join(timer->thread, NULL);
    assert_false(done);
    assert_int_equal(error->code, ERROR_FAILED);
    assert_string_equal(error->message, "stopped");
}

static void the_stop_flag_ends_every_wait(void **state)
{
    (void)state;
    OWNED char *data = memory_allocate(LARGE, 1);
    char buffer[8];
    size_t got;

    for (int call = 0; call < 3; call++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(process_result_clear) struct process_result result = {0};
        AUTO(process_free) struct process *process = started(RUN("sleep", "30"), call == 0, call == 1);
        struct timer timer;
        timer_begin(&timer);
        bool done = call == 0   ? process_write(process, data, LARGE, &timer.stop, &error)
                    : call == 1 ? process_read(process, buffer, sizeof buffer, &timer.stop, &got, &error)
                                : process_finish(take(process), &timer.stop, &result, &error);
        assert_stopped(&timer, done, &error);
    }
}

/* The status with which a forked child ends: what spoils the process, such as a signal, is shown in one. */
static void assert_in_fork(bool (*shows)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(shows() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The child sends the signal itself, as soon as it runs. */
#define INTERRUPTS RUN("sh", "-c", "kill -INT $PPID; exec sleep 60")
#define TERMINATES RUN("sh", "-c", "kill -TERM $PPID; exec sleep 60")

static bool read_is_interrupted(void)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(process_free) struct process *process = started(TERMINATES, false, true);
    char buffer[8];
    size_t got;

    return !process_read(process, buffer, sizeof buffer, NULL, &got, &error) &&
           error.code == ERROR_TERMINATED;
}

static bool write_is_interrupted(void)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(process_free) struct process *process = started(INTERRUPTS, true, false);
    OWNED char *data = memory_allocate(LARGE, 1);

    return !process_write(process, data, LARGE, NULL, &error) && error.code == ERROR_INTERRUPTED;
}

static bool finish_is_interrupted(void)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    int64_t start = clock_ms();

    return !process_finish(started(INTERRUPTS, true, true), NULL, &result, &error) &&
           error.code == ERROR_INTERRUPTED && clock_ms() - start < 30000;
}

static void an_interruption_ends_every_wait(void **state)
{
    (void)state;
    assert_in_fork(read_is_interrupted);
    assert_in_fork(write_is_interrupted);
    assert_in_fork(finish_is_interrupted);
}

static void an_unwanted_program_is_ended_even_when_it_ignores_being_asked(void **state)
{
    (void)state;
    static const char *const scripts[] = {"echo $$; exec sleep 30",
                                          "trap '' TERM; echo $$; sleep 30 & wait; sleep 30"};

    for (size_t i = 0; i < 2; i++) {
        AUTO(error_clear) struct error error = {0};
        struct process *process = started(RUN("sh", "-c", scripts[i]), false, true);
        char text[16] = "";
        size_t got;
        must(process_read(process, text, sizeof text - 1, NULL, &got, &error), &error);
        process_free(process);
        assert_int_equal(kill((pid_t)strtol(text, NULL, 10), 0), -1); /* gone, and waited for */
    }
    process_free(NULL);
}

/* cat would write what it got on seeing its input end; it must not come to that. */
static void an_unwanted_program_does_not_see_its_input_end(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = NULL;
    must(file_make_temporary("pgmigrate-test", &folder, &error), &error);
    struct process_request request = *RUN("sh", "-c", "cat >/dev/null; touch ended");
    request.folder = folder;
    struct process *process = started(&request, true, false);

    must(process_write(process, "data", 4, NULL, &error), &error);
    process_free(process);
    OWNED char *proof = file_join(folder, "ended");
    usleep(100000);
    assert_false(file_exists(proof));
    must(file_remove_tree(folder, &error), &error);
}

/* ---- threads ---- */

static void *run_some(void *argument)
{
    const char *const *word = argument;
    OWNED char *expected = text_format("%s\n", *word);

    for (int i = 0; i < 50; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(process_result_clear) struct process_result result = {0};
        AUTO(process_free) struct process *process = NULL;
        if (!process_start(RUN("cat"), true, false, &process, &error) ||
            !process_write(process, expected, strlen(expected), NULL, &error) ||
            !process_finish(take(process), NULL, &result, &error) || strcmp(result.output, expected) != 0)
            return argument;
    }
    return NULL;
}

/* One that inherited another's pipe would keep cat waiting for the end of its input. */
static void threads_start_programs_at_the_same_time(void **state)
{
    (void)state;
    const char *words[] = {"one", "two", "three", "four"};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_some, &words[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_read_to_its_end),
        cmocka_unit_test(input_is_written_and_ended_by_finish),
        cmocka_unit_test(a_program_in_between_is_written_to_and_read_from),
        cmocka_unit_test(a_failing_status_is_told_by_finish_with_the_last_lines),
        cmocka_unit_test(a_killed_program_is_told_as_such),
        cmocka_unit_test(a_closed_input_fails_the_write_and_finish_tells_why),
        cmocka_unit_test(what_a_program_left_running_is_neither_read_nor_waited_for),
        cmocka_unit_test(what_it_prints_while_it_is_written_to_blocks_nothing),
        cmocka_unit_test(a_flood_of_messages_neither_blocks_nor_grows),
        cmocka_unit_test(the_stop_flag_ends_every_wait),
        cmocka_unit_test(an_interruption_ends_every_wait),
        cmocka_unit_test(an_unwanted_program_is_ended_even_when_it_ignores_being_asked),
        cmocka_unit_test(an_unwanted_program_does_not_see_its_input_end),
        cmocka_unit_test(threads_start_programs_at_the_same_time),
    };
    interrupt_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
