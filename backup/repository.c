/* SPDX-License-Identifier: PostgreSQL */
#include "backup/repository.h"

#include "backup/catalog.h"
#include "common/interrupt.h"
#include "common/moment.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_NAME  "lock"
#define POLL_MS    100
#define SHOWN_NEAR 5 /* so many ids are named where one is ambiguous */

/* A clock set to another time zone's time, here or on the server, is no reason to pass by a backup. */
#define CLOCKS_DIFFER_US ((int64_t)24 * 60 * 60 * 1000000)

struct repository {
    char *folder;
    char *preferred; /* identifier of the server whose backups come first, or NULL */
    struct text_list passed_over;
    int lock; /* descriptor, or -1 */
};

/* ---- open, lock ---- */

bool repository_open(const char *folder, bool create, struct repository **ret, struct error *error)
{
    if (create && !file_make_folder(folder, 0700, error))
        return false;
    if (file_exists(folder) && !file_is_folder(folder))
        return error_set(error, ERROR_USAGE, "the repository \"%s\" is not a folder", folder);
    struct repository *repository = memory_allocate(1, sizeof *repository);
    repository->folder = text_copy(folder);
    repository->lock = -1;
    *ret = repository;
    return true;
}

void repository_free(struct repository *repository)
{
    if (!repository)
        return;
    if (repository->lock >= 0)
        close(repository->lock);
    free(repository->folder);
    free(repository->preferred);
    text_list_clear(&repository->passed_over);
    free(repository);
}

const char *repository_folder(const struct repository *repository)
{
    return repository->folder;
}

bool repository_look(const struct repository *repository, bool *ret_there, struct error *error)
{
    enum file_kind kind = FILE_MISSING;
    bool seen = file_look(repository->folder, &kind, error);

    *ret_there = kind != FILE_MISSING;
    return seen;
}

/* Who has written himself into the lock file; "another process" where it cannot be read. */
static char *holder(const char *path)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *text = NULL;
    size_t size;

    if (!file_read(path, &text, &size, &ignored) || size == 0)
        return text_copy("Another process holds its lock.");
    size_t pid = strspn(text, "0123456789");
    return text_format("Process %.*s (%.*s) holds its lock.", (int)pid, text,
                       (int)strcspn(text + pid + (text[pid] == ' '), "\n"), text + pid + (text[pid] == ' '));
}

/* True also where somebody else has it: *ret_mine says. */
static bool try_lock(int file, const char *path, bool *ret_mine, struct error *error)
{
    *ret_mine = flock(file, LOCK_EX | LOCK_NB) == 0;
    if (*ret_mine || errno == EWOULDBLOCK || errno == EINTR)
        return true;
    const char *reason = strerror(errno);
    return error_set(error, ERROR_FAILED, "could not lock \"%s\": %s", path, reason);
}

bool repository_lock(struct repository *repository, int64_t wait_ms, const char *command, struct error *error)
{
    OWNED char *path = file_join(repository->folder, LOCK_NAME);
    int64_t end = clock_ms() + wait_ms;
    bool mine = false;

    if (repository->lock < 0)
        repository->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (repository->lock < 0) {
        const char *reason = strerror(errno);
        return error_set(error, ERROR_FAILED, "could not open \"%s\": %s", path, reason);
    }
    while (try_lock(repository->lock, path, &mine, error)) {
        if (mine) {
            /* Only for people: what cannot be written is no reason not to work. */
            OWNED char *text = text_format("%ld %s\n", (long)getpid(), command);
            if (ftruncate(repository->lock, 0) != 0 || pwrite(repository->lock, text, strlen(text), 0) < 0)
                return true;
            return true;
        }
        if (clock_ms() >= end) {
            OWNED char *who = holder(path);
            error_set(error, ERROR_LOCKED, "the repository \"%s\" is in use", repository->folder);
            return error_detail(error, "%s", who);
        }
        if (!interrupt_sleep(POLL_MS))
            return interrupt_error(error);
    }
    return false;
}

