/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restore_test.h"
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/restoring.h"
#include "common/moment.h"

static void tell(const struct invocation *invocation, const struct record *record,
                 const struct restore_test_result *result)
{
    OWNED char *duration = text_duration(result->milliseconds);

    if (invocation->json) {
        json_t *notes = json_array();

        document_text(invocation->document, "id", record->id);
        document_text(invocation->document, "result", "ok");
        document_integer(invocation->document, "tables", result->tables);
        document_integer(invocation->document, "rows", result->rows);
        document_integer(invocation->document, "tested_ms", result->milliseconds);
        document_text(invocation->document, "tested_at", record->tested_at);
        for (size_t i = 0; i < result->notes.count; i++)
            json_array_append_new(notes, json_string(result->notes.items[i]));
        json_object_set_new(invocation->document, "notes", notes);
        return;
    }
    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    printf("%s can be restored: %lld tables, %lld rows, in %s\n", record->id, (long long)result->tables,
           (long long)result->rows, duration);
    for (size_t i = 0; i < result->notes.count; i++)
        printf("note: %s\n", result->notes.items[i]);
}

/* A repository that is read-only can be tested; what was found is told all the same. */
static void mark(const struct invocation *invocation, struct repository *repository, struct record *record,
                 int64_t ms)
{
    AUTO(error_clear) struct error error = {0};

    free(record->tested_at);
    record->tested_at = moment_text(moment_now());
    record->tested_ms = ms;
    if (!repository_mark(repository, record, MARK_TESTED, &error))
        report_warning(invocation, "could not note that the backup was restored: %s", error.message);
}

static bool test(struct invocation *invocation, struct repository *repository, struct record *record,
                 const char *archive, struct error *error)
{
    AUTO(restore_test_result_clear) struct restore_test_result result = {0};
    struct restoring_progress progress = {.invocation = invocation};
    struct restore_listener listener = restoring_listener(&progress);
    int jobs = 0;
    if (!backups_jobs(invocation->config, &jobs, error))
        return false;
    bool ok = restore_test_run(archive, record, jobs, &listener, &result, error);

    restoring_progress_end(&progress);
    if (!ok) {
        document_text(invocation->document, "id", record->id);
        document_text(invocation->document, "result", error->code == ERROR_BACKUP ? "corrupt" : "unknown");
        if (result.damaged)
            backups_mark_verified(invocation, repository, record, archive, "damaged");
        return false;
    }
    mark(invocation, repository, record, result.milliseconds);
    tell(invocation, record, &result);
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;
    const char *word = invocation->operands.count ? invocation->operands.items[0] : "latest";

    if (!backups_repository(invocation, false, &repository, error) ||
        !repository_find(repository, word, NULL, &record, &archive, error))
        return false;
    backups_warn(invocation, repository);
    if (!record) {
        error_set(error, ERROR_BACKUP, "\"%s\" has no commit record beside it", archive);
        return error_hint(error, "The record (.json) says which SHA-256 the archive has. Copy both.");
    }
    return test(invocation, repository, record, archive, error);
}

static const struct option_spec options[] = {
    {.name = "jobs", .letter = 'j', .argument = "N", .key = "jobs"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

const struct command cmd_backup_test = {
    .name = "backup test",
    .operands = "[BACKUP]",
    .max_operands = 1,
    .summary = "restore a backup into a throwaway cluster and compare everything",
    .details =
        "BACKUP is an id or its beginning, a path, or \"latest\" (default). The cluster is private: a Unix "
        "socket, no network, no subscriptions, no jobs; the programs of a PostgreSQL server must be "
        "installed. Every table's rows are compared with the backup, and the schema as pg_dump writes it. "
        "How long the restore took is recorded: it is the recovery time that \"backup list\" and the plan of "
        "\"restore\" show.\n"
        "\n"
        "The copy is made under $TMPDIR, or /tmp (by root: under /var/tmp), and removed at the end.",
    .options = options,
    .group = "Backups",
    .run = run,
};
