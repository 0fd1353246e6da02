/* SPDX-License-Identifier: PostgreSQL */
/*
 * A stream of bytes as members of an archive: cut into zstd frames of bounded size, because a tar member's
 * size must be known before its content, and one range of a table may hold any number of bytes.
 */
#ifndef BACKUP_FRAMES_H
#define BACKUP_FRAMES_H

#include "backup/archive.h"
#include "backup/compress.h"
#include "backup/manifest.h"

#define FRAME_RAW_SIZE ((size_t)16 << 20) /* a frame ends at the first row's end after so many bytes … */
#define FRAME_SIZE     ((size_t)8 << 20)  /* … or so many compressed ones */

struct member_list {
    struct manifest_member *items;
    size_t count;
};
/* name is taken over. */
void member_list_add(struct member_list *list, char *name, const struct archive_place *place,
                     int64_t raw_size, int64_t rows);
/* To the end of the manifest's. */
void member_list_move(struct member_list *list, struct manifest *manifest);
void member_list_clear(struct member_list *list);
CLEANUP_VALUE(struct member_list, member_list_clear)

struct frames {
    struct archive_writer *writer;
    struct compressor *compressor;
    const char *prefix; /* of the members' names: "data/", "tables/000012/0003." */
    struct member_list members;
    int64_t rows; /* in the open frame */
};
void frames_clear(struct frames *frames);
CLEANUP_VALUE(struct frames, frames_clear)

/* data ends where a frame may end. */
MUST_CHECK bool frames_add(struct frames *frames, const char *data, size_t size, int64_t rows,
                           struct error *error);
MUST_CHECK bool frames_end(struct frames *frames, struct error *error);

#endif
