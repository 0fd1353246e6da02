/* SPDX-License-Identifier: PostgreSQL */
#include "common/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    OWNED unsigned char *memory = memory_allocate(100, 3);
    OWNED void *nothing = memory_allocate(0, 0);

    for (size_t i = 0; i < 300; i++)
        assert_int_equal(memory[i], 0);
    assert_non_null(nothing);
}

static void an_array_grows_and_keeps_its_elements(void **state)
{
    (void)state;
    OWNED int *items = NULL;

    for (int i = 0; i < 1000; i++) {
        items = memory_grow(items, (size_t)i, sizeof *items);
        items[i] = i; /* the sanitizer sees a slot that is not there */
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
}

static void an_array_with_room_stays_where_it_is(void **state)
{
    (void)state;
    OWNED int *items = NULL;

    for (size_t i = 0; i < 5; i++)
        items = memory_grow(items, i, sizeof *items);
    int *before = items;
    for (size_t i = 5; i < 8; i++) {
        items = memory_grow(items, i, sizeof *items);
        assert_ptr_equal(items, before);
    }
}

/* The exit status of a process that asks for more than there can be; its message goes nowhere. */
static int status_of(void (*ask)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        ask();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void grow_beyond_everything(void)
{
    OWNED char *items = malloc(1);
    size_t count = (SIZE_MAX >> 1) + 1; /* a power of two: wants twice as much */

    items = memory_grow(items, count, 16);
}

static void an_impossible_request_ends_the_program(void **state)
{
    (void)state;
    assert_int_equal(status_of(grow_beyond_everything), 1);
}

static char *give_away(void)
{
    OWNED char *text = memory_allocate(2, 1);

    text[0] = 'x';
    return take(text);
}

static void what_is_taken_is_not_freed(void **state)
{
    (void)state;
    OWNED char *text = give_away();
    OWNED char *other = take(text);

    assert_string_equal(other, "x");
    assert_null(text);
}

struct counted {
    int *closed;
};

static void counted_close(struct counted *counted)
{
    ++*counted->closed;
}
CLEANUP_VALUE(struct counted, counted_close)

static void pointed_close(struct counted *counted)
{
    if (counted != NULL)
        ++*counted->closed;
}
CLEANUP_POINTER(struct counted *, pointed_close)

static void destructors_run_at_the_end_of_the_block(void **state)
{
    (void)state;
    int closed = 0;
    {
        AUTO(counted_close) struct counted value = {&closed};
        AUTO(pointed_close) struct counted *pointer = &value;
        AUTO(pointed_close) struct counted *null = NULL;
        assert_non_null(pointer);
        assert_null(null);
        assert_int_equal(closed, 0);
    }
    assert_int_equal(closed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(an_array_grows_and_keeps_its_elements),
        cmocka_unit_test(an_array_with_room_stays_where_it_is),
        cmocka_unit_test(an_impossible_request_ends_the_program),
        cmocka_unit_test(what_is_taken_is_not_freed),
        cmocka_unit_test(destructors_run_at_the_end_of_the_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
