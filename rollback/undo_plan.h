/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a rollback run will do: which migrations, newest applied first, with the scripts to run, all checked
 * before the first one runs.
 */
#ifndef ROLLBACK_UNDO_PLAN_H
#define ROLLBACK_UNDO_PLAN_H

#include "migrator/execute.h"
#include "rollback/undo.h"

struct undo_step {
    char *version;
    struct source source;         /* the rollback script: the stored text, or the file's */
    struct directives directives; /* of that script */
    struct script *script;
    struct script *verify;                      /* of the migration that is the newest afterwards, or NULL */
    const struct directives *verify_directives; /* of that migration, borrowed from the folder, as its text */
    char *difference; /* unified diff where the file differs from the stored text, or NULL */

    /* What the row says: of ROW_UNDOING, how far a run that was cut off has come with this script (see
     * groups_resume). */
    enum row_state state;
    int64_t statements_done, statement_started;
};

struct undo_plan {
    struct undo_step *items;
    size_t count;
    char *stays; /* the word for --to that names what is the newest afterwards; NULL: there is none to name it
                  */
};

/* ERROR_REFUSED for an irreversible migration or one without a rollback text; ERROR_USAGE for a script that
 * cannot run. Nothing of the history is needed afterwards, and of the folder what is verified. */
MUST_CHECK bool undo_plan_make(const struct history *history, const struct folder *folder,
                               const struct undo_options *options, struct undo_plan *ret,
                               struct error *error);
void undo_plan_clear(struct undo_plan *plan);
CLEANUP_VALUE(struct undo_plan, undo_plan_clear)

/* The job that runs the script of a step: a transactional one. */
struct job undo_plan_job(const struct undo_plan *plan, size_t at, const struct run_options *options);

/*
 * The sentence that says how to go on after the first done steps are done: the command itself where the one
 * that was given would go back further the second time.
 */
char *undo_plan_again(const struct undo_plan *plan, size_t done, const struct undo_options *options);

#endif
