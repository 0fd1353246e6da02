/* SPDX-License-Identifier: PostgreSQL */
/* Any text as a script: pieces are in order and verbatim, and nothing about it is an internal error. */
#include "migrator/split.h"
#include "common/text.h"
#include "migrator/parse.h"
#include "migrator/script.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static struct source of(char *text)
{
    static char path[] = "a.sql";

    return (struct source){.path = path, .first_line = 1, .text = text, .size = strlen(text)};
}

static void require_place(const struct source *source, size_t line, size_t column)
{
    struct text_position end = text_position(source->text, source->size);

    require(line >= 1 && line <= end.line && column >= 1, "the place is in the file");
}

static void require_error(const struct source *source, const struct error *error)
{
    require(error->code == ERROR_USAGE, "the error is the user's");
    require(error->message && error->hint && error->file, "the error says what, where and what to do");
    require_place(source, error->line, error->column);
}

/* A statement on its own is that statement again, but for a setting made before it. */
static void require_same_alone(const struct source *source, const struct piece *piece)
{
    if (strcasestr(source->text, "standard_conforming_strings"))
        return;
    AUTO(error_clear) struct error error = {0};
    AUTO(split_clear) struct split split = {0};
    OWNED char *text = text_format("%.*s\n;", (int)piece->length, source->text + piece->offset);
    struct source alone = of(text);

    require(split_source(&alone, false, &split, &error), "a statement can be split alone");
    require(split.count == 1 && split.pieces[0].kind == PIECE_STATEMENT, "a statement is one statement");
    require(split.pieces[0].offset == 0 && split.pieces[0].length == piece->length,
            "it is the same statement");
    require(split.pieces[0].variables == piece->variables, "it has the same variables");
}

static void require_pieces(const struct source *source, const struct split *split)
{
    size_t end = 0, data_end = 0, variable = 0;

    for (size_t i = 0; i < split->count; i++) {
        const struct piece *piece = &split->pieces[i];

        require(piece->length > 0, "a piece is not empty");
        require(piece->offset >= end, "pieces are in order");
        end = piece->offset + piece->length;
        require(end <= source->size, "pieces are inside the text");
        require_place(source, piece->line, piece->column);
        require(piece->variable == variable, "variables are in order");
        variable += piece->variables;
        if (piece->copies_in) {
            require(piece->data_offset >= end && piece->data_offset >= data_end,
                    "data follows its statement");
            data_end = piece->data_offset + piece->data_length;
            require(data_end <= source->size, "data is inside the text");
        }
        if (piece->kind == PIECE_STATEMENT)
            require_same_alone(source, piece);
    }
    require(variable <= split->variable_count, "variables belong to pieces");
}

static void prepare(const struct source *source, struct script_options options)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(script_free) struct script *script = NULL;
    struct text_list settings = {.items = (char *[]){(char[]){"a=x'\\y"}, (char[]){"b=\"z"}}, .count = 2};

    options.settings = &settings;
    if (!script_prepare(source, &options, &script, &error)) {
        require_error(source, &error);
        return;
    }
    for (size_t i = 0; i < script->count; i++) {
        AUTO(index_build_clear) struct index_build build = {0};
        const struct statement *statement = &script->items[i];

        (void)parse_index_build(statement->text, &build);
        for (size_t character = 0; character < 40; character += 3) {
            struct text_position at = script_position(script, statement, character);

            require_place(source, at.line, at.column);
            require(at.line >= statement->line, "the place is in the statement");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(split_clear) struct split split = {0};
    OWNED char *text = text_copy_part((const char *)data, size);
    struct source source = of(text);
    size_t bad;

    if (!text_is_utf8(text, size, &bad))
        return 0;
    if (split_source(&source, false, &split, &error))
        require_pieces(&source, &split);
    else
        require_error(&source, &error);
    require(script_same_tokens(text, text), "a text is the same as itself");
    prepare(&source, (struct script_options){.variables = true});
    prepare(&source, (struct script_options){.no_transaction = true, .database = "a"});
    return 0;
}
