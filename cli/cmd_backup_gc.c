/* SPDX-License-Identifier: PostgreSQL */
#include "backup/repository.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/report.h"
#include <sys/stat.h>

/* Both change what other writers may be at work on. */
static bool open_locked(const struct invocation *invocation, struct repository **ret, struct error *error)
{
    OWNED char *folder = config_path(invocation->config, "repository");

    bool there;

    if (!repository_open(folder, false, ret, error) || !repository_look(*ret, &there, error))
        return false;
    if (!there)
        return error_set(error, ERROR_BACKUP, "there is no repository \"%s\"", folder);
    return repository_lock(*ret, 0, invocation->command->name, error);
}

static bool gc(struct invocation *invocation, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(text_list_clear) struct text_list paths = {0}, kept = {0};
    bool remove = !invocation_flag(invocation, "dry-run");
    int64_t bytes = 0;
    json_t *list = json_array();

    json_object_set_new(invocation->document, "removed", list);
    if (!open_locked(invocation, &repository, error) ||
        !repository_debris(repository, remove, &paths, &bytes, &kept, error))
        return false;
    OWNED char *size = text_size(bytes);
    for (size_t i = 0; i < paths.count; i++) {
        OWNED char *shown = report_path(paths.items[i]);
        json_array_append_new(list, json_string(paths.items[i]));
        if (!invocation->json)
            printf("%s %s\n", remove ? "removed" : "would remove", shown);
    }
    document_integer(invocation->document, "bytes", bytes);
    json_t *kept_list = json_array();
    json_object_set_new(invocation->document, "kept", kept_list);
    for (size_t i = 0; i < kept.count; i++) {
        OWNED char *shown = report_path(kept.items[i]);
        json_array_append_new(kept_list, json_string(kept.items[i]));
        struct stat status = {0};
        (void)!stat(kept.items[i], &status);
        OWNED char *kept_size = text_size(status.st_size);
        report_warning(invocation,
                       "%s (%s) is a whole archive without its record, and was kept: copy the .json file "
                       "from where the archive came from, restore it with the restore.sh in it, or remove it "
                       "by hand",
                       shown, kept_size);
    }
    if (!invocation->json && invocation->verbosity != VERBOSITY_QUIET)
        printf("%zu %s of crashed runs, %s\n", paths.count, paths.count == 1 ? "file" : "files", size);
    return true;
}

static bool reindex(struct invocation *invocation, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    size_t count;

    if (!open_locked(invocation, &repository, error) || !repository_reindex(repository, &count, error))
        return false;
    document_integer(invocation->document, "backups", (int64_t)count);
    if (!invocation->json && invocation->verbosity != VERBOSITY_QUIET)
        printf("%zu %s in the catalog\n", count, count == 1 ? "backup" : "backups");
    return true;
}

static const struct option_spec gc_options[] = {
    {.name = "dry-run", .summary = "only say what would be removed"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

static const struct option_spec reindex_options[] = {
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

const struct command cmd_backup_gc = {
    .name = "backup gc",
    .summary = "remove what crashed runs left",
    .details =
        "Files without a record are what a run left that was killed. They are never listed, counted or "
        "restored. Only names that pgmigrate gives are looked at. A whole archive that no run left behind, "
        "as "
        "where its record was not copied with it, is kept and named.",
    .options = gc_options,
    .group = "Backups",
    .run = gc,
};

const struct command cmd_backup_reindex = {
    .name = "backup reindex",
    .summary = "make the catalog anew from the records",
    .details = "The records beside the archives are the truth; the catalog only answers faster.",
    .options = reindex_options,
    .group = "Backups",
    .run = reindex,
};
