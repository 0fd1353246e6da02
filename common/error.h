/* SPDX-License-Identifier: PostgreSQL */
/*
 * What went wrong, for the person and for the script.
 *
 * Functions that can fail return bool and take a struct error last; on failure they fill it and return false,
 * on success they leave it alone. Nobody below cli/ prints. Wording follows PostgreSQL's style guide: the
 * message is one short line, lower case, no full stop, names in double quotes; detail and hint are sentences.
 *
 *     if (!file_read(path, &text, &size, error))
 *         return false;
 *     return error_set(error, ERROR_USAGE, "\"%s\" is not a migration", path);
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include "common/memory.h"
#include <stdbool.h>
#include <stddef.h>

/* The values are the program's exit statuses. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_FAILED = 1,
    ERROR_USAGE = 2,
    ERROR_FINDINGS = 3,
    ERROR_CONNECTION = 4,
    ERROR_LOCKED = 5,
    ERROR_CONFLICT = 6,
    ERROR_PARTIAL = 7,
    ERROR_UNKNOWN = 8,
    ERROR_BACKUP = 9,
    ERROR_REFUSED = 10,
    ERROR_INTERRUPTED = 130,
    ERROR_TERMINATED = 143,
};

struct error_code_info {
    enum error_code code;
    const char *name;    /* as in JSON: "conflict" */
    const char *meaning; /* one line for the manual */
};

/* The one table of exit statuses, in ascending order, ended by a NULL name. */
extern const struct error_code_info error_codes[];

struct error {
    enum error_code code;
    char *message;
    char *detail;
    char *hint;
    char sqlstate[6]; /* of the server's message, or "" */
    char *file;       /* where it is in the user's files; NULL when nowhere */
    size_t line;      /* 1-based; 0 unknown */
    size_t column;    /* 1-based, in characters; 0 unknown */

    /* 1-based character position in the statement that was sent, as the server gives it; 0 unknown. */
    size_t statement_position;
};

/* Fill error (forgetting what it held) and return false. */
bool error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Add to a filled error. All return false, so that they can end a function. A NULL or empty text adds
 * nothing; a second call replaces. */
bool error_detail(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Add a sentence to the hint that is there already, if any. */
bool error_hint_more(struct error *error, const char *sentence);
bool error_at(struct error *error, const char *file, size_t line, size_t column);

/* Put text in front of the message: "could not read history: permission denied". */
bool error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The name of a code as it stands in JSON. */
const char *error_code_name(enum error_code code);

/* Move *from into *to and leave *from empty. */
void error_move(struct error *to, struct error *from);

void error_clear(struct error *error);
CLEANUP_VALUE(struct error, error_clear)

#endif
