/* SPDX-License-Identifier: PostgreSQL */
#include "backup/record.h"

#include "backup/json.h"
#include "common/moment.h"
#include <ctype.h>
#include <sys/random.h>

#define FORMAT 1
#define MOST   ((int64_t)1 << 53)
#define SEAL   "record_sha256"

#define LONGEST_ID   100
#define LONGEST_NAME 40 /* of a database, in an id */

static const char *const how_words[] = {"digest", "decode", "damaged", NULL};

bool record_is_damaged(const struct record *record)
{
    return record->problem || text_equal(record->verified_how, "damaged");
}

int64_t record_taken_us(const struct record *record)
{
    int64_t us = 0;

    return moment_parse(record->taken_at, &us) ? us : 0;
}

int record_newest_first(const void *a, const void *b)
{
    const struct record *left = *(const struct record *const *)a, *right = *(const struct record *const *)b;
    int64_t l = record_taken_us(left), r = record_taken_us(right);

    if (left->ahead != right->ahead)
        return left->ahead - right->ahead;
    return l != r ? (l < r) - (l > r) : strcmp(right->id, left->id);
}

void record_free(struct record *record)
{
    if (!record)
        return;
    char *const texts[] = {
        record->id,
        record->archive,
        record->database,
        record->system_identifier,
        record->lsn,
        record->server_version,
        record->pg_dump_version,
        record->tool_version,
        record->taken_at,
        record->finished_at,
        record->command,
        record->tag,
        record->kept_reason,
        record->verified_at,
        record->verified_how,
        record->tested_at,
        record->last_migration,
        record->problem,
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    text_list_clear(&record->migrations);
    text_list_clear(&record->rolled_back);
    text_list_clear(&record->before);
    free(record);
}

static char *archive_name(const char *id)
{
    return text_format("%s.tar", id);
}

struct record *record_new(const struct manifest *manifest)
{
    struct record *record = memory_allocate(1, sizeof *record);

    record->id = text_copy(manifest->id);
    record->archive = archive_name(manifest->id);
    record->database = text_copy(manifest->database);
    record->system_identifier = text_copy(manifest->system_identifier);
    record->server_version = text_copy(manifest->server_version);
    record->pg_dump_version = text_copy(manifest->pg_dump_version);
    record->tool_version = text_copy(manifest->tool_version);
    record->taken_at = text_copy(manifest->taken_at);
    record->lsn = text_copy(manifest->lsn);
    record->tag = text_copy(manifest->tag);
    record->raw_bytes = manifest_raw_bytes(manifest);
    record->tables = (int64_t)manifest->table_count;
    record->rows = manifest_rows(manifest);
    record->warnings = (int64_t)manifest->warnings.count;
    for (size_t i = 0; i < manifest->table_count; i++)
        record->skipped += manifest->tables[i].source == TABLE_SKIPPED;
    for (size_t i = 0; i < manifest->migration_count; i++)
        text_list_add(&record->migrations, text_copy(manifest->migrations[i].version));
    for (size_t i = 0; i < manifest->rolled_back.count; i++)
        text_list_add(&record->rolled_back, text_copy(manifest->rolled_back.items[i]));
    for (size_t i = 0; i < manifest->before.count; i++)
        text_list_add(&record->before, text_copy(manifest->before.items[i]));
    record->last_migration = text_copy(manifest_last_migration(manifest));
    return record;
}

/* ---- writing ---- */

/* The digest of everything else, whatever order and white space it stands in. */
static void seal(const json_t *top, char ret[DIGEST_HEX_SIZE])
{
    OWNED char *text = json_dumps(top, JSON_COMPACT | JSON_SORT_KEYS);

    digest_sha256(text, strlen(text), ret);
}

char *record_write(const struct record *record, size_t *ret_size)
{
    AUTO(json_release) json_t *top = json_object();
    char sha256[DIGEST_HEX_SIZE];

    json_put_integer(top, "format", FORMAT);
    json_put_text(top, "id", record->id);
    json_put_text(top, "archive", record->archive);
    json_put_text(top, "database", record->database);
    json_put_text(top, "system_identifier", record->system_identifier);
    json_put_text(top, "server_version", record->server_version);
    json_put_text(top, "pg_dump_version", record->pg_dump_version);
    json_put_text(top, "tool_version", record->tool_version);
    json_put_text(top, "taken_at", record->taken_at);
    json_put_text(top, "finished_at", record->finished_at);
    json_put_text(top, "lsn", record->lsn);
    json_put_integer(top, "bytes", record->whole.bytes);
    json_put_integer(top, "raw_bytes", record->raw_bytes);
    json_put_text(top, "sha256", record->whole.sha256);
    json_put_text(top, "outline_sha256", *record->whole.outline_sha256 ? record->whole.outline_sha256 : NULL);
    json_put_integer(top, "milliseconds", record->milliseconds);
    json_put_integer(top, "tables", record->tables);
    json_put_integer(top, "rows", record->rows);
    json_put_integer(top, "jobs", record->jobs);
    json_put_integer(top, "level", record->level);
    json_put_text(top, "command", record->command);
    json_put_text(top, "tag", record->tag);
    json_put_texts(top, "migrations", &record->migrations);
    json_put_texts(top, "rolled_back", &record->rolled_back);
    json_put_texts(top, "before", &record->before);
    json_put_text(top, "last_migration", record->last_migration);
    json_put_integer(top, "skipped", record->skipped);
    json_put_integer(top, "warnings", record->warnings);
    json_put_bool(top, "kept", record->kept);
    json_put_text(top, "kept_reason", record->kept_reason);
    json_put_text(top, "verified_at", record->verified_at);
    json_put_text(top, "verified_how", record->verified_how);
    json_put_text(top, "tested_at", record->tested_at);
    json_put_integer(top, "tested_ms", record->tested_ms);
    seal(top, sha256);
    json_put_text(top, SEAL, sha256);

    char *text = json_dumps(top, JSON_INDENT(1));
    *ret_size = strlen(text);
    return text;
}

/* ---- reading ---- */

static bool read_format(struct json_reader *reader, const json_t *top)
{
    int64_t format = json_take_integer(reader, top, "format", 1, INT32_MAX);

    if (!json_is_good(reader) || format <= FORMAT)
        return json_is_good(reader);
    OWNED char *version = json_take_text(reader, top, "tool_version");
    error_set(reader->error, ERROR_BACKUP, "the record has format %d; this pgmigrate reads up to %d",
              (int)format, FORMAT);
    return error_hint(reader->error, "It was written by pgmigrate %s: use that version or a newer one.",
                      version);
}

static void read_marks(struct json_reader *reader, const json_t *top, struct record *record)
{
    record->kept = json_take_bool(reader, top, "kept");
    record->kept_reason = json_take_optional_text(reader, top, "kept_reason");
    record->verified_at = json_take_optional_time(reader, top, "verified_at");
    record->verified_how = json_take_optional_text(reader, top, "verified_how");
    if (record->verified_how)
        (void)json_take_word(reader, top, "verified_how", how_words);
    record->tested_at = json_take_optional_time(reader, top, "tested_at");
    record->tested_ms = json_take_integer(reader, top, "tested_ms", 0, MOST);
}

static void read_fields(struct json_reader *reader, const json_t *top, struct record *record)
{
    record->id = json_take_text(reader, top, "id");
    record->archive = json_take_text(reader, top, "archive");
    record->database = json_take_text(reader, top, "database");
    record->system_identifier = json_take_text(reader, top, "system_identifier");
    record->server_version = json_take_text(reader, top, "server_version");
    record->pg_dump_version = json_take_text(reader, top, "pg_dump_version");
    record->tool_version = json_take_text(reader, top, "tool_version");
    record->taken_at = json_take_time(reader, top, "taken_at");
    record->finished_at = json_take_time(reader, top, "finished_at");
    record->lsn = json_take_optional_text(reader, top, "lsn");
    record->whole.bytes = json_take_integer(reader, top, "bytes", 0, MOST);
    record->raw_bytes = json_take_integer(reader, top, "raw_bytes", 0, INT64_MAX);
    json_take_digest(reader, top, "sha256", record->whole.sha256);
    json_take_optional_digest(reader, top, "outline_sha256", record->whole.outline_sha256);
    record->milliseconds = json_take_integer(reader, top, "milliseconds", 0, MOST);
    record->tables = json_take_integer(reader, top, "tables", 0, MOST);
    record->rows = json_take_integer(reader, top, "rows", 0, INT64_MAX);
    record->jobs = (int)json_take_integer(reader, top, "jobs", 0, INT32_MAX);
    record->level = (int)json_take_integer(reader, top, "level", 0, 99);
    record->command = json_take_text(reader, top, "command");
    record->tag = json_take_optional_text(reader, top, "tag");
    json_take_texts(reader, top, "migrations", &record->migrations);
    json_take_optional_texts(reader, top, "rolled_back", &record->rolled_back);
    json_take_optional_texts(reader, top, "before", &record->before);
    record->last_migration = json_take_optional_text(reader, top, "last_migration");
    record->skipped = json_take_integer(reader, top, "skipped", 0, MOST);
    record->warnings = json_take_integer(reader, top, "warnings", 0, MOST);
}

static void check_names(struct json_reader *reader, const struct record *record)
{
    OWNED char *archive = archive_name(record->id);

    if (!record_id_is_valid(record->id))
        json_refuse(reader, "id", "is not a backup's id");
    if (strcmp(record->archive, archive) != 0)
        json_refuse(reader, "archive", "is not \"%s\"", archive);
}

static void check_seal(struct json_reader *reader, json_t *top)
{
    char stated[DIGEST_HEX_SIZE], computed[DIGEST_HEX_SIZE];

    json_take_digest(reader, top, SEAL, stated);
    json_object_del(top, SEAL);
    seal(top, computed);
    if (strcmp(stated, computed) != 0)
        json_refuse(reader, SEAL, "is not the digest of the other fields: one of them was changed");
}

bool record_read(const char *text, size_t size, struct record **ret, struct error *error)
{
    struct json_reader reader = {.what = "record", .error = error};
    AUTO(json_release) json_t *top = json_read(&reader, text, size);
    AUTO(record_free) struct record *record = memory_allocate(1, sizeof *record);

    if (!top || !read_format(&reader, top))
        return false;
    read_fields(&reader, top, record);
    read_marks(&reader, top, record);
    check_names(&reader, record);
    if (json_is_good(&reader))
        check_seal(&reader, top);
    if (!json_is_good(&reader))
        return false;
    *ret = take(record);
    return true;
}

/* ---- record against manifest ---- */

static bool differs(struct error *error, const char *field, const char *record, const char *manifest)
{
    error_set(error, ERROR_BACKUP, "record and manifest differ in \"%s\"", field);
    return error_detail(error, "The record has \"%s\", the manifest \"%s\".", record ? record : "",
                        manifest ? manifest : "");
}

static bool same_numbers(const struct record *record, const struct record *expected, struct error *error)
{
    const struct {
        const char *name;
        int64_t record, manifest;
    } fields[] = {
        {"raw_bytes", record->raw_bytes, expected->raw_bytes},
        {"tables", record->tables, expected->tables},
        {"rows", record->rows, expected->rows},
        {"skipped", record->skipped, expected->skipped},
        {"warnings", record->warnings, expected->warnings},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].record == fields[i].manifest)
            continue;
        OWNED char *left = text_format("%lld", (long long)fields[i].record);
        OWNED char *right = text_format("%lld", (long long)fields[i].manifest);
        return differs(error, fields[i].name, left, right);
    }
    return true;
}

