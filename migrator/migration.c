/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/migration.h"

bool migration_has_rollback(const struct migration *migration)
{
    return migration->rollback.path != NULL;
}

bool migration_has_verify(const struct migration *migration)
{
    return migration->verify.path != NULL;
}

void migration_free(struct migration *migration)
{
    if (!migration)
        return;
    version_clear(&migration->version);
    source_clear(&migration->forward);
    source_clear(&migration->rollback);
    source_clear(&migration->verify);
    directives_clear(&migration->directives);
    directives_clear(&migration->rollback_directives);
    free(migration);
}
