/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/settle.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void the_log_proves_a_commit_whatever_the_status(void **state)
{
    (void)state;
    assert_int_equal(settle_weigh(SETTLED_COMMITTED, SETTLED_COMMITTED), SETTLED_COMMITTED);
    assert_int_equal(settle_weigh(SETTLED_UNDONE, SETTLED_COMMITTED), SETTLED_COMMITTED);
    assert_int_equal(settle_weigh(SETTLED_UNKNOWN, SETTLED_COMMITTED), SETTLED_COMMITTED);
}

static void without_a_log_the_status_counts(void **state)
{
    (void)state;
    assert_int_equal(settle_weigh(SETTLED_COMMITTED, SETTLED_UNKNOWN), SETTLED_COMMITTED);
    assert_int_equal(settle_weigh(SETTLED_UNDONE, SETTLED_UNKNOWN), SETTLED_UNDONE);
    assert_int_equal(settle_weigh(SETTLED_UNKNOWN, SETTLED_UNKNOWN), SETTLED_UNKNOWN);
}

static void no_line_in_the_log_undoes_all_but_a_committed_number(void **state)
{
    (void)state;
    assert_int_equal(settle_weigh(SETTLED_UNDONE, SETTLED_UNDONE), SETTLED_UNDONE);
    assert_int_equal(settle_weigh(SETTLED_UNKNOWN, SETTLED_UNDONE), SETTLED_UNDONE);
    assert_int_equal(settle_weigh(SETTLED_COMMITTED, SETTLED_UNDONE), SETTLED_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_proves_a_commit_whatever_the_status),
        cmocka_unit_test(without_a_log_the_status_counts),
        cmocka_unit_test(no_line_in_the_log_undoes_all_but_a_committed_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