bool record_matches(const struct record *record, const struct manifest *manifest, struct error *error)
{
    AUTO(record_free) struct record *expected = record_new(manifest);
    OWNED char *migrations = text_list_join(&record->migrations, ", ");
    OWNED char *expected_migrations = text_list_join(&expected->migrations, ", ");
    OWNED char *before = text_list_join(&record->before, ", ");
    OWNED char *expected_before = text_list_join(&expected->before, ", ");
    OWNED char *rolled_back = text_list_join(&record->rolled_back, ", ");
    OWNED char *expected_rolled_back = text_list_join(&expected->rolled_back, ", ");
    const struct {
        const char *name, *record, *manifest;
    } fields[] = {
        {"id", record->id, expected->id},
        {"archive", record->archive, expected->archive},
        {"database", record->database, expected->database},
        {"system_identifier", record->system_identifier, expected->system_identifier},
        {"server_version", record->server_version, expected->server_version},
        {"pg_dump_version", record->pg_dump_version, expected->pg_dump_version},
        {"tool_version", record->tool_version, expected->tool_version},
        {"taken_at", record->taken_at, expected->taken_at},
        {"lsn", record->lsn, expected->lsn},
        {"tag", record->tag, expected->tag},
        {"last_migration", record->last_migration, expected->last_migration},
        {"migrations", migrations, expected_migrations},
        {"rolled_back", rolled_back, expected_rolled_back},
        {"before", before, expected_before},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!text_equal(fields[i].record, fields[i].manifest))
            return differs(error, fields[i].name, fields[i].record, fields[i].manifest);
    return same_numbers(record, expected, error);
}