bool repository_hold(const char *archive_path, int *ret_descriptor, struct error *error)
{
    struct stat status;
    int file = open(archive_path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        enum error_code code = errno == ENOENT ? ERROR_BACKUP : ERROR_FAILED;
        const char *reason = strerror(errno);
        return error_set(error, code, "could not open \"%s\": %s", archive_path, reason);
    }
    /* Who removes it holds the lock only for moments; without a name it is gone already. */
    if (flock(file, LOCK_SH | LOCK_NB) != 0 || fstat(file, &status) != 0 || status.st_nlink == 0) {
        close(file);
        return error_set(error, ERROR_LOCKED, "\"%s\" is being removed", archive_path);
    }
    *ret_descriptor = file;
    return true;
}

/* ---- what is there ---- */

void records_clear(struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        record_free(records->items[i]);
    free(records->items);
    *records = (struct records){0};
}

/* What a file was when it was read; one that is replaced gets another inode. */
static char *stamp_of(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return NULL;
    return text_format("%lld %lld.%09ld %llu", (long long)status.st_size, (long long)status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec, (unsigned long long)status.st_ino);
}

/* From the catalog, or from the file where that does not know it. */
static bool load_record(const char *path, struct catalog *catalog, struct record **ret, struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *stamp = stamp_of(path), *text = NULL;
    const char *known = stamp ? catalog_content(catalog, file_name(path), stamp) : NULL;
    size_t size;

    if (known && record_read(known, strlen(known), ret, &ignored))
        return true;
    if (!file_read(path, &text, &size, error) || !record_read(text, size, ret, error))
        return false;
    if (stamp)
        catalog_add(catalog, file_name(path), stamp, *ret, text);
    return true;
}

/* Whether its archive is what a record says: there, as large, with a whole footer. */
static bool check_archive(const struct repository *repository, const struct record *record,
                          struct error *error)
{
    AUTO(archive_reader_free) struct archive_reader *reader = NULL;
    OWNED char *archive = file_join(repository->folder, record->archive);

    if (!archive_reader_open(archive, &reader, error))
        return false;
    if (archive_reader_bytes(reader) != record->whole.bytes)
        return error_set(error, ERROR_BACKUP, "its archive has %lld bytes, not %lld",
                         (long long)archive_reader_bytes(reader), (long long)record->whole.bytes);
    return true;
}

/* The record of a file, and what is wrong with its archive. */
static bool read_record(const struct repository *repository, const char *name, struct catalog *catalog,
                        struct record **ret, struct error *error)
{
    AUTO(record_free) struct record *record = NULL;
    AUTO(error_clear) struct error problem = {0};
    OWNED char *path = file_join(repository->folder, name);

    if (!load_record(path, catalog, &record, error))
        return false;
    if (strlen(name) != strlen(record->id) + strlen(".json") || !text_starts_with(name, record->id))
        return error_set(error, ERROR_BACKUP, "it is the record of %s", record->id);
    if (!check_archive(repository, record, &problem))
        record->problem = text_copy(problem.message);
    record->ahead = record_taken_us(record) > moment_now() + CLOCKS_DIFFER_US;
    *ret = take(record);
    return true;
}

/* Of a folder that may be read and not searched the names are known, and nothing that is behind them. */
static bool read_names(const struct repository *repository, struct text_list *ret, struct error *error)
{
    OWNED char *inside = file_join(repository->folder, ".");
    enum file_kind kind;
    bool there;

    return repository_look(repository, &there, error) &&
           (!there || (file_list(repository->folder, ret, error) && file_look(inside, &kind, error)));
}

bool repository_list_all(struct repository *repository, struct records *ret, struct text_list *ret_problems,
                         struct error *error)
{
    AUTO(text_list_clear) struct text_list names = {0};
    AUTO(records_clear) struct records records = {0};
    AUTO(catalog_close) struct catalog *catalog = NULL;

    if (!read_names(repository, &names, error))
        return false;
    if (names.count > 0)
        catalog = catalog_open(repository->folder);
    for (size_t i = 0; i < names.count; i++) {
        AUTO(error_clear) struct error problem = {0};
        struct record *record = NULL;
        if (!text_ends_with(names.items[i], ".json"))
            continue;
        if (read_record(repository, names.items[i], catalog, &record, &problem)) {
            records.items = memory_grow(records.items, records.count, sizeof *records.items);
            records.items[records.count++] = record;
        } else if (ret_problems) {
            text_list_add(ret_problems, text_format("%s: %s", names.items[i], problem.message));
        }
    }
    if (records.count > 1)
        qsort(records.items, records.count, sizeof *records.items, record_newest_first);
    *ret = records;
    records = (struct records){0};
    return true;
}

