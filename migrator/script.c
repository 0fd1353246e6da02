/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/script.h"
#include "common/digest.h"
#include "common/text.h"
#include "migrator/leftover.h"
#include "migrator/parse.h"
#include "migrator/psql.h"
#include "migrator/split.h"
#include "migrator/statement.h"
#include "migrator/transaction.h"
#include "migrator/variable.h"
#include <string.h>

static void statement_clear(struct statement *statement)
{
    free(statement->text);
    free(statement->substitutions);
}

void script_free(struct script *script)
{
    if (!script)
        return;
    for (size_t i = 0; i < script->count; i++)
        statement_clear(&script->items[i]);
    for (size_t i = 0; i < script->echo_count; i++)
        free(script->echoes[i].text);
    free(script->items);
    free(script->echoes);
    free(script->begin);
    free(script->groups);
    free(script->settings);
    findings_clear(&script->notices);
    free(script);
}

/* Of what the file says, not of what is sent: a variable's value leaves no trace. */
static void hash_statement(const struct source *source, struct statement *statement)
{
    struct digest *digest = digest_new();

    digest_add(digest, source->text + statement->offset, statement->length);
    digest_add(digest, "", 1);
    digest_add(digest, source->text + statement->data_offset, statement->data_length);
    digest_finish(digest, statement->hash);
}

/* Waiting for locks is the run's own affair: who waits as long as a script pleases holds up all behind it. */
static void look_for_lock_timeout(struct script *script, struct statement *statement)
{
    bool own;

    statement->sets_lock_timeout =
        statement_sets_lock_timeout(script->source->text + statement->offset, statement->length, &own);
    if (!own)
        return;
    struct finding *finding = finding_add(
        &script->notices, "lock-timeout", SEVERITY_NOTICE, script->source->path,
        "a lock_timeout that a script sets does not count: locks are waited for in short attempts");
    finding_at(finding, statement->line, statement->column);
    finding_hint(finding, "Where the limit does not fit: -- pgmigrate: lock_timeout=...");
}

static bool add_statement(struct script *script, const struct variable_input *input,
                          const struct piece *piece, struct error *error)
{
    const char *text = script->source->text + piece->offset;

    if (statement_copies_out(text, piece->length)) {
        error_set(error, ERROR_USAGE, "COPY ... TO STDOUT has nowhere to go in a migration");
        error_hint(error, "Remove it, or copy to a file on the server.");
        return error_at(error, script->source->path, piece->line, piece->column);
    }
    script->items = memory_grow(script->items, script->count, sizeof *script->items);
    struct statement *statement = &script->items[script->count++];
    *statement = (struct statement){
        .offset = piece->offset,
        .length = piece->length,
        .line = piece->line,
        .column = piece->column,
        .data_offset = piece->data_offset,
        .data_length = piece->data_length,
    };
    statement->kind = statement_kind(text, piece->length, &statement->what);
    script->has_copy = script->has_copy || statement->kind == STATEMENT_COPY_IN;
    look_for_lock_timeout(script, statement);
    if (!script->transactional)
        hash_statement(script->source, statement);
    if (!variable_substitute(input, piece, statement, error))
        return false;
    script->substituted = script->substituted || statement->substituted;
    if (!script->transactional && statement_sets_session(statement->text)) {
        script->settings = memory_grow(script->settings, script->setting_count, sizeof *script->settings);
        script->settings[script->setting_count++] = script->count - 1;
    }
    return true;
}

static bool add_command(struct script *script, const char *database, const struct piece *piece,
                        struct error *error)
{
    AUTO(psql_command_clear) struct psql_command command = {0};
    const char *path = script->source->path;

    if (!psql_command_read(script->source->text + piece->offset, piece->length, database, &command, error))
        return split_error_at(error, script->source, piece->offset);
    if (piece->inside) {
        error_set(error, ERROR_USAGE, "psql command in the middle of a statement");
        error_hint(error, "Move it in front of the statement, or end what is before it with a semicolon.");
        return split_error_at(error, script->source, piece->offset);
    }
    if (command.notice)
        finding_at(finding_add(&script->notices, "psql-command", SEVERITY_NOTICE, path, "%s", command.notice),
                   piece->line, piece->column);
    if (command.echo) {
        script->echoes = memory_grow(script->echoes, script->echo_count, sizeof *script->echoes);
        script->echoes[script->echo_count++] =
            (struct script_echo){.before = script->count, .line = piece->line, .text = take(command.echo)};
    }
    return true;
}

