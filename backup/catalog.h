/* SPDX-License-Identifier: PostgreSQL */
/*
 * A cache of a repository's records: "catalog.sqlite" in its folder. It is asked by a file's name and stamp
 * (size, time, inode), so that it can neither hide a backup nor invent one: without its record's file it is
 * not asked, and a file that was changed is read again. Nothing fails for its sake: where it is missing,
 * damaged or must not be written, everything is read from the records.
 */
#ifndef BACKUP_CATALOG_H
#define BACKUP_CATALOG_H

#include "backup/record.h"

struct catalog;

/* NULL where there is none to be had. */
struct catalog *catalog_open(const char *folder);
/* Write what catalog_add brought and forget the files that were not asked for; then free it. */
void catalog_close(struct catalog *catalog);
CLEANUP_POINTER(struct catalog *, catalog_close)

/* What a record's file held when it had this stamp, or NULL; borrowed. catalog may be NULL, here and below.
 */
const char *catalog_content(struct catalog *catalog, const char *file, const char *stamp);
/* What it holds now. */
void catalog_add(struct catalog *catalog, const char *file, const char *stamp, const struct record *record,
                 const char *content);

/* Throw it away; the next listing makes it anew. */
MUST_CHECK bool catalog_remove(const char *folder, struct error *error);

#endif
