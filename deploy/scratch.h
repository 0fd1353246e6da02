/* SPDX-License-Identifier: PostgreSQL */
/*
 * Scratch databases on a staging server: made under a name that cannot be anybody else's, dropped in the end,
 * and what a rehearsal left that came to no end is dropped by the next one.
 *
 * The name is "pgmigrate_rehearsal_" and 32 random digits. Who uses one holds an advisory lock on its name in
 * the server's database "postgres"; a name whose lock is free belongs to nobody any more.
 */
#ifndef DEPLOY_SCRATCH_H
#define DEPLOY_SCRATCH_H

#include "common/postgres.h"

struct scratch;
/*
 * Drop what was left, choose a name and lock it. server is a connection to the database postgres of the
 * server, which the scratch database takes over. The database itself is made by scratch_copy or by a restore.
 */
MUST_CHECK bool scratch_new(struct postgres *server, struct scratch **ret, struct error *error);
const char *scratch_name(const struct scratch *scratch);
struct postgres *scratch_server(struct scratch *scratch);

/* Copy a database of the same server, file by file. While others are connected to it the server refuses that:
 * then *ret_users says who, and nothing was made. */
MUST_CHECK bool scratch_copy(struct scratch *scratch, const char *source, char **ret_users,
                             struct error *error);

/* Leave it there after scratch_free: the next rehearsals do not drop it. */
MUST_CHECK bool scratch_keep(struct scratch *scratch, struct error *error);

/* Drop it, also after a signal. On a server that is gone it stays, until the next scratch_new there. */
void scratch_free(struct scratch *scratch);
CLEANUP_POINTER(struct scratch *, scratch_free)

#endif
