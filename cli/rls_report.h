/* SPDX-License-Identifier: PostgreSQL */
/*
 * Row-level security for a terminal: one finding per line, most severe first and those of one object
 * together, each with its remedy to paste and its evidence; then what could not be decided; then a table of
 * what was checked.
 */
#ifndef CLI_RLS_REPORT_H
#define CLI_RLS_REPORT_H

#include "cli/command.h"
#include "cli/rls_result.h"

/* On stdout. Quiet: only what was found and what could not be decided. Verbose: also what is accepted. */
void rls_report_print(const struct invocation *invocation, const struct rls_result *result);

#endif
