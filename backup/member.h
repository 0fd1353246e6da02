/* SPDX-License-Identifier: PostgreSQL */
/* The content of an archive's members, compared with their digests in the manifest before it is handed on:
 * what differs is ERROR_BACKUP naming the member. */
#ifndef BACKUP_MEMBER_H
#define BACKUP_MEMBER_H

#include "backup/compress.h"
#include "backup/manifest.h"

/* A member that is a zstd frame. */
MUST_CHECK bool member_decode(const struct archive_reader *archive, const struct manifest_member *member,
                              struct decompressor *decompressor, decompress_sink *sink, void *context,
                              struct error *error);
/* A member that is stored as it is, into a new file (0600). */
MUST_CHECK bool member_extract(const struct archive_reader *archive, const struct manifest_member *member,
                               const char *path, struct error *error);

/* A sink: everything to the descriptor that context points to. */
MUST_CHECK bool member_write(void *context, const char *data, size_t size, struct error *error);

#endif
