/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a database is like at a moment: its schema as pg_dump writes it, what pg_dump does not show (INVALID
 * indexes, partitions half detached, sequences, triggers switched off, how many rows each table has), and
 * what an application relies on. Two states compared are a round trip's result, or what an application will
 * notice. Where it is asked for, so are the findings of row-level security: those that are new after a
 * migration, and those that its rollback leaves.
 *
 * Nothing of the history table counts. Tables that may not be read are not counted.
 */
#ifndef DEPLOY_STATE_H
#define DEPLOY_STATE_H

#include "deploy/rehearsal.h"
#include "migrator/history.h"
#include "migrator/rls_gate.h"
#include "migrator/rls_probe.h"

struct state;
struct state_source {
    struct postgres *postgres;                /* a session that no migration has set anything in; borrowed */
    const struct history *history;            /* borrowed */
    const struct rls_gate_options *isolation; /* what counts as a finding; NULL: not looked at */
    const struct rls_probe_options *probe;    /* attack, too; or NULL */
    char *pg_dump;                            /* found with the first state; the caller frees it */
};
MUST_CHECK bool state_read(struct state_source *source, struct state **ret, struct error *error);
void state_free(struct state *state);
CLEANUP_POINTER(struct state *, state_free)

/* Add to ret->differences what is not as it was before; a sequence that only went on is a mild one,
 * or none where the probes' rows may have drawn its numbers. */
void state_compare(const struct state *before, const struct state *after, struct rehearsed *ret);

/* Add to ret->weaknesses what the probes found that they had not found before: what the catalogs say, the
 * gate has judged already. */
void state_weaknesses(const struct state *before, const struct state *after, struct rehearsed *ret);

/* Add to ret->changes what an application notices that knew the database as it was before. */
void state_changes(const struct state *before, const struct state *after, struct rehearsed *ret);

#endif
