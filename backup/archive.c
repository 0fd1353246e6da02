/* SPDX-License-Identifier: PostgreSQL */
#include "backup/archive.h"

#include "backup/footer.h"
#include "common/interrupt.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much is written before the kernel is told to bring it to disk, so that fsync finds little left to do. */
#define WRITE_BACK ((int64_t)8 << 20)

#define PIECE          ((size_t)1 << 20) /* read at once */
#define END_OF_ARCHIVE 1024              /* zero bytes */

/* ---- writing ---- */

struct archive_writer {
    char *path;
    int file;
    struct archive *archive;
    struct digest *digest, *outline; /* of the file; NULL once it is finished */
    bool outlined;                   /* what is written now is content that its digest stands for */
    pthread_mutex_t lock;
    _Atomic int64_t bytes;
    int64_t written_back;
    int64_t taken_at;
    int failure; /* errno of the first failure: a tar with a torn member takes no other */
    bool finished;
};

struct held {
    pthread_mutex_t *lock;
};

static void held_release(struct held *held)
{
    pthread_mutex_unlock(held->lock);
}
CLEANUP_VALUE(struct held, held_release)

#define HOLD(writer)                                                                                         \
    pthread_mutex_lock(&(writer)->lock);                                                                     \
    AUTO(held_release) struct held held __attribute__((unused)) = {&(writer)->lock}

static bool write_failed(struct archive_writer *writer, struct error *error)
{
    int reason = writer->failure;
    OWNED char *written = text_size(writer->bytes);

    error_set(error, ERROR_FAILED, "could not write \"%s\": %s", writer->path, strerror(reason));
    error_detail(error, "%s had been written.", written);
    if (reason != ENOSPC && reason != EDQUOT)
        return false;
    return error_hint(error, "Make room on the repository's disk, or choose another repository.");
}

/* libarchive's messages are for errors that no disk causes: none is expected. */
static bool archive_failed(struct archive_writer *writer, struct error *error)
{
    const char *reason = archive_error_string(writer->archive);

    if (writer->failure)
        return write_failed(writer, error);
    writer->failure = EIO;
    return error_set(error, ERROR_FAILED, "could not write \"%s\": %s", writer->path,
                     reason ? reason : "the archive is not what was asked for");
}

/* A hint to the kernel; where a file system does not know it, fsync has more to do. */
static void write_back(struct archive_writer *writer)
{
    int64_t bytes = writer->bytes;

    if (bytes - writer->written_back < WRITE_BACK)
        return;
    (void)sync_file_range(writer->file, writer->written_back, bytes - writer->written_back,
                          SYNC_FILE_RANGE_WRITE);
    writer->written_back = bytes;
}

/*
 * libarchive's output: every byte of the file goes through here. A failure is remembered and looked at behind
 * each call, never told to libarchive, whose 3.6 leaks memory once a write has failed.
 */
static la_ssize_t write_bytes(struct archive *archive, void *context, const void *data, size_t size)
{
    struct archive_writer *writer = context;
    ssize_t written;

    (void)archive;
    if (writer->failure)
        return (la_ssize_t)size;
    do
        written = write(writer->file, data, size);
    while (written < 0 && errno == EINTR);
    if (written < 0) {
        writer->failure = errno;
        return (la_ssize_t)size;
    }
    digest_add(writer->digest, data, (size_t)written);
    if (!writer->outlined)
        digest_add(writer->outline, data, (size_t)written);
    writer->bytes += written;
    write_back(writer);
    return written;
}

static struct archive *new_archive(struct archive_writer *writer)
{
    struct archive *archive = archive_write_new();

