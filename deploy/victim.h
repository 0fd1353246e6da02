/* SPDX-License-Identifier: PostgreSQL */
/*
 * The victim of a migration: a session that reads and writes the tables the migration has locked, as an
 * application would, and tells for how long it was held up. A third connection in a thread of its own.
 *
 * Each visit reads a row and updates one to what it is, in a transaction that is rolled back. No visit waits
 * longer than 50 ms for a lock, then it begins anew, so that the migration never waits longer than that for
 * its victim; a stall lasts from the first visit that was held up to the next that was not. INSERT is not
 * tried: it would use up the values of sequences, and takes the same locks.
 */
#ifndef DEPLOY_VICTIM_H
#define DEPLOY_VICTIM_H

#include "common/postgres.h"

struct victim;
/* To the database of the connection, as the same user. */
MUST_CHECK bool victim_new(const struct postgres *postgres, struct victim **ret, struct error *error);
void victim_free(struct victim *victim);
CLEANUP_POINTER(struct victim *, victim_free)

/* From now on also visit this relation; from any thread, any number of times. */
void victim_visit(struct victim *victim, int64_t oid);
/* The locks are gone: visit nothing any more, and tell the longest stall since the last call. *ret_relation
 * is the caller's to free, and NULL when nothing was visited. */
void victim_rest(struct victim *victim, int64_t *ret_us, char **ret_relation);

#endif
