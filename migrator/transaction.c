/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/transaction.h"
#include "migrator/statement.h"
#include <stdio.h>
#include <string.h>

#define HINT_ALONE                                                                                           \
    "Put it in a script of its own, or a section, that begins with \"-- pgmigrate: no-transaction\"."
#define HINT_ONE                                                                                             \
    "A migration is one transaction. Remove this, or put \"-- pgmigrate: no-transaction\" in the first "     \
    "line of the file."

static bool fail(const struct script *script, const struct statement *at, struct error *error,
                 const char *message, const char *hint)
{
    error_set(error, ERROR_USAGE, "%s", message);
    error_hint(error, "%s", hint);
    return error_at(error, script->source->path, at->line, at->column);
}

static bool fail_outside(const struct script *script, const struct statement *at, struct error *error)
{
    error_set(error, ERROR_USAGE, "%s cannot run inside a transaction", at->what);
    error_hint(error, "%s",
               script->transactional ? HINT_ALONE : "Take it out of the BEGIN ... COMMIT block.");
    return error_at(error, script->source->path, at->line, at->column);
}

static bool fail_control(const struct script *script, const struct statement *at, struct error *error)
{
    error_set(error, ERROR_USAGE, "%s is not supported in a migration", at->what);
    error_hint(
        error, "%s",
        strcmp(at->what, "DISCARD ALL") == 0
            ? "It would give up the run lock. Leave it out, since the next migration begins afresh; within "
              "a script use RESET ALL, DISCARD TEMP or DEALLOCATE ALL."
            : "A migration ends its transactions itself, on the connection it runs on.");
    return error_at(error, script->source->path, at->line, at->column);
}

/* The text of a BEGIN for our own use. */
static bool read_begin(const struct script *script, const struct statement *at, char **ret_begin,
                       struct error *error)
{
    bool read_only = false;
    OWNED char *begin = statement_begin(at->text, strlen(at->text), &read_only);

    if (!begin)
        return fail(script, at, error, "BEGIN with options that are not understood",
                    "Known are ISOLATION LEVEL, READ WRITE and [NOT] DEFERRABLE.");
    if (read_only)
        return fail(script, at, error, "a migration cannot run in a READ ONLY transaction",
                    "What it did must be recorded in the same transaction. Remove READ ONLY.");
    *ret_begin = take(begin);
    return true;
}

/* A transaction the script wrote: its BEGIN and COMMIT. */
struct pair {
    struct statement *begin, *commit;
};

static bool find_pair(const struct script *script, struct pair *ret, struct error *error)
{
    struct pair pair = {0};

    for (size_t i = 0; i < script->count; i++) {
        struct statement *at = &script->items[i];

        switch (at->kind) {
        case STATEMENT_OUTSIDE:
            return fail_outside(script, at, error);
        case STATEMENT_CONTROL:
            return fail_control(script, at, error);
        case STATEMENT_ABORT:
            return fail(script, at, error, "ROLLBACK would undo the migration", HINT_ONE);
        case STATEMENT_BEGIN:
            if (pair.begin)
                return fail(script, at, error, "a second BEGIN in a transactional migration", HINT_ONE);
            pair.begin = at;
            break;
        case STATEMENT_COMMIT:
            if (!pair.begin || pair.commit)
                return fail(script, at, error, "COMMIT without BEGIN", HINT_ONE);
            pair.commit = at;
            break;
        default:
            break;
        }
    }
    if (pair.begin && !pair.commit)
        return fail(
            script, pair.begin, error, "BEGIN without COMMIT",
            "Under psql the end of the file would undo everything. Remove the BEGIN, or add the COMMIT.");
    *ret = pair;
    return true;
}

static void remove_statement(struct script *script, size_t index)
{
    free(script->items[index].text);
    free(script->items[index].substitutions);
    memmove(&script->items[index], &script->items[index + 1],
            (--script->count - index) * sizeof *script->items);
    for (size_t i = 0; i < script->echo_count; i++)
        if (script->echoes[i].before > index)
            script->echoes[i].before--;
}

static void tell_pair(struct script *script, const struct pair *pair)
{
    bool more = pair->commit < &script->items[script->count - 1];
    struct finding *finding = finding_add(
        &script->notices, "own-transaction", SEVERITY_NOTICE, script->source->path,
        "BEGIN and COMMIT in lines %zu and %zu are replaced by the migration's own transaction%s",
        pair->begin->line, pair->commit->line, more ? "; what follows the COMMIT is part of it too" : "");

    finding_at(finding, pair->begin->line, pair->begin->column);
}

