/* SPDX-License-Identifier: PostgreSQL */
/* pg_restore's part of the data: the archive's frames through a pipe into a pg_restore that loads them. */
#ifndef BACKUP_FEED_H
#define BACKUP_FEED_H

#include "backup/load.h"
#include <stdatomic.h>

/* Whether the backup has such data, and how many bytes. */
bool feed_needed(const struct load *load);
int64_t feed_bytes(const struct manifest *manifest);

/*
 * Load it. again: some of it may be there; postgres is asked what, and only the rest is loaded. done (may be
 * NULL) counts bytes.
 */
MUST_CHECK bool feed_run(const struct load *load, struct postgres *postgres, bool again,
                         const atomic_bool *stop, atomic_llong *done, struct error *error);

#endif