bool repository_list(struct repository *repository, struct records *ret, struct text_list *ret_problems,
                     struct error *error)
{
    size_t kept = 0;

    if (!repository_list_all(repository, ret, ret_problems, error))
        return false;
    for (size_t i = 0; i < ret->count; i++) {
        struct record *record = ret->items[i];
        if (!record->problem) {
            ret->items[kept++] = record;
            continue;
        }
        if (ret_problems)
            text_list_add(ret_problems, text_format("%s.json: %s", record->id, record->problem));
        record_free(record);
    }
    ret->count = kept;
    return true;
}

/* ---- which one is meant ---- */

static bool is_of(const struct record *record, const char *database)
{
    return !database || text_equal(record->database, database);
}

/* One that is found and not named has to be good; who looks for it goes from the newest on. */
static bool is_good(struct repository *repository, const struct record *record)
{
    if (!record_is_damaged(record))
        return true;
    text_list_add(&repository->passed_over,
                  record->problem
                      ? text_format("backup %s is newer, but damaged: %s", record->id, record->problem)
                      : text_format("backup %s is newer, but was found damaged", record->id));
    return false;
}

const struct text_list *repository_passed_over(const struct repository *repository)
{
    return &repository->passed_over;
}

/* Where the server has backups of the database, those of other servers are left out: a database of that name
 * is on many. */
static void keep_own(const struct repository *repository, const char *database, struct records *records)
{
    size_t own = 0, kept = 0;

    for (size_t i = 0; i < records->count; i++)
        own += is_of(records->items[i], database) && !record_is_damaged(records->items[i]) &&
               text_equal(records->items[i]->system_identifier, repository->preferred);
    if (own == 0)
        return;
    for (size_t i = 0; i < records->count; i++)
        if (text_equal(records->items[i]->system_identifier, repository->preferred))
            records->items[kept++] = records->items[i];
        else
            record_free(records->items[i]);
    records->count = kept;
}

void repository_prefer(struct repository *repository, const char *system_identifier)
{
    free(repository->preferred);
    repository->preferred = text_copy(system_identifier);
}

/* Hand one record of a list out, with its archive. */
static bool give(struct repository *repository, struct records *records, size_t place, struct record **ret,
                 char **ret_archive_path)
{
    *ret = take(records->items[place]);
    *ret_archive_path = file_join(repository->folder, (*ret)->archive);
    return true;
}

/* One that is found and not named; of a record that cannot be read only the name tells when it was made. */
static bool choose(struct repository *repository, struct records *records, const struct text_list *problems,
                   size_t place, struct record **ret, char **ret_archive_path)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strcmp(problems->items[i], records->items[place]->id) > 0)
            text_list_add(&repository->passed_over, text_copy(problems->items[i]));
    for (size_t i = place + 1; i < records->count && !records->items[place]->ahead; i++)
        if (records->items[i]->ahead && is_of(records->items[i], records->items[place]->database))
            text_list_add(&repository->passed_over,
                          text_format("backup %s is passed over: its time, %s, has not come yet",
                                      records->items[i]->id, records->items[i]->taken_at));
    return give(repository, records, place, ret, ret_archive_path);
}

static bool is_path(const char *word)
{
    return strchr(word, '/') || text_ends_with(word, ".tar");
}

/* An archive by its path; it may have come without its record. */
static bool find_path(const char *path, struct record **ret, char **ret_archive_path, struct error *error)
{
    OWNED char *stem = text_copy_part(path, strlen(path) - (text_ends_with(path, ".tar") ? 4 : 0));
    OWNED char *record_path = text_format("%s.json", stem);
    OWNED char *text = NULL;
    enum file_kind archive, beside;
    size_t size;

    if (!file_look(path, &archive, error) || !file_look(record_path, &beside, error))
        return false;
    if (archive == FILE_MISSING)
        return error_set(error, ERROR_BACKUP, "there is no archive \"%s\"", path);
    *ret = NULL;
    if (beside != FILE_MISSING &&
        (!file_read(record_path, &text, &size, error) || !record_read(text, size, ret, error)))
        return error_prefix(error, "could not read \"%s\"", record_path);
    *ret_archive_path = text_copy(path);
    return true;
}

