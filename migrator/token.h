/* SPDX-License-Identifier: PostgreSQL */
/*
 * The tokens of SQL text, coarsely: enough to know a statement by its leading words and to pass over what is
 * quoted. It needs no grammar version, cannot fail, and costs little, so every statement can be looked at;
 * what has to be exact is asked of PostgreSQL's own scanner (migrator/parse), and where a statement ends is
 * decided by psql's lexer (migrator/split).
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
    TOKEN_NUMBER,     /* digits */
    TOKEN_SYMBOL,     /* any other character */
};

struct token {
    enum token_kind kind;
    const char *text; /* into the text that is read */
    size_t length;    /* up to the text's end when a quote is not closed */
};

/* Set text and length, the rest zero. Plain values: copy it to look ahead. */
struct tokens {
    const char *text;
    size_t length;
    size_t offset; /* of the next byte to read */
};

/* The next token; false, and kind TOKEN_END, after the last. */
bool token_next(struct tokens *tokens, struct token *ret);

/* Skip white space and comments. Stops in front of a hint comment and of a block comment that never ends. */
void token_skip_blank(struct tokens *tokens);

/* A word or an identifier as the catalogs have it: a word in lower case, an identifier without its quotes.
 * The caller frees it; NULL for any other token. */
char *token_name(const struct token *token);

/* Whether it is this unquoted word; case does not matter. */
bool token_is(const struct token *token, const char *word);
bool token_is_symbol(const struct token *token, char symbol);

/* Read on when the next token is this word. */
bool token_accept(struct tokens *tokens, const char *word);

/* Read on when the next tokens are these words, separated by single blanks; else stay. */
bool token_accept_all(struct tokens *tokens, const char *words);

#endif
