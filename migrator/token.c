/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/token.h"

#include "common/text.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { SPACE = 1, WORD_START = 2, DIGIT = 4, WORD_PART = 8 };

static const unsigned char classes[256] = {
    [' '] = SPACE,
    ['\t'] = SPACE,
    ['\n'] = SPACE,
    ['\r'] = SPACE,
    ['\f'] = SPACE,
    ['a' ... 'z'] = WORD_START | WORD_PART,
    ['A' ... 'Z'] = WORD_START | WORD_PART,
    ['_'] = WORD_START | WORD_PART,
    [0x80 ... 0xFF] = WORD_START | WORD_PART,
    ['0' ... '9'] = DIGIT | WORD_PART,
    ['$'] = WORD_PART,
};

static int class_of(char c)
{
    return classes[(unsigned char)c];
}

/* The byte at offset + ahead, or NUL past the end. */
static char peek(const struct tokens *tokens, size_t ahead)
{
    return ahead < tokens->length - tokens->offset ? tokens->text[tokens->offset + ahead] : '\0';
}

static size_t skip_line_comment(const struct tokens *tokens, size_t at)
{
    while (at < tokens->length && tokens->text[at] != '\n' && tokens->text[at] != '\r')
        at++;
    return at;
}

/* The end of the (nesting) block comment at tokens->offset; 0 when it has none. */
static size_t block_comment_end(const struct tokens *tokens)
{
    size_t depth = 0;

    for (size_t at = tokens->offset; at + 1 < tokens->length; at++) {
        if (tokens->text[at] == '/' && tokens->text[at + 1] == '*') {
            depth++;
            at++;
        } else if (tokens->text[at] == '*' && tokens->text[at + 1] == '/') {
            at++;
            if (--depth == 0)
                return at + 1;
        }
    }
    return 0;
}

static void skip_blank(struct tokens *tokens, bool stop_at_hint)
{
    for (;;) {
        while (tokens->offset < tokens->length && class_of(tokens->text[tokens->offset]) == SPACE)
            tokens->offset++;
        if (peek(tokens, 0) == '-' && peek(tokens, 1) == '-') {
            tokens->offset = skip_line_comment(tokens, tokens->offset);
        } else if (peek(tokens, 0) == '/' && peek(tokens, 1) == '*') {
            size_t end = stop_at_hint && peek(tokens, 2) == '+' ? 0 : block_comment_end(tokens);

            if (end == 0)
                return;
            tokens->offset = end;
        } else {
            return;
        }
    }
}

void token_skip_blank(struct tokens *tokens)
{
    skip_blank(tokens, true);
}

/* The length of characters of a class at the reader's place and from there on. */
static size_t run_of(const struct tokens *tokens, int class)
{
    size_t length = 0;

    while (class_of(peek(tokens, length)) & class)
        length++;
    return length;
}

/* The length of a quoted token whose opening quote is prefix bytes in. */
static size_t read_quoted(const struct tokens *tokens, size_t prefix, bool escapes)
{
    char quote = peek(tokens, prefix);
    size_t length = tokens->length - tokens->offset;
    size_t at = prefix + 1;

    while (at < length) {
        char c = peek(tokens, at);

        if (c == '\\' && escapes && at + 1 < length)
            at += 2;
        else if (c != quote)
            at++;
        else if (peek(tokens, at + 1) == quote)
            at += 2;
        else
            return at + 1;
    }
    return length;
}

/* The length of "$tag$" at the reader's place; 0 when that is no dollar quote. */
static size_t dollar_tag(const struct tokens *tokens)
{
    size_t length = 1;

    if (peek(tokens, 1) != '$' && !(class_of(peek(tokens, 1)) & WORD_START))
        return 0;
    while (peek(tokens, length) != '$' && class_of(peek(tokens, length)) & WORD_PART)
        length++;
    return peek(tokens, length) == '$' ? length + 1 : 0;
}

