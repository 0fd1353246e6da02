/* SPDX-License-Identifier: PostgreSQL */
#include "backup/manifest.h"

#include "backup/footer.h"
#include "backup/json.h"
#include "backup/record.h"

/* Beyond every real size; sums of many are checked where they are made. */
#define MOST ((int64_t)1 << 53)

static const char *const source_words[] = {"copy", "dump", "skipped", NULL};

/* ---- the struct ---- */

static void table_clear(struct manifest_table *table)
{
    free(table->schema);
    free(table->name);
    free(table->columns);
    free(table->root);
    free(table->reason);
    free(table->chunks);
}

static void extension_clear(struct manifest_extension *extension)
{
    free(extension->name);
    free(extension->version);
    free(extension->schema);
}

static void migration_clear(struct manifest_migration *migration)
{
    free(migration->version);
    free(migration->applied_at);
    free(migration->state);
}

static void clear_lists(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->extension_count; i++)
        extension_clear(&manifest->extensions[i]);
    for (size_t i = 0; i < manifest->migration_count; i++)
        migration_clear(&manifest->migrations[i]);
    for (size_t i = 0; i < manifest->member_count; i++)
        free(manifest->members[i].name);
    for (size_t i = 0; i < manifest->table_count; i++)
        table_clear(&manifest->tables[i]);
    free(manifest->extensions);
    free(manifest->migrations);
    free(manifest->members);
    free(manifest->tables);
}

void manifest_free(struct manifest *manifest)
{
    if (!manifest)
        return;
    char *const texts[] = {
        manifest->id,
        manifest->tool_version,
        manifest->taken_at,
        manifest->lsn,
        manifest->snapshot,
        manifest->database,
        manifest->system_identifier,
        manifest->encoding,
        manifest->server_version,
        manifest->pg_dump_version,
        manifest->role,
        manifest->tag,
        manifest->history_table,
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    text_list_clear(&manifest->create);
    text_list_clear(&manifest->properties);
    text_list_clear(&manifest->roles);
    text_list_clear(&manifest->policy_roles);
    text_list_clear(&manifest->named_roles);
    text_list_clear(&manifest->rolled_back);
    text_list_clear(&manifest->before);
    text_list_clear(&manifest->settings);
    text_list_clear(&manifest->not_included);
    text_list_clear(&manifest->warnings);
    clear_lists(manifest);
    free(manifest);
}

const struct manifest_member *manifest_member(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->member_count; i++)
        if (strcmp(manifest->members[i].name, name) == 0)
            return &manifest->members[i];
    return NULL;
}

const struct manifest_table *manifest_table(const struct manifest *manifest, const char *schema,
                                            const char *name)
{
    for (size_t i = 0; i < manifest->table_count; i++)
        if (strcmp(manifest->tables[i].schema, schema) == 0 && strcmp(manifest->tables[i].name, name) == 0)
            return &manifest->tables[i];
    return NULL;
}

int64_t manifest_rows(const struct manifest *manifest)
{
    int64_t rows = 0;

    for (size_t i = 0; i < manifest->table_count; i++)
        rows += manifest->tables[i].fingerprint.rows;
    return rows;
}

int64_t manifest_raw_bytes(const struct manifest *manifest)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < manifest->member_count; i++)
        bytes += manifest->members[i].raw_size;
    return bytes;
}

const char *manifest_last_migration(const struct manifest *manifest)
{
    for (size_t i = manifest->migration_count; i-- > 0;)
        if (strcmp(manifest->migrations[i].state, "applied") == 0 ||
            strcmp(manifest->migrations[i].state, "baseline") == 0)
            return manifest->migrations[i].version;
    return NULL;
}

/* ---- writing ---- */

