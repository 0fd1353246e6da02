/* SPDX-License-Identifier: PostgreSQL */
/*
 * One attempt at a backup: from the snapshot to the finished archive. What it opened it closes, and what it
 * wrote it removes, when it fails; create.c decides whether to try again.
 */
#ifndef BACKUP_MAKING_H
#define BACKUP_MAKING_H

#include "backup/create.h"
#include "backup/facts.h"
#include "backup/preflight.h"
#include "backup/streams.h"

struct attached {
    char *name; /* of the member */
    char *data;
    size_t size;
};

/* What is the same for all attempts. */
struct making {
    const struct backup_options *options;
    const struct backup_listener *listener;
    struct postgres *control; /* autocommit, with the backup's role and settings */
    const char *folder;       /* of the repository */
    const char *part_path;
    const char *id;
    int64_t began_at; /* seconds since 1970 */
    struct preflight preflight;
    struct attached *attached;
    size_t attached_count;
    struct text_list warnings;
    bool incomplete; /* something is not in the backup */
    bool standby;
};

struct made {
    struct manifest *manifest;
    struct archive_whole archive;
};

MUST_CHECK bool making_attempt(struct making *making, struct made *ret, struct error *error);

/* Tell the listener. */
void making_tell(const struct making *making, struct backup_event event);
/* A warning: told, and kept for the manifest. text is taken over. */
void making_warn(struct making *making, char *text);
/* The same of what is not in the backup. */
void making_miss(struct making *making, char *text);

#endif
