/* SPDX-License-Identifier: PostgreSQL */
/*
 * Row-level security as SARIF 2.1.0, which code hosts show beside the code. They want a place in a file: it
 * is the configuration, whose section [rls] says what is verified; the object is the logical location.
 */
#ifndef CLI_RLS_SARIF_H
#define CLI_RLS_SARIF_H

#include "cli/rls_result.h"

/* high is an error, medium a warning, less a note. What is inconclusive is open, and what is accepted
 * suppressed, with the reason. file is relative to the current folder. The caller frees the text. */
char *rls_sarif(const struct rls_result *result, const char *file);

#endif
