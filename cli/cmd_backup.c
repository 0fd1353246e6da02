/* SPDX-License-Identifier: PostgreSQL */
#include "backup/snapshot.h"
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "migrator/session.h"
#include "sql.h"

/* Under this name apply shows who keeps it waiting. What the database has set (timeouts, search_path) must
 * not stop a backup before it begins. */
static bool prepare_session(struct postgres *postgres, const char *role, struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_set_application_name, (struct postgres_name[]){{"name", "pgmigrate backup"}, {0}});

    return postgres_execute(postgres, sql, error) && snapshot_settings(postgres, false, NULL, error) &&
           snapshot_role(postgres, role, error);
}

/* A backup must not begin between two files of one apply run, so it holds the same lock. */
static bool take_run_lock(const struct invocation *invocation, const struct history *history,
                          const char *role, struct error *error)
{
    AUTO(progress_free) struct progress *progress = progress_new(invocation, "backed up");
    struct run_listener listener = progress_listener(progress);
    int64_t wait_ms = config_duration(invocation->config, "wait_lock");
    struct run_options options = {.role = role, .wait_lock_ms = wait_ms < 0 ? 0 : wait_ms};

    return session_lock(history, &options, &listener, error);
}

static void fill(const struct invocation *invocation, const struct record *record)
{
    json_t *document = invocation->document;
    OWNED char *folder = config_path(invocation->config, "repository");
    OWNED char *path = file_join(folder, record->archive);

    document_text(document, "id", record->id);
    document_text(document, "path", path);
    document_integer(document, "bytes", record->whole.bytes);
    document_integer(document, "raw_bytes", record->raw_bytes);
    document_text(document, "sha256", record->whole.sha256);
    json_object_set_new(document, "seconds", json_real((double)record->milliseconds / 1000));
    document_integer(document, "tables", record->tables);
    document_integer(document, "rows", record->rows);
    document_integer(document, "skipped", record->skipped);
    document_integer(document, "warnings", record->warnings);
    document_text(document, "migrations_version", record->last_migration);
    document_text(document, "verified_at", record->verified_at);
}

static void print(const struct invocation *invocation, const struct record *record)
{
    OWNED char *summary = backups_summary(record);
    OWNED char *folder = config_path(invocation->config, "repository");
    OWNED char *path = file_join(folder, record->archive);
    OWNED char *shown = report_path(path);

    if (invocation->verbosity != VERBOSITY_QUIET)
        printf("%s\n%s\n", summary, shown);
}

/* It is shown as it is, in lists of one line each. */
static bool check_tag(const char *tag, struct error *error)
{
    for (; tag != NULL && *tag != '\0'; tag++)
        if ((unsigned char)*tag < ' ' || *tag == 0x7f)
            return error_set(error, ERROR_USAGE, "a tag is one line of text, without control characters");
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    AUTO(record_free) struct record *record = NULL;
    int64_t wait_ms = config_duration(invocation->config, "wait_lock");
    struct backups_request request = {
        .command = "backup create",
        .tag = invocation_option(invocation, "tag"),
        .role = invocation_option(invocation, "role"),
        .role_passwords = invocation_flag(invocation, "role-passwords"),
        .verify = invocation_flag(invocation, "verify"),
        .wait_ms = wait_ms < 0 ? 0 : wait_ms,
    };

    if (!check_tag(request.tag, error) || !connect_database(invocation, &postgres, error) ||
        !session_check(postgres, true, true, error) || !prepare_session(postgres, request.role, error) ||
        !history_named(postgres, config_text(invocation->config, "history_table"), &history, error) ||
        !take_run_lock(invocation, history, request.role, error) ||
        !backups_take(invocation, postgres, &request, &record, error))
        return false;
    if (invocation->json)
        fill(invocation, record);
    else
        print(invocation, record);
    invocation->complete = true;
    if (record->incomplete)
        invocation->exit_code = ERROR_FINDINGS;
    return true;
}

static const struct option_spec options[] = {
    {.name = "jobs", .letter = 'j', .argument = "N", .key = "jobs"},
    {.name = "repository", .argument = "DIR", .key = "repository"},
    {.name = "tag", .argument = "TEXT", .summary = "a word to find it by"},
    {.name = "level", .argument = "N", .key = "level"},
    {.name = "split-larger-than", .argument = "SIZE", .key = "split_larger_than"},
    {.name = "attach",
     .argument = "NAME=COMMAND",
     .repeats = true,
     .summary = "keep a command's output in the backup, under NAME"},
    {.name = "verify", .summary = "read it back afterwards and compare all digests"},
    {.name = "lock-wait-timeout", .argument = "SECONDS", .key = "lock_wait_timeout"},
    {.name = "max-block", .argument = "SECONDS", .key = "max_block"},
    {.name = "role-passwords", .summary = "globals.sql also holds the roles' password hashes (superuser)"},
    {.name = "role", .argument = "ROLE", .summary = "read as this role (SET ROLE)"},
    {.name = "wait-lock", .argument = "SECONDS", .key = "wait_lock"},
    {.name = "pooler", .argument = "MODE", .key = "pooler"},
    OPTION_HISTORY_TABLE,
    {0},
};

const struct command cmd_backup_create = {
    .name = "backup create",
    .aliases = "backup",
    .summary = "take a backup",
    .details =
        "One file holds the whole database as it was at one moment: schema, rows, large objects, roles, and "
        "what is needed to restore it without pgmigrate. Tables are locked against being dropped, rewritten "
        "or truncated, and can be read and written meanwhile. Large tables are copied by --jobs streams side "
        "by side, the rest by pg_dump, which has to be of the server's own version or newer.\n"
        "\n"
        "It is refused where it would not be complete: rows hidden by row-level security, tables that the "
        "role may not read. Whatever else is not in it is warned of, and the exit status is "
        "3: unlogged tables of a standby, subscriptions where the role is no superuser.\n"
        "\n"
        "A backup waits for a running apply, and apply for a running backup (--wait-lock).",
    .options = options,
    .group = "Backups",
    .run = run,
};