static json_t *write_top(const struct manifest *manifest)
{
    json_t *top = json_object();

    json_put_integer(top, "format", MANIFEST_FORMAT);
    json_put_text(top, "id", manifest->id);
    json_put_text(top, "tool_version", manifest->tool_version);
    json_put_text(top, "taken_at", manifest->taken_at);
    json_put_text(top, "lsn", manifest->lsn);
    json_put_text(top, "snapshot", manifest->snapshot);
    json_put_bool(top, "standby", manifest->standby);
    json_put_text(top, "database", manifest->database);
    json_put_text(top, "system_identifier", manifest->system_identifier);
    json_put_text(top, "server_version", manifest->server_version);
    json_put_integer(top, "server_version_number", manifest->server_version_number);
    json_put_text(top, "encoding", manifest->encoding);
    json_put_text(top, "pg_dump_version", manifest->pg_dump_version);
    json_put_text(top, "role", manifest->role);
    json_put_text(top, "tag", manifest->tag);
    json_put_texts(top, "create", &manifest->create);
    json_put_texts(top, "properties", &manifest->properties);
    json_put_texts(top, "roles", &manifest->roles);
    json_put_texts(top, "policy_roles", &manifest->policy_roles);
    if (manifest->tells_named_roles)
        json_put_texts(top, "named_roles", &manifest->named_roles);
    json_put_texts(top, "rolled_back", &manifest->rolled_back);
    json_put_texts(top, "before", &manifest->before);
    json_put_texts(top, "settings", &manifest->settings);
    json_put_texts(top, "not_included", &manifest->not_included);
    json_put_texts(top, "warnings", &manifest->warnings);
    json_put_integer(top, "large_objects", manifest->large_objects);
    json_put_text(top, "history_table", manifest->history_table);
    return top;
}

static json_t *write_extension(const struct manifest_extension *extension)
{
    json_t *object = json_object();

    json_put_text(object, "name", extension->name);
    json_put_text(object, "version", extension->version);
    json_put_text(object, "schema", extension->schema);
    return object;
}

static json_t *write_migration(const struct manifest_migration *migration)
{
    json_t *object = json_object();

    json_put_text(object, "version", migration->version);
    json_put_text(object, "applied_at", migration->applied_at);
    json_put_text(object, "state", migration->state);
    return object;
}

