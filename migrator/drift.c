/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/drift.h"

#include "common/file.h"
#include "common/process.h"

/* Line ends do not count in checksums, so they must not fill the difference either. */
static char *with_unix_line_ends(const char *text)
{
    char *result = memory_allocate(strlen(text) + 1, 1);
    char *end = result;
    for (; *text != '\0'; text++) {
        if (*text == '\r' && text[1] == '\n')
            continue;
        *end++ = *text == '\r' ? '\n' : *text;
    }
    return result;
}

/* Both texts as files in a folder of their own, which the caller removes. */
static bool write_texts(const char *folder, struct drift_text was, struct drift_text now, struct error *error)
{
    OWNED char *was_text = with_unix_line_ends(was.text), *now_text = with_unix_line_ends(now.text);
    OWNED char *was_path = file_join(folder, "was"), *now_path = file_join(folder, "now");
    return file_write_new(was_path, was_text, strlen(was_text), 0600, error) &&
           file_write_new(now_path, now_text, strlen(now_text), 0600, error);
}

#define DIFF_DIFFERENT 1 /* exit status of diff(1): 0 is "same", 2 is trouble */

static char *run_diff(const char *folder, struct drift_text was, struct drift_text now)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const argv[] = {"diff", "-u", "--label", was.label, "--label", now.label, "was", "now", NULL};
    struct process_request request = {.argv = argv, .folder = folder};
    if (!write_texts(folder, was, now, &ignored) || !process_run(&request, &result, &ignored))
        return NULL;
    return result.status == DIFF_DIFFERENT ? take(result.output) : NULL;
}

char *drift_show(struct drift_text was, struct drift_text now)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *folder = NULL;
    OWNED char *diff = NULL;
    if (file_make_temporary("pgmigrate-drift", &folder, &ignored)) {
        diff = run_diff(folder, was, now);
        AUTO(error_clear) struct error left_behind = {0};
        if (!file_remove_tree(folder, &left_behind))
            error_clear(&left_behind); /* two small files under $TMPDIR are no reason to fail */
    }
    return diff != NULL ? take(diff) : drift_first_difference(was, now);
}

static char *line_at(const char *text)
{
    return text_copy_part(text, strcspn(text, "\n"));
}

char *drift_first_difference(struct drift_text was, struct drift_text now)
{
    OWNED char *a = with_unix_line_ends(was.text), *b = with_unix_line_ends(now.text);
    size_t line = 1, begin = 0, at = 0;
    for (; a[at] != '\0' && a[at] == b[at]; at++) {
        if (a[at] == '\n') {
            line++;
            begin = at + 1;
        }
    }
    OWNED char *old_line = line_at(a + begin), *new_line = line_at(b + begin);
    return text_format("--- %s\n+++ %s\nThe first difference is in line %zu:\n-%s\n+%s\n", was.label,
                       now.label, line, old_line, new_line);
}
