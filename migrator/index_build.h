/* SPDX-License-Identifier: PostgreSQL */
/*
 * CREATE INDEX CONCURRENTLY leaves an INVALID index when it fails, and IF NOT EXISTS then takes the corpse
 * for the index. So the index is looked at before and after: one that this migration left behind is dropped
 * and built again, one that was there before is reported.
 */
#ifndef MIGRATOR_INDEX_BUILD_H
#define MIGRATOR_INDEX_BUILD_H

#include "migrator/execution.h"

/*
 * Before the statement. ours: this migration has begun the statement before, so an INVALID index of that name
 * is its own and is dropped; *ret_exists tells that a valid one is there (then the statement has been done).
 */
MUST_CHECK bool index_build_prepare(struct execution *execution, const struct statement *statement, bool ours,
                                    bool *ret_exists, struct error *error);

/* After the statement has failed: drop what it left. Quiet: the statement's own error is the one to tell. */
void index_build_clean(struct execution *execution, const struct statement *statement);

/* After the statement has succeeded: the index must be valid. */
MUST_CHECK bool index_build_check(struct execution *execution, const struct statement *statement,
                                  struct error *error);

#endif
