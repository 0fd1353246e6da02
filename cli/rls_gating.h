/* SPDX-License-Identifier: PostgreSQL */
/* What apply and rehearse give to the gate of row-level security, from configuration and command line. */
#ifndef CLI_RLS_GATING_H
#define CLI_RLS_GATING_H

#include "cli/command.h"
#include "migrator/rls_baseline.h"
#include "migrator/rls_gate.h"

struct rls_gating {
    bool on;
    struct rls_gate_options options; /* where it is on; points into this, which must not be moved then */
    struct rls_settings settings;
    struct rls_baseline baseline;
};
/* ret is empty. "new" where nothing is said but [rls] is there; else "off". */
MUST_CHECK bool rls_gating_read(const struct invocation *invocation, struct rls_gating *ret,
                                struct error *error);
void rls_gating_clear(struct rls_gating *gating);
CLEANUP_VALUE(struct rls_gating, rls_gating_clear)

#endif
