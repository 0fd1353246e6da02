/* SPDX-License-Identifier: PostgreSQL */
#include "cli/progress.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

/* What the events print on a stderr that is no terminal. */
static char *printed(const struct run_event events[], size_t count)
{
    struct invocation invocation = {.verbosity = VERBOSITY_VERBOSE};
    struct progress *progress = progress_new(&invocation, "applied");
    struct run_listener listener = progress_listener(progress);
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    char *text = NULL;
    size_t size = 0;

    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    for (size_t i = 0; i < count; i++)
        listener.event(listener.context, &events[i]);
    progress_free(progress);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    if (getdelim(&text, &size, '\0', file) < 0)
        *text = '\0';
    fclose(file);
    return text;
}

static void what_is_tried_before_the_first_migration_has_just_begun(void **state)
{
    const struct run_event events[] = {{.type = RUN_PROGRESS, .text = "scanning heap"}};
    OWNED char *text = printed(events, 1);

    (void)state;
    assert_string_equal(text, "");
}

static void statements_are_tried_until_a_migration_begins(void **state)
{
    const struct run_event events[] = {
        {.type = RUN_STATEMENT, .version = "001_a", .line = 3, .text = "DROP TABLE a"},
        {.type = RUN_BEGIN, .version = "001_a", .total = 1},
        {.type = RUN_STATEMENT, .version = "001_a", .line = 3, .text = "DROP TABLE a"},
    };
    OWNED char *text = printed(events, 3);

    (void)state;
    assert_string_equal(text, "trying: 001_a:3: DROP TABLE a\nrunning: 001_a:3: DROP TABLE a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_tried_before_the_first_migration_has_just_begun),
        cmocka_unit_test(statements_are_tried_until_a_migration_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
