/* SPDX-License-Identifier: PostgreSQL */
#include "cli/outcome.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* A run of migrations 1_x, 2_x … in the given states. */
static struct run_result result_of(const enum run_state states[], size_t count)
{
    struct run_result result = {.count = count, .items = memory_allocate(count + 1, sizeof *result.items)};

    for (size_t i = 0; i < count; i++)
        result.items[i] =
            (struct migration_result){.version = text_format("%zu_x", i + 1), .state = states[i]};
    return result;
}

static void says(const struct outcome *outcome, const char *expected)
{
    OWNED char *summary = outcome_summary(outcome);

    if (expected)
        assert_string_equal(summary, expected);
    else
        assert_null(summary);
}

static void success_tells_count_time_and_target(void **state)
{
    (void)state;
    const enum run_state states[] = {RUN_STATE_APPLIED, RUN_STATE_APPLIED};
    AUTO(run_result_clear) struct run_result result = result_of(states, 2);

    says(&(struct outcome){.result = &result, .done = "applied", .target = "u@h/d", .ms = 180},
         "2 of 2 applied in 180 ms on u@h/d");
}

static void a_run_of_nothing_has_no_summary(void **state)
{
    (void)state;
    const enum run_state states[] = {RUN_STATE_PENDING};
    AUTO(run_result_clear) struct run_result none = result_of(NULL, 0), refused = result_of(states, 1);
    struct error error = {.code = ERROR_REFUSED};

    says(&(struct outcome){.result = &none, .done = "applied"}, NULL);
    says(&(struct outcome){.result = &refused, .done = "rolled back", .error = &error}, NULL);
}

static void a_failure_tells_what_became_of_each(void **state)
{
    (void)state;
    static const struct {
        enum error_code code;
        bool backwards;
        const char *expected;
    } cases[] = {
        {ERROR_FAILED, false, "1 of 4 done; 2_x failed and was rolled back; 2 not reached"},
        {ERROR_FAILED, true, "1 of 4 done; 2_x failed and stays applied; 2 not reached"},
        {ERROR_LOCKED, false, "1 of 4 done; 2_x failed and was rolled back; 2 not reached"},
        {ERROR_PARTIAL, false, "1 of 4 done; 2_x stopped half way; 2 not reached"},
        {ERROR_UNKNOWN, false, "1 of 4 done; 2_x is in an unknown state; 2 not reached"},
        {ERROR_INTERRUPTED, false, "1 of 4 done; 2_x was interrupted and rolled back; 2 not reached"},
        {ERROR_TERMINATED, true, "1 of 4 done; 2_x was interrupted and stays applied; 2 not reached"},
    };
    const enum run_state states[] = {RUN_STATE_APPLIED, RUN_STATE_FAILED, RUN_STATE_PENDING,
                                     RUN_STATE_PENDING};
    AUTO(run_result_clear) struct run_result result = result_of(states, 4);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {.code = cases[i].code};

        says(
            &(struct outcome){
                .result = &result, .done = "done", .error = &error, .backwards = cases[i].backwards},
            cases[i].expected);
    }
}

static void a_script_without_a_transaction_is_not_said_to_be_rolled_back(void **state)
{
    (void)state;
    const enum run_state states[] = {RUN_STATE_FAILED};
    AUTO(run_result_clear) struct run_result result = result_of(states, 1);
    result.items[0].bare = true;
    struct error failed = {.code = ERROR_FAILED}, interrupted = {.code = ERROR_INTERRUPTED};

    says(&(struct outcome){.result = &result, .done = "applied", .error = &failed},
         "0 of 1 applied; 1_x failed");
    says(&(struct outcome){.result = &result, .done = "applied", .error = &interrupted},
         "0 of 1 applied; 1_x was interrupted half way");
    result.items[0].bare = false;
    says(&(struct outcome){.result = &result, .done = "rolled back", .error = &failed, .backwards = true},
         "0 of 1 rolled back; 1_x failed and stays applied");
}

static void a_dry_run_tells_what_it_could_not_try(void **state)
{
    (void)state;
    const enum run_state states[] = {RUN_STATE_TRIED, RUN_STATE_UNTRIED};
    AUTO(run_result_clear) struct run_result result = result_of(states, 2);

    says(&(struct outcome){.result = &result, .done = "tried", .target = "t", .ms = 1},
         "1 of 2 tried in 1 ms on t; 1 could not be tried in a transaction");
}

static void what_a_signal_stopped_says_it_in_the_message(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct outcome outcome = {.error = &error, .done = "applied"};

    error_set(&error, ERROR_FAILED, "failed");
    assert_false(outcome_signalled(&outcome, "1 of 2 applied"));
    assert_string_equal(error.message, "failed");
    error_set(&error, ERROR_INTERRUPTED, "interrupted");
    assert_true(outcome_signalled(&outcome, "1 of 2 applied"));
    assert_string_equal(error.message, "interrupted: 1 of 2 applied");
    error_set(&error, ERROR_TERMINATED, "terminated");
    assert_true(outcome_signalled(&outcome, NULL));
    assert_string_equal(error.message, "terminated: nothing was applied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_tells_count_time_and_target),
        cmocka_unit_test(a_run_of_nothing_has_no_summary),
        cmocka_unit_test(a_failure_tells_what_became_of_each),
        cmocka_unit_test(a_script_without_a_transaction_is_not_said_to_be_rolled_back),
        cmocka_unit_test(a_dry_run_tells_what_it_could_not_try),
        cmocka_unit_test(what_a_signal_stopped_says_it_in_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