/* ---- migrations ---- */

/* The number a version begins with: "42" of "042_add", "V42__add" and "0042"; 0 where it has none. */
static size_t number_of(const char *version, const char **ret)
{
    if ((*version == 'V' || *version == 'v') && strspn(version + 1, "0123456789") > 0)
        version++;
    size_t digits = strspn(version, "0123456789");
    size_t zeros = strspn(version, "0");
    if (zeros >= digits && digits > 0)
        zeros = digits - 1;
    *ret = version + zeros;
    /* "025a" is a number of its own */
    return digits == 0 ? 0 : strcspn(version, "_.-") - zeros;
}

/* An adopted table's version may be a bare number, too. */
bool record_is_version(const char *held, const char *asked)
{
    const char *left, *right;
    size_t left_size = number_of(held, &left), right_size = number_of(asked, &right);
    bool bare = left_size > 0 && right_size > 0 && (left[left_size] == '\0' || right[right_size] == '\0');

    return strcmp(held, asked) == 0 ||
           (bare && left_size == right_size && strncmp(left, right, left_size) == 0);
}

bool record_lists(const struct text_list *versions, const char *version)
{
    for (size_t i = 0; i < versions->count; i++)
        if (record_is_version(versions->items[i], version))
            return true;
    return false;
}

bool record_has_seen(const struct record *record, const char *version)
{
    return record_lists(&record->migrations, version) || record_lists(&record->rolled_back, version) ||
           record_lists(&record->before, version);
}

bool record_tells_migrations(const struct record *record)
{
    return record->migrations.count || record->rolled_back.count || record->before.count;
}

/* ---- ids ---- */

char *record_new_id(int64_t taken_at, const char *database)
{
    unsigned char chance[3] = {0};
    char time[32], name[LONGEST_NAME + 1];
    time_t seconds = taken_at;
    struct tm parts;
    size_t length = 0;

    for (; database[length] != '\0' && length < LONGEST_NAME; length++)
        name[length] = isascii((unsigned char)database[length]) && isalnum((unsigned char)database[length])
                           ? database[length]
                           : '_';
    name[length] = '\0';
    gmtime_r(&seconds, &parts);
    strftime(time, sizeof time, "%Y%m%dT%H%M%SZ", &parts);
    if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance) {
        int64_t now = moment_now(); /* as good: the writer's lock keeps others away */
        memcpy(chance, &now, sizeof chance);
    }
    return text_format("%s-%s-%02x%02x%02x", time, name, chance[0], chance[1], chance[2]);
}

bool record_id_is_valid(const char *id)
{
    size_t length = strlen(id);

    return length > 0 && length <= LONGEST_ID && id[0] != '-' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}
