/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a script may leave in its session, as its words say: no more than a guess that misses nothing but
 * what functions do.
 */
#ifndef MIGRATOR_LEFTOVER_H
#define MIGRATOR_LEFTOVER_H

#include <stdbool.h>

/* What outlives a script's transaction in its session, besides settings and role. */
enum leftover {
    LEAVES_TEMPORARY = 1, /* temporary tables */
    LEAVES_PREPARED = 2,  /* prepared statements */
    LEAVES_CURSORS = 4,   /* WITH HOLD */
    LEAVES_CHANNELS = 8,  /* that are listened to */
    LEAVES_LOCKS = 16,    /* advisory ones of the session */
    LEAVES_VALUES = 32,   /* of currval and lastval: here, that it asks for them */
    LEAVES_ALL = 63,
};

/* The kinds whose words are in the text. */
unsigned leftover_find(const char *text);

/* Whether it may change how the session's transactions begin. */
bool leftover_begin(const char *text);

#endif
