/* SPDX-License-Identifier: PostgreSQL */
#include "backup/column_order.h"

#include "common/text.h"
#include <string.h>

#define HEADER 4 /* lines above a statement of pg_dump: "--", "-- Name: …", "--", "" */

struct rewriting {
    struct text_list lines;
    size_t at;            /* the first line that is not in ret yet */
    struct text_list ret; /* of one line or several each */
};

static void rewriting_clear(struct rewriting *rewriting)
{
    text_list_clear(&rewriting->lines);
    text_list_clear(&rewriting->ret);
}
CLEANUP_VALUE(struct rewriting, rewriting_clear)

/* Unlike text_list_split it keeps every line as it is. */
static struct text_list lines_of(const char *script)
{
    struct text_list lines = {0};

    for (const char *at = script;; at++) {
        size_t length = strcspn(at, "\n");

        text_list_add(&lines, text_copy_part(at, length));
        at += length;
        if (*at == '\0')
            return lines;
    }
}

/* Past the end there are empty lines. */
static const char *line_at(const struct rewriting *rewriting, size_t line)
{
    return line < rewriting->lines.count ? rewriting->lines.items[line] : "";
}

/* The lines up to end, as one text. */
static char *take_lines(struct rewriting *rewriting, size_t end)
{
    struct text_list part = {.items = rewriting->lines.items + rewriting->at, .count = end - rewriting->at};

    rewriting->at = end;
    return text_list_join(&part, "\n");
}

static void keep_line(struct rewriting *rewriting)
{
    text_list_add(&rewriting->ret, take_lines(rewriting, rewriting->at + 1));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What was added to ret since there were so many. */
static void sort_from(struct text_list *ret, size_t first)
{
    if (ret->count > first)
        qsort(ret->items + first, ret->count - first, sizeof *ret->items, compare_texts);
}

/* ---- tables that inherit ---- */

/* The line ")" of a CREATE TABLE at that line which ends in INHERITS; 0 for anything else. */
static size_t end_of_columns(const struct rewriting *rewriting)
{
    const char *line = line_at(rewriting, rewriting->at);
    size_t end = rewriting->at + 1;

    if (!text_starts_with(line, "CREATE ") || !strstr(line, "TABLE ") || !text_ends_with(line, " ("))
        return 0;
    while (end < rewriting->lines.count && !text_equal(line_at(rewriting, end), ")"))
        end++;
    return text_starts_with(line_at(rewriting, end + 1), "INHERITS (") ? end : 0;
}

static size_t end_of_statement(const struct rewriting *rewriting)
{
    size_t end = rewriting->at;

    while (end < rewriting->lines.count && !text_ends_with(line_at(rewriting, end), ";"))
        end++;
    return end < rewriting->lines.count ? end + 1 : end;
}

static void add_table(struct rewriting *rewriting, size_t end)
{
    struct text_list *ret = &rewriting->ret;
    size_t first;

    keep_line(rewriting);
    first = ret->count;
    while (rewriting->at < end) {
        keep_line(rewriting);
        if (text_ends_with(ret->items[ret->count - 1], ","))
            ret->items[ret->count - 1][strlen(ret->items[ret->count - 1]) - 1] = '\0';
    }
    sort_from(ret, first);
    text_list_add(ret, take_lines(rewriting, end_of_statement(rewriting)));
    first = ret->count;
    while (text_starts_with(line_at(rewriting, rewriting->at), "ALTER ") &&
           strstr(line_at(rewriting, rewriting->at), " ALTER COLUMN "))
        text_list_add(ret, take_lines(rewriting, end_of_statement(rewriting)));
    sort_from(ret, first);
}

/* ---- statistics ---- */

/* "CREATE STATISTICS public.s (ndistinct) ON a, b FROM public.t;" */
static bool add_statistics(struct rewriting *rewriting)
{
    static const char on[] = " ON ", from[] = " FROM ";
    const char *line = line_at(rewriting, rewriting->at);
    const char *begin = text_starts_with(line, "CREATE STATISTICS ") ? strstr(line, on) : NULL;
    const char *end = NULL;
    struct text_list *ret = &rewriting->ret;

    for (const char *next = begin; next && (next = strstr(next, from)) != NULL; next++)
        end = next;
    if (!end)
        return false;
    OWNED char *columns = text_copy_part(begin + strlen(on), (size_t)(end - begin) - strlen(on));
    AUTO(text_list_clear) struct text_list each = text_list_split(columns, ',');
    sort_from(&each, 0);
    OWNED char *sorted = text_list_join(&each, ", ");
    text_list_add(ret, text_format("%.*s%s%s%s", (int)(begin - line), line, on, sorted, end));
    rewriting->at++;
    return true;
}

/* ---- entries ---- */

static bool is_entry(const struct rewriting *rewriting, size_t line)
{
    return text_equal(line_at(rewriting, line), "--") &&
           text_starts_with(line_at(rewriting, line + 1), "-- Name: ");
}

static bool is_end(const struct rewriting *rewriting, size_t line)
{
    return text_equal(line_at(rewriting, line), "--") &&
           text_equal(line_at(rewriting, line + 1), "-- PostgreSQL database dump complete");
}

/* Each of them names its column, so that their order tells nothing. */
static bool is_of_column(const struct rewriting *rewriting, size_t line)
{
    return is_entry(rewriting, line) && (text_starts_with(line_at(rewriting, line + 1), "-- Name: COLUMN ") ||
                                         strstr(line_at(rewriting, line + 1), "; Type: DEFAULT; "));
}

/* Settings that the next entry begins with stand before its name, and are none of this one's. */
static size_t end_of_entry(const struct rewriting *rewriting)
{
    size_t first = rewriting->at + HEADER, end = first;

    while (end < rewriting->lines.count && !is_entry(rewriting, end) && !is_end(rewriting, end))
        end++;
    while (end > first &&
           (*line_at(rewriting, end - 1) == '\0' || text_starts_with(line_at(rewriting, end - 1), "SET ")))
        end--;
    return end < rewriting->lines.count ? end : rewriting->lines.count;
}

static void add_entries_of_columns(struct rewriting *rewriting)
{
    size_t first = rewriting->ret.count;

    while (is_of_column(rewriting, rewriting->at)) {
        text_list_add(&rewriting->ret, take_lines(rewriting, end_of_entry(rewriting)));
        while (rewriting->at < rewriting->lines.count && *line_at(rewriting, rewriting->at) == '\0')
            rewriting->at++;
    }
    sort_from(&rewriting->ret, first);
}

static void add_entry(struct rewriting *rewriting)
{
    size_t end;

    if (is_of_column(rewriting, rewriting->at)) {
        add_entries_of_columns(rewriting);
        return;
    }
    for (size_t i = 0; i < HEADER && rewriting->at < rewriting->lines.count; i++)
        keep_line(rewriting);
    end = end_of_columns(rewriting);
    if (end)
        add_table(rewriting, end);
    else
        add_statistics(rewriting);
}

char *column_order_forget(const char *script)
{
    AUTO(rewriting_clear) struct rewriting rewriting = {.lines = lines_of(script)};

    while (rewriting.at < rewriting.lines.count)
        if (is_entry(&rewriting, rewriting.at))
            add_entry(&rewriting);
        else
            keep_line(&rewriting);
    return text_list_join(&rewriting.ret, "\n");
}
