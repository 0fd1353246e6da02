/* SPDX-License-Identifier: PostgreSQL */
/*
 * The tokens of SQL text, by the rules of PostgreSQL's lexer: enough to know a statement by its leading
 * words, to compare two texts without their comments and white space, and to find where something was opened
 * and never closed.
 *
 * This is not a parser and needs no grammar version: what a newer server understands is read as well. Where a
 * statement ends is not decided here but by psql's own lexer (migrator/split).
 */
#ifndef MIGRATOR_TOKEN_H
#define MIGRATOR_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,       /* keyword or unquoted name */
    TOKEN_IDENTIFIER, /* "quoted", U&"quoted" */
    TOKEN_STRING,     /* '…' with or without E, B, X, N, U& in front; $tag$…$tag$ */
    TOKEN_NUMBER,
    TOKEN_SYMBOL,   /* ( ) [ ] , ; . .. : :: := and whatever is nothing else */
    TOKEN_OPERATOR, /* a run of operator characters */
    TOKEN_COMMENT,  /* a block comment that never ends; all others are skipped */
};

struct token {
    enum token_kind kind;
    const char *text; /* into the text that is read */
    size_t offset, length;
    bool open; /* a quote or comment that is not closed before the text ends */
};

/* Set text and length, the rest zero. Plain values: copy it to look ahead. */
struct tokens {
    const char *text;
    size_t length;
    size_t offset; /* of the next byte to read */
    bool escapes;  /* backslashes escape in '…' too: standard_conforming_strings is off */
};

/* The next token; false, and kind TOKEN_END, after the last. */
bool token_next(struct tokens *tokens, struct token *ret);

/* Skip white space and comments. Stops in front of a hint comment and of a block comment that never ends. */
void token_skip_blank(struct tokens *tokens);

/* Whether it is this unquoted word; case does not matter. */
bool token_is(const struct token *token, const char *word);
bool token_is_symbol(const struct token *token, char symbol);

/* Read on when the next token is this word. */
bool token_accept(struct tokens *tokens, const char *word);

/* Read on when the next tokens are these words, separated by single blanks; else stay. */
bool token_accept_all(struct tokens *tokens, const char *words);

/* The name as the server would have it: folded to lower case or unquoted. NULL for U&"…" and what is no name.
 */
char *token_name(const struct token *token);

/* Whether two texts have the same tokens: unquoted words compare without case, all else by byte. */
bool token_same(struct tokens a, struct tokens b);

#endif
