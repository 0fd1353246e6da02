/* SPDX-License-Identifier: PostgreSQL */
/*
 * CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY leave INVALID indexes when they fail, and IF NOT EXISTS
 * then takes the corpse for the index. So the indexes are looked at before and after: one that this migration
 * left behind is dropped, one that was there before is reported.
 *
 * What a CREATE leaves is known by its name; what a REINDEX leaves, by its ending (_ccnew, _ccold) and its
 * table. Of an index without a name in the statement nothing is known.
 */
#ifndef MIGRATOR_INDEX_BUILD_H
#define MIGRATOR_INDEX_BUILD_H

#include "migrator/execution.h"

/* Whether the statement is one of these; and whether it builds an index whose name it gives. */
bool index_build_is(const struct statement *statement);
bool index_build_has_name(const struct statement *statement);

/*
 * Before the statement. ours: this migration has begun the statement before, so an INVALID index is its own
 * and is dropped; *ret_exists tells that a valid one is there. Otherwise an INVALID index in the way is an
 * error, and leftovers of a REINDEX are told.
 */
MUST_CHECK bool index_build_prepare(struct execution *execution, const struct statement *statement, bool ours,
                                    bool *ret_exists, struct error *error);

/*
 * After the statement has failed: drop what it left, or tell that it could not be dropped, which the next run
 * tries again: false. The statement's own error is the one to report.
 */
bool index_build_clean(struct execution *execution, const struct statement *statement);

/* After the statement has succeeded: the index must be valid. */
MUST_CHECK bool index_build_check(struct execution *execution, const struct statement *statement,
                                  struct error *error);

/* Long before a statement that gives its index a name: tell of an INVALID index that would be in the way. */
MUST_CHECK bool index_build_foresee(struct postgres *postgres, const struct script *script,
                                    const struct statement *statement, struct findings *findings,
                                    struct error *error);

/* Of a statement that gives its index a name: *ret drops the INVALID index that it left, or is NULL where
 * there is none. The caller frees it. */
MUST_CHECK bool index_build_undo(struct postgres *postgres, const struct statement *statement, char **ret,
                                 struct error *error);

#endif