static bool none(const struct repository *repository, const char *database, const char *which,
                 struct error *error)
{
    error_set(error, ERROR_BACKUP, "there is no backup%s%s%s%s", database ? " of database \"" : "",
              database ? database : "", database ? "\"" : "", which);
    if (repository->passed_over.count == 0)
        return error_detail(error, "The repository is \"%s\".", repository->folder);
    return error_detail(error, "The repository is \"%s\"; %zu in it cannot be used.", repository->folder,
                        repository->passed_over.count);
}

/* What begins with the word was found more than once, or not at all. */
static bool not_one(const struct repository *repository, const struct records *records,
                    const struct text_list *problems, const char *word, struct error *error)
{
    AUTO(text_list_clear) struct text_list near = {0};
    OWNED const char **ids = memory_allocate(records->count + 1, sizeof *ids);

    for (size_t i = 0; i < records->count; i++) {
        ids[i] = records->items[i]->id;
        if (*word && text_starts_with(ids[i], word) && near.count < SHOWN_NEAR)
            text_list_add(&near, text_copy(ids[i]));
    }
    if (near.count > 0) {
        OWNED char *listed = text_list_join(&near, ", ");
        error_set(error, ERROR_BACKUP, "\"%s\" is the beginning of more than one backup's id", word);
        return error_detail(error, "Among them are %s.", listed);
    }
    error_set(error, ERROR_BACKUP, "there is no backup \"%s\"", word);
    for (size_t i = 0; i < problems->count; i++)
        if (*word && text_starts_with(problems->items[i], word))
            return error_detail(error, "%s.", problems->items[i]);
    error_detail(error, "The repository is \"%s\".", repository->folder);
    const char *nearest = text_nearest(word, ids);
    return nearest ? error_hint(error, "Did you mean \"%s\"?", nearest) : false;
}

static bool find_id(struct repository *repository, struct records *records, const struct text_list *problems,
                    const char *word, size_t *ret, struct error *error)
{
    size_t matches = 0;

    for (size_t i = 0; i < records->count; i++) {
        bool whole = text_equal(records->items[i]->id, word);
        if (!whole && !(*word && text_starts_with(records->items[i]->id, word)))
            continue;
        *ret = i;
        matches++;
        if (whole)
            return true;
    }
    return matches == 1 || not_one(repository, records, problems, word, error);
}

/* Everything, to choose from. */
static bool list_for(struct repository *repository, const char *database, struct records *ret,
                     struct text_list *ret_problems, struct error *error)
{
    text_list_clear(&repository->passed_over);
    if (!repository_list_all(repository, ret, ret_problems, error))
        return false;
    keep_own(repository, database, ret);
    return true;
}

static bool find_latest(struct repository *repository, const char *database, struct record **ret,
                        char **ret_archive_path, struct error *error)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};

    if (!list_for(repository, database, &records, &problems, error))
        return false;
    for (size_t i = 0; i < records.count; i++)
        if (is_of(records.items[i], database) && is_good(repository, records.items[i]))
            return choose(repository, &records, &problems, i, ret, ret_archive_path);
    return none(repository, database, "", error);
}

bool repository_find(struct repository *repository, const char *word, const char *database,
                     struct record **ret, char **ret_archive_path, struct error *error)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};
    size_t place = 0;

    if (is_path(word))
        return find_path(word, ret, ret_archive_path, error);
    if (text_equal(word, "latest"))
        return find_latest(repository, database, ret, ret_archive_path, error);
    return repository_list_all(repository, &records, &problems, error) &&
           find_id(repository, &records, &problems, word, &place, error) &&
           give(repository, &records, place, ret, ret_archive_path);
}