static json_t *write_chunks(const struct manifest_table *table)
{
    json_t *list = json_array();

    for (size_t i = 0; i < table->chunk_count; i++) {
        json_t *object = json_object();
        json_put_integer(object, "first_member", (int64_t)table->chunks[i].first_member);
        json_put_integer(object, "members", (int64_t)table->chunks[i].members);
        json_put_integer(object, "rows", table->chunks[i].rows);
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *write_table(const struct manifest_table *table)
{
    json_t *object = json_object();
    char sum[FINGERPRINT_TEXT_SIZE];

    fingerprint_text(&table->fingerprint, sum);
    json_put_text(object, "schema", table->schema);
    json_put_text(object, "name", table->name);
    json_put_text(object, "columns", table->columns);
    json_put_text(object, "root", table->root);
    json_put_text(object, "source", source_words[table->source]);
    json_put_text(object, "reason", table->reason);
    json_put_bool(object, "binary", table->binary);
    json_put_bool(object, "ordered", table->ordered);
    json_put_integer(object, "rows", table->fingerprint.rows);
    json_put_integer(object, "bytes", table->fingerprint.bytes);
    json_put_text(object, "fingerprint", table->fingerprinted ? sum : NULL);
    json_object_set_new(object, "chunks", write_chunks(table));
    return object;
}

static json_t *write_member(const struct manifest_member *member)
{
    json_t *object = json_object();

    json_put_text(object, "name", member->name);
    json_put_integer(object, "offset", member->place.offset);
    json_put_integer(object, "size", member->place.size);
    json_put_integer(object, "raw_size", member->raw_size);
    json_put_integer(object, "rows", member->rows);
    json_put_text(object, "sha256", member->place.sha256);
    return object;
}

static void append(struct json_text *text, const char *words)
{
    json_append(text, words, strlen(words));
}

/* `, "name": [`, one element a line, `]`; elements are made one at a time, because a tree of a large
 * manifest would be several times the text's size. */
#define WRITE_LIST(text, name, items, count, write)                                                          \
    do {                                                                                                     \
        append(text, ",\n \"" name "\": [");                                                                 \
        for (size_t i = 0; i < (count); i++) {                                                               \
            append(text, i ? ",\n  " : "\n  ");                                                              \
            json_append_object(text, write(&(items)[i]));                                                    \
        }                                                                                                    \
        append(text, "]");                                                                                   \
    } while (0)

char *manifest_write(const struct manifest *manifest, size_t *ret_size)
{
    AUTO(json_release) json_t *top = write_top(manifest);
    OWNED char *head = json_dumps(top, JSON_INDENT(1));
    struct json_text text = {0};

    json_append(&text, head, strlen(head) - strlen("\n}"));
    WRITE_LIST(&text, "extensions", manifest->extensions, manifest->extension_count, write_extension);
    WRITE_LIST(&text, "migrations", manifest->migrations, manifest->migration_count, write_migration);
    WRITE_LIST(&text, "tables", manifest->tables, manifest->table_count, write_table);
    WRITE_LIST(&text, "members", manifest->members, manifest->member_count, write_member);
    append(&text, "\n}\n");
    *ret_size = text.size;
    return text.data;
}

/* ---- reading ---- */

/* False with the error where the program cannot know what the rest means. */
static bool read_format(struct json_reader *reader, const json_t *top, struct manifest *manifest)
{
    manifest->format = (int)json_take_integer(reader, top, "format", 1, INT32_MAX);
    if (!json_is_good(reader))
        return false;
    if (manifest->format <= MANIFEST_FORMAT)
        return true;
    OWNED char *version = json_take_text(reader, top, "tool_version");
    error_set(reader->error, ERROR_BACKUP, "the backup has format %d; this pgmigrate reads up to %d",
              manifest->format, MANIFEST_FORMAT);
    return error_hint(reader->error, "It was written by pgmigrate %s: use that version or a newer one.",
                      version);
}

static void read_top(struct json_reader *reader, const json_t *top, struct manifest *manifest)
{
    manifest->id = json_take_text(reader, top, "id");
    manifest->tool_version = json_take_text(reader, top, "tool_version");
    manifest->taken_at = json_take_time(reader, top, "taken_at");
    manifest->lsn = json_take_optional_text(reader, top, "lsn");
    manifest->snapshot = json_take_optional_text(reader, top, "snapshot");
    manifest->standby = json_take_bool(reader, top, "standby");
    manifest->database = json_take_text(reader, top, "database");
    manifest->system_identifier = json_take_text(reader, top, "system_identifier");
    manifest->server_version = json_take_text(reader, top, "server_version");
    manifest->server_version_number =
        (int)json_take_integer(reader, top, "server_version_number", 0, INT32_MAX);
    manifest->encoding = json_take_text(reader, top, "encoding");
    manifest->pg_dump_version = json_take_text(reader, top, "pg_dump_version");
    manifest->role = json_take_text(reader, top, "role");
    manifest->tag = json_take_optional_text(reader, top, "tag");
    json_take_texts(reader, top, "create", &manifest->create);
    json_take_texts(reader, top, "properties", &manifest->properties);
    json_take_texts(reader, top, "roles", &manifest->roles);
    json_take_optional_texts(reader, top, "policy_roles", &manifest->policy_roles);
    json_take_optional_texts(reader, top, "named_roles", &manifest->named_roles);
    manifest->tells_named_roles = json_object_get(top, "named_roles") != NULL;
    json_take_optional_texts(reader, top, "rolled_back", &manifest->rolled_back);
    json_take_optional_texts(reader, top, "before", &manifest->before);
    json_take_texts(reader, top, "settings", &manifest->settings);
    json_take_texts(reader, top, "not_included", &manifest->not_included);
    json_take_texts(reader, top, "warnings", &manifest->warnings);
    manifest->large_objects = json_take_integer(reader, top, "large_objects", 0, MOST);
    manifest->history_table = json_take_optional_text(reader, top, "history_table");
    if (!record_id_is_valid(manifest->id))
        json_refuse(reader, "id", "is not a backup's id");
}

/* Room for every element of a list, and their number. */
static void *take_elements(struct json_reader *reader, const json_t *top, const char *name, size_t size,
                           const json_t **ret_list, size_t *ret_count)
{
    *ret_list = json_take_list(reader, top, name);
    *ret_count = json_array_size(*ret_list);
    return memory_allocate(*ret_count + 1, size);
}

static void read_extensions(struct json_reader *reader, const json_t *top, struct manifest *manifest)
{
    const json_t *list;

    manifest->extensions = take_elements(reader, top, "extensions", sizeof *manifest->extensions, &list,
                                         &manifest->extension_count);
    for (size_t i = 0; i < manifest->extension_count; i++) {
        const json_t *object = json_array_get(list, i);
        json_enter(reader, "extensions", i);
        manifest->extensions[i].name = json_take_text(reader, object, "name");
        manifest->extensions[i].version = json_take_text(reader, object, "version");
        manifest->extensions[i].schema = json_take_text(reader, object, "schema");
    }
    json_leave(reader);
}

static void read_migrations(struct json_reader *reader, const json_t *top, struct manifest *manifest)
{
    const json_t *list;

    manifest->migrations = take_elements(reader, top, "migrations", sizeof *manifest->migrations, &list,
                                         &manifest->migration_count);
    for (size_t i = 0; i < manifest->migration_count; i++) {
        const json_t *object = json_array_get(list, i);
        json_enter(reader, "migrations", i);
        manifest->migrations[i].version = json_take_text(reader, object, "version");
        /* What an adopted table holds need not be a time. */
        manifest->migrations[i].applied_at = json_take_optional_text(reader, object, "applied_at");
        manifest->migrations[i].state = json_take_text(reader, object, "state");
    }
    json_leave(reader);
}

/* ---- members ---- */

/* A name that tar may extract: no way out of the folder it is extracted into. */
static bool is_harmless(const char *name)
{
    AUTO(text_list_clear) struct text_list parts = text_list_split(name, '/');

    return *name != '\0' && *name != '/' && !text_list_contains(&parts, "..") &&
           strcmp(name, "manifest.json") != 0 && strcmp(name, FOOTER_NAME) != 0;
}

static void read_member(struct json_reader *reader, const json_t *object, int64_t archive_size,
                        struct manifest_member *ret)
{
    int64_t end = archive_size - FOOTER_TAIL_SIZE;

    ret->name = json_take_text(reader, object, "name");
    ret->place.offset = json_take_integer(reader, object, "offset", 512, end < 512 ? 512 : end);
    ret->place.size = json_take_integer(reader, object, "size", 0, MOST);
    ret->raw_size = json_take_integer(reader, object, "raw_size", 0, MOST);
    ret->rows = json_take_integer(reader, object, "rows", 0, MOST);
    json_take_digest(reader, object, "sha256", ret->place.sha256);
    if (!is_harmless(ret->name))
        json_refuse(reader, "name", "is no name for a member");
    if (ret->place.offset % 512 != 0 || ret->place.size > end - ret->place.offset)
        json_refuse(reader, "offset", "is no place in an archive of %lld bytes", (long long)archive_size);
}

static int by_offset(const void *a, const void *b)
{
    int64_t left = (*(const struct manifest_member *const *)a)->place.offset;
    int64_t right = (*(const struct manifest_member *const *)b)->place.offset;

    return (left > right) - (left < right);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct manifest_member *const *)a)->name,
                  (*(const struct manifest_member *const *)b)->name);
}

