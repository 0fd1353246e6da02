/* SPDX-License-Identifier: PostgreSQL */
/*
 * Rows may come between the trial of a rollback, which found nothing to lose, and its real run. Each
 * transaction of the real run is looked at from inside: before its first statement what it will drop or empty
 * is locked and looked at again, and before its COMMIT what else it has deleted. A loss that was not accepted
 * undoes the transaction (ERROR_REFUSED).
 *
 * The lock is one that the script would take a moment later; an attempt that cannot have it is tried again
 * like any other.
 */
#ifndef ROLLBACK_GUARD_H
#define ROLLBACK_GUARD_H

#include "migrator/run.h"
#include "rollback/dataloss.h"

struct guard {
    struct dataloss *dataloss; /* of the trial; borrowed */
    struct data_losses losses; /* that made it refuse */
    struct run_watch watch;
    bool looked; /* in this transaction */
};

/* The watch of the real run; the guard must stay where it is. */
void guard_begin(struct guard *guard, struct dataloss *dataloss);
void guard_done(struct guard *guard);
CLEANUP_VALUE(struct guard, guard_done)

/* That these losses were not accepted. */
bool guard_refuse(const struct data_losses *losses, struct error *error);

#endif
