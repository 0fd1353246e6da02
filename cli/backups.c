/* SPDX-License-Identifier: PostgreSQL */
#include "cli/backups.h"

#include "backup/create.h"
#include "backup/verify.h"
#include "cli/backup_progress.h"
#include "cli/report.h"
#include "common/moment.h"
#include "migrator/history.h"
#include "sql.h"

bool backups_repository(const struct invocation *invocation, bool create, struct repository **ret,
                        struct error *error)
{
    OWNED char *folder = config_path(invocation->config, "repository");

    return repository_open(folder, create, ret, error);
}

char *backups_server(struct postgres *postgres)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error ignored = {0};

    if (!postgres_query(postgres, sql_server_identity, 0, NULL, &rows, &ignored))
        return NULL;
    return text_copy(rows_text(rows, 0, "system_identifier"));
}

/* Whose backups there are, each name once. */
static bool list_databases(struct repository *repository, struct text_list *ret, struct error *error)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};

    if (!repository_list(repository, &records, &problems, error))
        return false;
    for (size_t i = 0; i < records.count; i++)
        if (!text_list_contains(ret, records.items[i]->database))
            text_list_add(ret, text_copy(records.items[i]->database));
    return true;
}

void backups_warn(const struct invocation *invocation, const struct repository *repository)
{
    const struct text_list *texts = repository_passed_over(repository);

    for (size_t i = 0; i < texts->count; i++)
        report_warning(invocation, "%s", texts->items[i]);
}

bool backups_find(const struct invocation *invocation, struct repository *repository, const char *word,
                  const char *database, struct record **ret, char **ret_archive, struct error *error)
{
    AUTO(text_list_clear) struct text_list databases = {0};

    if (!text_equal(word, "latest"))
        return repository_find(repository, word, NULL, ret, ret_archive, error);
    if (!list_databases(repository, &databases, error))
        return false;
    if (databases.count < 2)
        database = NULL;
    else if (database == NULL || !text_list_contains(&databases, database)) {
        OWNED char *names = text_list_join(&databases, "\", \"");
        error_set(error, ERROR_USAGE, "\"latest\" could be of several databases: \"%s\"", names);
        return error_hint(error, "Give the backup's id: \"pgmigrate backup list\" shows them.");
    }
    if (!repository_find(repository, word, database, ret, ret_archive, error))
        return false;
    backups_warn(invocation, repository);
    return true;
}

/* A repository that is read-only can be verified; what was found is told all the same. */
void backups_mark_verified(const struct invocation *invocation, struct repository *repository,
                           struct record *record, const char *archive, const char *how)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *own = file_join(repository_folder(repository), record ? record->archive : "");

    if (!record || !text_equal(own, archive))
        return;
    free(record->verified_at);
    free(record->verified_how);
    record->verified_at = moment_text(moment_now());
    record->verified_how = text_copy(how);
    if (!repository_mark(repository, record, MARK_VERIFIED, &error))
        report_warning(invocation, "could not note what verifying came to: %s", error.message);
}

/* ---- the migrations in the snapshot ---- */

static bool read_migrations(void *context, struct postgres *postgres, struct manifest *manifest,
                            struct error *error)
{
    const struct invocation *invocation = context;
    AUTO(history_free) struct history *history = NULL;

    if (!history_open(postgres, config_text(invocation->config, "history_table"), &history, error))
        return error_prefix(error, "could not read the history of migrations");
    if (history->shape != HISTORY_OURS && history->shape != HISTORY_ADOPTABLE)
        return true;
    manifest->history_table = text_format("%s.%s", history->schema, history->table);
    manifest->migrations = memory_allocate(history->count + 1, sizeof *manifest->migrations);
    for (size_t i = 0; i < history->count; i++)
        manifest->migrations[manifest->migration_count++] =
            (struct manifest_migration){.version = text_copy(history->rows[i].version),
                                        .applied_at = text_copy(history->rows[i].applied_at),
                                        .state = text_copy(history_state_name(history->rows[i].state))};
    return history_rolled_back(history, &manifest->rolled_back, error);
}

/* ---- settings ---- */

struct attachments {
    struct text_list texts; /* "NAME=COMMAND" */
    struct attachment *items;
    size_t count;
};

static void attachments_clear(struct attachments *attachments)
{
    text_list_clear(&attachments->texts);
    free(attachments->items);
}
CLEANUP_VALUE(struct attachments, attachments_clear)

/* What was named before: -1 where it was not. Of the configuration the last word is the flag's. */
static int attachment_place(const struct attachments *attachments, const char *name)
{
    for (size_t i = 0; i < attachments->count; i++)
        if (text_equal(attachments->items[i].name, name))
            return (int)i;
    return -1;
}

static bool read_attachments(const struct invocation *invocation, struct attachments *ret,
                             struct error *error)
{
    const char *const *values = NULL;
    size_t count = invocation_options(invocation, "attach", &values);
    AUTO(text_list_clear) struct text_list names = config_names(invocation->config, "attach.");

