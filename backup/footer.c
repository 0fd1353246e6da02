/* SPDX-License-Identifier: PostgreSQL */
#include "backup/footer.h"

#include <inttypes.h>

#define TITLE  "pgmigrate-archive "
#define FORMAT 1

/* A manifest is read whole. */
#define LARGEST_MANIFEST ((int64_t)1 << 30)

void footer_write(const struct archive_place *manifest, char ret[FOOTER_CONTENT_SIZE])
{
    OWNED char *text = text_format(TITLE "%d\nmanifest %" PRId64 " %" PRId64 " %s\n", FORMAT,
                                   manifest->offset, manifest->size, manifest->sha256);

    memset(ret, '\n', FOOTER_CONTENT_SIZE);
    memcpy(ret, text, strlen(text));
}

static bool damaged(const char *path, const char *reason, struct error *error)
{
    error_set(error, ERROR_BACKUP, "\"%s\" is not a whole backup archive", path);
    return error_detail(error, "%s", reason);
}

/* A header as libarchive writes it for the footer: ustar, 512 bytes, the checksum right. */
static bool is_header(const char *header)
{
    unsigned sum = 0;
    char expected[9];

    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)header[i];
    snprintf(expected, sizeof expected, "%06o%c ", sum & 0777777, '\0');
    return memcmp(header, FOOTER_NAME, sizeof FOOTER_NAME) == 0 &&
           memcmp(header + 124, "00000001000", 11) == 0 && memcmp(header + 257, "ustar", 6) == 0 &&
           memcmp(header + 148, expected, 8) == 0;
}

static bool all_are(const char *data, size_t size, char byte)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] != byte)
            return false;
    return true;
}

/* A number and the byte that follows it; the text is moved behind both. */
static bool take_number(const char **text, char after, int64_t *ret)
{
    size_t length = strspn(*text, "0123456789");
    OWNED char *digits = text_copy_part(*text, length);

    if (!text_parse_integer(digits, 0, INT64_MAX, ret) || (*text)[length] != after)
        return false;
    *text += length + 1;
    return true;
}

static bool take_place(const char *text, struct archive_place *ret)
{
    if (!text_starts_with(text, "manifest "))
        return false;
    text += strlen("manifest ");
    if (!take_number(&text, ' ', &ret->offset) || !take_number(&text, ' ', &ret->size) ||
        strspn(text, "0123456789abcdef") != DIGEST_HEX_SIZE - 1)
        return false;
    memcpy(ret->sha256, text, DIGEST_HEX_SIZE - 1);
    ret->sha256[DIGEST_HEX_SIZE - 1] = '\0';
    text += DIGEST_HEX_SIZE - 1;
    return *text == '\n' && all_are(text, strlen(text), '\n');
}

bool footer_read(const char tail[FOOTER_TAIL_SIZE], int64_t archive_size, const char *path,
                 struct archive_place *ret_manifest, struct error *error)
{
    const char *content = tail + FOOTER_CONTENT_SIZE, *end = content + FOOTER_CONTENT_SIZE;
    OWNED char *text = text_copy_part(content, FOOTER_CONTENT_SIZE);
    const char *at = text + strlen(TITLE);
    struct archive_place place;
    int64_t format;

    if (!is_header(tail) || !all_are(end, 1024, '\0'))
        return damaged(path, "It does not end with a footer.", error);
    if (strlen(text) != FOOTER_CONTENT_SIZE || !text_starts_with(text, TITLE) ||
        !take_number(&at, '\n', &format))
        return damaged(path, "Its footer is damaged.", error);
    if (format != FORMAT) {
        error_set(error, ERROR_BACKUP, "\"%s\" has the archive format %" PRId64, path, format);
        return error_hint(error, "It was written by another version of pgmigrate: use that.");
    }
    if (!take_place(at, &place))
        return damaged(path, "Its footer is damaged.", error);
    if (place.size > LARGEST_MANIFEST || place.offset > archive_size - FOOTER_TAIL_SIZE ||
        place.size > archive_size - FOOTER_TAIL_SIZE - place.offset)
        return damaged(path, "Its footer points outside of it.", error);
    *ret_manifest = place;
    return true;
}
