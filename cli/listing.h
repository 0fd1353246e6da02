/* SPDX-License-Identifier: PostgreSQL */
/* Migrations and their state, as status and plan show them. */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/command.h"
#include "common/finding.h"
#include "migrator/plan.h"

/* {version, description, state, transactional, has_rollback, checksum, applied_at, execution_ms, message,
 * hint} */
json_t *listing_entry(const struct plan_entry *entry);
/* {applied, pending, changed, missing, out_of_order, failed, running} */
json_t *listing_counts(const struct plan *plan);
/* Fields "database", "server_version" and "history". */
void listing_server(json_t *document, const struct postgres *postgres, const struct history *history);

/* "12 applied, 3 pending, 1 changed"; "no migrations" for none. The caller frees it. */
char *listing_summary(const struct plan *plan);

/* What is to be known about the history table itself, on stderr: absent is fine, adoptable and foreign are
 * told. */
void listing_warn_history(const struct invocation *invocation, const struct history *history);

/*
 * Warnings on stderr, notices too with --verbose: the first few, then how many more there are. quiet prints
 * nothing. without is the rule whose findings are left out, or NULL.
 */
void listing_findings(const struct invocation *invocation, const struct findings *findings,
                      const char *without);

#endif
