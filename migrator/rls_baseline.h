/* SPDX-License-Identifier: PostgreSQL */
/*
 * The baseline: findings about row-level security that are accepted, each for a reason and until a day.
 *
 * A file of lines; empty ones and those that begin with "#" are skipped:
 *
 *     S14 core.drafts until 2027-01-31: drafts belong to nobody until they are sent
 *     S4 as app_user "Odd name".orders until 2027-01-31: the application moves to a role of its own in
 * January
 *
 * that is CHECK ["as" ROLE] OBJECT "until" YYYY-MM-DD ":" REASON, with check, role and object as the finding
 * has them; a role is quoted where SQL would quote it. The day itself is included, and days are those of
 * UTC. After it the line no longer accepts. Nothing in a file makes a finding that is inconclusive pass.
 */
#ifndef MIGRATOR_RLS_BASELINE_H
#define MIGRATOR_RLS_BASELINE_H

#include "common/file.h"
#include "migrator/rls_finding.h"
#include <stdint.h>

struct rls_acceptance {
    char *check, *object;
    char *role;  /* or NULL */
    char *until; /* "2027-01-31" */
    char *reason;
    size_t line; /* 1-based */
    bool expired;
    bool matched; /* rls_baseline_accept saw a finding that it is about */
};

struct rls_baseline {
    struct rls_acceptance *items;
    size_t count;
};

/* now is a moment (common/moment.h): what ended before is expired. A line that is wrong is ERROR_USAGE, with
 * file, line and column. */
MUST_CHECK bool rls_baseline_read(const char *path, int64_t now, struct rls_baseline *ret,
                                  struct error *error);
/* The same of a text; name is what errors call the file. */
MUST_CHECK bool rls_baseline_parse(const char *name, const char *text, int64_t now, struct rls_baseline *ret,
                                   struct error *error);

/* Gives every finding that a line accepts that line's reason. */
void rls_baseline_accept(struct rls_baseline *baseline, struct rls_findings *findings);

/*
 * The text of a file that accepts all of these findings: until the day, for the reason; those that the
 * baseline knows already keep their reason, and their day where it is not over. Lines without a finding are
 * gone, and so are comments. until is "YYYY-MM-DD". The caller frees it.
 */
char *rls_baseline_text(const struct rls_baseline *baseline, const struct rls_findings *findings,
                        const char *until, const char *reason);

void rls_baseline_clear(struct rls_baseline *baseline);
CLEANUP_VALUE(struct rls_baseline, rls_baseline_clear)

#endif
