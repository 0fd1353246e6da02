/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/variable.h"
#include "common/quote.h"
#include <stdio.h>
#include <string.h>

/* The value set for a name, NULL when there is none; the last setting of a name counts. */
static const char *lookup(const struct text_list *settings, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = settings ? settings->count : 0; i-- > 0;)
        if (strncmp(settings->items[i], name, length) == 0 && settings->items[i][length] == '=')
            return settings->items[i] + length + 1;
    return NULL;
}

/* Right whatever standard_conforming_strings is: with a backslash in it, the literal is written as E'…'. */
static char *literal(const char *value)
{
    char *text = NULL;
    size_t size;

    if (!strchr(value, '\\'))
        return postgres_quote_literal(value);

    FILE *stream = open_memstream(&text, &size);
    fputs(" E'", stream); /* the blank keeps it apart from a word in front */
    for (const char *c = value; *c; c++) {
        if (*c == '\'' || *c == '\\')
            fputc(*c, stream);
        fputc(*c, stream);
    }
    fputc('\'', stream);
    fclose(stream);
    return text;
}

static bool without_directive(const struct variable_input *input, const struct variable_use *use,
                              struct error *error)
{
    error_set(error, ERROR_USAGE, "psql variable %.*s is not replaced", (int)use->length,
              input->source->text + use->offset);
    error_hint(
        error,
        "Put \"-- pgmigrate: variables\" at the top of the file and give the value with --set name=value; "
        "in an array slice, write a blank after the colon.");
    return split_error_at(error, input->source, use->offset);
}

static bool check_plain(const struct variable_input *input, const struct variable_use *use,
                        struct error *error)
{
    OWNED char *name = text_copy_part(input->source->text + use->offset + 1, use->length - 1);

    if (!input->options->variables || !lookup(input->options->settings, name))
        return true;
    error_set(error, ERROR_USAGE, "psql variable :%s is used without quotes", name);
    error_hint(error, "Write :'%s' for a value or :\"%s\" for a name.", name, name);
    return split_error_at(error, input->source, use->offset);
}

/* The quoted value for a use, or NULL. */
static char *replacement(const struct variable_input *input, const struct variable_use *use,
                         struct error *error)
{
    OWNED char *name = text_copy_part(input->source->text + use->offset + 2, use->length - 3);
    const char *value = lookup(input->options->settings, name);
    size_t bad;

    if (!input->options->variables) {
        (void)without_directive(input, use, error);
        return NULL;
    }
    if (value && text_is_utf8(value, strlen(value), &bad))
        return use->form == VARIABLE_LITERAL ? literal(value) : postgres_quote_name(value);
    if (value) {
        error_set(error, ERROR_USAGE, "the value of variable \"%s\" is not valid UTF-8", name);
        error_hint(error, "Give it in UTF-8.");
    } else {
        error_set(error, ERROR_USAGE, "variable \"%s\" is not set", name);
        error_hint(error, "Set it with --set %s=value.", name);
    }
    (void)split_error_at(error, input->source, use->offset);
    return NULL;
}

static void add_substitution(struct statement *statement, const struct variable_use *use, size_t sent_length)
{
    statement->substitutions = memory_grow(statement->substitutions, statement->substitution_count,
                                           sizeof *statement->substitutions);
    statement->substitutions[statement->substitution_count++] =
        (struct substitution){.offset = use->offset, .length = use->length, .sent_length = sent_length};
}

static bool write_text(const struct variable_input *input, const struct piece *piece, struct statement *ret,
                       FILE *stream, struct error *error)
{
    const char *text = input->source->text;
    size_t done = piece->offset;

    for (size_t i = piece->variable; i < piece->variable + piece->variables; i++) {
        const struct variable_use *use = &input->split->variables[i];

        if (use->form == VARIABLE_PLAIN) {
            if (!check_plain(input, use, error))
                return false;
            continue;
        }
        OWNED char *value = replacement(input, use, error);
        if (!value)
            return false;
        fwrite(text + done, 1, use->offset - done, stream);
        fputs(value, stream);
        add_substitution(ret, use, strlen(value));
        done = use->offset + use->length;
    }
    fwrite(text + done, 1, piece->offset + piece->length - done, stream);
    return true;
}

