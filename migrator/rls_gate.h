/* SPDX-License-Identifier: PostgreSQL */
/*
 * No migration commits that weakens row-level security: before each COMMIT the state is compared with the one
 * before the migration, and what was added is told with the statement that did it.
 *
 * It looks through struct run_watch. A digest of each relation, one statement, says what changed; only
 * for that, and what it depends on, the catalog checks run, and what protected rows before is looked for
 * again: row security, FORCE, restrictive policies, options of views, SECURITY DEFINER and search_path of
 * functions, which CREATE OR REPLACE drops without a word.
 *
 * Scripts run with row_security = off, which they may change: a data migration whose rows policies would hide
 * fails instead of changing none.
 *
 * A no-transaction script is refused before the COMMIT of the stretch that weakens something, and has stopped
 * half way then (ERROR_PARTIAL). What it ran outside a transaction cannot be taken back: it is refused at the
 * next moment there is, and rls_gate_finish tells what came last.
 */
#ifndef MIGRATOR_RLS_GATE_H
#define MIGRATOR_RLS_GATE_H

#include "migrator/rls_finding.h"
#include "migrator/rls_settings.h"
#include "migrator/run.h"

struct rls_gate_options {
    const struct rls_settings *settings; /* borrowed */
    enum rls_severity at_least;
    bool all; /* refuse also what was there before */
    /* Marks what is accepted (rls_finding.accepted); may be NULL. */
    void (*accept)(void *context, struct rls_findings *findings);
    void *context;
};

struct rls_gate;
struct rls_gate *rls_gate_new(const struct rls_gate_options *options);
void rls_gate_free(struct rls_gate *gate);
CLEANUP_POINTER(struct rls_gate *, rls_gate_free)
/* Refusals are ERROR_REFUSED with the place in the script. Borrowed from the gate. */
const struct run_watch *rls_gate_watch(struct rls_gate *gate);

/* What was refused; and what the directive rls-allow let pass, accepted holding its reason. */
const struct rls_findings *rls_gate_refused(const struct rls_gate *gate);
const struct rls_findings *rls_gate_allowed(const struct rls_gate *gate);
/* Directives of migrations that committed which allowed nothing, told for people. */
const struct text_list *rls_gate_unused(const struct rls_gate *gate);

/* After a run that succeeded: ERROR_REFUSED where its last statements, outside a transaction, added
 * findings. */
MUST_CHECK bool rls_gate_finish(struct rls_gate *gate, struct postgres *postgres, struct error *error);

#endif
