/* SPDX-License-Identifier: PostgreSQL */
#include "backup/verify.h"

#include "backup/footer.h"
#include "backup/tasks.h"
#include "backup/verify_decode.h"
#include <inttypes.h>
#include <pthread.h>
#include <sys/stat.h>

struct verifying {
    const struct verify_options *options;
    const struct record *record;
    struct archive_reader *reader;
    struct manifest *manifest;              /* NULL where it cannot be read */
    const struct manifest_member **members; /* by offset */
    size_t count;
    bool *damaged; /* by place in the manifest */
    struct verify_result *result;
};

void verify_problem(struct verify_result *result, const char *member, char *text)
{
    result->problems = memory_grow(result->problems, result->count, sizeof *result->problems);
    result->problems[result->count++] = (struct verify_problem){text_copy(member), text};
}

void verify_result_clear(struct verify_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        free(result->problems[i].member);
        free(result->problems[i].problem);
    }
    free(result->problems);
    *result = (struct verify_result){0};
}

static void verifying_clear(struct verifying *verifying)
{
    archive_reader_free(verifying->reader);
    manifest_free(verifying->manifest);
    free(verifying->members);
    free(verifying->damaged);
}
CLEANUP_VALUE(struct verifying, verifying_clear)

static void damaged(struct verifying *verifying, const struct manifest_member *member, char *text)
{
    verify_problem(verifying->result, member->name, text);
    verifying->damaged[member - verifying->manifest->members] = true;
}

/* A failure that tells of the backup becomes a problem of it; any other stays a failure. */
static bool as_problem(struct verifying *verifying, const char *member, struct error *error)
{
    if (error->code != ERROR_BACKUP)
        return false;
    verify_problem(verifying->result, member,
                   error->detail ? text_format("%s: %s", error->message, error->detail)
                                 : text_copy(error->message));
    error_clear(error);
    return true;
}

/* ---- structure ---- */

static int by_offset(const void *a, const void *b)
{
    int64_t left = (*(const struct manifest_member *const *)a)->place.offset;
    int64_t right = (*(const struct manifest_member *const *)b)->place.offset;

    return (left > right) - (left < right);
}

static bool read_manifest(struct verifying *verifying, struct error *error)
{
    struct archive_reader *reader = verifying->reader;
    OWNED char *text = NULL;
    size_t size;

    if (!archive_reader_manifest(reader, &text, &size, error) ||
        !manifest_read(text, size, archive_reader_bytes(reader), &verifying->manifest, error))
        return as_problem(verifying, "manifest.json", error);
    const struct manifest *manifest = verifying->manifest;
    verifying->count = verifying->result->members = manifest->member_count;
    verifying->members = memory_allocate(manifest->member_count + 1, sizeof *verifying->members);
    verifying->damaged = memory_allocate(manifest->member_count + 1, sizeof *verifying->damaged);
    for (size_t i = 0; i < manifest->member_count; i++) {
        verifying->members[i] = &manifest->members[i];
        if (manifest->members[i].raw_size != manifest->members[i].place.size &&
            !text_ends_with(manifest->members[i].name, ".zst"))
            damaged(verifying, &manifest->members[i], text_copy("has two sizes in the manifest"));
    }
    qsort(verifying->members, manifest->member_count, sizeof *verifying->members, by_offset);
    return !verifying->record || record_matches(verifying->record, manifest, error) ||
           as_problem(verifying, "record", error);
}

/* The tar's own headers beside the manifest, both in the order of the file. */
struct walk {
    struct verifying *verifying;
    size_t next; /* of the members */
    int ends;    /* manifest and footer seen */
};

static void missing(struct walk *walk, const struct manifest_member *member)
{
    damaged(walk->verifying, member, text_copy("is not in the tar"));
}

static bool visit(void *context, const char *name, int64_t offset, int64_t size, struct error *error)
{
    struct walk *walk = context;
    struct verifying *verifying = walk->verifying;

    (void)error;
    if (!verifying->manifest) /* nothing to compare with; only damaged headers can be found */
        return true;
    while (walk->next < verifying->count && verifying->members[walk->next]->place.offset < offset)
        missing(walk, verifying->members[walk->next++]);
    const struct manifest_member *member =
        walk->next < verifying->count ? verifying->members[walk->next] : NULL;
    if (member && member->place.offset == offset) {
        if (strcmp(member->name, name) != 0)
            damaged(verifying, member, text_format("is called \"%s\" in the tar", name));
        else if (member->place.size != size)
            damaged(verifying, member,
                    text_format("has %" PRId64 " bytes in the tar, not %" PRId64, size, member->place.size));
        walk->next++;
        return true;
    }
    if (walk->ends == 0 && strcmp(name, "manifest.json") == 0)
        walk->ends = 1;
    else if (walk->ends == 1 && strcmp(name, FOOTER_NAME) == 0)
        walk->ends = 2;
    else
        verify_problem(verifying->result, name, text_copy("is in the tar, but not in the manifest"));
    return true;
}