/* A header is between any two members, and names are unique. */
static void check_members(struct json_reader *reader, const struct manifest *manifest)
{
    size_t count = manifest->member_count;
    OWNED const struct manifest_member **sorted = memory_allocate(count + 1, sizeof *sorted);
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sorted[i] = &manifest->members[i];
        if (__builtin_add_overflow(sum, sorted[i]->raw_size, &sum))
            json_refuse(reader, "members", "have more raw bytes than can be");
    }
    qsort(sorted, count, sizeof *sorted, by_offset);
    for (size_t i = 1; i < count; i++)
        if (sorted[i]->place.offset < sorted[i - 1]->place.offset + sorted[i - 1]->place.size + 512)
            json_refuse(reader, "members", "overlap: \"%s\" and \"%s\"", sorted[i - 1]->name,
                        sorted[i]->name);
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            json_refuse(reader, "members", "have the name \"%s\" twice", sorted[i]->name);
}

static void read_members(struct json_reader *reader, const json_t *top, int64_t archive_size,
                         struct manifest *manifest)
{
    const json_t *list;

    manifest->members =
        take_elements(reader, top, "members", sizeof *manifest->members, &list, &manifest->member_count);
    for (size_t i = 0; i < manifest->member_count; i++) {
        json_enter(reader, "members", i);
        read_member(reader, json_array_get(list, i), archive_size, &manifest->members[i]);
    }
    json_leave(reader);
    if (json_is_good(reader))
        check_members(reader, manifest);
}

