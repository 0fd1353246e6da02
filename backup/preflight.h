/* SPDX-License-Identifier: PostgreSQL */
/*
 * What would stop a backup half way, found before it begins: a pooler, a pg_dump that is missing or too old,
 * tables the role cannot read whole, snapshots that do not last, far too few locks, too little room. What
 * only deserves a word is a warning.
 */
#ifndef BACKUP_PREFLIGHT_H
#define BACKUP_PREFLIGHT_H

#include "backup/create.h"
#include "backup/dump.h"

struct preflight {
    struct dump_programs programs;
    bool few_locks; /* max_locks_per_transaction is too low for all tables at once */
    bool hooked;    /* an extension keeps rows in a way of its own: pg_dump copies everything */
    struct text_list warnings;
};
void preflight_clear(struct preflight *preflight);
CLEANUP_VALUE(struct preflight, preflight_clear)

/* control has the backup's role. folder is the repository's. */
MUST_CHECK bool preflight_run(struct postgres *control, const char *folder,
                              const struct backup_options *options, struct preflight *ret,
                              struct error *error);

#endif
