/* SPDX-License-Identifier: PostgreSQL */
/*
 * What is known of rehearsals, for the commands that apply: the state of this folder (.pgmigrate/state.db
 * beside the configuration, see deploy/evidence), the gate of protected environments, and what an apply
 * really took.
 */
#ifndef CLI_REHEARSALS_H
#define CLI_REHEARSALS_H

#include "cli/command.h"
#include "cli/report.h"
#include "deploy/evidence.h"
#include "migrator/plan.h"
#include "migrator/run.h"

/* To put something into it. */
MUST_CHECK bool rehearsals_open(const struct invocation *invocation, struct evidence **ret,
                                struct error *error);
/*
 * To look what is known, the files of --evidence put into it first; NULL where nothing was ever rehearsed
 * here. Only a file of --evidence fails: what is wrong with the state itself is a warning, and
 * only what those files say is known.
 */
MUST_CHECK bool rehearsals_look(const struct invocation *invocation, struct evidence **ret,
                                struct error *error);

/* What is known of entries, one after the other: nothing of those that apply would not run. */
struct rehearsals {
    struct evidence_found *items;
    size_t count;
    bool any; /* is known */
};
void rehearsals_add(const struct invocation *invocation, struct evidence *evidence,
                    const struct plan_entry *entry, struct rehearsals *list);
void rehearsals_clear(struct rehearsals *list);
CLEANUP_VALUE(struct rehearsals, rehearsals_clear)
/* Told in a table: "rehearsed 2 h ago on staging: …". */
void rehearsals_cell(struct report_table *table, const struct evidence_found *found);
/* Fields "expected_ms" and "rehearsal" of a migration; nothing where nothing is known. */
void rehearsals_fill(json_t *object, const struct evidence_found *found);

/*
 * Where rehearsals are required (--require-rehearsal, rehearsal_max_age, protected): ERROR_REFUSED naming the
 * files that have none that passed, or none that is young enough.
 */
MUST_CHECK bool rehearsals_gate(const struct invocation *invocation, struct evidence *evidence,
                                const struct plan_steps *steps, struct error *error);

/* After an apply: what it took beside what was estimated. What cannot be kept is warned about. */
void rehearsals_keep(const struct invocation *invocation, struct evidence *evidence,
                     const struct postgres *postgres, const struct folder *folder,
                     const struct run_result *result);

#define OPTION_EVIDENCE                                                                                      \
    {                                                                                                        \
        .name = "evidence", .argument = "FILE", .repeats = true,                                             \
        .summary = "what \"rehearse --evidence\" wrote elsewhere"                                            \
    }

#endif