    for (size_t i = 0; i < names.count; i++) {
        OWNED char *key = text_format("attach.%s", names.items[i]);

        text_list_add(&ret->texts,
                      text_format("%s=%s", names.items[i], config_text(invocation->config, key)));
    }
    for (size_t i = 0; i < count; i++)
        text_list_add(&ret->texts, text_copy(values[i]));
    ret->items = memory_allocate(ret->texts.count + 1, sizeof *ret->items);
    for (size_t i = 0; i < ret->texts.count; i++) {
        char *equals = strchr(ret->texts.items[i], '=');

        if (!equals || equals == ret->texts.items[i])
            return error_set(error, ERROR_USAGE, "\"--attach\" needs NAME=COMMAND");
        *equals = '\0';
        int place = attachment_place(ret, ret->texts.items[i]);
        if (place >= (int)names.count || (place >= 0 && i < names.count))
            return error_set(error, ERROR_USAGE, "attachment \"%s\" is given twice", ret->texts.items[i]);
        if (place < 0)
            place = (int)ret->count++;
        ret->items[place] = (struct attachment){.name = ret->texts.items[i], .command = equals + 1};
    }
    return true;
}

bool backups_jobs(const struct config *config, int *ret, struct error *error)
{
    int64_t jobs = config_integer(config, "jobs");

    *ret = (int)jobs;
    return (jobs >= 1 && jobs <= 64) ||
           error_set(error, ERROR_USAGE, "\"jobs\" must be from 1 to 64, not %lld", (long long)jobs);
}

static bool read_numbers(const struct invocation *invocation, struct backup_options *ret, struct error *error)
{
    const struct config *config = invocation->config;
    int64_t level = config_integer(config, "level");

    if (!backups_jobs(config, &ret->jobs, error))
        return false;
    if (level < 1 || level > 19)
        return error_set(error, ERROR_USAGE, "\"level\" must be from 1 to 19, not %lld", (long long)level);
    ret->level = (int)level;
    ret->split_larger_than = config_size(config, "split_larger_than");
    ret->lock_wait_timeout_ms = config_duration(config, "lock_wait_timeout");
    ret->max_block_ms = config_duration(config, "max_block");
    ret->pooler_session = text_equal(config_text(config, "pooler"), "session");
    if (ret->split_larger_than < 1)
        return error_set(error, ERROR_USAGE, "\"split_larger_than\" must be more than nothing");
    return true;
}

/* ---- the look at the result ---- */

static bool look(const struct invocation *invocation, struct repository *repository, struct record *record,
                 struct error *error)
{
    AUTO(verify_result_clear) struct verify_result result = {0};
    OWNED char *path = file_join(repository_folder(repository), record->archive);
    struct verify_options options = {.jobs = 1};

    if (!verify_run(path, record, &options, &result, error))
        return false;
    if (result.count) {
        backups_mark_verified(invocation, repository, record, path, "damaged");
        error_set(error, ERROR_BACKUP, "backup \"%s\" is damaged", record->id);
        return error_detail(error, "%s: %s.", result.problems[0].member, result.problems[0].problem);
    }
    record->verified_at = moment_text(moment_now());
    record->verified_how = text_copy("digest");
    return repository_mark(repository, record, MARK_VERIFIED, error);
}

bool backups_take(const struct invocation *invocation, struct postgres *postgres,
                  const struct backups_request *request, struct record **ret, struct error *error)
{
    AUTO(attachments_clear) struct attachments attachments = {0};
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    AUTO(backup_progress_free) struct backup_progress *progress = backup_progress_new(invocation);
    struct backup_listener listener = backup_progress_listener(progress);
    struct backup_options options = {.tag = request->tag,
                                     .role = request->role,
                                     .command = request->command,
                                     .before = request->before,
                                     .role_passwords = request->role_passwords,
                                     .migrations = read_migrations};

    memcpy(&options.migrations_context, &invocation, sizeof invocation); /* read only */
    if (!read_numbers(invocation, &options, error) || !read_attachments(invocation, &attachments, error))
        return false;
    options.attachments = attachments.items;
    options.attachment_count = attachments.count;
    if (!backups_repository(invocation, true, &repository, error) ||
        !repository_lock(repository, request->wait_ms, request->command, error) ||
        !backup_create(postgres, repository, &options, &listener, &record, error) ||
        (request->verify && !look(invocation, repository, record, error)))
        return false;
    *ret = take(record);
    return true;
}

char *backups_summary(const struct record *record)
{
    OWNED char *raw = text_size(record->raw_bytes), *stored = text_size(record->whole.bytes);
    OWNED char *duration = text_duration(record->milliseconds);

    return text_format("%s: %lld table%s, %lld row%s, %s in %s, %s", record->id, (long long)record->tables,
                       record->tables == 1 ? "" : "s", (long long)record->rows, record->rows == 1 ? "" : "s",
                       raw, stored, duration);
}
