/* SPDX-License-Identifier: PostgreSQL */
/* "rls --suggest": the section [rls] that a look at the database suggests, to be read before it is used. */
#ifndef CLI_RLS_SUGGEST_H
#define CLI_RLS_SUGGEST_H

#include "cli/command.h"
#include "common/postgres.h"

/* On stdout, as pgmigrate.conf wants it; with --json in "suggestion", an object of keys and values. */
MUST_CHECK bool rls_suggest(const struct invocation *invocation, struct postgres *postgres,
                            struct error *error);

#endif
