/* SPDX-License-Identifier: PostgreSQL */
/*
 * The file of a backup: a POSIX pax tar, read and written with libarchive, so that "tar tf" reads it. Members
 * have bounded, known sizes. The last member, ".footer", is one 512-byte block that tells where the manifest
 * is:
 *
 *     offset  size - 2048     header of the member ".footer" (ustar)
 *             size - 1536     its content: lines of text, filled up with newlines
 *                                 pgmigrate-archive 1
 *                                 manifest OFFSET SIZE SHA256
 *             size - 1024     end of archive: 1024 zero bytes
 *
 * so one read of 2 KiB at the end opens a backup of any size. Offsets are those of a member's content;
 * libarchive is told to write unbuffered and unpadded, and the writer's own count of bytes is compared with
 * its result.
 *
 * Two digests prove a whole file. That of all its bytes is for "sha256sum -c". The outline's is SHA-256 over
 * the file with the content of each member but the manifest and the footer replaced by that content's SHA-256
 * (64 hexadecimal digits): with it and the members' own digests every byte is proven and hashed once, by
 * several threads, and what is damaged is known by name.
 *
 * Everything read from an archive may be damaged or forged: sizes and offsets are checked against the file
 * before they are used. Errors of that kind are ERROR_BACKUP.
 */
#ifndef BACKUP_ARCHIVE_H
#define BACKUP_ARCHIVE_H

#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a member's content is. */
struct archive_place {
    int64_t offset;
    int64_t size;
    char sha256[DIGEST_HEX_SIZE]; /* of the content as stored */
};

/* The finished file. */
struct archive_whole {
    int64_t bytes;
    char sha256[DIGEST_HEX_SIZE];
    char outline_sha256[DIGEST_HEX_SIZE];
};

/* ---- writing ---- */

struct archive_writer;

/* Create path (which must not exist, mode 0600). taken_at (seconds since 1970) is every member's time. */
MUST_CHECK bool archive_writer_open(const char *path, int64_t taken_at, struct archive_writer **ret,
                                    struct error *error);
/* Add a member; safe to call from several threads (one writes, the others wait). */
MUST_CHECK bool archive_writer_add(struct archive_writer *writer, const char *name, const void *data,
                                   size_t size, struct archive_place *ret, struct error *error);
/* The same with the content of a file; mode is the member's (restore.sh is executable). */
MUST_CHECK bool archive_writer_add_file(struct archive_writer *writer, const char *name, const char *path,
                                        struct archive_place *ret, struct error *error);
MUST_CHECK bool archive_writer_add_script(struct archive_writer *writer, const char *name, const char *text,
                                          struct archive_place *ret, struct error *error);
/* Bytes written so far; safe from any thread. */
int64_t archive_writer_bytes(const struct archive_writer *writer);
/* Add the manifest and the footer, fsync, close. */
MUST_CHECK bool archive_writer_finish(struct archive_writer *writer, const char *manifest, size_t size,
                                      struct archive_whole *ret, struct error *error);
/* One that is not finished is removed from disk. */
void archive_writer_free(struct archive_writer *writer);
CLEANUP_POINTER(struct archive_writer *, archive_writer_free)

/* ---- reading ---- */

struct archive_reader;

/* Open and read the footer; does not look at the rest. Safe to read from several threads. */
MUST_CHECK bool archive_reader_open(const char *path, struct archive_reader **ret, struct error *error);
void archive_reader_free(struct archive_reader *reader);
CLEANUP_POINTER(struct archive_reader *, archive_reader_free)

int64_t archive_reader_bytes(const struct archive_reader *reader); /* the file's size */
/* The manifest's text; its digest is compared with the footer's. */
MUST_CHECK bool archive_reader_manifest(const struct archive_reader *reader, char **ret_text,
                                        size_t *ret_size, struct error *error);
/* size bytes of content at an offset into buffer. */
MUST_CHECK bool archive_reader_read(const struct archive_reader *reader, int64_t offset, void *buffer,
                                    size_t size, struct error *error);

/* Each member as the tar itself tells, in order; false from the visitor stops with its error. */
typedef bool archive_visitor(void *context, const char *name, int64_t offset, int64_t size,
                             struct error *error);
MUST_CHECK bool archive_reader_walk(const struct archive_reader *reader, archive_visitor *visitor,
                                    void *context, struct error *error);
/* Add size bytes of the file, from an offset, to a digest. done is told the bytes of each piece; it may be
 * NULL, and ends the reading, without an error, by returning false. */
MUST_CHECK bool archive_reader_digest(const struct archive_reader *reader, int64_t offset, int64_t size,
                                      bool (*done)(void *context, int64_t bytes), void *context,
                                      struct digest *digest, struct error *error);

#endif
