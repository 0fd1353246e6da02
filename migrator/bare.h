/* SPDX-License-Identifier: PostgreSQL */
/*
 * One statement of a no-transaction script that runs outside any transaction, where being done and being
 * recorded as done are two things. It is announced in the history before it begins; if its outcome was never
 * recorded (client killed, connection lost), the next run finds the announcement: an index is looked at,
 * statements that may be repeated are, and anything else stops with the remedy instead of a guess.
 */
#ifndef MIGRATOR_BARE_H
#define MIGRATOR_BARE_H

#include "migrator/groups.h"

/* ERROR_PARTIAL when the statement to go on with is one whose outcome only a person can find out. */
MUST_CHECK bool bare_check(struct postgres *postgres, const struct group_run *run, struct error *error);

/*
 * What to do where the statement to go on with has left a partition half detached, which no run of it
 * finishes. The caller frees it; NULL where that is not so.
 */
char *bare_remedy(struct postgres *postgres, const struct group_run *run);

/*
 * Announce and run it, with retries for lock timeouts. The session is left as the statement leaves it. On
 * failure run->kept tells whether a part of its work was committed.
 */
MUST_CHECK bool bare_run(struct execution *execution, struct group_run *run,
                         const struct statement *statement, struct error *error);

/* Whether running it a second time ends where the first run would have. */
bool bare_may_repeat(const struct statement *statement);

#endif
