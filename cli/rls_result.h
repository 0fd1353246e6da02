/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a verification of row-level security came to, as every form of its output wants it: the findings, the
 * checks that were made, and what each of them came to.
 */
#ifndef CLI_RLS_RESULT_H
#define CLI_RLS_RESULT_H

#include "migrator/rls_finding.h"
#include <stdint.h>

struct rls_tally {
    const char *check; /* "S1" */
    const char *title; /* what is true where it passes */
    bool left_out;     /* not made: then it says nothing, neither passed nor found */
    size_t found, inconclusive, accepted;
    enum rls_severity worst; /* of what was found */
};

struct rls_result {
    struct rls_findings findings; /* sorted by rls_result_tally */
    struct rls_tally *tallies;    /* in the order in which they were added */
    size_t count;
    int64_t tables, roles, probes; /* how much was looked at */
};

/* A check that was made, or was left out. The texts are kept, not copied: those of a table of checks. */
void rls_result_add(struct rls_result *result, const char *check, const char *title, bool left_out);

/* Sorts the findings and counts them, each for its check; once, when all are there and the baseline was
 * applied. A finding of a check that was not added adds it. */
void rls_result_tally(struct rls_result *result);

/* "passed", "2 found, 1 accepted", "1 inconclusive", "left out". The caller frees it. */
char *rls_tally_words(const struct rls_tally *tally);

void rls_result_clear(struct rls_result *result);
CLEANUP_VALUE(struct rls_result, rls_result_clear)

#endif
