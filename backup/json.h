/* SPDX-License-Identifier: PostgreSQL */
/*
 * JSON of manifests and records, read as what a stranger wrote: every field is asked for with its type and
 * bounds, and the first that is not as it must be is the error (ERROR_BACKUP), named by its path. Asking goes
 * on with harmless values after that, so that a reader is a plain list of fields:
 *
 *     struct json_reader reader = {.what = "manifest", .error = error};
 *     row->name = json_take_text(&reader, object, "name");
 *     row->size = json_take_integer(&reader, object, "size", 0, INT64_MAX);
 *     return json_is_good(&reader);
 *
 * Names in a database need not be UTF-8, which JSON's must be. Bytes that are not are written as the
 * characters U+EF80 to U+EFFF, and so are the bytes of those characters themselves: every text comes back as
 * it was, and the usual ones stand there as they are.
 */
#ifndef BACKUP_JSON_H
#define BACKUP_JSON_H

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <jansson.h>
#include <stdint.h>

/* ---- reading ---- */

struct json_reader {
    const char *what; /* "manifest": how errors begin */
    char where[48];   /* "tables[12]", or "" at the top */
    bool bad;
    struct error *error;
};

/* The whole text as one object; NULL when it is none. The caller releases it. */
json_t *json_read(struct json_reader *reader, const char *text, size_t size);
/* The fields asked for next are those of an element of this list. */
void json_enter(struct json_reader *reader, const char *list, size_t index);
void json_leave(struct json_reader *reader);
bool json_is_good(const struct json_reader *reader);
/* Remember what is wrong with a field; only the first is kept. Returns false. */
bool json_refuse(struct json_reader *reader, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

char *json_take_text(struct json_reader *reader, const json_t *object, const char *name);
char *json_take_optional_text(struct json_reader *reader, const json_t *object,
                              const char *name);                                          /* or NULL */
char *json_take_time(struct json_reader *reader, const json_t *object, const char *name); /* RFC 3339 */
char *json_take_optional_time(struct json_reader *reader, const json_t *object, const char *name);
int64_t json_take_integer(struct json_reader *reader, const json_t *object, const char *name, int64_t minimum,
                          int64_t maximum);
bool json_take_bool(struct json_reader *reader, const json_t *object, const char *name);
void json_take_digest(struct json_reader *reader, const json_t *object, const char *name, char ret[65]);
void json_take_optional_digest(struct json_reader *reader, const json_t *object, const char *name,
                               char ret[65]);
/* One of these words, as its index; words ends with NULL. */
int json_take_word(struct json_reader *reader, const json_t *object, const char *name,
                   const char *const words[]);
void json_take_texts(struct json_reader *reader, const json_t *object, const char *name,
                     struct text_list *ret);
void json_take_optional_texts(struct json_reader *reader, const json_t *object, const char *name,
                              struct text_list *ret);
/* A list of objects, or NULL; borrowed. */
const json_t *json_take_list(struct json_reader *reader, const json_t *object, const char *name);

/* ---- writing ---- */

/* NULL is null. */
void json_put_text(json_t *object, const char *name, const char *text);
void json_put_integer(json_t *object, const char *name, int64_t value);
void json_put_bool(json_t *object, const char *name, bool value);
void json_put_texts(json_t *object, const char *name, const struct text_list *texts);

/* Text that grows: a document may be larger than is good to hold as a tree. */
struct json_text {
    char *data;
    size_t size, room;
};
void json_append(struct json_text *text, const char *data, size_t size);
/* The object on one line; it is released. */
void json_append_object(struct json_text *text, json_t *object);

static inline void json_release(json_t *json)
{
    json_decref(json);
}
CLEANUP_POINTER(json_t *, json_release)

#endif
