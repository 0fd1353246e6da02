/* SPDX-License-Identifier: PostgreSQL */
/* The inside of backup/restore: one restore on its way. Nobody else includes it. */
#ifndef BACKUP_RESTORING_H
#define BACKUP_RESTORING_H

#include "backup/ledger.h"
#include "backup/pgrestore.h"
#include "backup/restore.h"
#include "backup/selection.h"

struct restoring {
    struct postgres *server; /* not to the database that is restored */
    const struct restore_options *options;
    const struct restore_listener *listener;
    struct restore_result *result;
    enum restore_phase phase;

    int held; /* a shared lock on the archive */
    struct archive_reader *archive;
    struct manifest *manifest;
    struct pgrestore pgrestore;
    char *folder; /* temporary */
    char *schema; /* schema.dump in it */
    struct toc toc;
    struct selection selection;
    bool no_tablespaces;

    struct postgres *target; /* the database that is restored; holds its lock */
    bool superuser;
    bool created; /* we made it */
    bool opened;
    bool resumed;
    struct ledger ledger; /* of an earlier attempt */
};

void restoring_clear(struct restoring *restoring);
CLEANUP_VALUE(struct restoring, restoring_clear)

void restoring_tell(const struct restoring *restoring, int64_t done, int64_t total, const char *message);

/* The archive is whole, read, and fits the server: everything that can be found out before the target is
 * touched. */
MUST_CHECK bool restoring_check(struct restoring *restoring, const char *path, const struct record *record,
                                struct error *error);
/* The database is there, ours and locked, with a ledger: a new one, or the one to go on with. */
MUST_CHECK bool restoring_open(struct restoring *restoring, struct error *error);
/* End all other sessions in the target: what an attempt that failed or was killed left running would write
 * into what we go on with. */
MUST_CHECK bool restoring_end_others(struct restoring *restoring, struct error *error);

#endif