bool script_prepare(const struct source *source, const struct script_options *options,
                    struct script **ret_script, struct error *error)
{
    AUTO(split_clear) struct split split = {0};
    AUTO(script_free) struct script *script = memory_allocate(1, sizeof *script);
    struct variable_input input = {.source = source, .split = &split, .options = options};

    script->source = source;
    script->transactional = !options->no_transaction;
    script->leaves = leftover_find(source->text);
    script->changes_begin = leftover_begin(source->text);
    if (!split_source(source, options->escapes, &split, error))
        return false;
    for (size_t i = 0; i < split.count; i++) {
        const struct piece *piece = &split.pieces[i];
        bool ok = piece->kind == PIECE_COMMAND ? add_command(script, options->database, piece, error)
                                               : add_statement(script, &input, piece, error);

        if (!ok)
            return false;
    }
    if (!(script->transactional ? transaction_take_out(script, error) : transaction_group(script, error)))
        return false;
    *ret_script = take(script);
    return true;
}

/* From a byte of the sent text to the byte of the source; within a replaced variable, to where it begins. */
static size_t source_offset(const struct statement *statement, size_t sent)
{
    size_t source = statement->offset;

    for (size_t i = 0; i < statement->substitution_count; i++) {
        const struct substitution *change = &statement->substitutions[i];
        size_t before = change->offset - source;

        if (sent < before)
            break;
        if (sent < before + change->sent_length)
            return change->offset;
        sent -= before + change->sent_length;
        source = change->offset + change->length;
    }
    return source + sent;
}

struct text_position script_position(const struct script *script, const struct statement *statement,
                                     size_t character)
{
    if (character == 0)
        return (struct text_position){.line = statement->line, .column = statement->column};

    size_t sent = text_offset_of_character(statement->text, strlen(statement->text), character);
    struct text_position position = text_position(script->source->text, source_offset(statement, sent));

    position.line += script->source->first_line - 1;
    return position;
}

static bool same_piece(const struct source *a, const struct piece *x, const struct source *b,
                       const struct piece *y)
{
    if (x->kind != y->kind || x->copies_in != y->copies_in || x->data_length != y->data_length ||
        memcmp(a->text + x->data_offset, b->text + y->data_offset, x->data_length) != 0)
        return false;
    OWNED char *text_x = text_copy_part(a->text + x->offset, x->length);
    OWNED char *text_y = text_copy_part(b->text + y->offset, y->length);

    return x->kind == PIECE_COMMAND ? strcmp(text_x, text_y) == 0 : parse_same_tokens(text_x, text_y);
}

static struct source borrow(const char *text)
{
    union { /* split_source only reads it */
        const char *borrowed;
        char *text;
    } both = {.borrowed = text};

    return (struct source){.text = both.text, .size = strlen(text), .first_line = 1};
}

static bool same_directives(const struct source *a, const struct source *b)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(directives_clear) struct directives x = {0}, y = {0};

    return directives_read(a, &x, &ignored) && directives_read(b, &y, &ignored) && directives_equal(&x, &y);
}

bool script_same_tokens(const char *a, const char *b)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(split_clear) struct split pieces_a = {0}, pieces_b = {0};
    struct source source_a = borrow(a), source_b = borrow(b);

    if (strcmp(a, b) == 0)
        return true;
    if (!same_directives(&source_a, &source_b))
        return false;
    if (!split_source(&source_a, false, &pieces_a, &error) ||
        !split_source(&source_b, false, &pieces_b, &error) || pieces_a.escapes || pieces_b.escapes)
        return false;
    if (pieces_a.count != pieces_b.count)
        return false;
    for (size_t i = 0; i < pieces_a.count; i++)
        if (!same_piece(&source_a, &pieces_a.pieces[i], &source_b, &pieces_b.pieces[i]))
            return false;
    return true;
}
