/* SPDX-License-Identifier: PostgreSQL */
/* The part of verifying that looks into frames: raw sizes, rows, fingerprints. */
#ifndef BACKUP_VERIFY_DECODE_H
#define BACKUP_VERIFY_DECODE_H

#include "backup/verify.h"

/* Add a problem; text is taken over. Not for several threads at once. */
void verify_problem(struct verify_result *result, const char *member, char *text);
/* Decode every frame and compare. damaged[i]: what is wrong with members[i] is known already. */
MUST_CHECK bool verify_decode(const struct archive_reader *reader, const struct manifest *manifest,
                              const bool *damaged, int jobs, struct verify_result *result,
                              struct error *error);

#endif
