/* SPDX-License-Identifier: PostgreSQL */
#include "common/file.h"
#include "common/interrupt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* PostgreSQL takes no statement of a gigabyte, so no file of that size can be of use. */
#define LARGEST_FILE ((size_t)1 << 30)

struct descriptor {
    int number; /* -1: none */
};

static void descriptor_close(struct descriptor *descriptor)
{
    if (descriptor->number >= 0)
        close(descriptor->number);
}
CLEANUP_VALUE(struct descriptor, descriptor_close)

/* "could not <verb> "path": <reason of errno>" */
static bool failed(struct error *error, const char *verb, const char *path)
{
    const char *reason = strerror(errno);

    return error_set(error, ERROR_FAILED, "could not %s \"%s\": %s", verb, path, reason);
}

static int open_file(int folder, const char *path, int flags, unsigned mode)
{
    int number;

    do
        number = openat(folder, path, flags | O_CLOEXEC, (mode_t)mode);
    while (number < 0 && errno == EINTR);
    return number;
}

/* ---- reading ---- */

static bool read_all(int number, const char *path, size_t expected, char **ret_text, size_t *ret_size,
                     struct error *error)
{
    size_t capacity = expected + 2; /* one for the NUL, one to see the end without growing */
    size_t size = 0;
    OWNED char *text = memory_allocate(capacity, 1);

