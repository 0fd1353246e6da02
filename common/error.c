/* SPDX-License-Identifier: PostgreSQL */
#include "common/error.h"
#include "common/text.h"
#include <stdio.h>
#include <string.h>

const struct error_code_info error_codes[] = {
    {ERROR_NONE, "ok", "done, or there was nothing to do"},
    {ERROR_FAILED, "failed", "the operation failed; what it had begun was rolled back or cleaned up"},
    {ERROR_USAGE, "usage",
     "wrong option or operand, or an error in the configuration or the migration folder"},
    {ERROR_FINDINGS, "findings", "a check found something; with status --exit-code, migrations are pending"},
    {ERROR_CONNECTION, "connection",
     "no usable connection: refused, lost, unsupported or read-only server, transaction pooler"},
    {ERROR_LOCKED, "locked", "another run holds the lock, or a table lock was not granted in time"},
    {ERROR_CONFLICT, "conflict",
     "history and folder disagree: a file was changed, is missing or out of order"},
    {ERROR_PARTIAL, "partial",
     "stopped half way: part of a migration without a transaction, or of a restore, is done"},
    {ERROR_UNKNOWN, "unknown",
     "the connection was lost at COMMIT, and whether it happened could not be settled"},
    {ERROR_BACKUP, "backup", "a backup is missing, damaged, or not readable with this key"},
    {ERROR_REFUSED, "refused",
     "a gate said no: data would be lost, or a rehearsal or a confirmation is missing"},
    {ERROR_INTERRUPTED, "interrupted", "stopped by SIGINT; the message says what was done and what was not"},
    {ERROR_TERMINATED, "terminated", "stopped by SIGTERM; the message says what was done and what was not"},
    {ERROR_NONE, NULL, NULL},
};

/* Formatted before the old text goes away, because the arguments may point into it. */
static void replace(char **field, char *text)
{
    free(*field);
    *field = text;
}

static char *format_or_null(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
static char *format_or_null(const char *format, va_list arguments)
{
    char *text = format == NULL ? NULL : text_format_list(format, arguments);

    if (text != NULL && *text == '\0') {
        free(text);
        return NULL;
    }
    return text;
}

bool error_set(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = text_format_list(format, arguments);
    va_end(arguments);

    error_clear(error);
    error->code = code;
    error->message = message;
    return false;
}

bool error_detail(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = format_or_null(format, arguments);
    va_end(arguments);

    if (text != NULL)
        replace(&error->detail, text);
    return false;
}

bool error_hint(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = format_or_null(format, arguments);
    va_end(arguments);

    if (text != NULL)
        replace(&error->hint, text);
    return false;
}

bool error_hint_more(struct error *error, const char *sentence)
{
    OWNED char *before = text_copy(error->hint);
    return error_hint(error, "%s%s%s", before == NULL ? "" : before, before == NULL ? "" : " ", sentence);
}

bool error_at(struct error *error, const char *file, size_t line, size_t column)
{
    replace(&error->file, text_copy(file));
    error->line = line;
    error->column = column;
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    OWNED char *prefix = format_or_null(format, arguments);
    va_end(arguments);

    if (prefix != NULL)
        replace(&error->message, text_format("%s: %s", prefix, error->message == NULL ? "" : error->message));
    return false;
}

const char *error_code_name(enum error_code code)
{
    for (const struct error_code_info *info = error_codes; info->name != NULL; info++)
        if (info->code == code)
            return info->name;
    return "failed";
}

void error_move(struct error *to, struct error *from)
{
    if (to == from)
        return;
    error_clear(to);
    *to = *from;
    *from = (struct error){.code = ERROR_NONE};
}

void error_clear(struct error *error)
{
    if (error == NULL)
        return;
    free(error->message);
    free(error->detail);
    free(error->hint);
    free(error->file);
    *error = (struct error){.code = ERROR_NONE};
}