bool repository_find_unverified(struct repository *repository, struct record **ret, char **ret_archive_path,
                                struct error *error)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};

    if (!list_for(repository, NULL, &records, &problems, error))
        return false;
    for (size_t i = 0; i < records.count; i++)
        if (!text_equal(records.items[i]->verified_how, "damaged") || is_good(repository, records.items[i]))
            return choose(repository, &records, &problems, i, ret, ret_archive_path);
    return none(repository, NULL, "", error);
}

/* Whether the migration was applied after the backup at place, the last time. A backup taken after it was
 * rolled back has the damage in it that it may have done: that is no one from before, unless it was applied
 * again. The newest are first. */
static bool is_before(const struct records *records, size_t place, const char *version)
{
    const struct record *record = records->items[place];
    bool applied_later = false, applied_ever = false;

    for (size_t i = 0; i < records->count; i++) {
        bool held = text_equal(records->items[i]->database, record->database) &&
                    record_lists(&records->items[i]->migrations, version);
        applied_ever = applied_ever || held;
        applied_later = applied_later || (held && i < place);
    }
    return !record_lists(&record->migrations, version) &&
           (record_lists(&record->before, version) || applied_later ||
            (!applied_ever && !record_lists(&record->rolled_back, version)));
}

/* One that tells of no migration while an older one does was made where the history was not found: nobody
 * knows which are in it. */
static bool is_blind(const struct records *records, size_t place)
{
    const struct record *record = records->items[place];

    for (size_t i = place + 1; i < records->count && !record_tells_migrations(record); i++)
        if (text_equal(records->items[i]->database, record->database) &&
            record_tells_migrations(records->items[i]))
            return true;
    return false;
}

static bool is_known(const struct records *records, const char *database, const char *version)
{
    for (size_t i = 0; i < records->count; i++)
        if (is_of(records->items[i], database) && record_has_seen(records->items[i], version))
            return true;
    return false;
}

static void pass_over(struct repository *repository, const struct record *record, bool blind,
                      const char *version)
{
    text_list_add(&repository->passed_over,
                  blind ? text_format("backup %s is passed over: it does not tell which migrations it holds, "
                                      "as where the history was looked for under another name",
                                      record->id)
                        : text_format("backup %s is newer, but was taken after migration \"%s\" had been "
                                      "applied and rolled back: name it if it is the one you want",
                                      record->id, version));
}

bool repository_find_before(struct repository *repository, const char *version, const char *database,
                            struct record **ret, char **ret_archive_path, bool *ret_known,
                            struct error *error)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};
    OWNED char *which = text_format(" from before migration \"%s\"", version);

    if (*version == '\0' || text_equal(version, "latest"))
        return error_set(error, ERROR_USAGE, "\"%s\" is no version of a migration", version);
    if (!list_for(repository, database, &records, &problems, error))
        return false;
    *ret_known = is_known(&records, database, version);
    bool told = false;
    for (size_t i = 0; i < records.count; i++) {
        const struct record *record = records.items[i];
        if (!is_of(record, database) || record_lists(&record->migrations, version))
            continue;
        bool blind = is_blind(&records, i), before = !blind && is_before(&records, i, version);
        if (before && is_good(repository, record))
            return choose(repository, &records, &problems, i, ret, ret_archive_path);
        if (!before && !told && !record_is_damaged(record)) {
            pass_over(repository, record, blind, version);
            told = true;
        }
    }
    return none(repository, database, which, error);
}

bool repository_find_before_time(struct repository *repository, const char *time, const char *database,
                                 struct record **ret, char **ret_archive_path, struct error *error)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};
    OWNED char *which = text_format(" from %s or before", time);
    int64_t us;

    if (!moment_parse(time, &us)) {
        error_set(error, ERROR_USAGE, "\"%s\" is not a time", time);
        return error_hint(error, "Write it as 2026-11-23T03:00:00Z, or with an offset such as +02:00.");
    }
    if (!list_for(repository, database, &records, &problems, error))
        return false;
    for (size_t i = 0; i < records.count; i++)
        if (is_of(records.items[i], database) && record_taken_us(records.items[i]) <= us &&
            is_good(repository, records.items[i]))
            return choose(repository, &records, &problems, i, ret, ret_archive_path);
    return none(repository, database, which, error);
}
