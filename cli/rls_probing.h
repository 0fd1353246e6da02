/* SPDX-License-Identifier: PostgreSQL */
/* Where "rls" looks, and its probes: the database itself, a scratch copy of it, or a backup restored into a
 * throwaway cluster. */
#ifndef CLI_RLS_PROBING_H
#define CLI_RLS_PROBING_H

#include "cli/command.h"
#include "cli/rls_result.h"
#include "deploy/stage.h"
#include "migrator/rls_probe.h"

#define OPTIONS_PROBING                                                                                      \
    {.name = "static-only", .summary = "look at the catalogs only, as nobody but the role that connects"},   \
        {.name = "probe",                                                                                    \
         .summary = "also try to reach other tenants' rows, in a transaction that is undone"},               \
        {.name = "tenants", .argument = "A,B", .key = "tenants"},                                            \
        {.name = "scratch", .summary = "in a scratch copy of the database, dropped afterwards"},             \
    {                                                                                                        \
        .name = "from-backup", .argument = "BACKUP",                                                         \
        .summary = "in a backup, restored into a throwaway cluster: an id or \"latest\""                     \
    }

struct rls_place {
    struct postgres *postgres; /* to look and probe in; of the stage where there is one */
    struct stage *stage;       /* or NULL */
};
/* Connect; with --probe, protected environments are refused (ERROR_REFUSED). */
MUST_CHECK bool rls_place_open(const struct invocation *invocation, struct rls_place *ret,
                               struct error *error);
void rls_place_clear(struct rls_place *place);
CLEANUP_VALUE(struct rls_place, rls_place_clear)

/* Its timeouts, from the configuration. */
struct rls_probe_options rls_probing_options(const struct invocation *invocation);

/* With --probe: probe, and add to the result. With --json the document gets "tenants", "probes" and "notes";
 * else stderr is told as whom it was. */
MUST_CHECK bool rls_probing(struct invocation *invocation, struct rls_place *place,
                            const struct rls_settings *settings, struct rls_result *result,
                            struct error *error);

#endif
