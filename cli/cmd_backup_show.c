/* SPDX-License-Identifier: PostgreSQL */
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/report.h"

static void put_texts(json_t *object, const char *name, const struct text_list *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    json_object_set_new(object, name, list);
}

static void fill(json_t *object, const struct record *record, const struct manifest *manifest,
                 const char *archive)
{
    document_text(object, "id", record->id);
    document_text(object, "path", archive);
    document_text(object, "database", record->database);
    document_text(object, "system_identifier", record->system_identifier);
    document_text(object, "taken_at", record->taken_at);
    document_text(object, "finished_at", record->finished_at);
    document_text(object, "lsn", record->lsn);
    document_text(object, "server_version", record->server_version);
    document_text(object, "pg_dump_version", record->pg_dump_version);
    document_text(object, "tool_version", record->tool_version);
    document_integer(object, "bytes", record->whole.bytes);
    document_integer(object, "raw_bytes", record->raw_bytes);
    document_text(object, "sha256", record->whole.sha256);
    document_integer(object, "milliseconds", record->milliseconds);
    document_integer(object, "tables", record->tables);
    document_integer(object, "rows", record->rows);
    document_integer(object, "skipped", record->skipped);
    document_text(object, "migrations_version", record->last_migration);
    put_texts(object, "migrations", &record->migrations);
    document_text(object, "made_by", record->command);
    document_text(object, "tag", record->tag);
    document_bool(object, "kept", record->kept);
    document_text(object, "kept_reason", record->kept_reason);
    document_text(object, "verified_at", record->verified_at);
    document_text(object, "verified_how", record->verified_how);
    document_text(object, "tested_at", record->tested_at);
    if (record->tested_at)
        document_integer(object, "tested_ms", record->tested_ms);
    put_texts(object, "warnings", &manifest->warnings);
    put_texts(object, "not_included", &manifest->not_included);
}

static void line(const char *name, char *owned)
{
    OWNED char *text = owned;

    if (text && *text)
        printf("%-12s %s\n", name, text);
}

static void print_marks(const struct record *record)
{
    OWNED char *verified = report_time(record->verified_at), *tested = report_time(record->tested_at);
    OWNED char *duration = text_duration(record->tested_ms);

    if (record->kept)
        line("kept", text_copy(record->kept_reason ? record->kept_reason : "yes"));
    line("verified", record->verified_at ? text_format("%s UTC (%s)", verified, record->verified_how)
                                         : text_copy("never"));
    line("tested",
         record->tested_at ? text_format("%s UTC, restored in %s", tested, duration) : text_copy("never"));
}

static void print(const struct record *record, const struct manifest *manifest, const char *archive)
{
    OWNED char *taken = report_time(record->taken_at), *bytes = text_size(record->whole.bytes);
    OWNED char *raw = text_size(record->raw_bytes), *duration = text_duration(record->milliseconds);

    line("backup", text_copy(record->id));
    line("archive", report_path(archive));
    line("database", text_format("%s, PostgreSQL %s, system %s", record->database, record->server_version,
                                 record->system_identifier));
    line("taken", text_format("%s UTC, in %s, by %s", taken, duration, record->command));
    line("size", text_format("%s, uncompressed %s", bytes, raw));
    line("content",
         text_format("%lld tables, %lld rows", (long long)record->tables, (long long)record->rows));
    line("migrations", record->last_migration ? text_format("%zu in the history, the last one applied is %s",
                                                            record->migrations.count, record->last_migration)
                                              : text_copy("none"));
    line("tag", text_copy(record->tag));
    line("sha256", text_copy(record->whole.sha256));
    print_marks(record);
    for (size_t i = 0; i < manifest->warnings.count; i++)
        line("warning", text_copy(manifest->warnings.items[i]));
    for (size_t i = 0; i < manifest->not_included.count; i++)
        line("not in it", text_copy(manifest->not_included.items[i]));
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    AUTO(archive_reader_free) struct archive_reader *reader = NULL;
    AUTO(manifest_free) struct manifest *manifest = NULL;
    OWNED char *folder = config_path(invocation->config, "repository"), *archive = NULL, *text = NULL;
    size_t size;

    if (!repository_open(folder, false, &repository, error) ||
        !repository_find(repository, invocation->operands.items[0], NULL, &record, &archive, error))
        return false;
    backups_warn(invocation, repository);
    if (!record)
        return error_set(error, ERROR_BACKUP, "\"%s\" has no record beside it", archive);
    if (!archive_reader_open(archive, &reader, error) ||
        !archive_reader_manifest(reader, &text, &size, error) ||
        !manifest_read(text, size, archive_reader_bytes(reader), &manifest, error) ||
        !record_matches(record, manifest, error))
        return false;
    if (invocation->json)
        fill(invocation->document, record, manifest, archive);
    else
        print(record, manifest, archive);
    return true;
}

static const struct option_spec options[] = {
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

const struct command cmd_backup_show = {
    .name = "backup show",
    .operands = "BACKUP",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "print everything known of one backup",
    .details = "BACKUP is an id, its unambiguous beginning, \"latest\", or the path of an archive.",
    .options = options,
    .group = "Backups",
    .run = run,
};
