/* SPDX-License-Identifier: PostgreSQL */
/*
 * A script cut into pieces exactly as psql would: with psql's own lexer, line by line, the data of COPY …
 * FROM stdin taken from the lines that follow. Nothing is judged here beyond what has no place to be cut:
 * what a statement or a backslash command means is for others to say (migrator/statement, migrator/psql).
 */
#ifndef MIGRATOR_SPLIT_H
#define MIGRATOR_SPLIT_H

#include "common/error.h"
#include "common/file.h"
#include "migrator/migration.h"

enum piece_kind {
    PIECE_STATEMENT,
    PIECE_COMMAND, /* one of psql's backslash commands with its arguments */
};

struct piece {
    enum piece_kind kind;
    size_t offset, length; /* without the comments before it and without the semicolon */
    size_t line, column;   /* in the file */
    bool copies_in;        /* COPY … FROM stdin */
    bool inside; /* a command in the middle of a statement: the last piece, nothing behind it is cut */
    size_t data_offset, data_length; /* what follows it as COPY data, without the "\." line */
    size_t variable, variables;      /* the places of psql variables in it: first and count */
};

enum variable_form {
    VARIABLE_PLAIN,      /* :name, perhaps no variable at all but part of an array slice */
    VARIABLE_LITERAL,    /* :'name' */
    VARIABLE_IDENTIFIER, /* :"name" */
};

/* Where psql would put a variable's value, were it set. */
struct variable_use {
    enum variable_form form;
    size_t offset, length; /* of all of it, colon and quotes included */
};

struct split {
    struct piece *pieces;
    size_t count;
    struct variable_use *variables;
    size_t variable_count;
    bool escapes; /* standard_conforming_strings is off somewhere */
};

/*
 * The source must be loaded. escapes: the session has standard_conforming_strings = off. Errors are
 * ERROR_USAGE with file, line and column: a quote, dollar quote, comment, parenthesis or BEGIN ATOMIC body
 * that is never closed (the place is where it was opened, or else the statement), and what psql does but a
 * migration cannot have ("\;", ":{?name}").
 */
MUST_CHECK bool split_source(const struct source *source, bool escapes, struct split *ret,
                             struct error *error);
void split_clear(struct split *split);
CLEANUP_VALUE(struct split, split_clear)

/* Point a filled error at an offset in the source's text; returns false. */
bool split_error_at(struct error *error, const struct source *source, size_t offset);

#endif
