/* SPDX-License-Identifier: PostgreSQL */
#include "backup/json.h"
#include "common/digest.h"
#include "common/moment.h"
#include <inttypes.h>

/* ---- bytes that are no UTF-8 ---- */

/* U+EF80 to U+EFFF are EE BE 80 to EE BF BF. */
static bool is_escape(const unsigned char *text, size_t size)
{
    return size >= 3 && text[0] == 0xEE && (text[1] == 0xBE || text[1] == 0xBF);
}

static void escape_byte(struct json_text *to, unsigned char byte)
{
    const unsigned char character[] = {0xEE, byte < 0xC0 ? 0xBE : 0xBF, 0x80 | (byte & 0x3F)};

    json_append(to, (const char *)character, sizeof character);
}

static void escape_good(struct json_text *to, const unsigned char *text, size_t size)
{
    size_t done = 0;

    for (size_t i = 0; i < size; i++) {
        if (!is_escape(text + i, size - i))
            continue;
        json_append(to, (const char *)text + done, i - done);
        for (size_t end = i + 3; i < end; i++)
            escape_byte(to, text[i]);
        done = i--;
    }
    json_append(to, (const char *)text + done, size - done);
}

static json_t *escaped(const char *text)
{
    struct json_text to = {0};
    size_t size = strlen(text), at = 0, bad;

    while (!text_is_utf8(text + at, size - at, &bad)) {
        escape_good(&to, (const unsigned char *)text + at, bad);
        escape_byte(&to, (unsigned char)text[at + bad]);
        at += bad + 1;
    }
    escape_good(&to, (const unsigned char *)text + at, size - at);
    json_t *string = json_stringn(to.size ? to.data : "", to.size);
    free(to.data);
    return string;
}

static char *unescaped(const json_t *string)
{
    const unsigned char *text = (const unsigned char *)json_string_value(string);
    size_t size = json_string_length(string), to = 0;
    char *result = memory_allocate(size + 1, 1);

    for (size_t i = 0; i < size; i++) {
        bool escape = is_escape(text + i, size - i);
        result[to++] = (char)(escape ? (text[i + 1] == 0xBE ? 0x80 : 0xC0) | (text[i + 2] & 0x3F) : text[i]);
        i += escape ? 2 : 0;
    }
    return result;
}

/* ---- reading ---- */

bool json_refuse(struct json_reader *reader, const char *name, const char *format, ...)
{
    va_list arguments;

    if (reader->bad)
        return false;
    reader->bad = true;
    va_start(arguments, format);
    OWNED char *reason = text_format_list(format, arguments);
    va_end(arguments);
    return error_set(reader->error, ERROR_BACKUP, "the %s is damaged: \"%s%s%s\" %s", reader->what,
                     reader->where, *reader->where && *name ? "." : "", name, reason);
}

json_t *json_read(struct json_reader *reader, const char *text, size_t size)
{
    json_error_t problem;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);

    if (json_is_object(json))
        return json;
    if (json)
        error_set(reader->error, ERROR_BACKUP, "the %s is damaged: it is not a JSON object", reader->what);
    else
        error_set(reader->error, ERROR_BACKUP, "the %s is damaged: line %d, column %d: %s", reader->what,
                  problem.line, problem.column, problem.text);
    reader->bad = true;
    json_decref(json);
    return NULL;
}

void json_enter(struct json_reader *reader, const char *list, size_t index)
{
    snprintf(reader->where, sizeof reader->where, "%s[%zu]", list, index);
}

void json_leave(struct json_reader *reader)
{
    reader->where[0] = '\0';
}

bool json_is_good(const struct json_reader *reader)
{
    return !reader->bad;
}

char *json_take_optional_text(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_string(value)) {
        json_refuse(reader, name, "is not a text");
        return NULL;
    }
    return unescaped(value);
}

char *json_take_text(struct json_reader *reader, const json_t *object, const char *name)
{
    char *text = json_take_optional_text(reader, object, name);

    if (text)
        return text;
    json_refuse(reader, name, "is missing");
    return text_copy("");
}

char *json_take_optional_time(struct json_reader *reader, const json_t *object, const char *name)
{
    char *text = json_take_optional_text(reader, object, name);
    int64_t us;

    if (text && !moment_parse(text, &us))
        json_refuse(reader, name, "is not a time");
    return text;
}

