/* SPDX-License-Identifier: PostgreSQL */
/*
 * A small backup without a database, made by the program's own writer: what tests of the repository, of
 * verifying and of retention stand on. Its table "public"."orders" has two chunks of two and one parts,
 * "public"."empty" none, "public"."small" is pg_dump's and "public"."gone" was skipped.
 */
#ifndef TESTS_BACKUP_SCENE_H
#define TESTS_BACKUP_SCENE_H

#include "backup/compress.h"
#include "backup/manifest.h"
#include "backup/record.h"
#include "backup/repository.h"
#include "common/moment.h"
#include "tests/unit/scratch.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inline void scene_must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s%s%s", error->message, error->detail ? "\n" : "", error->detail ? error->detail : "");
}

/* What is different from the usual one; NULL and 0 are the usual. */
struct scene_backup {
    const char *id, *database, *system_identifier, *taken_at, *tag;
    const char *migrations; /* "001_a 002_b" */
    const char *before;     /* a version, or NULL */
};

static const char *const scene_parts[] = {"1\tone\n2\ttwo\n", "3\tthree\n", "4\tfour\n"};

static inline struct manifest *scene_manifest(const struct scene_backup *backup)
{
    struct manifest *manifest = memory_allocate(1, sizeof *manifest);
    AUTO(text_list_clear)
    struct text_list migrations =
        text_list_split(backup->migrations ? backup->migrations : "001_first 002_second", ' ');

    if (backup->before)
        text_list_add(&manifest->before, text_copy(backup->before));
    manifest->format = MANIFEST_FORMAT;
    manifest->id = text_copy(backup->id ? backup->id : "20261123T032109Z-shop-7f3a9c");
    manifest->tool_version = text_copy("0.1.0");
    manifest->taken_at = text_copy(backup->taken_at ? backup->taken_at : "2026-11-23T03:21:09.123456Z");
    manifest->lsn = text_copy("0/1A2B3C");
    manifest->snapshot = text_copy("10:20:10,14");
    manifest->database = text_copy(backup->database ? backup->database : "shop");
    manifest->system_identifier =
        text_copy(backup->system_identifier ? backup->system_identifier : "7000000000000000001");
    manifest->server_version = text_copy("15.20");
    manifest->server_version_number = 150020;
    manifest->encoding = text_copy("UTF8");
    manifest->pg_dump_version = text_copy("15.20");
    manifest->role = text_copy("admin");
    manifest->tag = text_copy(backup->tag);
    text_list_add(&manifest->create, text_copy("CREATE DATABASE :\"database\" ENCODING 'UTF8'"));
    text_list_add(&manifest->properties, text_copy("COMMENT ON DATABASE :\"database\" IS 'shop'"));
    text_list_add(&manifest->roles, text_copy("admin"));
    text_list_add(&manifest->settings, text_copy("DateStyle=ISO"));
    text_list_add(&manifest->not_included, text_copy("The replication slot \"x\" is not included."));
    text_list_add(&manifest->warnings, text_copy("the rows of \"public.gone\" are not included"));
    manifest->history_table = text_copy("public.schema_migrations");
    manifest->extensions = memory_allocate(1, sizeof *manifest->extensions);
    manifest->extensions[0] =
        (struct manifest_extension){text_copy("plpgsql"), text_copy("1.0"), text_copy("pg_catalog")};
    manifest->extension_count = 1;
    manifest->migrations = memory_allocate(migrations.count + 1, sizeof *manifest->migrations);
    for (size_t i = 0; i < migrations.count; i++)
        manifest->migrations[i] = (struct manifest_migration){
            text_copy(migrations.items[i]), text_copy("2026-11-20T10:00:00Z"), text_copy("applied")};
    manifest->migration_count = migrations.count;
    return manifest;
}

static inline struct manifest_member *scene_next_member(struct manifest *manifest, const char *name)
{
    manifest->members = memory_grow(manifest->members, manifest->member_count, sizeof *manifest->members);
    struct manifest_member *member = &manifest->members[manifest->member_count++];
    *member = (struct manifest_member){.name = text_copy(name)};
    return member;
}