bool variable_substitute(const struct variable_input *input, const struct piece *piece, struct statement *ret,
                         struct error *error)
{
    char *text = NULL;
    size_t size;

    if (piece->variables == 0) {
        ret->text = text_copy_part(input->source->text + piece->offset, piece->length);
        return true;
    }
    FILE *stream = open_memstream(&text, &size);
    bool ok = write_text(input, piece, ret, stream, error);
    fclose(stream);
    ret->text = text;
    ret->substituted = ret->substitution_count > 0;
    return ok;
}

struct text_list variable_stand_ins(const struct source *source, const struct split *split)
{
    struct text_list settings = {0};

    for (size_t i = 0; i < split->variable_count; i++) {
        const struct variable_use *use = &split->variables[i];

        if (use->form != VARIABLE_PLAIN)
            text_list_add(&settings,
                          text_format("%.*s=x", (int)use->length - 3, source->text + use->offset + 2));
    }
    return settings;
}

/* ---- taking values out of messages ---- */

#define HIDDEN_LEAST 4

/* The value inside a literal that literal() made. */
static char *literal_value(const char *quoted, size_t length)
{
    const char *at = memchr(quoted, '\'', length), *end = quoted + length - 1;
    bool escapes = at && at > quoted;
    OWNED char *value = memory_allocate(length + 1, 1);
    char *to = value;

    if (!at)
        return NULL;
    for (at++; at < end; at++) {
        if (*at == '\'' || (escapes && *at == '\\'))
            at++;
        *to++ = *at;
    }
    return take(value);
}

static char *replace_all(const char *text, const char *value, const char *variable)
{
    char *result = NULL;
    size_t size;
    FILE *stream = open_memstream(&result, &size);

    for (const char *found; (found = strstr(text, value)); text = found + strlen(value)) {
        fwrite(text, 1, (size_t)(found - text), stream);
        fputs(variable, stream);
    }
    fputs(text, stream);
    fclose(stream);
    return result;
}

/* First as it was sent, quotes and all, then bare. */
static void hide_one(char **text, const char *quoted, size_t length, const char *variable)
{
    OWNED char *sent = text_copy_part(quoted, length);
    OWNED char *value = literal_value(quoted, length);
    const char *forms[] = {sent, value};

    for (size_t i = 0; value && strlen(value) >= HIDDEN_LEAST && i < sizeof forms / sizeof *forms; i++) {
        OWNED char *old = take(*text);

        *text = replace_all(old, forms[i], variable);
    }
}

static void hide_all(char **text, const struct script *script, const struct statement *statement)
{
    size_t sent = 0, source = statement->offset;

    for (size_t i = 0; i < statement->substitution_count; i++) {
        const struct substitution *change = &statement->substitutions[i];
        OWNED char *variable = text_copy_part(script->source->text + change->offset, change->length);

        sent += change->offset - source;
        if (variable[1] == '\'')
            hide_one(text, statement->text + sent, change->sent_length, variable);
        sent += change->sent_length;
        source = change->offset + change->length;
    }
}

char *variable_hide(const struct script *script, const char *text)
{
    if (!text || !script->substituted)
        return NULL;
    OWNED char *result = text_copy(text);

    for (size_t i = 0; i < script->count; i++)
        hide_all(&result, script, &script->items[i]);
    return strcmp(result, text) == 0 ? NULL : take(result);
}

char *variable_hide_own(const struct script *script, const struct statement *statement)
{
    if (!statement->substituted)
        return NULL;
    OWNED char *result = text_copy(statement->text);

    hide_all(&result, script, statement);
    return take(result);
}
