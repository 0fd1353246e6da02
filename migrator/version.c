/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/version.h"
#include "common/text.h"
#include <ctype.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *skip_zeros(const char *digits)
{
    while (*digits == '0' && is_digit(digits[1]))
        digits++;
    return digits;
}

/* "007" -> "7", "1_02" -> "1.2", "1.0" -> "1". */
static char *normal_number(const char *digits, size_t length)
{
    char *number = memory_allocate(length + 1, 1);
    size_t used = 0, kept = 0;
    for (size_t i = 0; i < length;) {
        size_t begin = i;
        while (i < length && is_digit(digits[i]))
            i++;
        while (begin + 1 < i && digits[begin] == '0')
            begin++;
        memcpy(number + used, digits + begin, i - begin);
        used += i - begin;
        if (kept == 0 || i - begin > 1 || digits[begin] != '0')
            kept = used;
        if (i < length) {
            number[used++] = '.';
            i++;
        }
    }
    number[kept] = '\0';
    return number;
}

/* The count of bytes of "1", "1.2" or "1_2" at text. */
static size_t dotted_length(const char *text)
{
    size_t length = 0;
    while (is_digit(text[length])) {
        length++;
        if ((text[length] == '.' || text[length] == '_') && is_digit(text[length + 1]))
            length++;
    }
    return length;
}

static bool is_flyway(const char *stem)
{
    return stem[0] == 'V' && is_digit(stem[1]);
}

bool version_parse(const char *stem, struct version *ret)
{
    bool flyway = is_flyway(stem);
    const char *digits = stem + (flyway ? 1 : 0);
    size_t length = flyway ? dotted_length(digits) : strspn(digits, "0123456789");
    if (length == 0)
        return false;
    const char *suffix = digits + length;
    const char *rest = suffix;
    while (!flyway && is_letter(*rest))
        rest++;
    size_t suffix_length = (size_t)(rest - suffix);
    if (flyway && rest[0] == '_' && rest[1] == '_')
        rest += 2;
    else if (*rest == '_')
        rest++;
    *ret = (struct version){
        .stem = text_copy(stem),
        .number = normal_number(digits, length),
        .digits = text_copy_part(digits, length),
        .suffix = text_copy_part(suffix, suffix_length),
        .description = text_copy(rest),
    };
    return true;
}

void version_clear(struct version *version)
{
    if (!version)
        return;
    free(version->stem);
    free(version->number);
    free(version->digits);
    free(version->suffix);
    free(version->description);
    *version = (struct version){0};
}

/* Compare one part of each number and step over it and its dot; a part that is not there is zero. */
static int compare_part(const char **a, const char **b)
{
    const char *x = skip_zeros(**a ? *a : "0");
    const char *y = skip_zeros(**b ? *b : "0");
    size_t x_length = strspn(x, "0123456789"), y_length = strspn(y, "0123456789");
    if (**a) {
        *a = x + x_length;
        *a += **a ? 1 : 0;
    }
    if (**b) {
        *b = y + y_length;
        *b += **b ? 1 : 0;
    }
    if (x_length != y_length)
        return x_length < y_length ? -1 : 1;
    return memcmp(x, y, x_length);
}

int version_compare_number(const struct version *a, const struct version *b)
{
    const char *x = a->number, *y = b->number;
    while (*x || *y) {
        int order = compare_part(&x, &y);
        if (order != 0)
            return order;
    }
    return strcmp(a->suffix, b->suffix);
}

int version_compare(const struct version *a, const struct version *b)
{
    int order = version_compare_number(a, b);
    if (order == 0)
        order = strcmp(a->description, b->description);
    return order != 0 ? order : strcmp(a->stem, b->stem);
}

bool version_matches(const struct version *version, const char *word)
{
    if (strcmp(version->stem, word) == 0)
        return true;
    bool flyway = is_flyway(version->stem);
    if (flyway && word[0] == 'V')
        word++;
    size_t length = flyway ? dotted_length(word) : strspn(word, "0123456789");
    if (length == 0 || strcmp(word + length, version->suffix) != 0)
        return false;
    OWNED char *number = normal_number(word, length);
    return strcmp(number, version->number) == 0;
}
