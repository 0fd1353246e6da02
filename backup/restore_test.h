/* SPDX-License-Identifier: PostgreSQL */
/*
 * The proof that a backup can be restored: into a private throwaway cluster, without the database that it
 * came from. Nothing of it can reach anybody: no TCP, no network where the system allows that, no
 * subscriptions and publications, no jobs of extensions; roles are made without login. Every table's rows are
 * compared with the backup, and so is the schema, as pg_dump writes it of the copy.
 *
 * The cluster is in a temporary folder ($TMPDIR; run by root, in /var/tmp, where the server's user can reach
 * it), which must have room for the database.
 */
#ifndef BACKUP_RESTORE_TEST_H
#define BACKUP_RESTORE_TEST_H

#include "backup/restore.h"

struct restore_test_result {
    int64_t tables, rows;
    int64_t milliseconds;   /* of the restore alone: the measured recovery time */
    struct text_list notes; /* what could not be compared */
    bool damaged;           /* the archive itself */
};
void restore_test_result_clear(struct restore_test_result *result);
CLEANUP_VALUE(struct restore_test_result, restore_test_result_clear)

/* ERROR_BACKUP when the backup is damaged, cannot be restored, or comes out different. */
MUST_CHECK bool restore_test_run(const char *archive_path, const struct record *record, int jobs,
                                 const struct restore_listener *listener, struct restore_test_result *ret,
                                 struct error *error);

/* The first line that differs between two scripts, "line 12: \"…\" instead of \"…\""; NULL when none does.
 * What pg_dump itself cannot bring back (column_order.h) is no difference. The caller frees it. */
char *restore_test_difference(const char *expected, const char *found);

#endif
