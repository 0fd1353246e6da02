/* SPDX-License-Identifier: PostgreSQL */
/*
 * Putting the history right by hand: baseline and repair. No migration runs; each call works under the run
 * lock, in one transaction, and writes the log with options->reason.
 */
#ifndef MIGRATOR_REPAIR_H
#define MIGRATOR_REPAIR_H

#include "migrator/apply.h"

enum repair_action {
    REPAIR_ACCEPT_CHECKSUM,  /* the file as it is now is what the history says */
    REPAIR_MARK_APPLIED,     /* as if the file had run */
    REPAIR_MARK_ROLLED_BACK, /* as if it had been rolled back */
    REPAIR_ACCEPT_MISSING,   /* applied, and its file is rightly gone */
    REPAIR_CLEAR,            /* forget a half-run script, so that it starts from the beginning */
    REPAIR_RESUME_AT,        /* a half-run script goes on at this statement */
};

struct repair {
    enum repair_action action;
    const char *version; /* the user's word: stem or number */
    size_t statement;    /* for REPAIR_RESUME_AT, counted from 1; one more than there are: all are done */
};

struct repaired {
    char *version;  /* the whole stem */
    bool backwards; /* it is its rollback that has stopped half way */
};
void repaired_clear(struct repaired *repaired);
CLEANUP_VALUE(struct repaired, repaired_clear)

/* ERROR_CONFLICT when the version is not in the state the action is for. */
MUST_CHECK bool repair_run(struct postgres *postgres, struct history *history, const struct folder *folder,
                           const struct repair *repair, const struct run_options *options,
                           const struct run_listener *listener, struct repaired *ret, struct error *error);

/*
 * Mark every file up to the one named as applied without running it; those that are applied are left alone.
 * Version "0" marks nothing, unless a file has that number. Creates the history where there is none.
 * *ret_marked is what was marked, or, when dry_run, what would be.
 */
struct baseline {
    const char *version;
    bool dry_run;
};
MUST_CHECK bool baseline_run(struct postgres *postgres, struct history *history, const struct folder *folder,
                             const struct baseline *baseline, const struct run_options *options,
                             const struct run_listener *listener, struct text_list *ret_marked,
                             struct error *error);

#endif
