/* SPDX-License-Identifier: PostgreSQL */
#include "backup/frames.h"

void member_list_add(struct member_list *list, char *name, const struct archive_place *place,
                     int64_t raw_size, int64_t rows)
{
    list->items = memory_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count++] =
        (struct manifest_member){.name = name, .place = *place, .raw_size = raw_size, .rows = rows};
}

void member_list_move(struct member_list *list, struct manifest *manifest)
{
    for (size_t i = 0; i < list->count; i++) {
        manifest->members = memory_grow(manifest->members, manifest->member_count, sizeof *manifest->members);
        manifest->members[manifest->member_count++] = list->items[i];
    }
    free(list->items);
    *list = (struct member_list){0};
}

void member_list_clear(struct member_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    *list = (struct member_list){0};
}

void frames_clear(struct frames *frames)
{
    member_list_clear(&frames->members);
}

static bool end_frame(struct frames *frames, struct error *error)
{
    const void *data = NULL;
    size_t size = 0, raw = compressor_raw(frames->compressor);
    struct archive_place place;
    OWNED char *name = text_format("%s%06zu.zst", frames->prefix, frames->members.count + 1);
    if (!compressor_end(frames->compressor, &data, &size, error) ||
        !archive_writer_add(frames->writer, name, data, size, &place, error))
        return false;
    member_list_add(&frames->members, take(name), &place, (int64_t)raw, frames->rows);
    frames->rows = 0;
    return true;
}

bool frames_add(struct frames *frames, const char *data, size_t size, int64_t rows, struct error *error)
{
    if (!compressor_add(frames->compressor, data, size, error))
        return false;
    frames->rows += rows;
    bool full = compressor_raw(frames->compressor) >= FRAME_RAW_SIZE ||
                compressor_size(frames->compressor) >= FRAME_SIZE;
    return !full || end_frame(frames, error);
}

bool frames_end(struct frames *frames, struct error *error)
{
    return compressor_raw(frames->compressor) == 0 || end_frame(frames, error);
}
