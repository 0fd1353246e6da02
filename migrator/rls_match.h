/* SPDX-License-Identifier: PostgreSQL */
/*
 * Which findings of a state were there in an earlier one. Each of the earlier ones stands for one only: a
 * view that showed one table's rows and shows two has a new finding, though check, object and role are the
 * same. What says which, is the message; where that names columns, keys or policies, which may be renamed,
 * only how many there are counts.
 */
#ifndef MIGRATOR_RLS_MATCH_H
#define MIGRATOR_RLS_MATCH_H

#include "migrator/rls_finding.h"

/* Relations and functions that are called otherwise now. The names are borrowed from the digests. */
struct rls_rename {
    const char *old, *new;
};
struct rls_renames {
    struct rls_rename *items;
    size_t count;
};
void rls_renames_clear(struct rls_renames *renames);
CLEANUP_VALUE(struct rls_renames, rls_renames_clear)

/* Of two digests, in the order of oids (sql/rls/digest.sql). */
struct rls_renames rls_renames_of(const struct rows *before, const struct rows *after);
/* The text with each new name, as a whole, replaced by the old one. The caller frees it. */
char *rls_renames_undo(const struct rls_renames *renames, const char *text);

struct rls_match {
    bool *known; /* of each finding of after */
};
void rls_match_clear(struct rls_match *match);
CLEANUP_VALUE(struct rls_match, rls_match_clear)

/* What was inconclusive was no finding. */
struct rls_match rls_match_of(const struct rls_findings *before, const struct rls_findings *after,
                              const struct rls_renames *renames);

#endif