static bool check_headers(struct verifying *verifying, struct error *error)
{
    struct walk walk = {.verifying = verifying};

    if (archive_reader_walk(verifying->reader, visit, &walk, error)) {
        for (; walk.next < verifying->count; walk.next++)
            missing(&walk, verifying->members[walk.next]);
        if (verifying->manifest && walk.ends < 2)
            verify_problem(verifying->result, "manifest.json", text_copy("is not in the tar"));
        return true;
    }
    /* The header that is damaged is the one before the next member. */
    return as_problem(verifying,
                      walk.next < verifying->count ? verifying->members[walk.next]->name
                      : walk.ends == 0             ? "manifest.json"
                                                   : FOOTER_NAME,
                      error);
}

/* ---- digests ---- */

/* Members are hashed by several threads. */
struct hashing {
    struct verifying *verifying;
    int64_t total; /* bytes that will be hashed */
    _Atomic int64_t done;
    atomic_size_t next; /* of the members */
    atomic_bool stop;
    pthread_mutex_t lock; /* of verifying->result and ->damaged */
};

static bool hashed(void *context, int64_t bytes)
{
    struct hashing *hashing = context;

    hashing->done += bytes;
    return !hashing->stop;
}

static bool hash_member(struct hashing *hashing, const struct manifest_member *member, struct error *error)
{
    struct verifying *verifying = hashing->verifying;
    AUTO(digest_free) struct digest *digest = digest_new();
    char sha256[DIGEST_HEX_SIZE];
    bool good = archive_reader_digest(verifying->reader, member->place.offset, member->place.size, hashed,
                                      hashing, digest, error);

    digest_finish(take(digest), sha256);
    if (good && (hashing->stop || strcmp(sha256, member->place.sha256) == 0))
        return true;
    pthread_mutex_lock(&hashing->lock);
    if (good)
        damaged(verifying, member, text_copy("has another content: its SHA-256 is not the manifest's"));
    else
        good = as_problem(verifying, member->name, error);
    pthread_mutex_unlock(&hashing->lock);
    return good;
}

static bool hash_members(void *context, size_t number, struct error *error)
{
    struct hashing *hashing = context;
    size_t place = 0;

    (void)number;
    while (!hashing->stop && (place = hashing->next++) < hashing->verifying->count)
        if (!hash_member(hashing, hashing->verifying->members[place], error))
            return false;
    return true;
}

static bool hash_whole(void *context, size_t number, struct error *error)
{
    struct hashing *hashing = context;
    struct verifying *verifying = hashing->verifying;
    AUTO(digest_free) struct digest *digest = digest_new();
    char sha256[DIGEST_HEX_SIZE];
    bool good = archive_reader_digest(verifying->reader, 0, archive_reader_bytes(verifying->reader), hashed,
                                      hashing, digest, error);

    (void)number;
    digest_finish(take(digest), sha256);
    if (good && (hashing->stop || strcmp(sha256, verifying->record->whole.sha256) == 0))
        return true;
    pthread_mutex_lock(&hashing->lock);
    if (good)
        verify_problem(verifying->result, "archive",
                       text_copy("has another content: its SHA-256 is not the record's"));
    else
        good = as_problem(verifying, "archive", error);
    pthread_mutex_unlock(&hashing->lock);
    return good;
}

static void hashing_tick(void *context)
{
    struct hashing *hashing = context;
    const struct verify_options *options = hashing->verifying->options;

    if (options->tick)
        options->tick(options->context, hashing->done, hashing->total);
}

/* Where the outline cannot prove all that is not a member, the whole file's digest does. */
static bool wants_whole(const struct verifying *verifying)
{
    return verifying->record && (verifying->options->decode || !verifying->manifest ||
                                 *verifying->record->whole.outline_sha256 == '\0');
}

