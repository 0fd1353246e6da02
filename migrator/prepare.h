/* SPDX-License-Identifier: PostgreSQL */
/*
 * The scripts of all steps of a run, split and checked before the first one runs.
 */
#ifndef MIGRATOR_PREPARE_H
#define MIGRATOR_PREPARE_H

#include "migrator/plan.h"
#include "migrator/script.h"

struct prepared {
    const struct plan_entry *entry; /* borrowed from the plan */
    struct script *script;
    struct script *verify; /* or NULL */
};

struct prepared_list {
    struct prepared *items;
    size_t count;
};
void prepared_clear(struct prepared_list *list);
CLEANUP_VALUE(struct prepared_list, prepared_clear)

/* For the session of the history's connection; settings are "name=value" for the variables directive. */
MUST_CHECK bool prepare_steps(const struct plan_steps *steps, const struct history *history,
                              const struct text_list *settings, struct prepared_list *ret,
                              struct error *error);

/* Whether apply goes on with a half-run script that has a file; if not, the error is the one it gives. */
MUST_CHECK bool prepare_goes_on(const struct plan_entry *entry, const struct history *history,
                                struct error *error);

/* A verify script, always inside its migration's transaction; *ret is NULL when there is none. */
MUST_CHECK bool prepare_verify(struct migration *migration, const struct postgres *postgres,
                               const struct text_list *settings, struct script **ret, struct error *error);

#endif
