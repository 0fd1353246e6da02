/* SPDX-License-Identifier: PostgreSQL */
/*
 * The question that a protected environment asks before something is changed in it.
 */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "cli/command.h"

/* What is protected, for messages: "environment \"production\"", or "the database" where none was chosen.
 * The caller frees it. */
char *confirm_protected(const struct invocation *invocation);

/* Whether confirm() would ask: for those who first have to find out whether there is anything to do. */
bool confirm_needed(const struct invocation *invocation);

/*
 * what is what will be done: "apply 3 migrations to app@db/shop". True where nothing needs confirming, where
 * --yes was given, and where a person at the terminal says yes. Everything else is ERROR_REFUSED: a script is
 * never asked.
 */
MUST_CHECK bool confirm(const struct invocation *invocation, const char *what, struct error *error);

#endif
