/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a backup tells while it is taken, on stderr: on a terminal one live line with a bar, rate, time left
 * and what each stream copies; in a pipe warnings, and a line at most twice a minute. Quiet prints nothing.
 */
#ifndef CLI_BACKUP_PROGRESS_H
#define CLI_BACKUP_PROGRESS_H

#include "backup/create.h"
#include "cli/command.h"

struct backup_progress;

struct backup_progress *backup_progress_new(const struct invocation *invocation);
struct backup_listener backup_progress_listener(struct backup_progress *progress);
/* Takes the live line away. */
void backup_progress_free(struct backup_progress *progress);
CLEANUP_POINTER(struct backup_progress *, backup_progress_free)

/* The live line, whose end may be cut; ms since the first byte. The caller frees it. */
char *backup_progress_line(const struct backup_event *event, int64_t ms);

#endif
