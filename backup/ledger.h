/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a restore has done, kept in the database that it restores (schema pgmigrate_restore): which step is
 * complete, and each COPY, in a row that is written in its own transaction. So a COMMIT whose answer was lost
 * is settled by looking, and a restore that was interrupted goes on where it stopped. The schema is dropped
 * at the end.
 */
#ifndef BACKUP_LEDGER_H
#define BACKUP_LEDGER_H

#include "backup/fingerprint.h"
#include "common/postgres.h"

struct ledger_chunk {
    size_t table, chunk; /* the table's number in the manifest, and that of the COPY's first member */
    struct fingerprint fingerprint;
};

struct ledger {
    char *backup;  /* id */
    char *options; /* that decide what is restored: a continuation must have the same */
    char *step;    /* the last complete one, "" for none */
    bool created;  /* the database was made by the restore, and may be dropped by it */
    struct ledger_chunk *chunks;
    size_t chunk_count;
};
void ledger_clear(struct ledger *ledger);
CLEANUP_VALUE(struct ledger, ledger_clear)

/* Make one in the database that postgres is connected to: backup, options and created of it. */
MUST_CHECK bool ledger_create(struct postgres *postgres, const struct ledger *ledger, struct error *error);
/* false in *ret_present: there is none, or it was never begun. */
MUST_CHECK bool ledger_read(struct postgres *postgres, bool *ret_present, struct ledger *ret,
                            struct error *error);
/* A step is done; durable, and with it all before it. */
MUST_CHECK bool ledger_step(struct postgres *postgres, const char *step, struct error *error);
/* In the transaction of the COPY. */
MUST_CHECK bool ledger_add(struct postgres *postgres, const struct ledger_chunk *chunk, struct error *error);
MUST_CHECK bool ledger_has(struct postgres *postgres, size_t table, size_t chunk, bool *ret,
                           struct error *error);
const struct ledger_chunk *ledger_chunk(const struct ledger *ledger, size_t table, size_t chunk);
/* The restore is complete. In a transaction. Event triggers of the database do not see it where the role is a
 * superuser, as it is where there are any. */
MUST_CHECK bool ledger_drop(struct postgres *postgres, bool superuser, struct error *error);

#endif
