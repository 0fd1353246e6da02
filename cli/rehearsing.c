/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rehearsing.h"

#include "cli/backups.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/restoring.h"
#include "deploy/guard.h"
#include "deploy/settings.h"

void rehearsing_clear(struct rehearsing *rehearsing)
{
    stage_free(rehearsing->stage);
    postgres_free(rehearsing->target);
    server_facts_clear(&rehearsing->facts);
    free(rehearsing->environment);
    free(rehearsing->backup_id);
    text_list_clear(&rehearsing->differing);
    text_list_clear(&rehearsing->notes);
    *rehearsing = (struct rehearsing){0};
}

/* ---- connecting ---- */

/* A word is an environment of the configuration, or else a conninfo. ret_environment may be NULL. */
static bool connect_word(const struct invocation *invocation, const char *word, char **ret_environment,
                         struct postgres **ret, struct error *error)
{
    OWNED char *conninfo = NULL;

    if (!text_list_contains(config_environments(invocation->config), word))
        return connect_to(invocation, word, ret, error);
    if (!config_database_of(invocation->config, word, &conninfo, error))
        return false;
    if (!conninfo) {
        error_set(error, ERROR_USAGE, "environment \"%s\" names no database", word);
        return error_hint(error, "Write \"database = …\" into its section, or give a connection string.");
    }
    if (ret_environment)
        *ret_environment = text_copy(word);
    return connect_to(invocation, conninfo, ret, error);
}

bool rehearsing_target(const struct invocation *invocation, struct postgres **ret, struct error *error)
{
    const char *against = invocation_option(invocation, "against");

    return !against || connect_word(invocation, against, NULL, ret, error);
}

static bool refuse_protected(const struct invocation *invocation, struct error *error)
{
    OWNED char *whose = confirm_protected(invocation);

    error_set(error, ERROR_REFUSED, "%s is protected: nothing is rehearsed in it", whose);
    return error_hint(
        error, "Name a staging server with --on, or rehearse a copy: --embedded --from-backup latest.");
}

static bool connect_staging(const struct invocation *invocation, struct rehearsing *rehearsing,
                            struct postgres **ret, struct error *error)
{
    const char *on = invocation_option(invocation, "on");

    if (invocation_flag(invocation, "embedded"))
        return true;
    if (!on && config_bool(invocation->config, "protected"))
        return refuse_protected(invocation, error);
    if (!on)
        rehearsing->environment = text_copy(config_environment(invocation->config));
    if (on ? !connect_word(invocation, on, &rehearsing->environment, ret, error)
           : !connect_database(invocation, ret, error))
        return false;
    return guard_check(invocation->config, *ret, &rehearsing->notes, error);
}

/* ---- the backup ---- */

struct backup {
    struct repository *repository;
    struct record *record;
    char *archive;
};

static void backup_clear(struct backup *backup)
{
    repository_free(backup->repository);
    record_free(backup->record);
    free(backup->archive);
}
CLEANUP_VALUE(struct backup, backup_clear)

/* database: whose "latest" is meant, or NULL. */
static bool find_backup(const struct invocation *invocation, const char *database, struct backup *ret,
                        struct error *error)
{
    const char *word = invocation_option(invocation, "from-backup");

    if (!word)
        return true;
    if (!backups_repository(invocation, false, &ret->repository, error) ||
        !backups_find(invocation, ret->repository, word, database, &ret->record, &ret->archive, error))
        return false;
    if (ret->record)
        return true;
    error_set(error, ERROR_BACKUP, "\"%s\" has no commit record beside it", ret->archive);
    return error_hint(error, "The record (.json) says which SHA-256 the archive has. Copy both.");
}

/* The target's name, or that of the configuration's database; a staging database may be called otherwise. */
static const char *database_of(const struct invocation *invocation, const struct postgres *target,
                               const struct postgres *staging)
{
    if (target)
        return postgres_database(target);
    return staging && !invocation_flag(invocation, "on") ? postgres_database(staging) : NULL;
}

/* ---- the place ---- */

static bool check_options(const struct invocation *invocation, struct error *error)
{
    static const struct {
        const char *one, *other;
    } excluding[] = {{"on", "embedded"},   {"in-place", "embedded"},    {"in-place", "scratch"},
                     {"in-place", "keep"}, {"in-place", "from-backup"}, {"embedded", "scratch"},
                     {"embedded", "keep"}, {"against", "facts"}};

    for (size_t i = 0; i < sizeof excluding / sizeof *excluding; i++)
        if (invocation_flag(invocation, excluding[i].one) && invocation_flag(invocation, excluding[i].other))
            return error_set(error, ERROR_USAGE, "\"--%s\" and \"--%s\" exclude each other", excluding[i].one,
                             excluding[i].other);
    return true;
}

static int major_of(const struct backup *backup, const struct postgres *target)
{
    if (backup->record)
        return (int)strtol(backup->record->server_version, NULL, 10);
    return target ? postgres_server_version(target) / 10000 : 0;
}

static bool read_facts(const struct invocation *invocation, struct rehearsing *rehearsing,
                       struct error *error)
{
    const char *file = invocation_option(invocation, "facts");
    OWNED char *text = NULL;
    size_t size = 0;

    rehearsing->facts_known = file || rehearsing->target;
    if (file)
        return file_read(file, &text, &size, error) &&
               server_facts_parse(file, text, size, &rehearsing->facts, error);
    return !rehearsing->target || server_facts_read(rehearsing->target, &rehearsing->facts, error);
}

bool rehearsing_open(const struct invocation *invocation, struct rehearsing *ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *staging = NULL;
    AUTO(backup_clear) struct backup backup = {0};
    struct restoring_progress progress = {.invocation = invocation};
    struct restore_listener listener = restoring_listener(&progress);
    OWNED char *settings = NULL;

    if (!check_options(invocation, error) || !connect_staging(invocation, ret, &staging, error) ||
        !rehearsing_target(invocation, &ret->target, error) ||
        !find_backup(invocation, database_of(invocation, ret->target, staging), &backup, error) ||
        !settings_read(ret->target, staging, &settings, &ret->differing, error) ||
        !read_facts(invocation, ret, error))
        return false;
    struct stage_options options = {.in_place = invocation_flag(invocation, "in-place"),
                                    .archive = backup.archive,
                                    .record = backup.record,
                                    .listener = &listener,
                                    .settings = settings,
                                    .major = major_of(&backup, ret->target)};
    if (!backups_jobs(invocation->config, &options.jobs, error))
        return false;
    if (staging)
        postgres_free(take(ret->target)); /* it may be the database that is copied */
    options.staging = take(staging);
    ret->backup_id = backup.record ? text_copy(backup.record->id) : NULL;
    bool good = stage_open(&options, &ret->stage, error);
    restoring_progress_end(&progress);
    if (good && stage_note(ret->stage))
        text_list_add(&ret->notes, text_copy(stage_note(ret->stage)));
    return good;
}
