/* SPDX-License-Identifier: PostgreSQL */
/* The half of repository.h that changes a repository. */
#include "backup/catalog.h"
#include "backup/repository.h"
#include "common/moment.h"
#include "common/test_point.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static char *path_of(const struct repository *repository, const char *id, const char *suffix)
{
    OWNED char *name = text_format("%s%s", id, suffix);

    return file_join(repository_folder(repository), name);
}

char *repository_part_path(const struct repository *repository, const char *id)
{
    return path_of(repository, id, ".tar.part");
}

static bool failed(struct error *error, const char *verb, const char *path)
{
    const char *reason = strerror(errno);

    return error_set(error, ERROR_FAILED, "could not %s \"%s\": %s", verb, path, reason);
}

static bool remove_file(const char *path, struct error *error)
{
    return unlink(path) == 0 || errno == ENOENT || failed(error, "remove", path);
}

/* ---- commit ---- */

/* What is on disk now is what the record says. */
static bool read_back(const char *path, const struct record *record, struct error *error)
{
    AUTO(archive_reader_free) struct archive_reader *reader = NULL;
    AUTO(manifest_free) struct manifest *manifest = NULL;
    OWNED char *text = NULL;
    size_t size;

    if (!archive_reader_open(path, &reader, error) || !archive_reader_manifest(reader, &text, &size, error) ||
        !manifest_read(text, size, archive_reader_bytes(reader), &manifest, error))
        return false;
    if (archive_reader_bytes(reader) != record->whole.bytes)
        return error_set(error, ERROR_BACKUP, "\"%s\" has %lld bytes, not %lld", path,
                         (long long)archive_reader_bytes(reader), (long long)record->whole.bytes);
    return record_matches(record, manifest, error);
}

/* The name that a record has while its archive becomes a backup, or is removed: what is left beside it is
 * known to be debris. */
#define PENDING ".json.part"

static bool write_record(const struct repository *repository, const struct record *record, const char *suffix,
                         struct error *error)
{
    OWNED char *path = path_of(repository, record->id, suffix);
    size_t size;
    OWNED char *text = record_write(record, &size);

    return file_write_atomic(path, text, size, 0600, error);
}

static bool complete(const struct repository *repository, const char *archive, const struct record *record,
                     struct error *error)
{
    OWNED char *sidecar = path_of(repository, record->id, ".tar.sha256");
    OWNED char *line = text_format("%s  %s\n", record->whole.sha256, record->archive);

    if (!file_sync_folder(repository_folder(repository), error))
        return false;
    test_point("archive-renamed");
    if (!read_back(archive, record, error) || !file_write_atomic(sidecar, line, strlen(line), 0600, error))
        return false;
    test_point("sidecar-written");
    OWNED char *pending = path_of(repository, record->id, PENDING);
    OWNED char *path = path_of(repository, record->id, ".json");
    return (rename(pending, path) == 0 || failed(error, "rename", pending)) &&
           file_sync_folder(repository_folder(repository), error);
}

static void forget_failures(const struct repository *repository, const char *database);

bool repository_commit(struct repository *repository, const struct record *record, struct error *error)
{
    OWNED char *part = repository_part_path(repository, record->id);
    OWNED char *archive = path_of(repository, record->id, ".tar");
    OWNED char *pending = path_of(repository, record->id, PENDING);

    test_point("archive-written");
    if (file_exists(archive))
        return error_set(error, ERROR_FAILED, "\"%s\" exists already", archive);
    if (!write_record(repository, record, PENDING, error))
        return false;
    if (rename(part, archive) != 0) {
        failed(error, "rename", part);
        unlink(pending);
        return false;
    }
    if (!complete(repository, archive, record, error)) {
        OWNED char *path = path_of(repository, record->id, ".json");
        OWNED char *sidecar = path_of(repository, record->id, ".tar.sha256");
        unlink(path); /* first: without it the rest is debris */
        unlink(sidecar);
        unlink(archive);
        unlink(pending);
        return false;
    }
    test_point("record-written");
    forget_failures(repository, record->database);
    return true;
}

/* ---- marks ---- */

static void replace(char **to, const char *from)
{
    free(*to);
    *to = text_copy(from);
}

