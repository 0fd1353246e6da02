/* SPDX-License-Identifier: PostgreSQL */
/*
 * What verifying row-level security found: one thing about one object, seen by one check.
 *
 * A finding says what to do (hint: SQL to paste where there is some) and what proves it (evidence: a
 * statement to reproduce it, a line of a plan), never what is in foreign rows. What could not be decided is
 * inconclusive: never a finding, never passed.
 */
#ifndef MIGRATOR_RLS_FINDING_H
#define MIGRATOR_RLS_FINDING_H

#include "common/memory.h"
#include "common/postgres.h"
#include <stdbool.h>
#include <stddef.h>

enum rls_severity { RLS_INFO, RLS_LOW, RLS_MEDIUM, RLS_HIGH };

const char *rls_severity_name(enum rls_severity severity); /* "info", "low", "medium", "high" */
bool rls_severity_parse(const char *name, enum rls_severity *ret);

/* All texts are owned. */
struct rls_finding {
    char *check; /* "S1", "D3", "P1", "M1" */
    enum rls_severity severity;
    char *object; /* as SQL names it: core.orders, policy p on core.orders, role app */
    char *role;   /* whom it concerns; or NULL */
    char *message;
    char *hint;     /* or NULL */
    char *evidence; /* or NULL */
    bool inconclusive;
    char *accepted; /* the baseline's reason; or NULL */
};

struct rls_findings {
    struct rls_finding *items;
    size_t count;
};

/* Adds an empty one and returns it; good until the next addition. check and object are copied. */
struct rls_finding *rls_finding_add(struct rls_findings *findings, const char *check,
                                    enum rls_severity severity, const char *object);
/* Adds a row that a check of sql/rls answered. False where its severity is not known. */
MUST_CHECK bool rls_finding_read(const struct rows *rows, size_t row, struct rls_findings *findings,
                                 struct error *error);
/* Whether two findings are about the same thing: check, object and role. */
bool rls_finding_same(const struct rls_finding *a, const struct rls_finding *b);
/* Whether such a finding is among them, at least as severe and decided. */
bool rls_findings_have(const struct rls_findings *findings, const struct rls_finding *finding);
/* Adds a copy. */
void rls_findings_copy(struct rls_findings *to, const struct rls_finding *from);
/* Moves all of *from to the end of *to. */
void rls_findings_move(struct rls_findings *to, struct rls_findings *from);
/* Most severe first, those of one object together; inconclusive ones last. */
void rls_findings_sort(struct rls_findings *findings);
/* How many are findings (neither inconclusive nor accepted) of at least this severity. */
size_t rls_findings_count(const struct rls_findings *findings, enum rls_severity at_least);
void rls_findings_clear(struct rls_findings *findings);
CLEANUP_VALUE(struct rls_findings, rls_findings_clear)

#endif