    /* Restricted pax writes plain ustar headers where they suffice: the footer's size must be known. */
    if (!archive || archive_write_set_format_pax_restricted(archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
        archive_write_open(archive, writer, NULL, write_bytes, NULL) != ARCHIVE_OK) {
        fputs("pgmigrate: out of memory\n", stderr);
        exit(1);
    }
    return archive;
}

bool archive_writer_open(const char *path, int64_t taken_at, struct archive_writer **ret, struct error *error)
{
    int file;

    do
        file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (file < 0 && errno == EINTR);
    if (file < 0) {
        const char *reason = strerror(errno);
        return error_set(error, ERROR_FAILED, "could not create \"%s\": %s", path, reason);
    }
    struct archive_writer *writer = memory_allocate(1, sizeof *writer);
    writer->path = text_copy(path);
    writer->file = file;
    writer->taken_at = taken_at;
    writer->digest = digest_new();
    writer->outline = digest_new();
    pthread_mutex_init(&writer->lock, NULL);
    writer->archive = new_archive(writer);
    *ret = writer;
    return true;
}

static void entry_free(struct archive_entry *entry)
{
    archive_entry_free(entry);
}
CLEANUP_POINTER(struct archive_entry *, entry_free)

/* The header; the content begins where it ends. The lock is held. */
static bool begin_member(struct archive_writer *writer, const char *name, int64_t size, unsigned mode,
                         struct archive_place *ret, struct error *error)
{
    AUTO(entry_free) struct archive_entry *entry = archive_entry_new();

    if (writer->failure)
        return write_failed(writer, error);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, (mode_t)mode);
    archive_entry_set_size(entry, size);
    archive_entry_set_mtime(entry, writer->taken_at, 0);
    /* A warning is about names that are not ASCII: they are written byte by byte, marked as such. */
    int result = archive_write_header(writer->archive, entry);
    if (writer->failure || (result != ARCHIVE_OK && result != ARCHIVE_WARN))
        return archive_failed(writer, error);
    ret->offset = writer->bytes;
    ret->size = size;
    return true;
}

static bool write_content(struct archive_writer *writer, const void *data, size_t size, struct error *error)
{
    if (size > 0 && (archive_write_data(writer->archive, data, size) != (la_ssize_t)size || writer->failure))
        return archive_failed(writer, error);
    return true;
}

static bool end_member(struct archive_writer *writer, const struct archive_place *place, struct error *error)
{
    /* Places are given away as they are counted here: they must be where the content is. */
    if (writer->bytes != place->offset + place->size ||
        archive_write_finish_entry(writer->archive) != ARCHIVE_OK || writer->failure)
        return archive_failed(writer, error);
    return true;
}

static bool add(struct archive_writer *writer, const char *name, unsigned mode, const void *data, size_t size,
                struct archive_place *place, struct error *error)
{
    return begin_member(writer, name, (int64_t)size, mode, place, error) &&
           write_content(writer, data, size, error) && end_member(writer, place, error);
}

static bool outline(struct archive_writer *writer, const void *data, size_t size, struct error *error)
{
    writer->outlined = true;
    bool good = write_content(writer, data, size, error);
    writer->outlined = false;
    return good;
}

static bool end_outlined(struct archive_writer *writer, const struct archive_place *place,
                         struct error *error)
{
    digest_add(writer->outline, place->sha256, DIGEST_HEX_SIZE - 1);
    return end_member(writer, place, error);
}

static bool add_locked(struct archive_writer *writer, const char *name, unsigned mode, const void *data,
                       size_t size, struct archive_place *ret, struct error *error)
{
    struct archive_place place = {0};

    digest_sha256(data, size, place.sha256); /* before the lock: others write meanwhile */
    HOLD(writer);
    if (!begin_member(writer, name, (int64_t)size, mode, &place, error) ||
        !outline(writer, data, size, error) || !end_outlined(writer, &place, error))
        return false;
    *ret = place;
    return true;
}

bool archive_writer_add(struct archive_writer *writer, const char *name, const void *data, size_t size,
                        struct archive_place *ret, struct error *error)
{
    return add_locked(writer, name, 0600, data, size, ret, error);
}

