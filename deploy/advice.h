/* SPDX-License-Identifier: PostgreSQL */
/*
 * What to do about what a rehearsal has measured: in which lines of a file something should be written
 * otherwise, and whether the deployment needs a maintenance window.
 *
 * Rules go by what was measured, not by words; those only choose among the ways out. Tables that are small,
 * at the target where its sizes are known, are left alone: on them nothing takes long.
 */
#ifndef DEPLOY_ADVICE_H
#define DEPLOY_ADVICE_H

#include "deploy/rehearsal.h"
#include "deploy/server_facts.h"

struct advice_options {
    const struct server_facts *target; /* or NULL */
    int64_t exclusive_ms;              /* so long may ACCESS EXCLUSIVE be held … */
    int64_t exclusive_bytes;           /* … on a table that is larger than this */
    int64_t expected_ms;               /* so long may all migrations take together */
};
#define ADVICE_EXCLUSIVE_MS    1000
#define ADVICE_EXCLUSIVE_BYTES (INT64_C(10) << 20)
#define ADVICE_EXPECTED_MS     60000

/* Add to a migration, once its estimate is known. */
void advice_fill(struct rehearsed *rehearsed, const struct advice_options *options);

/* Fill window and advice of the whole, from all its migrations. */
void advice_conclude(struct rehearsal *rehearsal, const struct advice_options *options);

/* For reports: the lock that would be felt the most, ACCESS EXCLUSIVE first, then by how long it is held;
 * NULL when none stops writers. */
const struct held_lock *advice_worst_lock(const struct rehearsed *rehearsed);

#endif
