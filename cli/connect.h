/* SPDX-License-Identifier: PostgreSQL */
/* From the configuration to a connection, a history and the settings of a run: what most commands begin with.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "cli/command.h"
#include "migrator/apply.h"

/* Connect to the database of the configuration; "embedded:" starts the cluster first. */
MUST_CHECK bool connect_database(const struct invocation *invocation, struct postgres **ret,
                                 struct error *error);

/* To any other one: what the user gave, a conninfo or "embedded:". */
MUST_CHECK bool connect_to(const struct invocation *invocation, const char *conninfo, struct postgres **ret,
                           struct error *error);

/* Connect to its server to write to it, where the database itself may be missing, or is not to be used: its
 * name is ret_database, the caller's to free. A standby is refused; default_transaction_read_only is not in
 * the way. */
MUST_CHECK bool connect_server(const struct invocation *invocation, struct postgres **ret,
                               char **ret_database, struct error *error);

/* Work as the configured role, if there is one: who logs in may not be allowed to read the history. */
MUST_CHECK bool connect_role(const struct invocation *invocation, struct postgres *postgres,
                             struct error *error);

/* The history table named in the configuration, as the configured role. */
MUST_CHECK bool connect_history(const struct invocation *invocation, struct postgres *postgres,
                                struct history **ret, struct error *error);

/* "app@db.example:5432/shop" or "app@[local]/shop", for people. The caller frees it. */
char *connect_target(const struct postgres *postgres);

/* Settings of a run from the configuration and --set. Texts are borrowed from the invocation and from this
 * struct. */
struct connect_run {
    struct run_options options;
    struct text_list settings;
    char *git_commit;
};
MUST_CHECK bool connect_run_options(const struct invocation *invocation, struct connect_run *ret,
                                    struct error *error);
void connect_run_clear(struct connect_run *run);
CLEANUP_VALUE(struct connect_run, connect_run_clear)

#endif
