/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a run tells while it goes on, on stderr: on a terminal one live line under the finished ones, in a
 * pipe plain lines (and a sign of life twice a minute). Quiet prints nothing.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/command.h"
#include "migrator/run.h"

struct progress;

/* done is what a finished migration was: "applied", "rolled back", "tried". Both are borrowed. */
struct progress *progress_new(const struct invocation *invocation, const char *done);
struct run_listener progress_listener(struct progress *progress);
/* Takes the live line away. */
void progress_free(struct progress *progress);
CLEANUP_POINTER(struct progress *, progress_free)

#endif
