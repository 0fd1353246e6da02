/* SPDX-License-Identifier: PostgreSQL */
/* What the manifest says of server and database, read on a connection inside the snapshot. */
#ifndef BACKUP_FACTS_H
#define BACKUP_FACTS_H

#include "backup/snapshot.h"

struct facts {
    int64_t sequences; /* whose values pg_dump writes */
    int64_t subscriptions;
    int64_t mappings; /* of users, whose options the role may not read */
    bool superuser;
};

MUST_CHECK bool facts_read(const struct snapshot *snapshot, struct manifest *manifest, struct facts *ret,
                           struct error *error);

/* SQL that makes the manifest's roles, where pg_dumpall cannot. */
MUST_CHECK bool facts_globals(struct postgres *postgres, const struct manifest *manifest, char **ret_text,
                              struct error *error);

#endif
