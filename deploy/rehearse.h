/* SPDX-License-Identifier: PostgreSQL */
/*
 * The rehearsal itself, in a database where it may run: each pending migration is applied and measured,
 * rolled back, compared with what was there before, and applied again. A round trip in one go applies all of
 * them first and then goes back one after the other, so that rollbacks are tried on what later ones leave.
 *
 *     each    apply 1 -> rollback 1 -> compare -> apply 1 again -> apply 2 -> …
 *     chain   apply 1, 2, 3 -> rollback 3 -> compare -> rollback 2 -> compare -> … -> apply 1, 2, 3 again
 *     none    apply only
 *
 * Where row-level security is to be verified, the gate that apply has stands before each COMMIT here, too;
 * what a rollback leaves weaker than it was is a difference, and what probes can reach after a migration a
 * weakness.
 *
 * A migration that fails is a result, not an error: it ends the rehearsal, and those after it are not
 * reached. So does a rollback that stopped half way. One that was undone as a whole does not.
 */
#ifndef DEPLOY_REHEARSE_H
#define DEPLOY_REHEARSE_H

#include "deploy/rehearsal.h"
#include "migrator/apply.h"

enum rehearse_trip { TRIP_EACH, TRIP_CHAIN, TRIP_NONE };

struct rehearse_options {
    struct run_options run; /* watch is set here */
    const char *history_table;
    const char *to; /* or NULL */
    bool out_of_order;
    enum rehearse_trip trip;
    bool probe_victims;
    const struct rls_gate_options *isolation; /* row-level security is verified; or NULL */
    const struct rls_probe_options *probe;    /* and attacked after each step; or NULL */
};

/*
 * postgres is a connection that begins as the run is to begin, with nothing set in it but for good. ret gets
 * id, times, versions, items and passed; the rest is the caller's. It is filled on failure too. The
 * listener hears of the first time that each is applied.
 */
MUST_CHECK bool rehearse_run(struct postgres *postgres, const struct folder *folder,
                             const struct rehearse_options *options, const struct run_listener *listener,
                             struct rehearsal *ret, struct error *error);

/* Whether somebody should look: a weakness, or a round trip that fails or differs, and not only mildly. */
bool rehearsed_is_suspect(const struct rehearsed *rehearsed);

#endif
