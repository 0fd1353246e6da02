/* SPDX-License-Identifier: PostgreSQL */
/*
 * All migrations of one or several folders as one ordered sequence.
 *
 * What cannot be run is an error (ERROR_USAGE, with all of them in findings, the first in error): two files
 * with one number (unless allowed), a rollback without its forward file, an unreadable file, invalid UTF-8, a
 * NUL, an unknown directive. A rollback that is missing though it is required is an error among the findings,
 * and stops only who applies the migration (migrator/plan.h). Gaps are notices, stray .sql files warnings.
 * Subfolders are not entered; links to files are followed; files whose names do not end in .sql are none of
 * our business.
 */
#ifndef MIGRATOR_FOLDER_H
#define MIGRATOR_FOLDER_H

#include "common/finding.h"
#include "migrator/migration.h"

enum rollback_required { ROLLBACK_NO, ROLLBACK_WARN, ROLLBACK_YES };

struct folder_options {
    struct text_list directories; /* absolute, or relative to the current folder; borrowed */
    enum layout layout;
    bool allow_duplicates;
    enum rollback_required rollback_required;
};

struct folder {
    struct migration **items; /* in order */
    size_t count;
    struct findings findings;
    struct migration **by_stem; /* the same ones ordered by stem */
};

/* Even when it fails, *ret_folder is set, with what could be read and all findings. */
MUST_CHECK bool folder_read(const struct folder_options *options, struct folder **ret_folder,
                            struct error *error);
void folder_free(struct folder *folder);
CLEANUP_POINTER(struct folder *, folder_free)

/*
 * The one migration a user's word names (stem, number, or "latest"). Nothing, or several, is ERROR_USAGE; the
 * message lists the several or names the nearest.
 */
MUST_CHECK bool folder_find(const struct folder *folder, const char *word, struct migration **ret,
                            struct error *error);
/* By exact stem; NULL when absent. */
struct migration *folder_stem(const struct folder *folder, const char *stem);

#endif