static inline void scene_add_member(struct archive_writer *writer, struct manifest *manifest,
                                    const char *name, const char *content)
{
    AUTO(error_clear) struct error error = {0};
    struct manifest_member *member = scene_next_member(manifest, name);

    member->raw_size = (int64_t)strlen(content);
    scene_must(archive_writer_add(writer, name, content, strlen(content), &member->place, &error), &error);
}

static inline void scene_add_part(struct archive_writer *writer, struct manifest *manifest, const char *name,
                                  const char *text, bool of_table)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(compressor_free) struct compressor *compressor = compressor_new(COMPRESS_LEVEL_DEFAULT);
    struct manifest_member *member = scene_next_member(manifest, name);
    const void *frame;
    size_t size;

    member->raw_size = (int64_t)strlen(text);
    for (const char *c = text; of_table && *c; c++)
        member->rows += *c == '\n';
    scene_must(compressor_add(compressor, text, strlen(text), &error) &&
                   compressor_end(compressor, &frame, &size, &error) &&
                   archive_writer_add(writer, name, frame, size, &member->place, &error),
               &error);
}

static inline struct manifest_table scene_table(const char *name, enum table_source source, int64_t rows)
{
    return (struct manifest_table){.schema = text_copy("public"),
                                   .name = text_copy(name),
                                   .columns = text_copy("\"id\", \"word\""),
                                   .source = source,
                                   .reason = source == TABLE_SKIPPED ? text_copy("it is unlogged") : NULL,
                                   .fingerprinted = source != TABLE_SKIPPED,
                                   .fingerprint.rows = rows};
}

static inline void scene_add_tables(struct manifest *manifest, size_t first_member)
{
    manifest->tables = memory_allocate(4, sizeof *manifest->tables);
    manifest->table_count = 4;
    manifest->tables[0] = scene_table("orders", TABLE_COPY, 0);
    manifest->tables[1] = scene_table("empty", TABLE_COPY, 0);
    manifest->tables[2] = scene_table("small", TABLE_DUMP, 7);
    manifest->tables[3] = scene_table("gone", TABLE_SKIPPED, 0);
    for (size_t i = 0; i < 3; i++)
        fingerprint_add_text(&manifest->tables[0].fingerprint, scene_parts[i], strlen(scene_parts[i]));
    manifest->tables[0].chunks = memory_allocate(2, sizeof *manifest->tables[0].chunks);
    manifest->tables[0].chunks[0] = (struct manifest_chunk){first_member, 2, 3};
    manifest->tables[0].chunks[1] = (struct manifest_chunk){first_member + 2, 1, 1};
    manifest->tables[0].chunk_count = 2;
}

/* The archive at path; *ret_manifest (may be NULL) and the record that belongs to it are the caller's. */
static inline struct record *scene_archive(const char *path, const struct scene_backup *backup,
                                           struct manifest **ret_manifest)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = NULL;
    AUTO(manifest_free) struct manifest *manifest = scene_manifest(backup);
    int64_t taken_at = 0;

    assert_true(moment_parse(manifest->taken_at, &taken_at));
    scene_must(archive_writer_open(path, taken_at / 1000000, &writer, &error), &error);
    scene_add_member(writer, manifest, "README.txt", "A backup.\n");
    scene_add_member(writer, manifest, "schema.dump", "PGDMP\n");
    scene_add_part(writer, manifest, "data/000001.zst", "5\tfive\n6\tsix\n", false);
    size_t first = manifest->member_count;
    scene_add_part(writer, manifest, "tables/000001/0001.000001.zst", scene_parts[0], true);
    scene_add_part(writer, manifest, "tables/000001/0001.000002.zst", scene_parts[1], true);
    scene_add_part(writer, manifest, "tables/000001/0002.000001.zst", scene_parts[2], true);
    scene_add_tables(manifest, first);

    struct record *record = record_new(manifest);
    size_t size;
    OWNED char *text = manifest_write(manifest, &size);
    scene_must(archive_writer_finish(writer, text, size, &record->whole, &error), &error);
    record->finished_at = moment_text(taken_at + 65000000);
    record->milliseconds = 65000;
    record->jobs = 2;
    record->level = COMPRESS_LEVEL_DEFAULT;
    record->command = text_copy("backup create");
    if (ret_manifest)
        *ret_manifest = take(manifest);
    return record;
}

#endif
