/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a rollback run will do: which migrations, newest applied first, with the scripts to run, all checked
 * before the first one runs.
 */
#ifndef ROLLBACK_UNDO_PLAN_H
#define ROLLBACK_UNDO_PLAN_H

#include "migrator/script.h"
#include "rollback/undo.h"

struct undo_step {
    const struct history_row *row; /* borrowed from the history */
    struct source source;          /* the rollback script: the stored text, or the file's */
    struct directives directives;  /* of that script */
    struct script *script;
    struct script *verify; /* of the migration that is the newest afterwards, or NULL */
    char *difference;      /* unified diff where the file differs from the stored text, or NULL */
};

struct undo_plan {
    struct undo_step *items;
    size_t count;
};

/* ERROR_REFUSED for an irreversible migration or one without a rollback text; ERROR_USAGE for a script that
 * cannot run. */
MUST_CHECK bool undo_plan_make(const struct history *history, const struct folder *folder,
                               const struct undo_options *options, struct undo_plan *ret,
                               struct error *error);
void undo_plan_clear(struct undo_plan *plan);
CLEANUP_VALUE(struct undo_plan, undo_plan_clear)

#endif
