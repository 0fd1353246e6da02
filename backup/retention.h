/* SPDX-License-Identifier: PostgreSQL */
/*
 * Which backups to keep, and why: keep-last, -daily, -weekly, -monthly, -within with the meaning restic gave
 * them (its manual, "Removing backup snapshots"): for each period the newest backup in it counts, periods
 * without a backup do not; where there are fewer periods than asked for, the oldest backup is kept as well.
 * Backups of one database of one cluster form a group. Times are those of the
 * snapshots, in UTC; weeks are ISO weeks.
 *
 * A backup that verifying found damaged, or whose time has not come yet, counts for no rule, and is not
 * removed by any. Kept in any case: the
 * newest good one of each group, marked ones, and ones that the history of the last 30 days points at, or may
 * point at where it was not asked (unless told otherwise).
 */
#ifndef BACKUP_RETENTION_H
#define BACKUP_RETENTION_H

#include "backup/repository.h"

struct retention_rules {
    int64_t last, daily, weekly, monthly; /* 0: not asked for */
    int64_t within_ms;
    const struct text_list *referenced; /* ids that the history points at; may be NULL */
    const struct text_list *unasked;    /* ids that a history may point at that was not asked; may be NULL */
    bool drop_referenced;
};

struct retention_choice {
    const struct record *record; /* borrowed */
    bool keep;
    char *reason; /* "last 2, daily 2026-11-23, monthly 2026-11"; of one to remove: "no rule keeps it" */
};
struct retention_plan {
    struct retention_choice *items; /* in the order of the records */
    size_t count;
    int64_t bytes; /* freed by removing */
};
void retention_plan_clear(struct retention_plan *plan);
CLEANUP_VALUE(struct retention_plan, retention_plan_clear)

/* Ages are counted from the newest backup of the group, as restic does, not from now: where backups have
 * stopped, none grows too old. No rule at all is ERROR_USAGE: it would remove everything but the newest. */
MUST_CHECK bool retention_plan(const struct records *records, const struct retention_rules *rules,
                               struct retention_plan *ret, struct error *error);

#endif
