/* SPDX-License-Identifier: PostgreSQL */
/*
 * Folder against history: the state of every version, in order, and what apply would run.
 *
 *   applied       in both, same checksum (or the row has none)
 *   pending       a file without a row, newer than everything applied
 *   out_of_order  a file without a row, older than something applied
 *   changed       applied, and the file's statements differ from what ran (comments and white space only: a
 * warning, the state stays applied) missing       a row without a file failed        a no-transaction script
 * that stopped half way running       the same while another session holds the run lock
 */
#ifndef MIGRATOR_PLAN_H
#define MIGRATOR_PLAN_H

#include "migrator/history.h"

enum plan_state {
    PLAN_APPLIED,
    PLAN_PENDING,
    PLAN_CHANGED,
    PLAN_MISSING,
    PLAN_OUT_OF_ORDER,
    PLAN_FAILED,
    PLAN_RUNNING,
};
#define PLAN_STATES 7
const char *plan_state_name(enum plan_state state); /* as in JSON: "out_of_order" */

struct plan_entry {
    enum plan_state state;
    struct migration *migration; /* borrowed from the folder; NULL when missing, or applied and archived */
    struct history_row *row;     /* borrowed from the history; NULL when never run */
    const char *version;         /* stem; borrowed */
    char *message;               /* why it is in this state: "was changed after …"; or NULL */
    char *hint;                  /* what to do about it; or NULL */
    char *diff;                  /* changed: unified diff of what ran and what the file holds; or NULL */
};

struct plan {
    struct plan_entry *entries; /* in order of version */
    size_t count;
    size_t counts[PLAN_STATES];
    struct findings findings; /* warnings: only comments differ, renamed, gaps, strays … */
};

struct plan_options {
    bool lock_held; /* somebody else holds the run lock: half-run scripts count as running */
};
MUST_CHECK bool plan_make(const struct folder *folder, const struct history *history,
                          const struct plan_options *options, struct plan **ret, struct error *error);
void plan_free(struct plan *plan);
CLEANUP_POINTER(struct plan *, plan_free)

/* What apply runs: the entries to run, in order (half-run scripts are taken up again). */
struct plan_steps {
    struct plan_entry **items; /* borrowed from the plan */
    size_t count;
    char *notice; /* why there is nothing to do, where that may surprise; or NULL */
};
struct plan_target {
    const char *to;    /* a version's word, or NULL for all */
    bool out_of_order; /* run out-of-order files too */
};
/*
 * ERROR_CONFLICT when history and folder disagree (changed, missing, out of order without the flag, an unmet
 * requires), with file, message, diff in detail and remedy in the hint; ERROR_CONFLICT for another tool's
 * history; ERROR_USAGE for a requires that several migrations answer to, and for a required rollback that is
 * missing.
 */
MUST_CHECK bool plan_steps(const struct plan *plan, const struct folder *folder,
                           const struct history *history, const struct plan_target *target,
                           struct plan_steps *ret, struct error *error);
void plan_steps_clear(struct plan_steps *steps);
CLEANUP_VALUE(struct plan_steps, plan_steps_clear)

#endif
