/* SPDX-License-Identifier: PostgreSQL */
/*
 * Comments that divide a file into sections: dbmate's "-- migrate:up" and "-- migrate:down", which are read,
 * and those of other tools, which are not.
 */
#ifndef MIGRATOR_MARK_H
#define MIGRATOR_MARK_H

#include <stdbool.h>
#include <stddef.h>

enum mark_kind {
    MARK_NONE,
    MARK_UP,
    MARK_DOWN,
    MARK_MISSPELT, /* meant as one of these two: indented, in capitals, "migrate: up" */
    MARK_FOREIGN,  /* another tool's */
    MARK_WORDS     /* another tool's, in words that any comment may begin with */
};

struct mark {
    enum mark_kind kind;
    const char *tool; /* whose a foreign one is; a constant */
};

/* What the comment at an offset of a NUL-terminated text is. */
struct mark mark_read(const char *text, size_t offset);

/* Whether a text may hold any; says no to most, and much faster than a walk through the comments. */
bool mark_possible(const char *text);

#endif