char *json_take_time(struct json_reader *reader, const json_t *object, const char *name)
{
    char *text = json_take_optional_time(reader, object, name);

    if (text)
        return text;
    json_refuse(reader, name, "is missing");
    return text_copy("");
}

int64_t json_take_integer(struct json_reader *reader, const json_t *object, const char *name, int64_t minimum,
                          int64_t maximum)
{
    const json_t *value = json_object_get(object, name);

    if (!value)
        json_refuse(reader, name, "is missing");
    else if (!json_is_integer(value))
        json_refuse(reader, name, "is not a whole number");
    else if (json_integer_value(value) < minimum || json_integer_value(value) > maximum)
        json_refuse(reader, name, "is %" JSON_INTEGER_FORMAT ", not from %" PRId64 " to %" PRId64,
                    json_integer_value(value), minimum, maximum);
    else
        return json_integer_value(value);
    return minimum;
}

bool json_take_bool(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!value)
        json_refuse(reader, name, "is missing");
    else if (!json_is_boolean(value))
        json_refuse(reader, name, "is neither true nor false");
    return json_is_true(value);
}

void json_take_digest(struct json_reader *reader, const json_t *object, const char *name, char ret[65])
{
    OWNED char *text = json_take_text(reader, object, name);

    if (strlen(text) != DIGEST_HEX_SIZE - 1 || strspn(text, "0123456789abcdef") != strlen(text)) {
        json_refuse(reader, name, "is not a SHA-256");
        ret[0] = '\0';
        return;
    }
    memcpy(ret, text, DIGEST_HEX_SIZE);
}

void json_take_optional_digest(struct json_reader *reader, const json_t *object, const char *name,
                               char ret[65])
{
    const json_t *value = json_object_get(object, name);

    ret[0] = '\0';
    if (value && !json_is_null(value))
        json_take_digest(reader, object, name, ret);
}

int json_take_word(struct json_reader *reader, const json_t *object, const char *name,
                   const char *const words[])
{
    OWNED char *text = json_take_text(reader, object, name);

    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    json_refuse(reader, name, "is \"%.20s\", which is none of the known words", text);
    return 0;
}

/* The array, or NULL; what its elements are is not looked at. */
static const json_t *take_array(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!value)
        json_refuse(reader, name, "is missing");
    else if (!json_is_array(value))
        json_refuse(reader, name, "is not a list");
    else
        return value;
    return NULL;
}

void json_take_optional_texts(struct json_reader *reader, const json_t *object, const char *name,
                              struct text_list *ret)
{
    if (json_object_get(object, name))
        json_take_texts(reader, object, name, ret);
}

void json_take_texts(struct json_reader *reader, const json_t *object, const char *name,
                     struct text_list *ret)
{
    const json_t *list = take_array(reader, object, name);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        if (json_is_string(value))
            text_list_add(ret, unescaped(value));
        else
            json_refuse(reader, name, "has an element that is not a text");
    }
}

const json_t *json_take_list(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *list = take_array(reader, object, name);

    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_object(json_array_get(list, i))) {
            json_refuse(reader, name, "has an element that is not an object");
            return NULL;
        }
    return list;
}

/* ---- writing ---- */

void json_put_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, text ? escaped(text) : json_null());
}

void json_put_integer(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

void json_put_bool(json_t *object, const char *name, bool value)
{
    json_object_set_new(object, name, json_boolean(value));
}

void json_put_texts(json_t *object, const char *name, const struct text_list *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, escaped(texts->items[i]));
    json_object_set_new(object, name, list);
}

void json_append(struct json_text *text, const char *data, size_t size)
{
    if (text->room - text->size <= size) {
        size_t room = (text->size + size + 512) * 2;
        char *larger = memory_allocate(room, 1);
        if (text->size)
            memcpy(larger, text->data, text->size);
        free(text->data);
        text->data = larger;
        text->room = room;
    }
    if (size)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void json_append_object(struct json_text *text, json_t *object)
{
    OWNED char *line = json_dumps(object, JSON_COMPACT);

    json_append(text, line, strlen(line));
    json_decref(object);
}
