/* SPDX-License-Identifier: PostgreSQL */
/*
 * The members of an archive that restore.sh and a reader need: README.txt, restore.sh, database.sql, the
 * roles, the list of tables with each one's COPY statement, and the digests of all members. common/embedded.h
 * tells what restore.sh expects of them.
 */
#ifndef BACKUP_GUIDE_H
#define BACKUP_GUIDE_H

#include "backup/frames.h"

/* What comes first. */
MUST_CHECK bool guide_begin(struct archive_writer *writer, const struct manifest *manifest,
                            struct member_list *members, struct error *error);

/* What comes last, into the manifest too. folders[i] is that of manifest->tables[i], or NULL; encoding is the
 * rows'. */
MUST_CHECK bool guide_end(struct archive_writer *writer, struct manifest *manifest, char *const folders[],
                          struct error *error);

/* Of the manifest's properties: a setting, of the database or of a role in it, which not every role may make.
 */
bool guide_is_setting(const char *statement);
/* ALTER DATABASE … SET "app.max" TO …: one of the application, which what is loaded may ask for. */
bool guide_is_own_setting(const char *statement);

/* One member with a text. */
MUST_CHECK bool guide_add(struct archive_writer *writer, const char *name, const char *text, size_t size,
                          struct member_list *members, struct error *error);

#endif
