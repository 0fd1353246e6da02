/* SPDX-License-Identifier: PostgreSQL */
/* Some tables of a backup instead of all: which entries of the schema's table of contents, which tables'
 * rows, which of pg_restore's data. */
#ifndef BACKUP_SELECTION_H
#define BACKUP_SELECTION_H

#include "backup/manifest.h"
#include "backup/toc.h"

struct selection {
    bool partial;               /* else everything, and nothing of what follows is set */
    bool *chosen;               /* entries of the schema's table of contents */
    bool *tables;               /* of the manifest: those whose rows are wanted */
    struct text_list data_keys; /* entries of the table of contents of pg_restore's data */
    struct text_list left_out;  /* what the tables have and the copy has not: sentences */
};
void selection_clear(struct selection *selection);
CLEANUP_VALUE(struct selection, selection_clear)

/* names: "table" or "schema.table", of plain and of partitioned tables; empty or NULL selects everything.
 * ERROR_USAGE for one that the backup does not have. */
MUST_CHECK bool selection_make(const struct manifest *manifest, const struct toc *toc,
                               const struct text_list *names, struct selection *ret, struct error *error);

/*
 * A constraint's index may need operators of an extension (EXCLUDE, WITHOUT OVERLAPS: btree_gist), which
 * pg_dump tells of an index, but not of a constraint. Where the selection's script has such a one, all
 * extensions are selected, too.
 */
void selection_add_extensions(const struct manifest *manifest, const struct toc *toc, const char *script,
                              struct selection *selection);

#endif
