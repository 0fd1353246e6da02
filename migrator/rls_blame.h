/* SPDX-License-Identifier: PostgreSQL */
/*
 * The statement of a script that made a check of row-level security find something. It is told by its words:
 * the object's name, also inside strings such as the body of a DO, and what such a finding comes from (a
 * policy, a grant, DISABLE). Nothing is run again to find out.
 */
#ifndef MIGRATOR_RLS_BLAME_H
#define MIGRATOR_RLS_BLAME_H

#include "common/error.h"
#include "migrator/rls_finding.h"
#include "migrator/script.h"

/* Sets the place of error: file, and line and column where a statement suits. */
void rls_blame(const struct script *script, const struct rls_finding *finding, struct error *error);

#endif
