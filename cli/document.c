/* SPDX-License-Identifier: PostgreSQL */
#include "cli/document.h"

#include "cli/report.h"

#define REAL_DIGITS 15 /* as many as a double has for sure: 1.41, not 1.4099999999999999 */

/* Messages may quote bytes of the user's files that are no UTF-8; the document must be. */
json_t *document_string(const char *value)
{
    OWNED char *clean = NULL;
    size_t bad;
    json_t *string = json_string(value);

    if (string)
        return string;
    clean = text_copy(value);
    while (!text_is_utf8(clean, strlen(clean), &bad))
        clean[bad] = '?';
    return json_string(clean);
}

void document_text(json_t *object, const char *name, const char *value)
{
    if (value)
        json_object_set_new(object, name, document_string(value));
}

void document_integer(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

void document_known(json_t *object, const char *name, int64_t value)
{
    if (value >= 0)
        document_integer(object, name, value);
}

void document_bool(json_t *object, const char *name, bool value)
{
    json_object_set_new(object, name, json_boolean(value));
}

static void set_place(json_t *object, const char *file, size_t line, size_t column)
{
    OWNED char *path = file ? report_path(file) : NULL;

    document_text(object, "file", path);
    if (line)
        document_integer(object, "line", (int64_t)line);
    if (column)
        document_integer(object, "column", (int64_t)column);
}

json_t *document_findings(const struct findings *findings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *object = json_object();

        document_text(object, "rule", finding->rule);
        document_text(object, "severity", severity_name(finding->severity));
        set_place(object, finding->file, finding->line, finding->column);
        document_text(object, "message", finding->message);
        document_text(object, "hint", finding->hint);
        json_array_append_new(list, object);
    }
    return list;
}

json_t *document_error(const struct error *error)
{
    json_t *object = json_object();

    document_text(object, "code", error_code_name(error->code));
    document_text(object, "message", error->message);
    document_text(object, "detail", error->detail);
    document_text(object, "hint", error->hint);
    if (error->sqlstate[0])
        document_text(object, "sqlstate", error->sqlstate);
    set_place(object, error->file, error->line, error->column);
    return object;
}

/* Always a string: what was typed where it names no command, "" where there was none. */
static const char *command_name(const struct invocation *invocation)
{
    if (invocation->command)
        return invocation->command->name;
    if (invocation->unknown)
        return invocation->unknown;
    return invocation->group ? invocation->group : "";
}

/* A command that found something has not failed with an error of its own; its findings are other fields. */
static json_t *findings_error(const struct command *command)
{
    OWNED char *message = text_copy(command->finding ? command->finding : "a check found something");

    return document_error(&(struct error){.code = ERROR_FINDINGS, .message = message});
}

void document_print(FILE *out, const struct invocation *invocation, int exit_code, const struct error *error)
{
    json_t *document = json_object();
    bool ok = exit_code == 0 || (invocation->complete && !error);

    document_integer(document, "schema", 1);
    document_text(document, "command", command_name(invocation));
    document_bool(document, "ok", ok);
    document_integer(document, "exit_code", exit_code);
    if (error)
        json_object_set_new(document, "error", document_error(error));
    else if (!ok && exit_code == ERROR_FINDINGS)
        json_object_set_new(document, "error", findings_error(invocation->command));
    json_object_update(document, invocation->document);
    json_dumpf(document, out, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
    fputc('\n', out);
    json_decref(document);
}
