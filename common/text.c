/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

char *text_copy(const char *text)
{
    return text == NULL ? NULL : text_copy_part(text, strlen(text));
}

char *text_copy_part(const char *text, size_t length)
{
    char *copy = memory_allocate(length + 1, 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = text_format_list(format, arguments);
    va_end(arguments);
    return text;
}

char *text_format_list(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        return memory_allocate(1, 1); /* an impossible format: nothing to say beats undefined behaviour */
    return text;
}

bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t tail = strlen(suffix);

    return length >= tail && memcmp(text + length - tail, suffix, tail) == 0;
}

void text_list_add(struct text_list *list, char *owned)
{
    list->items = memory_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count++] = owned;
}

static bool is_blank(char c)
{
    return isspace((unsigned char)c);
}

struct text_list text_list_split(const char *text, char separator)
{
    struct text_list list = {0};

    while (text != NULL && *text != '\0') {
        const char *stop = strchrnul(text, separator);
        const char *end = stop;
        while (text < end && is_blank(*text))
            text++;
        while (end > text && is_blank(end[-1]))
            end--;
        if (end > text)
            text_list_add(&list, text_copy_part(text, (size_t)(end - text)));
        text = *stop == '\0' ? stop : stop + 1;
    }
    return list;
}

char *text_list_join(const struct text_list *list, const char *separator)
{
    size_t gap = strlen(separator);
    size_t length = 0;
    for (size_t i = 0; i < list->count; i++)
        length += strlen(list->items[i]) + gap;

    char *joined = memory_allocate(length + 1, 1);
    char *end = joined;
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            end = mempcpy(end, separator, gap);
        end = mempcpy(end, list->items[i], strlen(list->items[i]));
    }
    return joined;
}

bool text_list_contains(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void text_list_clear(struct text_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

struct text_position text_position(const char *text, size_t offset)
{
    struct text_position position = {1, 1};
    const char *line = text;
    const char *end = text + offset;

    for (const char *next; (next = memchr(line, '\n', (size_t)(end - line))) != NULL; line = next + 1)
        position.line++;
    for (; line < end; line++)
        position.column += starts_character(*line);
    return position;
}

size_t text_offset_of_character(const char *text, size_t length, size_t character)
{
    size_t seen = 0;

    for (size_t i = 0; i < length; i++)
        if (starts_character(text[i]) && ++seen >= character)
            return i;
    return length;
}

/* The length of the character whose first byte is first, and the range its second byte must be in; 0: no
 * such. */
static size_t utf8_shape(unsigned char first, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF) {
        if (first == 0xE0)
            *ret_low = 0xA0; /* shorter forms exist */
        if (first == 0xED)
            *ret_high = 0x9F; /* surrogates */
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (first == 0xF0)
            *ret_low = 0x90;
        if (first == 0xF4)
            *ret_high = 0x8F; /* beyond U+10FFFF */
        return 4;
    }
    return 0;
}

static size_t utf8_character(const unsigned char *text, size_t length)
{
    unsigned char low, high;

    if (text[0] < 0x80)
        return text[0] != '\0';
    size_t size = utf8_shape(text[0], &low, &high);
    if (size == 0 || size > length || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (starts_character((char)text[i]))
            return 0;
    return size;
}

/* Whether eight bytes are all ASCII and none is NUL: most of every file passes here. */
static bool is_plain(const unsigned char *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof word);
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(const char *text, size_t length, size_t *ret_bad)
{
    const unsigned char *bytes = (const unsigned char *)text;

    for (size_t i = 0; i < length;) {
        if (length - i >= 8 && is_plain(bytes + i)) {
            i += 8;
            continue;
        }
        size_t size = utf8_character(bytes + i, length - i);
        if (size == 0) {
            if (ret_bad != NULL)
                *ret_bad = i;
            return false;
        }
        i += size;
    }
    return true;
}

size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += starts_character(*text);
    return width;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance with swapped neighbours as one edit; three rows of the matrix are enough. */
static size_t distance(const char *a, const char *b)
{
    size_t columns = strlen(b) + 1;
    OWNED size_t *memory = memory_allocate(columns * 3, sizeof *memory);
    size_t *before = memory, *above = memory + columns, *row = memory + 2 * columns;

    for (size_t j = 0; j < columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j < columns; j++) {
            size_t best = minimum(above[j], row[j - 1]) + 1;
            best = minimum(best, above[j - 1] + !same_letter(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                best = minimum(best, before[j - 2] + 1);
            row[j] = best;
        }
    }
    return row[columns - 1];
}

const char *text_nearest(const char *word, const char *const candidates[])
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    size_t length = strlen(word);

    for (; *candidates != NULL; candidates++) {
        size_t other = strlen(*candidates);
        size_t longer = length > other ? length : other;
        if ((longer - minimum(length, other)) * 3 > longer)
            continue; /* too different in length alone; also keeps absurdly long words cheap */
        size_t edits = distance(word, *candidates);
        if (edits * 3 <= longer && edits < least) {
            least = edits;
            nearest = *candidates;
        }
    }
    return nearest;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Digits and one of the units; nothing before, between or after them. */
static bool parse_with_unit(const char *text, const struct unit *units, int64_t *ret)
{
    int64_t value = 0;
    const char *end = text;

    for (; isdigit((unsigned char)*end); end++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *end - '0', &value))
            return false;
    if (end == text)
        return false;
    for (; units->name != NULL; units++)
        if (strcmp(end, units->name) == 0)
            break;
    if (units->name == NULL || __builtin_mul_overflow(value, units->factor, &value))
        return false;
    *ret = value;
    return true;
}

bool text_parse_duration(const char *text, int64_t *ret_ms)
{
    static const struct unit units[] = {{"", 1},        {"ms", 1},       {"s", 1000}, {"min", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

    return parse_with_unit(text, units, ret_ms);
}

bool text_parse_size(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = {{"", 1},
                                        {"B", 1},
                                        {"kB", INT64_C(1) << 10},
                                        {"MB", INT64_C(1) << 20},
                                        {"GB", INT64_C(1) << 30},
                                        {"TB", INT64_C(1) << 40},
                                        {NULL, 0}};

    return parse_with_unit(text, units, ret_bytes);
}

bool text_parse_integer(const char *text, int64_t least, int64_t most, int64_t *ret_value)
{
    static const struct unit none[] = {{"", 1}, {NULL, 0}};
    int64_t value;

    if (!parse_with_unit(text, none, &value) || value < least || value > most)
        return false;
    *ret_value = value;
    return true;
}

char *text_duration(int64_t ms)
{
    if (ms < 1000)
        return text_format("%lld ms", (long long)ms);
    if (ms < 59950) /* what would be shown as 60.0 s is shown as 1:00 */
        return text_format("%lld.%lld s", (long long)((ms + 50) / 1000), (long long)((ms + 50) % 1000 / 100));

    long long seconds = (ms + 500) / 1000;
    if (seconds < 3600)
        return text_format("%lld:%02lld", seconds / 60, seconds % 60);
    return text_format("%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

char *text_size(int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024)
        return text_format("%lld B", (long long)bytes);
    while (value >= 1023.95) { /* what would be shown as 1024.0 */
        value /= 1024;
        unit++;
    }
    return text_format("%.1f %s", value, units[unit]);
}