/* ---- tables ---- */

/* The members of a chunk exist, belong to no other chunk and have its rows. */
static void check_chunk(struct json_reader *reader, const struct manifest *manifest,
                        const struct manifest_table *table, const struct manifest_chunk *chunk, bool *used)
{
    int64_t rows = 0;

    if (chunk->first_member > manifest->member_count ||
        chunk->members > manifest->member_count - chunk->first_member) {
        json_refuse(reader, "chunks", "name members that are not there");
        return;
    }
    for (size_t i = chunk->first_member; i < chunk->first_member + chunk->members; i++) {
        if (used[i])
            json_refuse(reader, "chunks", "name \"%s\", which another chunk has", manifest->members[i].name);
        used[i] = true;
        if (__builtin_add_overflow(rows, manifest->members[i].rows, &rows))
            json_refuse(reader, "chunks", "have more rows than can be");
    }
    /* A part of binary COPY may end in the middle of a row. */
    if (!table->binary && rows != chunk->rows)
        json_refuse(reader, "chunks", "have %lld rows, their members %lld", (long long)chunk->rows,
                    (long long)rows);
}

static void read_chunks(struct json_reader *reader, const json_t *object, const struct manifest *manifest,
                        struct manifest_table *table, bool *used)
{
    const json_t *list;
    int64_t rows = 0;

    table->chunks =
        take_elements(reader, object, "chunks", sizeof *table->chunks, &list, &table->chunk_count);
    for (size_t i = 0; i < table->chunk_count && json_is_good(reader); i++) {
        const json_t *chunk = json_array_get(list, i);
        struct manifest_chunk *to = &table->chunks[i];
        to->first_member = (size_t)json_take_integer(reader, chunk, "first_member", 0, MOST);
        to->members = (size_t)json_take_integer(reader, chunk, "members", 0, MOST);
        to->rows = json_take_integer(reader, chunk, "rows", 0, MOST);
        check_chunk(reader, manifest, table, to, used);
        if (__builtin_add_overflow(rows, to->rows, &rows))
            json_refuse(reader, "chunks", "have more rows than can be");
    }
    if (table->source != TABLE_COPY && table->chunk_count > 0)
        json_refuse(reader, "chunks", "are not of a table that was copied");
    if (table->source == TABLE_COPY && rows != table->fingerprint.rows)
        json_refuse(reader, "rows", "is %lld, of the chunks %lld", (long long)table->fingerprint.rows,
                    (long long)rows);
}

