/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/schema_text.h"

#include "backup/dump.h"
#include "common/process.h"
#include <ctype.h>
#include <string.h>

#define LINES_TOLD 4 /* of one object; the first ones say what happened */

void difference_add(struct rehearsed *rehearsed, const char *kind, const char *object, bool mild,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    rehearsed->differences =
        memory_grow(rehearsed->differences, rehearsed->difference_count, sizeof *rehearsed->differences);
    rehearsed->differences[rehearsed->difference_count++] =
        (struct difference){.kind = text_copy(kind),
                            .object = text_copy(object),
                            .what = text_format_list(format, arguments),
                            .mild = mild};
    va_end(arguments);
}

void schema_text_clear(struct schema_text *text)
{
    for (size_t i = 0; i < text->count; i++) {
        free(text->items[i].kind);
        free(text->items[i].name);
        text_list_clear(&text->items[i].lines);
    }
    free(text->items);
    *text = (struct schema_text){0};
}

/* ---- reading ---- */

/* The value behind "Type: " in "-- Name: orders; Type: TABLE; Schema: public; Owner: app". */
static char *field(const char *line, size_t length, const char *label)
{
    const char *found = memmem(line, length, label, strlen(label));

    if (!found)
        return NULL;
    found += strlen(label);
    const char *end = memmem(found, length - (size_t)(found - line), "; ", 2);
    return text_copy_part(found, end ? (size_t)(end - found) : length - (size_t)(found - line));
}

static void begin_object(struct schema_text *text, const char *line, size_t length)
{
    OWNED char *name = field(line, length, "-- Name: "), *schema = field(line, length, "; Schema: ");
    struct schema_object object = {.kind = field(line, length, "; Type: ")};

    for (char *c = object.kind; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (text_equal(object.kind, "acl")) {
        free(object.kind);
        object.kind = text_copy("privileges");
    }
    object.name = schema && !text_equal(schema, "-") ? text_format("%s.%s", schema, name) : text_copy(name);
    text->items = memory_grow(text->items, text->count, sizeof *text->items);
    text->items[text->count++] = object;
}

static bool is_heading(const char *line, size_t length)
{
    return length > 9 && strncmp(line, "-- Name: ", 9) == 0 && memmem(line, length, "; Type: ", 8) &&
           memmem(line, length, "; Owner: ", 9);
}

/* What pg_dump writes between objects, depending on what came before, and its random key. */
static bool is_noise(const char *line, size_t length)
{
    static const char *const beginnings[] = {"SET default_t", "\\restrict", "\\unrestrict"};

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(line, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return length == 0 || (length == 2 && strncmp(line, "--", 2) == 0) ||
           strncmp(line, "-- PostgreSQL database dump", strlen("-- PostgreSQL database dump")) == 0;
}

static int by_name(const void *a, const void *b)
{
    const struct schema_object *left = a, *right = b;
    int order = strcmp(left->kind, right->kind);

    return order ? order : strcmp(left->name, right->name);
}

void schema_text_parse(const char *text, struct schema_text *ret)
{
    while (*text) {
        size_t length = strcspn(text, "\n"), kept = length;

        if (is_heading(text, length)) {
            begin_object(ret, text, length);
        } else if (ret->count > 0 && !is_noise(text, length)) {
            kept -= text[length - 1] == ',';
            text_list_add(&ret->items[ret->count - 1].lines, text_copy_part(text, kept));
        }
        text += length + (text[length] != '\0');
    }
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_name);
}

bool schema_text_program(const struct postgres *postgres, char **ret, struct error *error)
{
    AUTO(dump_programs_clear) struct dump_programs programs = {0};

    if (!dump_find(postgres_server_version(postgres), &programs, error))
        return false;
    *ret = file_join(programs.folder, "pg_dump");
    return true;
}

bool schema_text_read(const struct postgres *postgres, const char *program, struct schema_text *ret,
                      struct error *error)
{
    AUTO(text_list_clear) struct text_list environment = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const argv[] = {program, "--schema-only", "--no-password", "--encoding=UTF8", NULL};
    postgres_environment(postgres, NULL, "-c lc_monetary=C", &environment);
    text_list_add(&environment, text_copy("LC_ALL=C"));
    text_list_add(&environment, NULL);
    const struct process_request request = {.argv = argv,
                                            .environment = (const char *const *)environment.items};
    if (!process_check(&request, &result, error))
        return false;
    schema_text_parse(result.output, ret);
    return true;
}

/* ---- comparing ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Borrows the lines. */
static char **sorted(const struct text_list *lines)
{
    char **copy = memory_allocate(lines->count + 1, sizeof *copy);

    for (size_t i = 0; i < lines->count; i++)
        copy[i] = lines->items[i];
    qsort(copy, lines->count, sizeof *copy, by_text);
    return copy;
}

static bool is_in_order(const struct text_list *expected, const struct text_list *found)
{
    for (size_t i = 0; i < expected->count && i < found->count; i++)
        if (!text_equal(expected->items[i], found->items[i]))
            return false;
    return expected->count == found->count;
}

static const char *without_indent(const char *line)
{
    return line + strspn(line, " \t");
}

/* The lines that only one of them has; false when they hold the same ones. */
static bool tell_lines(const struct schema_object *expected, const struct schema_object *found,
                       struct rehearsed *ret)
{
    OWNED char **left = sorted(&expected->lines), **right = sorted(&found->lines);
    size_t told = 0;

    for (size_t i = 0, k = 0; i < expected->lines.count || k < found->lines.count;) {
        int order = i == expected->lines.count ? 1 : k == found->lines.count ? -1 : strcmp(left[i], right[k]);
        if (order != 0 && told++ < LINES_TOLD)
            difference_add(ret, expected->kind, expected->name, false,
                           order < 0 ? "\"%s\" is missing" : "\"%s\" was not there before",
                           without_indent(order < 0 ? left[i] : right[k]));
        i += order <= 0;
        k += order >= 0;
    }
    if (told > LINES_TOLD)
        difference_add(ret, expected->kind, expected->name, false, "%zu more lines differ",
                       told - LINES_TOLD);
    return told > 0;
}

static void compare_object(const struct schema_object *expected, const struct schema_object *found,
                           struct rehearsed *ret)
{
    if (is_in_order(&expected->lines, &found->lines) || tell_lines(expected, found, ret) ||
        text_equal(expected->kind, "privileges"))
        return;
    bool columns = text_equal(expected->kind, "table") || text_equal(expected->kind, "foreign table");
    difference_add(ret, expected->kind, expected->name, columns,
                   columns ? "its columns are in another order" : "its lines are in another order");
}

void schema_text_compare(const struct schema_text *expected, const struct schema_text *found,
                         struct rehearsed *ret)
{
    for (size_t i = 0, k = 0; i < expected->count || k < found->count;) {
        const struct schema_object *left = &expected->items[i], *right = &found->items[k];
        int order = i == expected->count ? 1 : k == found->count ? -1 : by_name(left, right);

        if (order < 0)
            difference_add(ret, left->kind, left->name, false, "is missing");
        else if (order > 0)
            difference_add(ret, right->kind, right->name, false, "was not there before");
        else
            compare_object(left, right, ret);
        i += order <= 0;
        k += order >= 0;
    }
}
