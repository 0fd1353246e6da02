/* SPDX-License-Identifier: PostgreSQL */
/*
 * One migration as its files say it: name, texts, directives, checksums. Nothing here touches a database.
 *
 * The version is the file's stem ("042_add_orders"): it is what the history stores. In the layouts that read
 * other tools' files it is "042_x" for 042_x.up.sql, and "V1__x" for V1__x.sql.
 */
#ifndef MIGRATOR_MIGRATION_H
#define MIGRATOR_MIGRATION_H

#include "migrator/directive.h"
#include "migrator/layout.h"
#include "migrator/source.h"
#include "migrator/version.h"

struct migration {
    struct version version;
    enum layout layout; /* which kind of file it is; never LAYOUT_AUTO */
    struct source forward;
    struct source rollback;                /* path NULL when there is none */
    struct source verify;                  /* path NULL when there is none */
    struct directives directives;          /* of the forward script */
    struct directives rollback_directives; /* no_transaction and timeouts apply to the rollback script */
};
bool migration_has_rollback(const struct migration *migration);
bool migration_has_verify(const struct migration *migration);
void migration_free(struct migration *migration);
CLEANUP_POINTER(struct migration *, migration_free)

#endif
