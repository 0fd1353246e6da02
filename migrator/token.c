/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/token.h"
#include "common/text.h"
#include <string.h>
#include <strings.h>

enum { SPACE = 1, WORD_START = 2, DIGIT = 4, OPERATOR = 8, WORD_PART = 16 };

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
    ['~'] = OPERATOR,
    ['!'] = OPERATOR,
    ['@'] = OPERATOR,
    ['#'] = OPERATOR,
    ['^'] = OPERATOR,
    ['&'] = OPERATOR,
    ['|'] = OPERATOR,
    ['`'] = OPERATOR,
    ['?'] = OPERATOR,
    ['+'] = OPERATOR,
    ['-'] = OPERATOR,
    ['*'] = OPERATOR,
    ['/'] = OPERATOR,
    ['%'] = OPERATOR,
    ['<'] = OPERATOR,
    ['>'] = OPERATOR,
    ['='] = OPERATOR,
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

/* The length of a quoted token whose opening quote is prefix bytes in; open when the closing quote is
 * missing. */
static size_t read_quoted(const struct tokens *tokens, size_t prefix, bool escapes, bool *ret_open)
{
    char quote = peek(tokens, prefix);
    size_t length = tokens->length - tokens->offset;
    size_t at = prefix + 1;

    while (at < length) {
        char c = peek(tokens, at);

        if (c == '\\' && escapes && at + 1 < length) {
            at += 2;
        } else if (c != quote) {
            at++;
        } else if (peek(tokens, at + 1) == quote) {
            at += 2;
        } else {
            *ret_open = false;
            return at + 1;
        }
    }
    *ret_open = true;
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

static size_t read_dollar(const struct tokens *tokens, enum token_kind *ret_kind, bool *ret_open)
{
    const char *begin = tokens->text + tokens->offset;
    size_t length = tokens->length - tokens->offset;
    size_t tag = dollar_tag(tokens);

    if (tag == 0) {
        size_t digits = 1;

        while (class_of(peek(tokens, digits)) & DIGIT)
            digits++;
        *ret_kind = digits > 1 ? TOKEN_NUMBER : TOKEN_SYMBOL;
        return digits;
    }
    const char *close = memmem(begin + tag, length - tag, begin, tag);
    *ret_kind = TOKEN_STRING;
    *ret_open = !close;
    return close ? (size_t)(close - begin) + tag : length;
}

/* Digits, 1.5e-3, 0xFF, 1_000; but not the ".." of an integer range. Letters that make no number stay with
 * it. */
static size_t read_number(const struct tokens *tokens)
{
    bool hexadecimal = peek(tokens, 0) == '0' && (peek(tokens, 1) | ' ') == 'x';
    bool letters = false; /* then a "$" goes on with them and opens no quote */
    size_t length = 1;

    for (;; length++) {
        char c = peek(tokens, length);
        bool sign = (c == '+' || c == '-') && !hexadecimal && (peek(tokens, length - 1) | ' ') == 'e' &&
                    class_of(peek(tokens, length + 1)) & DIGIT;
        bool point = c == '.' && peek(tokens, length + 1) != '.';

        letters = letters || class_of(c) & WORD_START;
        if (!sign && !point && (c == '$' ? !letters : !(class_of(c) & WORD_PART)))
            return length;
    }
}

/* A run of operator characters ends before a comment, and not with a sign unless it has a character that SQL
 * lacks. */
static size_t read_operator(const struct tokens *tokens)
{
    size_t length = 0;
    bool foreign = false;

    while (class_of(peek(tokens, length)) == OPERATOR) {
        char c = peek(tokens, length), next = peek(tokens, length + 1);

        if ((c == '-' && next == '-') || (c == '/' && next == '*'))
            break;
        foreign = foreign || strchr("~!@#^&|`?%", c);
        length++;
    }
    while (!foreign && length > 1 && strchr("+-", peek(tokens, length - 1)))
        length--;
    return length;
}

/* A word, or a string or identifier with a prefix that looks like one. */
static size_t read_word(const struct tokens *tokens, enum token_kind *ret_kind, bool *ret_open)
{
    char first = peek(tokens, 0) | ' ', second = peek(tokens, 1);
    size_t length = 1;

    if (second == '\'' && strchr("ebxn", first)) {
        *ret_kind = TOKEN_STRING;
        return read_quoted(tokens, 1, first == 'e', ret_open);
    }
    if (first == 'u' && second == '&' && (peek(tokens, 2) == '\'' || peek(tokens, 2) == '"')) {
        *ret_kind = peek(tokens, 2) == '"' ? TOKEN_IDENTIFIER : TOKEN_STRING;
        return read_quoted(tokens, 2, false, ret_open);
    }
    *ret_kind = TOKEN_WORD;
    while (class_of(peek(tokens, length)) & WORD_PART)
        length++;
    return length;
}

static size_t read_symbol(const struct tokens *tokens)
{
    char c = peek(tokens, 0), next = peek(tokens, 1);

    return (c == ':' && (next == ':' || next == '=')) || (c == '.' && next == '.') ? 2 : 1;
}

static size_t read_token(const struct tokens *tokens, enum token_kind *ret_kind, bool *ret_open)
{
    char c = peek(tokens, 0), next = peek(tokens, 1);
    int class = class_of(c);

    if (class & WORD_START)
        return read_word(tokens, ret_kind, ret_open);
    if (c == '$')
        return read_dollar(tokens, ret_kind, ret_open);
    if (c == '\'' || c == '"') {
        *ret_kind = c == '"' ? TOKEN_IDENTIFIER : TOKEN_STRING;
        return read_quoted(tokens, 0, c == '\'' && tokens->escapes, ret_open);
    }
    if (c == '/' && next == '*') { /* skip_blank found no end */
        *ret_kind = TOKEN_COMMENT;
        *ret_open = true;
        return tokens->length - tokens->offset;
    }
    if (class == OPERATOR) {
        *ret_kind = TOKEN_OPERATOR;
        return read_operator(tokens);
    }
    *ret_kind = class & DIGIT || (c == '.' && class_of(next) & DIGIT) ? TOKEN_NUMBER : TOKEN_SYMBOL;
    return *ret_kind == TOKEN_NUMBER ? read_number(tokens) : read_symbol(tokens);
}

bool token_next(struct tokens *tokens, struct token *ret)
{
    skip_blank(tokens, false);
    *ret = (struct token){.text = tokens->text + tokens->offset, .offset = tokens->offset};
    if (tokens->offset >= tokens->length)
        return false;
    ret->length = read_token(tokens, &ret->kind, &ret->open);
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
    if (token->kind == TOKEN_WORD) {
        char *name = text_copy_part(token->text, token->length);

        for (char *c = name; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c | ' ');
        return name;
    }
    if (token->kind != TOKEN_IDENTIFIER || token->open || token->text[0] != '"')
        return NULL;

    char *name = text_copy_part(token->text + 1, token->length - 2);
    char *end = name;

    for (const char *c = name; *c; c++) {
        *end++ = *c;
        if (*c == '"')
            c++;
    }
    *end = '\0';
    return name;
}

/* Two strings are joined by the server only when they stand on different lines. */
static bool on_new_line(const struct token *before, const struct token *token)
{
    const char *end = before->text + before->length;

    return memchr(end, '\n', (size_t)(token->text - end)) || memchr(end, '\r', (size_t)(token->text - end));
}

bool token_same(struct tokens a, struct tokens b)
{
    struct token last_a = {.kind = TOKEN_END}, last_b = {.kind = TOKEN_END};

    for (;;) {
        struct token token_a, token_b;
        bool more_a = token_next(&a, &token_a), more_b = token_next(&b, &token_b);

        if (!more_a || !more_b)
            return more_a == more_b;
        if (token_a.kind != token_b.kind || token_a.length != token_b.length)
            return false;
        if (token_a.kind == TOKEN_WORD ? strncasecmp(token_a.text, token_b.text, token_a.length) != 0
                                       : memcmp(token_a.text, token_b.text, token_a.length) != 0)
            return false;
        if (token_a.kind == TOKEN_STRING && last_a.kind == TOKEN_STRING &&
            on_new_line(&last_a, &token_a) != on_new_line(&last_b, &token_b))
            return false;
        last_a = token_a;
        last_b = token_b;
    }
}
