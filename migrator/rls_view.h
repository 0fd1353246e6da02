/* SPDX-License-Identifier: PostgreSQL */
/*
 * The state of row-level security at a moment, for the gate, which takes one before each COMMIT: what is
 * found, and what protects rows and could be lost without a word (sql/rls/guards.sql).
 *
 * A digest of each relation and function (sql/rls/digest.sql) tells what changed since the view before; only
 * that, and what depends on it (sql/rls/narrow.sql), is looked at again. Who the application's roles are
 * depends on all relations: a narrow look takes those that the last whole look found, and where a change may
 * have made others of them, all is looked at.
 */
#ifndef MIGRATOR_RLS_VIEW_H
#define MIGRATOR_RLS_VIEW_H

#include "migrator/rls_finding.h"
#include "migrator/rls_settings.h"

struct rls_guard {
    char *oid; /* of the relation; "0" for a function's guard */
    char *object, *name, *check, *hint, *needs, *thing;
    enum rls_severity severity;
};

/* Of all relations, or of those in only. All is owned. */
struct rls_view {
    struct rows *digests; /* NULL: not looked at */
    struct rls_findings findings;
    struct rls_guard *guards;
    size_t guard_count;
    char *roles;      /* the application's roles: JSON, an array of oids */
    bool roles_fixed; /* no grant makes others of them */
    bool narrow;
    struct text_list only;  /* oids, of functions negative */
    struct text_list names; /* of those of which everything is told, also as they were called before */
};
void rls_view_clear(struct rls_view *view);
CLEANUP_VALUE(struct rls_view, rls_view_clear)

/*
 * Look within a transaction. first begins what the caller will undo, with the settings of the checks.
 * before: NULL looks at all; where nothing changed since, ret stays empty. *oldest is the oldest transaction
 * that was running at the first look: NULL there, and filled in.
 */
MUST_CHECK bool rls_view_read(struct postgres *postgres, const struct rls_settings *settings,
                              const char *first, const struct rls_view *before, bool whole, char **oldest,
                              struct rls_view *ret, struct error *error);

/* What view has seen is the state from now on; of relations it did not look at, everything in *state stays.
 * Empties the view. */
void rls_view_absorb(struct rls_view *state, struct rls_view *view);

/* What protected rows in before and is gone, while what it protected is still there, as findings. */
MUST_CHECK bool rls_view_lost(struct postgres *postgres, const struct rls_view *before,
                              const struct rls_view *after, struct rls_findings *findings,
                              struct error *error);

/* The decided findings that after has more than before, whatever relations are called now. all: what was
 * there before, too. */
void rls_view_added(const struct rls_view *before, const struct rls_view *after, bool all,
                    struct rls_findings *findings);

#endif
