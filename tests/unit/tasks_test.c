/* SPDX-License-Identifier: PostgreSQL */
#include "backup/tasks.h"

#include "backup/crew.h"
#include "tests/unit/copy_scene.h"

struct play {
    atomic_bool stop;
    atomic_int done;
};

static void do_nothing(void *context)
{
    (void)context;
}

static void stop_them(void *context)
{
    struct play *play = context;
    atomic_store(&play->stop, true);
}

static bool succeed(void *context, size_t number, struct error *error)
{
    struct play *play = context;
    (void)number;
    (void)error;
    atomic_fetch_add(&play->done, 1);
    return true;
}

/* The first fails for a reason, the others because of it. */
static bool fail_or_follow(void *context, size_t number, struct error *error)
{
    struct play *play = context;

    while (number > 0 && !atomic_load(&play->stop))
        continue;
    return error_set(error, ERROR_FAILED, number == 0 ? "the reason" : "stopped");
}

/* As a stream between two chunks: it sees the flag, and has no error to tell. */
static bool leave_when_stopped(void *context, size_t number, struct error *error)
{
    struct play *play = context;

    (void)number;
    (void)error;
    while (!atomic_load(&play->stop))
        usleep(1000);
    return true;
}

static void all_that_succeed_are_a_success(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct play play = {0};
    const struct task tasks[] = {{succeed, 0}, {succeed, 1}, {succeed, 2}};

    must(tasks_run(tasks, 3, &play.stop, do_nothing, &play, &error), &error);
    assert_int_equal(atomic_load(&play.done), 3);
}

static void the_first_failure_is_the_reason(void **state)
{
    (void)state;

    for (int i = 0; i < 200; i++) {
        AUTO(error_clear) struct error error = {0};
        struct play play = {0};
        const struct task tasks[] = {{fail_or_follow, 0}, {fail_or_follow, 1}};
        assert_false(tasks_run(tasks, 2, &play.stop, do_nothing, &play, &error));
        assert_string_equal(error.message, "the reason");
    }
}

static void work_that_was_stopped_is_not_done(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct play play = {0};
    const struct task tasks[] = {{leave_when_stopped, 0}, {leave_when_stopped, 1}};

    assert_false(tasks_run(tasks, 2, &play.stop, stop_them, &play, &error));
    assert_string_equal(error.message, "stopped");
}

static bool is_interrupted(void)
{
    AUTO(error_clear) struct error error = {0};
    struct play play = {0};
    const struct task tasks[] = {{leave_when_stopped, 0}, {leave_when_stopped, 1}};

    interrupt_install();
    signal_me_later(SIGTERM);
    return !tasks_run(tasks, 2, &play.stop, do_nothing, &play, &error) && error.code == ERROR_TERMINATED;
}

static void work_that_was_interrupted_is_not_done(void **state)
{
    (void)state;
    assert_in_fork(is_interrupted);
}

static bool work(void *context, struct crew_worker *worker, size_t item, struct error *error)
{
    (void)context;
    while (item > 0 && !atomic_load(worker->stop))
        continue;
    return error_set(error, ERROR_FAILED, item == 0 ? "the reason" : "stopped");
}

static void a_crews_first_failure_is_the_reason(void **state)
{
    struct postgres *postgres = session_of(state);
    const struct crew_job job = {
        .server = postgres, .database = postgres_database(postgres), .workers = 4, .items = 4, .work = work};

    for (int i = 0; i < 50; i++) {
        AUTO(error_clear) struct error error = {0};
        assert_false(crew_run(&job, &error));
        assert_string_equal(error.message, "the reason");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_succeed_are_a_success),
        cmocka_unit_test(the_first_failure_is_the_reason),
        cmocka_unit_test(work_that_was_stopped_is_not_done),
        cmocka_unit_test(work_that_was_interrupted_is_not_done),
        cmocka_unit_test_setup_teardown(a_crews_first_failure_is_the_reason, session_begin, session_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