static void read_table(struct json_reader *reader, const json_t *object, struct manifest_table *ret)
{
    OWNED char *sum = json_take_optional_text(reader, object, "fingerprint");

    ret->schema = json_take_text(reader, object, "schema");
    ret->name = json_take_text(reader, object, "name");
    ret->columns = json_take_text(reader, object, "columns");
    ret->root = json_take_optional_text(reader, object, "root");
    ret->source = (enum table_source)json_take_word(reader, object, "source", source_words);
    ret->reason = json_take_optional_text(reader, object, "reason");
    ret->binary = json_take_bool(reader, object, "binary");
    ret->ordered = json_take_bool(reader, object, "ordered");
    ret->fingerprint.rows = json_take_integer(reader, object, "rows", 0, MOST);
    ret->fingerprint.bytes = json_take_integer(reader, object, "bytes", 0, MOST);
    ret->fingerprinted = sum != NULL;
    if (sum && !fingerprint_parse(sum, &ret->fingerprint.sum))
        json_refuse(reader, "fingerprint", "is not a fingerprint");
    if ((ret->source == TABLE_SKIPPED) != (ret->reason != NULL))
        json_refuse(reader, "reason", "must be there for a table that was skipped, and for no other");
}

static int by_table(const void *a, const void *b)
{
    const struct manifest_table *left = *(const struct manifest_table *const *)a;
    const struct manifest_table *right = *(const struct manifest_table *const *)b;
    int schemas = strcmp(left->schema, right->schema);

    return schemas ? schemas : strcmp(left->name, right->name);
}

static void check_tables(struct json_reader *reader, const struct manifest *manifest)
{
    OWNED const struct manifest_table **sorted = memory_allocate(manifest->table_count + 1, sizeof *sorted);
    int64_t sum = 0;

    for (size_t i = 0; i < manifest->table_count; i++) {
        sorted[i] = &manifest->tables[i];
        if (__builtin_add_overflow(sum, sorted[i]->fingerprint.rows, &sum))
            json_refuse(reader, "tables", "have more rows than can be");
    }
    qsort(sorted, manifest->table_count, sizeof *sorted, by_table);
    for (size_t i = 1; i < manifest->table_count; i++)
        if (by_table(&sorted[i - 1], &sorted[i]) == 0)
            json_refuse(reader, "tables", "have \"%s.%s\" twice", sorted[i]->schema, sorted[i]->name);
}

static void read_tables(struct json_reader *reader, const json_t *top, struct manifest *manifest)
{
    const json_t *list;
    OWNED bool *used = memory_allocate(manifest->member_count + 1, sizeof *used);

    manifest->tables =
        take_elements(reader, top, "tables", sizeof *manifest->tables, &list, &manifest->table_count);
    for (size_t i = 0; i < manifest->table_count; i++) {
        const json_t *object = json_array_get(list, i);
        json_enter(reader, "tables", i);
        read_table(reader, object, &manifest->tables[i]);
        read_chunks(reader, object, manifest, &manifest->tables[i], used);
    }
    json_leave(reader);
    if (json_is_good(reader))
        check_tables(reader, manifest);
}

bool manifest_read(const char *text, size_t size, int64_t archive_size, struct manifest **ret,
                   struct error *error)
{
    struct json_reader reader = {.what = "manifest", .error = error};
    AUTO(json_release) json_t *top = json_read(&reader, text, size);
    AUTO(manifest_free) struct manifest *manifest = memory_allocate(1, sizeof *manifest);

    if (!top || !read_format(&reader, top, manifest))
        return false;
    read_top(&reader, top, manifest);
    read_extensions(&reader, top, manifest);
    read_migrations(&reader, top, manifest);
    read_members(&reader, top, archive_size, manifest);
    read_tables(&reader, top, manifest);
    if (!json_is_good(&reader))
        return false;
    *ret = take(manifest);
    return true;
}
