/* SPDX-License-Identifier: PostgreSQL */
#include "common/interrupt.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

/* What stays changed afterwards is shown in a process of its own; its wait status. */
static int run(bool (*shows)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        interrupt_install();
        _exit(shows() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool signal_is_remembered(void)
{
    AUTO(error_clear) struct error error = {0};

    bool before = interrupt_signal() == 0;
    raise(SIGINT);
    return before && interrupt_signal() == SIGINT && !interrupt_error(&error) &&
           error.code == ERROR_INTERRUPTED && strcmp(error.message, "interrupted") == 0;
}

static void a_first_signal_is_only_remembered(void **state)
{
    (void)state;
    assert_int_equal(run(signal_is_remembered), 0);
}

static bool termination_is_told_apart(void)
{
    AUTO(error_clear) struct error error = {0};

    raise(SIGTERM);
    return !interrupt_error(&error) && error.code == ERROR_TERMINATED &&
           strcmp(error.message, "terminated") == 0;
}

static void termination_has_its_own_code(void **state)
{
    (void)state;
    assert_int_equal(run(termination_is_told_apart), 0);
}

static bool raise_twice(void)
{
    raise(SIGINT);
    raise(SIGINT);
    return true;
}

static void a_second_signal_ends_the_process(void **state)
{
    (void)state;
    int status = run(raise_twice);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

static bool survives_a_broken_pipe(void)
{
    raise(SIGPIPE);
    return interrupt_signal() == 0;
}

static void a_broken_pipe_is_no_signal(void **state)
{
    (void)state;
    assert_int_equal(run(survives_a_broken_pipe), 0);
}

static bool sleep_is_cut_short(void)
{
    pid_t self = getpid();
    int64_t start = clock_ms();

    if (fork() == 0) {
        usleep(100000);
        kill(self, SIGTERM);
        _exit(0);
    }
    if (interrupt_sleep(20000) || clock_ms() - start > 5000)
        return false;
    start = clock_ms();
    return !interrupt_sleep(20000) && clock_ms() - start < 1000; /* it had come before */
}

static void a_signal_ends_a_sleep(void **state)
{
    (void)state;
    assert_int_equal(run(sleep_is_cut_short), 0);
}

static void a_sleep_takes_its_time(void **state)
{
    (void)state;
    int64_t start = clock_us();

    assert_true(interrupt_sleep(50));
    assert_true(clock_us() - start >= 50000);
    assert_true(interrupt_sleep(0));
    assert_true(interrupt_sleep(-5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_signal_is_only_remembered),
        cmocka_unit_test(termination_has_its_own_code),
        cmocka_unit_test(a_second_signal_ends_the_process),
        cmocka_unit_test(a_broken_pipe_is_no_signal),
        cmocka_unit_test(a_signal_ends_a_sleep),
        cmocka_unit_test(a_sleep_takes_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