static bool token_equal(const struct token *a, const struct token *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static struct tokens tokens_of(const struct script *script, const struct statement *at)
{
    return (struct tokens){
        .text = script->source->text, .offset = at->offset, .length = at->offset + at->length};
}

/* Whether the enum type is made by an earlier statement: then its new values may be used at once. */
static bool type_is_new(const struct script *script, size_t before, const struct token *type)
{
    struct token made;

    for (size_t i = 0; i < before; i++) {
        const struct statement *at = &script->items[i];

        if (statement_enum_type(script->source->text + at->offset, at->length, &made) &&
            token_equal(&made, type))
            return true;
    }
    return false;
}

/* The server refuses to use a new enum value in the transaction that added it (55P04). */
static void warn_enum_value(struct script *script, size_t index)
{
    const struct statement *added = &script->items[index];
    struct token type, value, token;

    if (!statement_enum_value(script->source->text + added->offset, added->length, &type, &value) ||
        type_is_new(script, index, &type))
        return;
    for (size_t i = index + 1; i < script->count; i++) {
        const struct statement *at = &script->items[i];
        struct tokens tokens = tokens_of(script, at);
        struct token other;

        if (statement_enum_value(script->source->text + at->offset, at->length, &other, &token))
            continue;
        while (token_next(&tokens, &token)) {
            if (token.kind != TOKEN_STRING || !token_equal(&token, &value))
                continue;
            struct finding *finding =
                finding_add(&script->notices, "enum-value-used", SEVERITY_WARNING, script->source->path,
                            "the enum value %.*s, added in line %zu, seems to be used in the "
                            "transaction that adds it",
                            (int)value.length, value.text, added->line);
            finding_at(finding, at->line, at->column);
            finding_hint(
                finding,
                "The server allows that only after the commit. Add the value in a migration of its own.");
            return;
        }
    }
}

bool transaction_take_out(struct script *script, struct error *error)
{
    struct pair pair = {0};

    if (!find_pair(script, &pair, error))
        return false;
    if (!pair.begin) {
        script->begin = text_copy("BEGIN");
    } else {
        size_t begin = (size_t)(pair.begin - script->items), commit = (size_t)(pair.commit - script->items);

        if (!read_begin(script, pair.begin, &script->begin, error))
            return false;
        tell_pair(script, &pair);
        remove_statement(script, commit);
        remove_statement(script, begin);
    }
    for (size_t i = 0; i + 1 < script->count; i++)
        warn_enum_value(script, i);
    return true;
}

/* ---- no-transaction ---- */

static void add_group(struct script *script, struct statement_group group)
{
    script->groups = memory_grow(script->groups, script->group_count, sizeof *script->groups);
    script->groups[script->group_count++] = group;
}

/* The block that begins at items[first]; *ret_count is up to its COMMIT. */
static bool read_block(const struct script *script, size_t first, size_t *ret_count, struct error *error)
{
    const struct statement *begin = &script->items[first];
    OWNED char *text = NULL;

    if (!read_begin(script, begin, &text, error))
        return false;
    for (size_t i = first + 1; i < script->count; i++) {
        const struct statement *at = &script->items[i];

        switch (at->kind) {
        case STATEMENT_COMMIT:
            *ret_count = i + 1 - first;
            return true;
        case STATEMENT_BEGIN:
            return fail(script, at, error, "BEGIN inside a transaction",
                        "End the transaction before with COMMIT.");
        case STATEMENT_ABORT:
            return fail(script, at, error, "ROLLBACK in a migration",
                        "Its statements would count as done. Remove the transaction, or end it with COMMIT.");
        case STATEMENT_CONTROL:
            return fail_control(script, at, error);
        case STATEMENT_OUTSIDE:
            return fail_outside(script, at, error);
        default:
            break;
        }
    }
    return fail(script, begin, error, "BEGIN without COMMIT",
                "The end of the file would undo everything. Remove the BEGIN, or add the COMMIT.");
}

bool transaction_group(struct script *script, struct error *error)
{
    for (size_t i = 0; i < script->count;) {
        const struct statement *at = &script->items[i];
        struct statement_group group = {.first = i, .count = 1};

        switch (at->kind) {
        case STATEMENT_BEGIN:
            group.block = true;
            if (!read_block(script, i, &group.count, error))
                return false;
            break;
        case STATEMENT_COMMIT:
            return fail(script, at, error, "COMMIT without BEGIN", "Remove it.");
        case STATEMENT_ABORT:
            return fail(script, at, error, "ROLLBACK without BEGIN", "Remove it.");
        case STATEMENT_CONTROL:
            return fail_control(script, at, error);
        default:
            group.bare = at->kind == STATEMENT_OUTSIDE || at->kind == STATEMENT_MAY_COMMIT;
            break;
        }
        add_group(script, group);
        i += group.count;
    }
    return true;
}
