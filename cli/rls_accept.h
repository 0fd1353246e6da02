/* SPDX-License-Identifier: PostgreSQL */
/* The baseline as "rls" uses it: the file of the configuration, and the one that is written. */
#ifndef CLI_RLS_ACCEPT_H
#define CLI_RLS_ACCEPT_H

#include "cli/command.h"
#include "cli/rls_result.h"

#define OPTIONS_BASELINE                                                                                     \
    {.name = "baseline", .argument = "FILE", .key = "baseline"},                                             \
    {                                                                                                        \
        .name = "write-baseline", .argument = "FILE",                                                        \
        .summary = "accept what is found in this file for 90 days; what it has of reasons stays"             \
    }

/*
 * Mark what is accepted; with --write-baseline, write the file first, so that all of it is. Lines that are
 * over, and lines of checks that were made and found nothing of the kind, are told on stderr, or with --json
 * in "baseline". Before rls_result_tally.
 */
MUST_CHECK bool rls_accept(struct invocation *invocation, struct rls_result *result, struct error *error);

#endif
