/* SPDX-License-Identifier: PostgreSQL */
#include "backup/verify.h"

#include "backup/footer.h"
#include "backup/verify_decode.h"
#include "common/interrupt.h"
#include <inttypes.h>
#include <pthread.h>
#include <sys/stat.h>

#define PIECE ((size_t)4 << 20) /* read at once */

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

/* One pass over the file; members are hashed from the pieces that the file is hashed from. */
struct pass {
    struct verifying *verifying;
    const char *piece;
    int64_t offset; /* of the piece */
    size_t size;
    size_t next;           /* the member being hashed */
    struct digest *digest; /* of it, once it has begun */
    bool dirty;            /* a byte of the padding behind it is not zero */
};

/* The part of [from, from + length) that is in the piece. */
static size_t overlap(const struct pass *pass, int64_t from, int64_t length, const char **ret)
{
    int64_t end = from + length, piece_end = pass->offset + (int64_t)pass->size;
    int64_t begin = from > pass->offset ? from : pass->offset;

    if (end > piece_end)
        end = piece_end;
    *ret = begin < end ? pass->piece + (begin - pass->offset) : pass->piece;
    return begin < end ? (size_t)(end - begin) : 0;
}

static void end_member(struct pass *pass, const struct manifest_member *member)
{
    char sha256[DIGEST_HEX_SIZE];

    digest_finish(take(pass->digest), sha256);
    if (strcmp(sha256, member->place.sha256) != 0)
        damaged(pass->verifying, member, text_copy("has another content: its SHA-256 is not the manifest's"));
    if (pass->dirty)
        verify_problem(pass->verifying->result, member->name,
                       text_copy("is followed by bytes that are not zero"));
    pass->dirty = false;
    pass->next++;
}

static void *hash_members(void *context)
{
    struct pass *pass = context;
    int64_t piece_end = pass->offset + (int64_t)pass->size;

    while (pass->next < pass->verifying->count) {
        const struct manifest_member *member = pass->verifying->members[pass->next];
        int64_t end = member->place.offset + member->place.size, padding = -end & 511;
        const char *data;
        if (member->place.offset > piece_end)
            break;
        if (!pass->digest)
            pass->digest = digest_new();
        size_t size = overlap(pass, member->place.offset, member->place.size, &data);
        digest_add(pass->digest, data, size);
        size = overlap(pass, end, padding, &data);
        for (size_t i = 0; i < size; i++)
            pass->dirty = pass->dirty || data[i] != '\0';
        if (end + padding > piece_end)
            break;
        end_member(pass, member);
    }
    return NULL;
}

/* Two cores hash faster than one: the file here, its members there. */
static void hash_piece(struct pass *pass, struct digest *whole)
{
    pthread_t thread;
    bool beside = pass->verifying->options->jobs > 1 && pass->next < pass->verifying->count &&
                  pthread_create(&thread, NULL, hash_members, pass) == 0;

    digest_add(whole, pass->piece, pass->size);
    if (beside)
        pthread_join(thread, NULL);
    else
        hash_members(pass);
}

static bool check_digests(struct verifying *verifying, struct error *error)
{
    int64_t bytes = archive_reader_bytes(verifying->reader);
    OWNED char *piece = memory_allocate(PIECE, 1);
    AUTO(digest_free) struct digest *whole = digest_new();
    struct pass pass = {.verifying = verifying, .piece = piece};
    char sha256[DIGEST_HEX_SIZE];

    for (; pass.offset < bytes; pass.offset += (int64_t)pass.size) {
        pass.size = bytes - pass.offset < (int64_t)PIECE ? (size_t)(bytes - pass.offset) : PIECE;
        bool interrupted = interrupt_signal() != 0;
        if (interrupted || !archive_reader_read(verifying->reader, pass.offset, piece, pass.size, error)) {
            digest_free(pass.digest);
            return interrupted ? interrupt_error(error) : as_problem(verifying, "archive", error);
        }
        hash_piece(&pass, whole);
        if (verifying->options->tick)
            verifying->options->tick(verifying->options->context, pass.offset + (int64_t)pass.size, bytes);
    }
    digest_free(pass.digest);
    digest_finish(take(whole), sha256);
    if (verifying->record && strcmp(sha256, verifying->record->sha256) != 0)
        verify_problem(verifying->result, "archive",
                       text_copy("has another content: its SHA-256 is not the record's"));
    return true;
}

/* A sidecar that does not say what the archive is would be believed by "sha256sum -c". */
static bool check_sidecar(struct verifying *verifying, const char *archive_path, struct error *error)
{
    OWNED char *path = text_format("%s.sha256", archive_path);
    OWNED char *expected = text_format("%s  %s\n", verifying->record->sha256, verifying->record->archive);
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

    return record && stat(path, &status) == 0 && status.st_size == record->bytes;
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
        if (record && record->bytes != result.bytes)
            verify_problem(&result, "archive",
                           text_format("has %" PRId64 " bytes, not %" PRId64, result.bytes, record->bytes));
        if (!read_manifest(&verifying, error) || !check_headers(&verifying, error) ||
            !check_digests(&verifying, error))
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
