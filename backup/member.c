/* SPDX-License-Identifier: PostgreSQL */
#include "backup/member.h"

#include <errno.h>
#include <fcntl.h>

#define PIECE ((size_t)1 << 20)

static bool read_pieces(const struct archive_reader *archive, const struct manifest_member *member,
                        decompress_sink *sink, void *context, struct error *error)
{
    OWNED char *buffer = memory_allocate(PIECE, 1);

    for (int64_t done = 0; done < member->place.size;) {
        int64_t left = member->place.size - done;
        size_t size = left < (int64_t)PIECE ? (size_t)left : PIECE;

        if (!archive_reader_read(archive, member->place.offset + done, buffer, size, error) ||
            !sink(context, buffer, size, error))
            return false;
        done += (int64_t)size;
    }
    return true;
}

static bool add_to_digest(void *context, const char *data, size_t size, struct error *error)
{
    (void)error;
    digest_add(context, data, size);
    return true;
}

/* Read twice, the second time out of the system's cache: nobody is handed bytes that may not be the right
 * ones, such as a server that would call them wrong in its own words. */
static bool read_member(const struct archive_reader *archive, const struct manifest_member *member,
                        decompress_sink *sink, void *context, struct error *error)
{
    AUTO(digest_free) struct digest *digest = digest_new();
    char found[DIGEST_HEX_SIZE];

    if (!read_pieces(archive, member, add_to_digest, digest, error))
        return false;
    digest_finish(take(digest), found);
    if (!text_equal(found, member->place.sha256))
        return error_set(error, ERROR_BACKUP, "\"%s\" is damaged: its SHA-256 is not the manifest's",
                         member->name);
    return read_pieces(archive, member, sink, context, error);
}

struct decoding {
    struct decompressor *decompressor;
    decompress_sink *sink;
    void *context;
    bool sunk; /* the sink has failed, not the data */
};

static bool sink_decoded(void *context, const char *data, size_t size, struct error *error)
{
    struct decoding *decoding = context;

    decoding->sunk = !decoding->sink(decoding->context, data, size, error);
    return !decoding->sunk;
}

static bool decode(void *context, const char *data, size_t size, struct error *error)
{
    struct decoding *decoding = context;

    return decompressor_add(decoding->decompressor, data, size, sink_decoded, decoding, error);
}

bool member_decode(const struct archive_reader *archive, const struct manifest_member *member,
                   struct decompressor *decompressor, decompress_sink *sink, void *context,
                   struct error *error)
{
    struct decoding decoding = {decompressor, sink, context, false};

    if (read_member(archive, member, decode, &decoding, error) && decompressor_end(decompressor, error))
        return true;
    if (!decoding.sunk && error->code == ERROR_BACKUP && !strstr(error->message, member->name))
        error_prefix(error, "\"%s\"", member->name);
    return false;
}

bool member_write(void *context, const char *data, size_t size, struct error *error)
{
    int descriptor = *(const int *)context;

    while (size) {
        ssize_t written = write(descriptor, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_set(error, ERROR_FAILED, "could not write a temporary file: %s", strerror(errno));
        data += written;
        size -= (size_t)written;
    }
    return true;
}

bool member_extract(const struct archive_reader *archive, const struct manifest_member *member,
                    const char *path, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok;

    if (descriptor < 0)
        return error_set(error, ERROR_FAILED, "could not create \"%s\": %s", path, strerror(errno));
    ok = read_member(archive, member, member_write, &descriptor, error);
    if (close(descriptor) != 0 && ok)
        return error_set(error, ERROR_FAILED, "could not write \"%s\": %s", path, strerror(errno));
    return ok;
}
