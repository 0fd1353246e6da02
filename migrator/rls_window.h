/* SPDX-License-Identifier: PostgreSQL */
/*
 * Windows in which a table stands unprotected: row security switched off, FORCE taken away, or a policy
 * dropped by one migration, and restored only by a later one, or by a later statement of a no-transaction
 * script. Told from the files alone; within one transaction nobody sees it.
 */
#ifndef MIGRATOR_RLS_WINDOW_H
#define MIGRATOR_RLS_WINDOW_H

#include "migrator/folder.h"

/* Adds a finding of the rule "rls-window" for each, at the statement that opens it. The migrations are in the
 * order in which they run. */
void rls_window_check(struct migration *const migrations[], size_t count, struct findings *findings);

#endif
