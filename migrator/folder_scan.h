/* SPDX-License-Identifier: PostgreSQL */
/*
 * Read the files of migration folders: what each is, its text, checksum and directives. Putting them together
 * as a sequence is migrator/folder's part.
 */
#ifndef MIGRATOR_FOLDER_SCAN_H
#define MIGRATOR_FOLDER_SCAN_H

#include "migrator/folder.h"

/* A rollback or verify file whose forward file is still to be found. */
struct partner {
    enum file_role role;
    enum layout layout;
    char *stem;
    struct source source;
    struct directives directives;
};

struct folder_scan {
    const struct folder_options *options;
    struct folder *folder; /* items, in no order, and findings are added here */
    struct partner *partners;
    size_t partner_count;
    struct digest *digest;   /* for all checksums */
    struct text_list seen;   /* devices and inodes of the folders: one that is given twice is read once */
    struct text_list unread; /* stems of forward files that are there but could not be read */
};

/* Add one folder's files; what is wrong with them becomes findings. */
void folder_scan_directory(struct folder_scan *scan, const char *directory);
void folder_scan_clear(struct folder_scan *scan);
CLEANUP_VALUE(struct folder_scan, folder_scan_clear)

/* An error that is about a place in a file, as a finding of severity error. */
void finding_from_error(struct findings *findings, const char *rule, const struct error *error);

#endif
