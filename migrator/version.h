/* SPDX-License-Identifier: PostgreSQL */
/*
 * A migration's version: its file's stem ("042a_add_orders") taken apart, and the order of stems.
 *
 * Numbers have any count of digits and are compared as numbers; leading zeros do not count. Then comes the
 * letter suffix, then the description: 9 < 10, 025 < 025a < 025b < 026. Flyway's versions ("V1.2__x",
 * "V1_2__x") are compared part by part, a missing part being zero.
 */
#ifndef MIGRATOR_VERSION_H
#define MIGRATOR_VERSION_H

#include "common/memory.h"
#include <stdbool.h>

struct version {
    char *stem;        /* "042a_add_orders" */
    char *number;      /* "42": without leading zeros ("0" for zero); Flyway's parts are joined by dots */
    char *digits;      /* "042": as written */
    char *suffix;      /* "a", or "" */
    char *description; /* "add_orders"; "" when a stem has none, which no file's has */
};

/* Take a stem apart ("042a_add_orders", "V7__x", "042"); false when it has no leading number. */
bool version_parse(const char *stem, struct version *ret);
void version_clear(struct version *version);
CLEANUP_VALUE(struct version, version_clear)

/* Order of two versions: number, suffix, description, stem. Equal only for the same stem. */
int version_compare(const struct version *a, const struct version *b);
/* Order by number and suffix only: 0 means "one number used twice". */
int version_compare_number(const struct version *a, const struct version *b);
/* Whether the user's word names this version: its stem, or its number and suffix, with or without leading
 * zeros. */
bool version_matches(const struct version *version, const char *word);

#endif
