/* SPDX-License-Identifier: PostgreSQL */
/* What "restore" and "backup test" have in common: the progress of a restore on stderr. And the command that
 * goes on with one. */
#ifndef CLI_RESTORING_H
#define CLI_RESTORING_H

#include "backup/restore.h"
#include "cli/command.h"

struct restoring_progress {
    const struct invocation *invocation;
    enum restore_phase phase;
    bool begun, live;
    int64_t drawn, phase_began;
};
struct restore_listener restoring_listener(struct restoring_progress *progress);
/* The live line, whose end may be cut; ms since the phase began. The caller frees it. */
char *restoring_progress_line(const struct restore_event *event, int64_t ms);
/* Take the live line away. */
void restoring_progress_end(struct restoring_progress *progress);

/* The command that goes on with the restore of a backup into a database: on the same server, with all that
 * decides what is restored and may be, without passwords. The caller frees it. */
char *restoring_command(const struct invocation *invocation, const char *id, const char *to);

#endif
