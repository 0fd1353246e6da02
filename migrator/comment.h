/* SPDX-License-Identifier: PostgreSQL */
/*
 * Walks the comments of a SQL script without understanding its statements: quotes, dollar quotes, COPY's
 * inline data and psql's backslash lines are stepped over, so that nothing inside them is taken for a
 * comment.
 *
 *     struct comment_walk walk = {.text = text, .size = size};
 *     while (comment_next(&walk))
 *         if (!walk.in_body) ...                       the comments before the first statement
 *
 * Who wants none but those sets head_only, which saves walking through the statements.
 */
#ifndef MIGRATOR_COMMENT_H
#define MIGRATOR_COMMENT_H

#include <stdbool.h>
#include <stddef.h>

struct comment_walk {
    const char *text;
    size_t size;
    bool head_only; /* end where the body begins */
    /* The comment found: with its "--" or its slashes and stars, without the line end. */
    size_t offset, length;
    bool in_body; /* a statement began before it; after the last comment: the script holds a statement */
    /* Private. */
    size_t at;
    unsigned word;     /* how far into a COPY statement's words */
    bool copy, stdin_; /* the statement began with COPY; has FROM STDIN */
};

bool comment_next(struct comment_walk *walk);

/* Whether a script holds anything but comments, blanks and backslash lines. */
bool comment_only(const char *text, size_t size);

#endif
