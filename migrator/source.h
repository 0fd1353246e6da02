/* SPDX-License-Identifier: PostgreSQL */
/*
 * The text of one script as its file holds it, checked to be UTF-8 without NUL, and its checksum.
 */
#ifndef MIGRATOR_SOURCE_H
#define MIGRATOR_SOURCE_H

#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stddef.h>

/* Which part of its file a source is: a file with "-- migrate:up" and "-- migrate:down" holds two. */
enum source_part { SOURCE_WHOLE, SOURCE_UP, SOURCE_DOWN };

/* The text of one script: a whole file, or the up or down section of one. */
struct source {
    char *path;        /* as given by the user's folder and the file's name; for messages */
    size_t first_line; /* the line of the file on which text begins, 1-based */
    char *text;  /* without BOM, line ends as they are, NUL-terminated; NULL when not kept, see source_load */
    size_t size; /* bytes of text */
    char checksum[DIGEST_HEX_SIZE]; /* SHA-256 over the text with line ends normalised to \n */
    enum source_part part;
};

/*
 * Texts up to SOURCE_KEEP bytes are kept from discovery; larger ones are read again when needed, and a
 * checksum that differs then is an error (the file was changed meanwhile). After source_load, text is there.
 */
#define SOURCE_KEEP 65536
MUST_CHECK bool source_load(struct source *source, struct error *error);
/* Forget a text that source_load can bring back. */
void source_unload(struct source *source);
void source_clear(struct source *source);
CLEANUP_VALUE(struct source, source_clear)

/* Checksum of a text as stored in the history: "\r\n" and "\r" count as "\n", a BOM is ignored. */
void source_checksum(const char *text, size_t size, char ret_hex[DIGEST_HEX_SIZE]);
#define CHECKSUM_VERSION 1
/* The same for one of many, with a digest that serves for all of them. */
void source_checksum_by(struct digest *digest, const char *text, size_t size, char ret_hex[DIGEST_HEX_SIZE]);

/*
 * Read a script's file, opened relative to the folder's descriptor (or AT_FDCWD): without BOM,
 * NUL-terminated. A file that cannot be read or is not UTF-8 is ERROR_USAGE at its place; *ret_rule then
 * names the check's rule.
 */
struct source_file {
    int folder;
    const char *name; /* relative to folder */
    const char *path; /* for messages */
};
MUST_CHECK bool source_read_file(const struct source_file *file, char **ret_text, size_t *ret_size,
                                 const char **ret_rule, struct error *error);

#endif