static bool check_contents(struct verifying *verifying, struct error *error)
{
    size_t count = 0, most = (size_t)verifying->options->jobs;
    OWNED struct task *tasks = memory_allocate(most + 1, sizeof *tasks);
    int64_t bytes = archive_reader_bytes(verifying->reader);
    struct hashing hashing = {.verifying = verifying, .lock = PTHREAD_MUTEX_INITIALIZER};

    for (; count < most; count++)
        tasks[count] = (struct task){.run = hash_members, .number = count};
    if (wants_whole(verifying))
        tasks[count++] = (struct task){.run = hash_whole};
    hashing.total = count > most ? bytes * 2 : bytes;
    return tasks_run(tasks, count, &hashing.stop, hashing_tick, &hashing, error);
}

/* What is behind a member fills its last block with zeros. */
static bool check_padding(struct verifying *verifying, const struct manifest_member *member,
                          struct error *error)
{
    static const char zeros[512];
    char padding[512];
    int64_t end = member->place.offset + member->place.size;
    size_t size = (size_t)(-end & 511);

    if (!archive_reader_read(verifying->reader, end, padding, size, error))
        return false;
    if (memcmp(padding, zeros, size) != 0)
        verify_problem(verifying->result, member->name, text_copy("is followed by bytes that are not zero"));
    return true;
}

/* All that is not a member's content: see archive.h. */
static bool check_outline(struct verifying *verifying, struct error *error)
{
    const struct record *record = verifying->record;
    AUTO(digest_free) struct digest *digest = digest_new();
    char sha256[DIGEST_HEX_SIZE];
    int64_t at = 0;

    if (!verifying->manifest)
        return true;
    for (size_t i = 0; i < verifying->count; i++) {
        const struct manifest_member *member = verifying->members[i];
        const struct archive_place *place = &member->place;
        if (!archive_reader_digest(verifying->reader, at, place->offset - at, NULL, NULL, digest, error) ||
            !check_padding(verifying, member, error))
            return as_problem(verifying, "archive", error);
        digest_add(digest, place->sha256, DIGEST_HEX_SIZE - 1);
        at = place->offset + place->size;
    }
    if (!archive_reader_digest(verifying->reader, at, archive_reader_bytes(verifying->reader) - at, NULL,
                               NULL, digest, error))
        return as_problem(verifying, "archive", error);
    digest_finish(take(digest), sha256);
    if (record && *record->whole.outline_sha256 && strcmp(sha256, record->whole.outline_sha256) != 0)
        verify_problem(verifying->result, "archive",
                       text_copy("has another outline: the SHA-256 of what is around its members is not the "
                                 "record's"));
    return true;
}

/* A sidecar that does not say what the archive is would be believed by "sha256sum -c". */
static bool check_sidecar(struct verifying *verifying, const char *archive_path, struct error *error)
{
    OWNED char *path = text_format("%s.sha256", archive_path);
    OWNED char *expected =
        text_format("%s  %s\n", verifying->record->whole.sha256, verifying->record->archive);
    OWNED char *text = NULL;
    size_t size;

    if (!file_exists(path))
        return true; /* an archive may travel without it */
    if (!file_read(path, &text, &size, error))
        return false;
    if (strcmp(text, expected) != 0)
        verify_problem(verifying->result, file_name(path), text_copy("is not the digest of the record"));
    return true;
}

/* Where nothing is missing, what cannot be read at its end is the footer. */
static bool has_size(const char *path, const struct record *record)
{
    struct stat status;

    return record && stat(path, &status) == 0 && status.st_size == record->whole.bytes;
}

bool verify_run(const char *archive_path, const struct record *record, const struct verify_options *options,
                struct verify_result *ret, struct error *error)
{
    AUTO(verify_result_clear) struct verify_result result = {0};
    AUTO(verifying_clear)
    struct verifying verifying = {.options = options, .record = record, .result = &result};

    if (!record)
        verify_problem(&result, "record", text_copy("is not beside the archive"));
    else if (!check_sidecar(&verifying, archive_path, error))
        return false;
    if (!archive_reader_open(archive_path, &verifying.reader, error)) {
        if (!as_problem(&verifying, has_size(archive_path, record) ? FOOTER_NAME : "archive", error))
            return false;
    } else {
        result.bytes = archive_reader_bytes(verifying.reader);
        if (record && record->whole.bytes != result.bytes)
            verify_problem(
                &result, "archive",
                text_format("has %" PRId64 " bytes, not %" PRId64, result.bytes, record->whole.bytes));
        if (!read_manifest(&verifying, error) || !check_headers(&verifying, error) ||
            !check_contents(&verifying, error) || !check_outline(&verifying, error))
            return false;
        if (options->decode && verifying.manifest &&
            !verify_decode(verifying.reader, verifying.manifest, verifying.damaged, options->jobs, &result,
                           error))
            return false;
    }
    *ret = result;
    result = (struct verify_result){0};
    return true;
}