bool archive_writer_add_script(struct archive_writer *writer, const char *name, const char *text,
                               struct archive_place *ret, struct error *error)
{
    return add_locked(writer, name, 0700, text, strlen(text), ret, error);
}

struct descriptor {
    int number; /* -1: none */
};

static void descriptor_close(struct descriptor *descriptor)
{
    if (descriptor->number >= 0)
        close(descriptor->number);
}
CLEANUP_VALUE(struct descriptor, descriptor_close)

static int open_for_reading(const char *path)
{
    int file;

    do
        file =
            open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe nobody writes to is no file */
    while (file < 0 && errno == EINTR);
    return file;
}

/* All of size bytes at offset; false with errno, 0 where the file ends before. */
static bool read_at(int file, int64_t offset, void *buffer, size_t size)
{
    char *to = buffer;

    while (size > 0) {
        ssize_t got = pread(file, to, size, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return false;
        to += got;
        offset += got;
        size -= (size_t)got;
    }
    return true;
}

static bool copy_content(struct archive_writer *writer, int file, const char *path,
                         struct archive_place *place, struct error *error)
{
    OWNED char *piece = memory_allocate(PIECE, 1);
    AUTO(digest_free) struct digest *digest = digest_new();

    for (int64_t done = 0; done < place->size;) {
        size_t part = place->size - done < (int64_t)PIECE ? (size_t)(place->size - done) : PIECE;
        if (!read_at(file, done, piece, part)) {
            const char *reason = errno ? strerror(errno) : "it has become shorter";
            writer->failure = errno ? errno : EIO;
            return error_set(error, ERROR_FAILED, "could not read \"%s\": %s", path, reason);
        }
        digest_add(digest, piece, part);
        if (!outline(writer, piece, part, error))
            return false;
        done += (int64_t)part;
    }
    digest_finish(take(digest), place->sha256);
    return true;
}

bool archive_writer_add_file(struct archive_writer *writer, const char *name, const char *path,
                             struct archive_place *ret, struct error *error)
{
    AUTO(descriptor_close) struct descriptor file = {open_for_reading(path)};
    struct archive_place place = {0};
    struct stat status;

    if (file.number < 0 || fstat(file.number, &status) != 0) {
        const char *reason = strerror(errno);
        return error_set(error, ERROR_FAILED, "could not read \"%s\": %s", path, reason);
    }
    HOLD(writer);
    if (!begin_member(writer, name, status.st_size, 0600, &place, error) ||
        !copy_content(writer, file.number, path, &place, error) || !end_outlined(writer, &place, error))
        return false;
    *ret = place;
    return true;
}

int64_t archive_writer_bytes(const struct archive_writer *writer)
{
    return writer->bytes;
}

static bool add_footer(struct archive_writer *writer, const struct archive_place *manifest,
                       struct error *error)
{
    char content[FOOTER_CONTENT_SIZE];
    struct archive_place place = {0};

    footer_write(manifest, content);
    return add(writer, FOOTER_NAME, 0600, content, sizeof content, &place, error);
}

/* Whether what was written is what is there: a file system may say so only now. */
static bool close_file(struct archive_writer *writer, struct error *error)
{
    struct stat status;
    int result;

    do
        result = fsync(writer->file);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        result = fstat(writer->file, &status);
    if (result == 0 && status.st_size != writer->bytes) {
        errno = EIO;
        result = -1;
    }
    int reason = errno;
    if (close(writer->file) != 0 && errno != EINTR && result == 0) {
        reason = errno;
        result = -1;
    }
    writer->file = -1;
    writer->failure = result == 0 ? 0 : reason;
    return result == 0 || write_failed(writer, error);
}

bool archive_writer_finish(struct archive_writer *writer, const char *manifest, size_t size,
                           struct archive_whole *ret, struct error *error)
{
    struct archive_place place = {0};
    HOLD(writer);

    digest_sha256(manifest, size, place.sha256);
    if (!add(writer, "manifest.json", 0600, manifest, size, &place, error) ||
        !add_footer(writer, &place, error))
        return false;
    int64_t expected = writer->bytes + END_OF_ARCHIVE;
    if (archive_write_close(writer->archive) != ARCHIVE_OK || writer->bytes != expected)
        return archive_failed(writer, error);
    if (!close_file(writer, error))
        return false;
    digest_finish(take(writer->digest), ret->sha256);
    digest_finish(take(writer->outline), ret->outline_sha256);
    ret->bytes = writer->bytes;
    writer->finished = true;
    return true;
}

void archive_writer_free(struct archive_writer *writer)
{
    if (!writer)
        return;
    if (!writer->finished)
        writer->failure = ECANCELED; /* freeing it would write its end */
    archive_write_free(writer->archive);
    if (writer->file >= 0)
        close(writer->file);
    if (!writer->finished)
        unlink(writer->path);
    digest_free(writer->digest);
    digest_free(writer->outline);
    pthread_mutex_destroy(&writer->lock);
    free(writer->path);
    free(writer);
}

/* ---- reading ---- */

struct archive_reader {
    char *path;
    int file;
    int64_t bytes;
    struct archive_place manifest;
};

static bool read_failed(const char *path, int64_t offset, struct error *error)
{
    if (errno == 0)
        return error_set(error, ERROR_BACKUP, "\"%s\" ends before offset %" PRId64, path, offset);
    /* A disk that does not give the bytes back is a damaged backup; anything else is our trouble. */
    enum error_code code = errno == EIO || errno == ENOENT ? ERROR_BACKUP : ERROR_FAILED;
    const char *reason = strerror(errno);
    return error_set(error, code, "could not read \"%s\" at offset %" PRId64 ": %s", path, offset, reason);
}

static bool read_tail(struct archive_reader *reader, struct error *error)
{
    char tail[FOOTER_TAIL_SIZE];
    struct stat status;

    if (fstat(reader->file, &status) != 0)
        return read_failed(reader->path, 0, error);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_BACKUP, "\"%s\" is not a file", reader->path);
    reader->bytes = status.st_size;
    if (reader->bytes < FOOTER_TAIL_SIZE) {
        error_set(error, ERROR_BACKUP, "\"%s\" is not a whole backup archive", reader->path);
        return error_detail(error, "It has %" PRId64 " bytes.", reader->bytes);
    }
    if (!read_at(reader->file, reader->bytes - FOOTER_TAIL_SIZE, tail, sizeof tail))
        return read_failed(reader->path, reader->bytes - FOOTER_TAIL_SIZE, error);
    return footer_read(tail, reader->bytes, reader->path, &reader->manifest, error);
}

