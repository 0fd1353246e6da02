/* SPDX-License-Identifier: PostgreSQL */
#define PGMIGRATE_TEST_POINTS
#include "common/test_point.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* How often the point "here" is passed alive; -1 when it never kills within ten times. */
static int passed(const char *stop)
{
    int status = 0, ends[2];
    char bytes[16];

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (stop != NULL)
            setenv("PGMIGRATE_TEST_STOP", stop, 1);
        for (int i = 0; i < 10; i++) {
            test_point("elsewhere");
            test_point("here");
            (void)!write(ends[1], "x", 1);
        }
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ssize_t count = read(ends[0], bytes, sizeof bytes);
    close(ends[0]);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? (int)count : -1;
}

static void the_named_point_kills(void **state)
{
    (void)state;
    assert_int_equal(passed("here"), 0);
    assert_int_equal(passed("here:1"), 0);
    assert_int_equal(passed("here:4"), 3);
}

static void no_other_point_does(void **state)
{
    (void)state;
    assert_int_equal(passed(NULL), -1);
    assert_int_equal(passed("her"), -1);
    assert_int_equal(passed("hereafter"), -1);
    assert_int_equal(passed("here:11"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_named_point_kills),
        cmocka_unit_test(no_other_point_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
