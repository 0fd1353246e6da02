/* SPDX-License-Identifier: PostgreSQL */
/*
 * Text: copies, positions in UTF-8, durations, spelling help.
 *
 * Every char * returned here is the caller's to free() unless said otherwise.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/memory.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

char *text_copy(const char *text); /* NULL stays NULL */
char *text_copy_part(const char *text, size_t length);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* A list of owned strings. */
struct text_list {
    char **items;
    size_t count;
};
void text_list_add(struct text_list *list, char *owned);
/* Split at separator; blanks around each part are trimmed and empty parts dropped. */
struct text_list text_list_split(const char *text, char separator);
char *text_list_join(const struct text_list *list, const char *separator);
bool text_list_contains(const struct text_list *list, const char *text);
void text_list_clear(struct text_list *list);
CLEANUP_VALUE(struct text_list, text_list_clear)

/* A place in a file: both 1-based, column in characters (code points). "\r\n" and "\n" end a line. */
struct text_position {
    size_t line;
    size_t column;
};
struct text_position text_position(const char *text, size_t offset);

/* The byte offset of the 1-based character (code point) in text of length bytes; length when past the end. */
size_t text_offset_of_character(const char *text, size_t length, size_t character);

/* Whether the bytes are well-formed UTF-8 (RFC 3629) without NUL; else the offset of the first bad byte. */
bool text_is_utf8(const char *text, size_t length, size_t *ret_bad);

/* Characters shown by a terminal are counted one per code point. */
size_t text_width(const char *text);

/*
 * The candidate nearest to word by edit distance, or NULL when none is near enough to suggest (more than a
 * third of the word differs). Case does not count, and two swapped neighbours are one edit. candidates ends
 * with NULL. The result points into candidates.
 */
const char *text_nearest(const char *word, const char *const candidates[]);

/* "500" and "500ms" are milliseconds; also s, min, h, d. False for anything else, negative or too large. */
bool text_parse_duration(const char *text, int64_t *ret_ms);
/* "64MB", "1GB", "8192": bytes, units of 1024 (kB, MB, GB, TB). */
bool text_parse_size(const char *text, int64_t *ret_bytes);
/* Decimal digits only, within [minimum, maximum]. */
bool text_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *ret_value);

/* For people: "180 ms", "2.4 s", "12:16", "1:02:03". */
char *text_duration(int64_t ms);
/* For people: "512 B", "64.0 kB", "1.5 GB". */
char *text_size(int64_t bytes);

#endif