bool archive_reader_open(const char *path, struct archive_reader **ret, struct error *error)
{
    AUTO(archive_reader_free) struct archive_reader *reader = memory_allocate(1, sizeof *reader);

    reader->path = text_copy(path);
    reader->file = open_for_reading(path);
    if (reader->file < 0) {
        enum error_code code = errno == ENOENT ? ERROR_BACKUP : ERROR_FAILED;
        const char *reason = strerror(errno);
        return error_set(error, code, "could not open \"%s\": %s", path, reason);
    }
    if (!read_tail(reader, error))
        return false;
    *ret = take(reader);
    return true;
}

void archive_reader_free(struct archive_reader *reader)
{
    if (!reader)
        return;
    if (reader->file >= 0)
        close(reader->file);
    free(reader->path);
    free(reader);
}

int64_t archive_reader_bytes(const struct archive_reader *reader)
{
    return reader->bytes;
}

bool archive_reader_manifest(const struct archive_reader *reader, char **ret_text, size_t *ret_size,
                             struct error *error)
{
    size_t size = (size_t)reader->manifest.size;
    OWNED char *text = memory_allocate(size + 1, 1);
    char sha256[DIGEST_HEX_SIZE];

    if (!archive_reader_read(reader, reader->manifest.offset, text, size, error))
        return false;
    digest_sha256(text, size, sha256);
    if (strcmp(sha256, reader->manifest.sha256) != 0)
        return error_set(error, ERROR_BACKUP, "the manifest of \"%s\" is not the one its footer names",
                         reader->path);
    *ret_text = take(text);
    *ret_size = size;
    return true;
}