/* The length of $tag$…$tag$ at the reader's place; 0 when that is no dollar quote. */
static size_t read_dollar(const struct tokens *tokens)
{
    const char *begin = tokens->text + tokens->offset;
    size_t length = tokens->length - tokens->offset;
    size_t tag = dollar_tag(tokens);

    if (tag == 0)
        return 0;
    const char *close = memmem(begin + tag, length - tag, begin, tag);
    return close ? (size_t)(close - begin) + tag : length;
}

/* A word, or a string or identifier with a prefix that looks like one. */
static size_t read_word(const struct tokens *tokens, enum token_kind *ret_kind)
{
    char first = peek(tokens, 0) | ' ', second = peek(tokens, 1), third = peek(tokens, 2);

    if (second == '\'' && strchr("ebxn", first)) {
        *ret_kind = TOKEN_STRING;
        return read_quoted(tokens, 1, first == 'e');
    }
    if (first == 'u' && second == '&' && (third == '\'' || third == '"')) {
        *ret_kind = third == '"' ? TOKEN_IDENTIFIER : TOKEN_STRING;
        return read_quoted(tokens, 2, false);
    }
    *ret_kind = TOKEN_WORD;
    return run_of(tokens, WORD_PART);
}

static size_t read_token(const struct tokens *tokens, enum token_kind *ret_kind)
{
    char c = peek(tokens, 0);
    int class = class_of(c);

    if (class & WORD_START)
        return read_word(tokens, ret_kind);
    if (class & DIGIT) {
        *ret_kind = TOKEN_NUMBER;
        return run_of(tokens, DIGIT);
    }
    if (c == '\'' || c == '"') {
        *ret_kind = c == '"' ? TOKEN_IDENTIFIER : TOKEN_STRING;
        return read_quoted(tokens, 0, false);
    }
    size_t length = c == '$' ? read_dollar(tokens) : 0;
    *ret_kind = length > 0 ? TOKEN_STRING : TOKEN_SYMBOL;
    return length > 0 ? length : 1;
}

bool token_next(struct tokens *tokens, struct token *ret)
{
    skip_blank(tokens, false);
    *ret = (struct token){.text = tokens->text + tokens->offset};
    if (tokens->offset >= tokens->length)
        return false;
    ret->length = read_token(tokens, &ret->kind);
    tokens->offset += ret->length;
    return true;
}

bool token_is(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && strncasecmp(token->text, word, token->length) == 0 &&
           word[token->length] == '\0';
}

bool token_is_symbol(const struct token *token, char symbol)
{
    return token->kind == TOKEN_SYMBOL && token->length == 1 && token->text[0] == symbol;
}

bool token_accept(struct tokens *tokens, const char *word)
{
    struct tokens ahead = *tokens;
    struct token token;

    if (!token_next(&ahead, &token) || !token_is(&token, word))
        return false;
    *tokens = ahead;
    return true;
}

bool token_accept_all(struct tokens *tokens, const char *words)
{
    struct tokens ahead = *tokens;
    struct token token;

    while (*words) {
        size_t length = strcspn(words, " ");

        if (!token_next(&ahead, &token) || token.kind != TOKEN_WORD || token.length != length ||
            strncasecmp(token.text, words, length) != 0)
            return false;
        words += length + (words[length] == ' ');
    }
    *tokens = ahead;
    return true;
}

char *token_name(const struct token *token)
{
    bool quoted = token->kind == TOKEN_IDENTIFIER && *token->text == '"' && token->length > 1;
    char *name = NULL, *out;

    if (token->kind == TOKEN_WORD) {
        name = text_copy_part(token->text, token->length);
        for (char *c = name; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
    } else if (quoted) {
        name = out = text_copy_part(token->text + 1, token->length - 2);
        for (const char *c = name; *c != '\0'; c++) {
            *out++ = *c;
            c += c[0] == '"' && c[1] == '"' ? 1 : 0;
        }
        *out = '\0';
    } else if (token->kind == TOKEN_IDENTIFIER) {
        name = text_copy_part(token->text, token->length);
    }
    return name;
}
