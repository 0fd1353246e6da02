/* SPDX-License-Identifier: PostgreSQL */
/*
 * A backup that lives only until a copy of its database is made from it: for a staging database that others
 * use, which the server refuses to copy file by file. It is taken as every backup is, so nobody is disturbed,
 * and lies in a temporary folder ($TMPDIR).
 */
#ifndef DEPLOY_INTERIM_H
#define DEPLOY_INTERIM_H

#include "backup/repository.h"
#include "common/postgres.h"

struct interim {
    char *folder;
    struct record *record;
    char *archive; /* path */
};

/* database is one of the server's, and the server's user must be able to read all of it. */
MUST_CHECK bool interim_take(struct postgres *server, const char *database, int jobs, struct interim *ret,
                             struct error *error);
void interim_clear(struct interim *interim);
CLEANUP_VALUE(struct interim, interim_clear)

#endif
