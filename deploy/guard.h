/* SPDX-License-Identifier: PostgreSQL */
/*
 * No rehearsal in a protected environment, by whatever name its database was given: each protected section of
 * the configuration is asked which server and which database it is.
 *
 * The same are two databases of one name on servers with one system identifier. A physical copy of production
 * has its identifier, too, and is the best staging there is: it is told apart by the moment its server began,
 * as long as the protected one is a primary. A protected database that cannot be asked is not known to be
 * another one; that is told as a note.
 */
#ifndef DEPLOY_GUARD_H
#define DEPLOY_GUARD_H

#include "common/config.h"
#include "common/postgres.h"

/* postgres is a connection to the database that is to be copied or changed. ERROR_REFUSED names the
 * environment. */
MUST_CHECK bool guard_check(const struct config *config, struct postgres *postgres,
                            struct text_list *ret_notes, struct error *error);

#endif
