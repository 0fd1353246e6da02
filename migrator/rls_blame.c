/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_blame.h"

#include "migrator/token.h"
#include <string.h>

/* The last part of the name of what a finding is about: of "policy p on core.orders" and "function
 * core.f(int)" it is orders and f. */
static char *bare_name(const char *object)
{
    struct tokens tokens = {.text = object, .length = strlen(object)};
    struct token token;
    char *name = NULL;

    while (token_next(&tokens, &token) && !token_is_symbol(&token, '(')) {
        char *part = token_name(&token);
        if (part == NULL)
            continue;
        free(name);
        name = part;
    }
    return name;
}

/* What stands between a string's quotes, of both kinds; false where one is missing. */
static bool inside(const struct token *token, const char **ret_text, size_t *ret_length)
{
    const char *second = *token->text == '$' ? memchr(token->text + 1, '$', token->length - 1) : NULL;
    size_t opening = second != NULL ? (size_t)(second - token->text) + 1 : strcspn(token->text, "'") + 1;
    size_t closing = second != NULL ? opening : 1;

    if (opening + closing > token->length)
        return false;
    *ret_text = token->text + opening;
    *ret_length = token->length - opening - closing;
    return true;
}

/* Whether the name stands in a piece of SQL; deep looks into strings, too, such as the body of a DO. */
static bool names(const char *text, size_t length, const char *name, bool deep)
{
    struct tokens tokens = {.text = text, .length = length};
    struct token token;

    while (token_next(&tokens, &token)) {
        OWNED char *found = token_name(&token);
        if (text_equal(found, name) || (deep && token.kind == TOKEN_STRING &&
                                        inside(&token, &text, &length) && names(text, length, name, true)))
            return true;
    }
    return false;
}

/* What a statement that makes a check find something has in it, apart from the object's name; the first such
 * statement made a table, of anything else the last one counts. */
static const struct {
    const char *check, *words[4];
    bool first;
} causes[] = {
    {"M1", {"view"}, false},
    {"M2", {"function", "procedure", "routine"}, false},
    {"M5", {"disable", "force", "drop"}, false},
    {"M7", {"rename", "drop"}, false},
    {"S1", {"create", "add", "disable"}, true},
    {"S2", {"disable", "policy"}, false},
    {"S3", {"policy", "enable"}, false},
    {"S4", {"owner", "force", "grant"}, false},
    {"S5", {"role", "user", "grant"}, false},
    {"S7", {"policy"}, false},
    {"S8", {"policy"}, false},
    {"S9", {"policy"}, false},
    {"S10", {"policy"}, false},
    {"S11", {"policy"}, false},
    {"S12", {"policy"}, false},
    {"S13", {"policy"}, false},
    {"S14", {"null", "create", "add"}, false},
    {"S15", {"unique", "primary"}, false},
    {"S16", {"references", "foreign"}, false},
    {"S17", {"grant"}, false},
    {"S18", {"grant", "partition", "inherit", "inherits"}, false},
    {"S19", {"view", "grant"}, false},
    {"S20", {"grant", "materialized", "foreign"}, false},
    {"S21", {"function", "procedure", "routine"}, false},
    {"S22", {"function"}, false},
    {"S23", {"grant"}, false},
    {"S24", {"default", "grant"}, false},
    {"S25", {"publication"}, false},
};
#define CAUSES (sizeof causes / sizeof *causes)

static bool has_cause(const char *text, size_t cause, bool deep)
{
    struct tokens tokens = {.text = text, .length = strlen(text)};
    struct token token;
    bool first = true;

    for (size_t i = 0; deep && i < 4 && causes[cause].words[i] != NULL; i++)
        if (strcasestr(text, causes[cause].words[i]) != NULL)
            return true;
    for (; token_next(&tokens, &token); first = false) {
        if (first && token_is(&token, "comment"))
            return false;
        for (size_t i = 0; i < 4 && causes[cause].words[i] != NULL; i++)
            if (token_is(&token, causes[cause].words[i]))
                return true;
    }
    return false;
}

/* How a statement is looked for, from what is surest to what is left. */
enum look_for { CAUSE_AND_NAME, NAME, CAUSE_AND_DEEP_NAME, DEEP_NAME, CAUSE, LOOKS };

static bool suits(const struct statement *statement, const char *name, size_t cause, enum look_for look)
{
    bool deep = look == CAUSE_AND_DEEP_NAME || look == DEEP_NAME;
    bool wants_cause = look == CAUSE_AND_NAME || look == CAUSE_AND_DEEP_NAME || look == CAUSE;

    if (wants_cause && (cause == CAUSES || !has_cause(statement->text, cause, deep)))
        return false;
    return look == CAUSE || names(statement->text, strlen(statement->text), name, deep);
}

void rls_blame(const struct script *script, const struct rls_finding *finding, struct error *error)
{
    OWNED char *name = bare_name(finding->object);
    size_t cause = 0;

    while (cause < CAUSES && !text_equal(causes[cause].check, finding->check))
        cause++;
    error_at(error, script->source->path, 0, 0);
    for (int look = 0; look < LOOKS && name != NULL && error->line == 0; look++)
        for (size_t i = 0; i < script->count && error->line == 0; i++) {
            bool first = cause < CAUSES && causes[cause].first;
            const struct statement *statement = &script->items[first ? i : script->count - 1 - i];
            if (!suits(statement, name, cause, (enum look_for)look))
                continue;
            struct text_position at = script_position(script, statement, 0);
            error_at(error, script->source->path, at.line, at.column);
        }
}