static void set_mark(struct record *record, const struct record *marked, enum record_mark mark)
{
    switch (mark) {
    case MARK_KEPT:
        record->kept = marked->kept;
        replace(&record->kept_reason, marked->kept_reason);
        break;
    case MARK_VERIFIED:
        replace(&record->verified_at, marked->verified_at);
        replace(&record->verified_how, marked->verified_how);
        break;
    case MARK_TESTED:
        replace(&record->tested_at, marked->tested_at);
        record->tested_ms = marked->tested_ms;
        break;
    }
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

bool repository_mark(struct repository *repository, const struct record *record, enum record_mark mark,
                     struct error *error)
{
    /* Not the writer's lock: a backup may hold that for hours. */
    OWNED char *lock_path = file_join(repository_folder(repository), "lock.marks");
    AUTO(descriptor_close) struct descriptor lock = {-1};
    AUTO(record_free) struct record *now = NULL;
    OWNED char *path = path_of(repository, record->id, ".json");
    OWNED char *text = NULL;
    size_t size;

    if (!file_lock(lock_path, &lock.number, error))
        return false;
    if (!file_exists(path))
        return error_set(error, ERROR_BACKUP, "the backup %s is gone", record->id);
    if (!file_read(path, &text, &size, error) || !record_read(text, size, &now, error))
        return false;
    set_mark(now, record, mark);
    return write_record(repository, now, ".json", error);
}

/* ---- remove ---- */

/* Nobody reads it: an exclusive lock, held while it is removed. A missing archive is nobody's. */
static bool lock_archive(const char *path, struct descriptor *ret, struct error *error)
{
    ret->number = open(path, O_RDONLY | O_CLOEXEC);
    if (ret->number < 0)
        return errno == ENOENT || failed(error, "open", path);
    if (flock(ret->number, LOCK_EX | LOCK_NB) == 0)
        return true;
    return error_set(error, ERROR_LOCKED, "\"%s\" is in use", path);
}

bool repository_remove(struct repository *repository, const struct record *record, struct error *error)
{
    OWNED char *archive = path_of(repository, record->id, ".tar");
    OWNED char *sidecar = path_of(repository, record->id, ".tar.sha256");
    OWNED char *path = path_of(repository, record->id, ".json");
    OWNED char *pending = path_of(repository, record->id, PENDING);
    AUTO(descriptor_close) struct descriptor lock = {-1};

    if (!lock_archive(archive, &lock, error))
        return false;
    if (rename(path, pending) != 0 && errno != ENOENT)
        return failed(error, "rename", path);
    if (!file_sync_folder(repository_folder(repository), error))
        return false;
    test_point("record-removed");
    return remove_file(sidecar, error) && remove_file(archive, error) && remove_file(pending, error) &&
           file_sync_folder(repository_folder(repository), error);
}

/* ---- failed runs ---- */

/* The part of a file's name that is an id as record_new_id makes them, before a dot; NULL for other names. */
static char *id_of(const char *name)
{
    size_t length = strcspn(name, ".");
    OWNED char *id = text_copy_part(name, length);
    const char *time = "00000000T000000Z-", *hex = length > 6 ? id + length - 6 : "";

    if (name[length] != '.' || !record_id_is_valid(id) || length < strlen(time) + 8)
        return NULL;
    for (size_t i = 0; time[i]; i++)
        if (time[i] == '0' ? id[i] < '0' || id[i] > '9' : id[i] != time[i])
            return NULL;
    return hex[-1] == '-' && strspn(hex, "0123456789abcdef") == 6 ? take(id) : NULL;
}

static struct text_list names_in(const struct repository *repository)
{
    AUTO(error_clear) struct error ignored = {0};
    struct text_list names = {0};

    (void)!file_list(repository_folder(repository), &names, &ignored);
    return names;
}

/* "database\nmessage\n" of a note; NULL where it cannot be read. */
static char *read_note(const struct repository *repository, const char *name, char **ret_message)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = file_join(repository_folder(repository), name);
    OWNED char *text = NULL;
    size_t size;

    if (!file_read(path, &text, &size, &ignored))
        return NULL;
    size_t length = strcspn(text, "\n");
    *ret_message = text_copy(text + length + (text[length] == '\n'));
    (*ret_message)[strcspn(*ret_message, "\n")] = '\0';
    return text_copy_part(text, length);
}

static void forget_failures(const struct repository *repository, const char *database)
{
    AUTO(text_list_clear) struct text_list names = names_in(repository);

    for (size_t i = 0; i < names.count; i++) {
        OWNED char *message = NULL;
        OWNED char *about = NULL;
        if (!text_ends_with(names.items[i], ".failed"))
            continue;
        about = read_note(repository, names.items[i], &message);
        OWNED char *path = file_join(repository_folder(repository), names.items[i]);
        if (text_equal(about, database))
            unlink(path);
    }
}

void repository_note_failure(struct repository *repository, const char *id, const char *database,
                             const char *message)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = path_of(repository, id, ".failed");
    OWNED char *text = text_format("%s\n%s\n", database, message);

    forget_failures(repository, database);
    (void)!file_write_atomic(path, text, strlen(text), 0600, &ignored);
}