bool archive_reader_read(const struct archive_reader *reader, int64_t offset, void *buffer, size_t size,
                         struct error *error)
{
    if (offset < 0 || offset > reader->bytes || (int64_t)size < 0 || (int64_t)size > reader->bytes - offset) {
        errno = 0;
        return read_failed(reader->path, offset, error);
    }
    return read_at(reader->file, offset, buffer, size) || read_failed(reader->path, offset, error);
}

/* ---- walking ---- */

#define WALK_PIECE 4096 /* headers are what a walk reads; content is skipped */

/* The file for libarchive, with a position of its own. */
struct walk {
    const struct archive_reader *reader;
    int64_t position;
    char piece[WALK_PIECE];
};

static la_ssize_t walk_read(struct archive *archive, void *context, const void **ret_data)
{
    struct walk *walk = context;
    ssize_t got;

    do
        got = pread(walk->reader->file, walk->piece, WALK_PIECE, walk->position);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        archive_set_error(archive, errno, "%s", strerror(errno));
    else
        walk->position += got;
    *ret_data = walk->piece;
    return got;
}

static la_int64_t walk_skip(struct archive *archive, void *context, la_int64_t request)
{
    struct walk *walk = context;
    int64_t left = walk->reader->bytes - walk->position;
    int64_t step = request < left ? request : left;

    (void)archive;
    step -= step % WALK_PIECE; /* reads stay aligned */
    walk->position += step;
    return step;
}

static void walk_free(struct archive *archive)
{
    archive_read_free(archive);
}
CLEANUP_POINTER(struct archive *, walk_free)

bool archive_reader_walk(const struct archive_reader *reader, archive_visitor *visitor, void *context,
                         struct error *error)
{
    AUTO(walk_free) struct archive *archive = archive_read_new();
    OWNED struct walk *walk = memory_allocate(1, sizeof *walk);
    struct archive_entry *entry;
    int64_t offset = 0;
    int result;

    walk->reader = reader;
    archive_read_support_format_tar(archive);
    result = archive_read_open2(archive, walk, NULL, walk_read, walk_skip, NULL);
    /* Only a warning, about a name, leaves an entry to be used; a header that is damaged is a "retry". */
    while (result == ARCHIVE_OK && (result = archive_read_next_header(archive, &entry),
                                    result == ARCHIVE_OK || result == ARCHIVE_WARN)) {
        const char *name = archive_entry_pathname(entry);
        offset = archive_filter_bytes(archive, 0);
        if (!visitor(context, name ? name : "", offset, archive_entry_size(entry), error))
            return false;
        result = ARCHIVE_OK;
    }
    if (result == ARCHIVE_EOF)
        return true;
    error_set(error, ERROR_BACKUP, "\"%s\" has a damaged tar header after offset %" PRId64, reader->path,
              offset);
    return error_detail(error, "%s.", archive_error_string(archive));
}

bool archive_reader_digest(const struct archive_reader *reader, int64_t offset, int64_t size,
                           bool (*done)(void *context, int64_t bytes), void *context, struct digest *digest,
                           struct error *error)
{
    OWNED char *piece = memory_allocate(PIECE, 1);

    for (int64_t end = offset + size; offset < end;) {
        size_t part = end - offset < (int64_t)PIECE ? (size_t)(end - offset) : PIECE;
        if (!archive_reader_read(reader, offset, piece, part, error))
            return false;
        digest_add(digest, piece, part);
        offset += (int64_t)part;
        if (done && !done(context, (int64_t)part))
            return true;
    }
    return true;
}
