/* SPDX-License-Identifier: PostgreSQL */
/* Row-level security as JUnit XML, which every CI reads: a test case for each check. */
#ifndef CLI_RLS_JUNIT_H
#define CLI_RLS_JUNIT_H

#include "cli/rls_result.h"

/*
 * A check fails when it found something of at least this severity; what else it found is in its output. One
 * that found nothing but could not decide everything, or was left out, is skipped. The caller frees it.
 */
char *rls_junit(const struct rls_result *result, enum rls_severity fail_on);

#endif
