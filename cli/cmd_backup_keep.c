/* SPDX-License-Identifier: PostgreSQL */
#include "backup/repository.h"
#include "cli/commands.h"
#include "cli/document.h"

static bool set(struct invocation *invocation, bool kept, const char *reason, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    OWNED char *folder = config_path(invocation->config, "repository"), *archive = NULL;

    if (!repository_open(folder, false, &repository, error) ||
        !repository_find(repository, invocation->operands.items[0], NULL, &record, &archive, error))
        return false;
    OWNED char *own = file_join(folder, record ? record->archive : "");
    if (!record || !text_equal(own, archive))
        return error_set(error, ERROR_BACKUP, "\"%s\" is no backup of the repository \"%s\"", archive,
                         folder);
    free(record->kept_reason);
    record->kept = kept;
    record->kept_reason = text_copy(reason);
    if (!repository_mark(repository, record, MARK_KEPT, error))
        return false;
    document_text(invocation->document, "id", record->id);
    document_bool(invocation->document, "kept", kept);
    if (!invocation->json && invocation->verbosity != VERBOSITY_QUIET)
        printf("%s is %s\n", record->id, kept ? "kept whatever the rules say" : "subject to the rules again");
    return true;
}

static bool keep(struct invocation *invocation, struct error *error)
{
    return set(invocation, true, invocation_option(invocation, "reason"), error);
}

static bool unkeep(struct invocation *invocation, struct error *error)
{
    return set(invocation, false, NULL, error);
}

static const struct option_spec keep_options[] = {
    {.name = "reason", .argument = "TEXT", .summary = "why, for those who find it"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

static const struct option_spec unkeep_options[] = {
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

const struct command cmd_backup_keep = {
    .name = "backup keep",
    .operands = "BACKUP",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "mark a backup as one that prune never removes",
    .options = keep_options,
    .group = "Backups",
    .run = keep,
};

const struct command cmd_backup_unkeep = {
    .name = "backup unkeep",
    .operands = "BACKUP",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "take that mark away",
    .options = unkeep_options,
    .group = "Backups",
    .run = unkeep,
};
