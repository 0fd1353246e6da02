/* SPDX-License-Identifier: PostgreSQL */
/*
 * Files and folders. Errors name the path and the reason; their code is ERROR_FAILED unless said otherwise.
 * Every descriptor is opened close-on-exec.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include "common/error.h"
#include "common/text.h"
#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* The whole file, with a NUL after its last byte (not counted in *ret_size). More than 1 GB is an error. */
MUST_CHECK bool file_read(const char *path, char **ret_text, size_t *ret_size, struct error *error);

/* Create a file that must not exist yet; on any failure nothing is left behind. */
MUST_CHECK bool file_write_new(const char *path, const char *data, size_t size, unsigned mode,
                               struct error *error);

/*
 * Replace or create: temporary name in the same folder, fsync, rename, fsync of the folder. On failure the
 * old file is untouched. A link is replaced, not followed, but where it leads to a device or a pipe, which is
 * written to (/dev/null, /dev/stdout). mode is subject to the umask here and above.
 */
MUST_CHECK bool file_write_atomic(const char *path, const char *data, size_t size, unsigned mode,
                                  struct error *error);

/* Bring a folder's names to disk: what was renamed or removed in it stays so. */
MUST_CHECK bool file_sync_folder(const char *folder, struct error *error);

/*
 * The names in a folder, sorted by byte value: files and links to files, no folders, no "." names. A link
 * that leads nowhere is listed, so that reading it reports it.
 */
MUST_CHECK bool file_list(const char *folder, struct text_list *ret_names, struct error *error);

/* mkdir -p; existing folders are fine. */
MUST_CHECK bool file_make_folder(const char *path, unsigned mode, struct error *error);

/* rm -r, without following links; a missing path is fine. */
MUST_CHECK bool file_remove_tree(const char *path, struct error *error);

/* A new folder under $TMPDIR (or /tmp) named prefix.XXXXXX, mode 0700. */
MUST_CHECK bool file_make_temporary(const char *prefix, char **ret_path, struct error *error);

/*
 * What is at a path, links followed. FILE_MISSING only where it is certain; a folder above that may not be
 * searched, say, is an error: what cannot be seen may be there all the same.
 */
enum file_kind { FILE_MISSING, FILE_FOLDER, FILE_OTHER };
MUST_CHECK bool file_look(const char *path, enum file_kind *ret, struct error *error);

/* False also where it cannot be seen: not for what is done, or told, because something is missing. */
bool file_exists(const char *path);
bool file_is_folder(const char *path);
/*
 * The nearest file of that name in the current folder, which is folder, or above it; by its bare name where
 * it is in the current one. *ret_unsearched is the first path that could not be looked at on the way, or
 * NULL.
 */
char *file_search(const char *folder, const char *name, char **ret_unsearched);
char *file_join(const char *folder, const char *name); /* an absolute name stays as it is */
char *file_folder(const char *path);                   /* dirname */
const char *file_name(const char *path);               /* the part after the last slash; points into path */

/*
 * An exclusive lock on a file that is created if needed, held until closed or the process ends. Waits; SIGINT
 * and SIGTERM end the wait with ERROR_INTERRUPTED / ERROR_TERMINATED.
 */
MUST_CHECK bool file_lock(const char *path, int *ret_descriptor, struct error *error);

#endif