    for (ssize_t got; (got = read(number, text + size, capacity - 1 - size)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(error, "read", path);
        size += (size_t)got;
        if (size > LARGEST_FILE)
            return error_set(error, ERROR_FAILED, "could not read \"%s\": larger than 1 GB", path);
        if (size == capacity - 1) {
            char *larger = memory_allocate(capacity * 2, 1);
            memcpy(larger, text, size);
            free(text);
            text = larger;
            capacity *= 2;
        }
    }
    text[size] = '\0';
    *ret_text = take(text);
    *ret_size = size;
    return true;
}

bool file_read(const char *path, char **ret_text, size_t *ret_size, struct error *error)
{
    AUTO(descriptor_close) struct descriptor file = {open_file(AT_FDCWD, path, O_RDONLY, 0)};
    struct stat status;

    if (file.number < 0 || fstat(file.number, &status) != 0)
        return failed(error, "read", path);
    if (status.st_size > (off_t)LARGEST_FILE)
        return error_set(error, ERROR_FAILED, "could not read \"%s\": larger than 1 GB", path);
    size_t expected = S_ISREG(status.st_mode) ? (size_t)status.st_size : 4096;
    return read_all(file.number, path, expected, ret_text, ret_size, error);
}

/* ---- writing ---- */

static bool write_all(int number, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(number, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool sync_all(int number)
{
    int result;

    do
        result = fsync(number);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

/* Write, fsync and close a file that was just created; on failure errno tells why and the file is gone. */
static bool fill_and_close(int number, const char *path, const char *data, size_t size)
{
    bool done = write_all(number, data, size) && sync_all(number);
    int reason = errno;

    if (close(number) != 0 && done && errno != EINTR) {
        reason = errno;
        done = false;
    }
    if (!done) {
        unlink(path);
        errno = reason;
    }
    return done;
}

bool file_write_new(const char *path, const char *data, size_t size, unsigned mode, struct error *error)
{
    int number = open_file(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, mode);

    if (number < 0)
        return failed(error, "create", path);
    return fill_and_close(number, path, data, size) || failed(error, "write", path);
}

/* A file system that cannot sync a folder (EINVAL) keeps its own promises about names. */
static bool sync_folder(const char *folder)
{
    AUTO(descriptor_close)
    struct descriptor opened = {open_file(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0)};

    return opened.number >= 0 && (sync_all(opened.number) || errno == EINVAL);
}

bool file_sync_folder(const char *folder, struct error *error)
{
    return sync_folder(folder) || failed(error, "sync folder", folder);
}

/* A name nobody else uses; one left behind by a process that was killed is stepped over. */
static int create_beside(const char *path, unsigned mode, char **ret_name)
{
    for (int attempt = 0;; attempt++) {
        OWNED char *name = text_format("%s.%ld-%d.tmp", path, (long)getpid(), attempt);
        int number = open_file(AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (number >= 0)
            *ret_name = take(name);
        if (number >= 0 || errno != EEXIST || attempt == 99)
            return number;
    }
}

/* A device or a pipe is written to: a file in its place would be the end of it, of /dev/null for everybody.
 */
static bool is_special(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static bool write_special(const char *path, const char *data, size_t size, struct error *error)
{
    AUTO(descriptor_close) struct descriptor file = {open_file(AT_FDCWD, path, O_WRONLY, 0)};

    return (file.number >= 0 && write_all(file.number, data, size)) || failed(error, "write", path);
}

bool file_write_atomic(const char *path, const char *data, size_t size, unsigned mode, struct error *error)
{
    if (is_special(path))
        return write_special(path, data, size, error);
    OWNED char *folder = file_folder(path);
    OWNED char *temporary = NULL;
    int number = create_beside(path, mode, &temporary);

    if (number < 0 || !fill_and_close(number, temporary, data, size))
        return failed(error, "write", path);
    if (rename(temporary, path) != 0) {
        failed(error, "replace", path);
        unlink(temporary);
        return false;
    }
    return file_sync_folder(folder, error);
}

/* ---- folders ---- */

static bool is_wanted(int folder, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_name[0] == '.')
        return false;
    if (entry->d_type == DT_REG)
        return true;
    if (entry->d_type == DT_DIR)
        return false;
    /* A link that leads nowhere is listed: reading it will say so. */
    return fstatat(folder, entry->d_name, &status, 0) != 0 || !S_ISDIR(status.st_mode);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void folder_close(DIR *folder)
{
    if (folder != NULL)
        closedir(folder);
}
CLEANUP_POINTER(DIR *, folder_close)

bool file_list(const char *folder, struct text_list *ret_names, struct error *error)
{
    AUTO(folder_close) DIR *opened = opendir(folder);
    AUTO(text_list_clear) struct text_list names = {0};

    if (opened == NULL)
        return failed(error, "read folder", folder);
    for (const struct dirent *entry; (errno = 0, entry = readdir(opened)) != NULL;)
        if (is_wanted(dirfd(opened), entry))
            text_list_add(&names, text_copy(entry->d_name));
    if (errno != 0)
        return failed(error, "read folder", folder);
    if (names.count > 1)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    *ret_names = names;
    names = (struct text_list){0};
    return true;
}

static bool make_one(const char *path, unsigned mode, struct error *error)
{
    if (mkdir(path, (mode_t)mode) == 0)
        return true;
    int reason = errno; /* a look at the path would tell of the path, not of the failure: a read-only disk */
    if (file_is_folder(path))
        return true;
    errno = reason;
    return failed(error, "create folder", path);
}

bool file_make_folder(const char *path, unsigned mode, struct error *error)
{
    OWNED char *part = text_copy(path);

    for (char *slash = part; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        /* We must be able to go on inside, whatever the last one's mode is. */
        if (!make_one(part, mode | 0300, error))
            return false;
        *slash = '/';
    }
    return make_one(path, mode, error);
}

static bool remove_at(int parent, const char *name, const char *path, struct error *error);

static bool remove_entries(DIR *folder, const char *path, struct error *error)
{
    for (const struct dirent *entry; (errno = 0, entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        OWNED char *inner = file_join(path, entry->d_name);
        if (!remove_at(dirfd(folder), entry->d_name, inner, error))
            return false;
    }
    return errno == 0 || failed(error, "read folder", path);
}

/* Relative to an open parent and never through links: the tree may belong to somebody else while root removes
 * it. */
static bool remove_at(int parent, const char *name, const char *path, struct error *error)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR)
        return failed(error, "remove", path);

    int number = open_file(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    AUTO(folder_close) DIR *folder = number < 0 ? NULL : fdopendir(number);
    if (folder == NULL)
        return errno == ENOENT || failed(error, "remove", path);
    if (!remove_entries(folder, path, error))
        return false;
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return failed(error, "remove", path);
    return true;
}

bool file_remove_tree(const char *path, struct error *error)
{
    OWNED char *bare = text_copy(path);

    /* "link/" would be followed. */
    for (size_t length = strlen(bare); length > 1 && bare[length - 1] == '/'; length--)
        bare[length - 1] = '\0';
    return remove_at(AT_FDCWD, bare, bare, error);
}

bool file_make_temporary(const char *prefix, char **ret_path, struct error *error)
{
    const char *folder = getenv("TMPDIR");
    OWNED char *name = text_format("%s.XXXXXX", prefix);
    OWNED char *path = file_join(folder == NULL || *folder == '\0' ? "/tmp" : folder, name);

    if (mkdtemp(path) == NULL)
        return failed(error, "create folder", path);
    *ret_path = take(path);
    return true;
}

/* ---- names ---- */

bool file_look(const char *path, enum file_kind *ret, struct error *error)
{
    struct stat status;

    if (stat(path, &status) == 0)
        *ret = S_ISDIR(status.st_mode) ? FILE_FOLDER : FILE_OTHER;
    else if (errno == ENOENT || errno == ENOTDIR)
        *ret = FILE_MISSING;
    else
        return failed(error, "look at", path);
    return true;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *file_search(const char *folder, const char *name, char **ret_unsearched)
{
    OWNED char *place = text_copy(folder);

    *ret_unsearched = NULL;
    for (;;) {
        OWNED char *candidate = text_equal(place, folder) ? text_copy(name) : file_join(place, name);
        if (file_exists(candidate))
            return take(candidate);
        if (errno == EACCES && *ret_unsearched == NULL)
            *ret_unsearched = file_join(place, name);
        if (strcmp(place, "/") == 0)
            return NULL;
        char *parent = file_folder(place);
        free(place);
        place = parent;
    }
}

bool file_is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *file_join(const char *folder, const char *name)
{
    if (name[0] == '/' || folder[0] == '\0')
        return text_copy(name);
    return text_format(text_ends_with(folder, "/") ? "%s%s" : "%s/%s", folder, name);
}

char *file_folder(const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length == 0 ? text_copy(".") : text_copy_part(path, length);
}

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* ---- locks ---- */

static bool lock_once(int number, const char *path, struct error *error)
{
    while (flock(number, LOCK_EX) != 0) {
        if (errno != EINTR)
            return failed(error, "lock", path);
        if (interrupt_signal() != 0)
            return interrupt_error(error);
    }
    return true;
}

bool file_lock(const char *path, int *ret_descriptor, struct error *error)
{
    for (;;) {
        struct stat status;
        AUTO(descriptor_close)
        struct descriptor file = {open_file(AT_FDCWD, path, O_RDWR | O_CREAT, 0600)};
        if (file.number < 0)
            return failed(error, "open lock file", path);
        if (!lock_once(file.number, path, error))
            return false;
        if (fstat(file.number, &status) == 0 && status.st_nlink == 0)
            continue; /* removed while we waited: the next one would lock another file */
        *ret_descriptor = file.number;
        file.number = -1;
        return true;
    }
}
