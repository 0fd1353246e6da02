/* SPDX-License-Identifier: PostgreSQL */
/*
 * Is a backup whole? Size, footer, manifest, record against manifest, every member's place and digest, the
 * outline's digest against the record, the tar's own headers against the manifest, no member more or less:
 * every byte, and each hashed once. With decode also the SHA-256 of the whole archive, every frame, row
 * counts and fingerprints. All problems are found, not only the first.
 */
#ifndef BACKUP_VERIFY_H
#define BACKUP_VERIFY_H

#include "backup/record.h"

struct verify_problem {
    char *member; /* "archive", "record", "manifest.json", or a member's name */
    char *problem;
};
struct verify_result {
    struct verify_problem *problems;
    size_t count;
    size_t members;
    int64_t bytes;
};
void verify_result_clear(struct verify_result *result);
CLEANUP_VALUE(struct verify_result, verify_result_clear)

struct verify_options {
    bool decode;
    int jobs;                                                 /* threads, 1 or more */
    void (*tick)(void *context, int64_t done, int64_t total); /* bytes; may be NULL */
    void *context;
};

/* record NULL: there is none beside the archive, which is a problem of its own. False only where verifying
 * itself failed; a damaged backup is a result. */
MUST_CHECK bool verify_run(const char *archive_path, const struct record *record,
                           const struct verify_options *options, struct verify_result *ret,
                           struct error *error);

#endif
