/* SPDX-License-Identifier: PostgreSQL */
/*
 * The transactions a script writes for itself, and what cannot run in one. Both work on a script whose
 * statements are all there, and report with the place of the statement at fault.
 */
#ifndef MIGRATOR_TRANSACTION_H
#define MIGRATOR_TRANSACTION_H

#include "migrator/script.h"

/* Transactional scripts: take one BEGIN … COMMIT pair out and keep its options in script->begin; refuse the
 * rest. */
MUST_CHECK bool transaction_take_out(struct script *script, struct error *error);

/* no-transaction scripts: fill script->groups. */
MUST_CHECK bool transaction_group(struct script *script, struct error *error);

#endif
