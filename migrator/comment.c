/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/comment.h"
#include <string.h>
#include <strings.h>

static size_t line_end(const struct comment_walk *walk, size_t at)
{
    while (at < walk->size && walk->text[at] != '\n' && walk->text[at] != '\r')
        at++;
    return at;
}

static bool at_pair(const struct comment_walk *walk, size_t at, char first, char second)
{
    return at + 1 < walk->size && walk->text[at] == first && walk->text[at + 1] == second;
}

/* Block comments nest, as they do for the server. */
static size_t block_end(const struct comment_walk *walk, size_t at)
{
    size_t depth = 0;
    while (at < walk->size) {
        if (at_pair(walk, at, '/', '*')) {
            depth++;
            at += 2;
        } else if (at_pair(walk, at, '*', '/')) {
            at += 2;
            if (--depth == 0)
                return at;
        } else {
            at++;
        }
    }
    return at;
}

static size_t quote_end(const struct comment_walk *walk, size_t at, bool backslashes)
{
    char quote = walk->text[at++];
    while (at < walk->size && walk->text[at] != quote)
        at += backslashes && walk->text[at] == '\\' ? 2 : 1;
    return at < walk->size ? at + 1 : walk->size; /* a doubled quote opens the next string */
}

static bool word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool word_part(char c)
{
    return word_start(c) || (c >= '0' && c <= '9') || c == '$';
}

/* Behind "$tag$ … $tag$", or behind the dollar when it opens nothing. */
static size_t dollar_end(const struct comment_walk *walk, size_t at)
{
    size_t tag = at + 1;
    if (tag < walk->size && word_start(walk->text[tag]))
        while (tag < walk->size && word_part(walk->text[tag]) && walk->text[tag] != '$')
            tag++;
    if (tag >= walk->size || walk->text[tag] != '$')
        return at + 1;
    size_t length = tag + 1 - at;
    const char *end = memmem(walk->text + tag + 1, walk->size - tag - 1, walk->text + at, length);
    return end ? (size_t)(end - walk->text) + length : walk->size;
}

/* A word of a statement: notices COPY … FROM STDIN, and the e of e'…' (whose string it steps over). */
static size_t word_end(struct comment_walk *walk, size_t at)
{
    size_t begin = at;
    while (at < walk->size && word_part(walk->text[at]))
        at++;
    const char *word = walk->text + begin;
    size_t length = at - begin;
    if (length == 1 && (*word == 'e' || *word == 'E') && at < walk->size && walk->text[at] == '\'')
        at = quote_end(walk, at, true);
    if (walk->word == 0)
        walk->copy = length == 4 && strncasecmp(word, "copy", 4) == 0;
    walk->stdin_ = walk->stdin_ || (walk->word == 2 && length == 5 && strncasecmp(word, "stdin", 5) == 0);
    walk->word = length == 4 && strncasecmp(word, "from", 4) == 0 ? 2 : 1;
    return at;
}

/* Behind the line "\." that ends COPY's inline data. */
static size_t data_end(const struct comment_walk *walk, size_t at)
{
    while (at < walk->size) {
        size_t begin = at;
        at = line_end(walk, at);
        bool last = at - begin == 2 && walk->text[begin] == '\\' && walk->text[begin + 1] == '.';
        if (last)
            return at;
        at++;
    }
    return walk->size;
}

static size_t statement_end(struct comment_walk *walk, size_t at)
{
    bool data = walk->copy && walk->stdin_;
    walk->word = 0;
    walk->copy = walk->stdin_ = false;
    at++;
    if (!data)
        return at;
    at = line_end(walk, at);
    return data_end(walk, at_pair(walk, at, '\r', '\n') ? at + 2 : at + 1);
}

static size_t body_step(struct comment_walk *walk, size_t at)
{
    char c = walk->text[at];
    if (c == '\'' || c == '"')
        return quote_end(walk, at, false);
    if (c == '$')
        return dollar_end(walk, at);
    if (c == ';')
        return statement_end(walk, at);
    if (word_start(c))
        return word_end(walk, at);
    return at + 1;
}

bool comment_next(struct comment_walk *walk)
{
    while (walk->at < walk->size) {
        char c = walk->text[walk->at];
        bool line = at_pair(walk, walk->at, '-', '-');
        if (line || at_pair(walk, walk->at, '/', '*')) {
            walk->offset = walk->at;
            walk->at = line ? line_end(walk, walk->at) : block_end(walk, walk->at);
            walk->length = walk->at - walk->offset;
            return true;
        }
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            walk->at++;
        } else if (c == '\\') {
            walk->at = line_end(walk, walk->at);
        } else {
            walk->in_body = true;
            if (walk->head_only)
                return false;
            walk->at = body_step(walk, walk->at);
        }
    }
    return false;
}

bool comment_only(const char *text, size_t size)
{
    struct comment_walk walk = {.text = text, .size = size, .head_only = true};
    while (comment_next(&walk))
        ;
    return !walk.in_body;
}