/* An id begins with the time in seconds: 20261123T032109Z. */
static int64_t seconds_of_id(const char *id)
{
    OWNED char *time =
        text_format("%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4, id + 6, id + 9, id + 11, id + 13);
    int64_t us = 0;

    return moment_parse(time, &us) ? us / 1000000 : 0;
}

/* The newest good backup of the database (NULL: of any), in seconds; 0: none. By its id, as the failed run is
 * known: the snapshot's time is that of the server's clock. */
static int64_t last_good(const struct records *records, const char *database)
{
    int64_t newest = 0;

    for (size_t i = 0; i < records->count; i++) {
        int64_t seconds = seconds_of_id(records->items[i]->id);
        if (seconds > newest && (!database || text_equal(records->items[i]->database, database)))
            newest = seconds;
    }
    return newest;
}

char *repository_failure(struct repository *repository, const struct records *records)
{
    AUTO(text_list_clear) struct text_list names = names_in(repository);

    for (size_t i = names.count; i-- > 0;) {
        OWNED char *id = id_of(names.items[i]), *message = NULL, *database = NULL;
        if (!id)
            continue;
        if (text_ends_with(names.items[i], ".failed"))
            database = read_note(repository, names.items[i], &message);
        else if (!text_ends_with(names.items[i], ".part"))
            continue;
        if (seconds_of_id(id) <= last_good(records, database))
            continue;
        if (!database)
            return text_format("The run %s ended without a result.", id);
        return text_format("The last backup of database \"%s\" (%s) failed: %s.", database, id, message);
    }
    return NULL;
}

/* ---- debris ---- */

static bool is_temporary(const char *name)
{
    return text_ends_with(name, ".part") || text_ends_with(name, ".tmp");
}

static bool is_debris(const struct repository *repository, const char *name)
{
    OWNED char *id = id_of(name);

    if (!id || text_ends_with(name, ".failed"))
        return false;
    if (is_temporary(name))
        return true;
    /* An archive whose record cannot be seen is none that has no record. */
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *record = path_of(repository, id, ".json");
    enum file_kind kind;
    return file_look(record, &kind, &ignored) && kind == FILE_MISSING;
}

/* A whole archive that no run of ours has left: who copied it forgot its record, or is about to copy it. One
 * that cannot be read may be whole. */
static bool lacks_only_record(const struct repository *repository, const char *name)
{
    AUTO(archive_reader_free) struct archive_reader *reader = NULL;
    AUTO(manifest_free) struct manifest *manifest = NULL;
    AUTO(error_clear) struct error error = {0};
    OWNED char *id = id_of(name), *text = NULL;
    OWNED char *archive = path_of(repository, id, ".tar"), *pending = path_of(repository, id, PENDING);
    size_t size;

    if (is_temporary(name) || file_exists(pending))
        return false;
    if (archive_reader_open(archive, &reader, &error) &&
        archive_reader_manifest(reader, &text, &size, &error) &&
        manifest_read(text, size, archive_reader_bytes(reader), &manifest, &error))
        return text_equal(manifest->id, id);
    return error.code != ERROR_BACKUP;
}

/* False where somebody reads it. */
static bool remove_debris(const char *path)
{
    AUTO(descriptor_close) struct descriptor lock = {-1};
    AUTO(error_clear) struct error ignored = {0};

    return lock_archive(path, &lock, &ignored) && unlink(path) == 0;
}

bool repository_debris(struct repository *repository, bool remove, struct text_list *ret_paths,
                       int64_t *ret_bytes, struct text_list *ret_kept, struct error *error)
{
    AUTO(text_list_clear) struct text_list names = {0};
    const char *folder = repository_folder(repository);
    struct stat status;
    bool there;

    *ret_bytes = 0;
    if (!repository_look(repository, &there, error))
        return false;
    if (!there)
        return true;
    if (!file_list(folder, &names, error))
        return false;
    for (size_t i = names.count; i-- > 0;) { /* a pending record after its archive */
        OWNED char *path = file_join(folder, names.items[i]);
        if (!is_debris(repository, names.items[i]) || lstat(path, &status) != 0)
            continue;
        if (lacks_only_record(repository, names.items[i])) {
            if (text_ends_with(names.items[i], ".tar"))
                text_list_add(ret_kept, take(path));
            continue;
        }
        if (remove && !remove_debris(path))
            continue;
        text_list_add(ret_paths, take(path));
        *ret_bytes += status.st_size;
    }
    return !remove || file_sync_folder(folder, error);
}

bool repository_reindex(struct repository *repository, size_t *ret_count, struct error *error)
{
    AUTO(records_clear) struct records records = {0};

    if (!catalog_remove(repository_folder(repository), error))
        return false;
    test_point("catalog-removed");
    if (!repository_list(repository, &records, NULL, error))
        return false;
    *ret_count = records.count;
    return true;
}
