/* SPDX-License-Identifier: PostgreSQL */
/*
 * Which row of the history belongs to which file: by stem, else by bare number where one row and one file
 * have it. What is left over on both sides is paired as renamed: one number and the same checksum (or a row
 * that has none), or the same checksum under another number.
 */
#ifndef MIGRATOR_MATCH_H
#define MIGRATOR_MATCH_H

#include "migrator/history.h"

enum row_match {
    MATCH_NONE,      /* the row has no file */
    MATCH_FILE,      /* it has one, perhaps renamed */
    MATCH_DUPLICATE, /* a bare number beside the row of the migration that has it */
    MATCH_AMBIGUOUS, /* a bare number that several files have */
};

struct file_match {
    struct history_row *row; /* borrowed; NULL: never run */
    bool renamed;
};

struct match {
    struct file_match *files;     /* one per file of the folder */
    enum row_match *rows;         /* one per row of the history */
    const struct version *newest; /* of the rows; borrowed; NULL when there are none */
};
struct match match_all(const struct history *history, const struct folder *folder);
void match_clear(struct match *match);
CLEANUP_VALUE(struct match, match_clear)

/* The file and the row of a renamed migration that the user's word names by its old or its new name; false
 * when none. */
bool match_renamed_word(const struct history *history, const struct folder *folder, const char *word,
                        struct history_row **ret_row, struct migration **ret_migration);

#endif
