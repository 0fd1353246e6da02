/* SPDX-License-Identifier: PostgreSQL */
#include "cli/progress.h"

#include "cli/backup_progress.h"
#include "cli/restoring.h"
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

#define GB ((int64_t)1 << 30)

/* Of the first 79 characters, which every terminal shows. */
static void assert_shown(const char *line, const char *part)
{
    OWNED char *shown = text_copy_part(line, strlen(line) < 79 ? strlen(line) : 79);

    if (strstr(shown, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, shown);
}

static void share_rate_and_time_left_are_shown_on_a_narrow_terminal(void **state)
{
    const char *const current[] = {"public.a_table_of_a_long_name", "public.another_table_of_a_long_name"};
    const struct backup_event backup = {.kind = BACKUP_PROGRESS,
                                        .done = 1000 * GB,
                                        .total = 4000 * GB,
                                        .written = 300 * GB,
                                        .streams = 2,
                                        .current = current};
    const struct restore_event restore = {.phase = RESTORE_COMPARING, .done = 1000 * GB, .total = 4000 * GB};
    OWNED char *line = backup_progress_line(&backup, 36000000);
    OWNED char *other = restoring_progress_line(&restore, 36000000);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_shown(i ? other : line, "25%");
        assert_shown(i ? other : line, "30:00:00 left");
        assert_shown(i ? other : line, "28.4 MB/s");
    }
}

static void without_a_number_only_the_phase_is_shown(void **state)
{
    OWNED char *line = restoring_progress_line(&(struct restore_event){.phase = RESTORE_POST_DATA}, 5000);

    (void)state;
    assert_string_equal(line, "building indexes and constraints");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_tried_before_the_first_migration_has_just_begun),
        cmocka_unit_test(statements_are_tried_until_a_migration_begins),
        cmocka_unit_test(share_rate_and_time_left_are_shown_on_a_narrow_terminal),
        cmocka_unit_test(without_a_number_only_the_phase_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
