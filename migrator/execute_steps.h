/* SPDX-License-Identifier: PostgreSQL */
/* The steps of a job, from its BEGIN to its COMMIT, as migrator/execute sends them. */
#ifndef MIGRATOR_EXECUTE_STEPS_H
#define MIGRATOR_EXECUTE_STEPS_H

#include "migrator/execute.h"

enum step_kind {
    STEP_CONTROL,
    STEP_PREPARE,
    STEP_STATEMENT,
    STEP_VERIFY,
    STEP_RECORD,
    STEP_DEFERRED,
    STEP_COMMIT
};

struct step {
    enum step_kind kind;
    const char *sql;
    char *owned;       /* sql, where it had to be built */
    const char *value; /* of $1, where a control statement has one */
    const struct script *script;
    const struct statement *statement;
};

/* Make the job's steps anew: look is where a verify script has to be looked at, hold where a watched job has
 * to be, before its COMMIT. What an earlier attempt came to is forgotten. */
void execute_steps_plan(struct execution *execution, struct job *job);
void execute_steps_free(struct job *job);
/* What an earlier attempt's COMMIT came to says nothing of this one's. */
void execute_steps_forget(struct job *job);

#endif
