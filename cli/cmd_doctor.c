/* SPDX-License-Identifier: PostgreSQL */
#include "backup/ledger.h"
#include "backup/restore.h"
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/examine.h"
#include "cli/inputs.h"
#include "cli/report.h"
#include "cli/worktree.h"
#include "common/moment.h"
#include "common/process.h"
#include "common/quote.h"
#include "sql.h"
#include <errno.h>
#include <sys/statvfs.h>

#define ROOM_WANTED (100LL << 20)

/* ---- this machine ---- */

static bool examine_configuration(struct invocation *invocation, struct diagnoses *found)
{
    AUTO(error_clear) struct error error = {0};
    const char *file, *environment;
    OWNED char *path = NULL;

    if (!command_configure(invocation, &error)) {
        diagnosis_error(found, "configuration", &error);
        return false;
    }
    file = config_file(invocation->config);
    environment = config_environment(invocation->config);
    path = file ? report_path(file) : NULL;
    diagnosis_good(found, "configuration", "%s%s%s", path ? path : "no pgmigrate.conf; defaults apply",
                   environment ? ", environment " : "", environment ? environment : "");
    return true;
}

static void examine_folder(const struct invocation *invocation, struct folder **ret_folder,
                           struct diagnoses *found)
{
    AUTO(error_clear) struct error error = {0};
    struct folder *folder = NULL;
    size_t warnings;

    if (!inputs_folder(invocation, &folder, &error)) {
        folder_free(folder);
        diagnosis_error(found, "folder", &error);
        return;
    }
    warnings = findings_count(&folder->findings, SEVERITY_WARNING);
    const char *plural = folder->count == 1 ? "" : "s";
    if (warnings)
        diagnosis_hint(diagnosis_bad(found, "folder", SEVERITY_WARNING, "%zu migration%s, %zu warning%s",
                                     folder->count, plural, warnings, warnings == 1 ? "" : "s"),
                       "\"pgmigrate check\" tells them.");
    else
        diagnosis_good(found, "folder", "%zu migration%s", folder->count, plural);
    *ret_folder = folder;
}

/* What git knows of changes in the folder; NULL where it cannot be asked. */
static char *uncommitted(const char *folder)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const argv[] = {"git", "-C", folder, "status", "--porcelain", "--", ".", NULL};

    if (!process_run(&(struct process_request){.argv = argv}, &result, &ignored) || result.status != 0)
        return NULL;
    return take(result.output);
}

static void examine_worktree(const char *folder, struct diagnoses *found)
{
    OWNED char *commit = worktree_commit(folder);
    OWNED char *changes = commit ? uncommitted(folder) : NULL;

    if (!commit)
        diagnosis_good(found, "work tree", "the folder is not in git; runs are recorded without a commit");
    else if (changes && *changes)
        diagnosis_hint(diagnosis_bad(found, "work tree", SEVERITY_WARNING,
                                     "the folder has changes that are not committed"),
                       "The history records commit %.12s, which does not hold them.", commit);
    else
        diagnosis_good(found, "work tree", "at commit %.12s", commit);
}

static void examine_disk(const char *folder, struct diagnoses *found)
{
    struct statvfs status;
    OWNED char *room = NULL;
    long long bytes;

    if (statvfs(folder, &status) != 0)
        return;
    bytes = (long long)status.f_bavail * (long long)status.f_frsize;
    room = text_size(bytes);
    if (bytes < ROOM_WANTED)
        diagnosis_bad(found, "disk", SEVERITY_WARNING, "only %s are free under %s", room, folder);
    else
        diagnosis_good(found, "disk", "%s are free", room);
}

/* "pg_dump (PostgreSQL) 15.20 (Debian …)" -> "15.20"; NULL when the program cannot be run. */
static char *program_version(const char *name)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const argv[] = {name, "--version", NULL};
    const char *at;

    if (!process_run(&(struct process_request){.argv = argv}, &result, &ignored) || result.status != 0)
        return NULL;
    at = strstr(result.output, ") ");
    return at ? text_copy_part(at + 2, strcspn(at + 2, " \n")) : NULL;
}

static void examine_program(const char *name, const struct postgres *postgres, struct diagnoses *found)
{
    OWNED char *version = program_version(name);
    int server = postgres ? postgres_server_version(postgres) / 10000 : 0;

    if (!version)
        diagnosis_hint(diagnosis_bad(found, name, SEVERITY_WARNING, "it is not installed"),
                       "Migrations do without; backups need it.");
    else if (strtol(version, NULL, 10) < server)
        diagnosis_hint(diagnosis_bad(found, name, SEVERITY_WARNING,
                                     "version %s is older than the server's %d", version, server),
                       "Install the client programs of PostgreSQL %d; pg_dump refuses newer servers.",
                       server);
    else
        diagnosis_good(found, name, "version %s", version);
}

static void examine_machine(const struct invocation *invocation, struct diagnoses *found)
{
    AUTO(text_list_clear) struct text_list folders = config_paths(invocation->config, "directory");

    if (!folders.count || !file_is_folder(folders.items[0]))
        return;
    examine_worktree(folders.items[0], found);
    examine_disk(folders.items[0], found);
}

/* ---- backups ---- */

/* Whose backups are looked for. */
struct backed_up {
    const char *database;
    char *system_identifier; /* of the server; NULL where it may not be known */
};

static void backed_up_clear(struct backed_up *whose)
{
    free(whose->system_identifier);
}
CLEANUP_VALUE(struct backed_up, backed_up_clear)

/* In a shared repository another server may have a database of that name: its backups are of no use here. */
static bool is_of(const struct record *record, const struct backed_up *whose)
{
    return text_equal(record->database, whose->database) &&
           (whose->system_identifier == NULL ||
            text_equal(record->system_identifier, whose->system_identifier));
}

/* Newest first: of the database's backups the first one that was restored in a test. */
static const struct record *newest_tested(const struct records *records, const struct backed_up *whose)
{
    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = records->items[i];
        if (is_of(record, whose) && !record_is_damaged(record) && record->tested_at != NULL)
            return record;
    }
    return NULL;
}

/* By two clocks: what is a little ahead is new. */
static int64_t age_ms(const char *time)
{
    int64_t us = 0, now = moment_now();
    if (time == NULL || !moment_parse(time, &us))
        return INT64_MAX;
    return us < now ? (now - us) / 1000 : 0;
}

static void judge_backups(int64_t max_age_ms, const struct record *record, const struct record *tested,
                          struct diagnoses *found)
{
    OWNED char *age = text_duration(age_ms(record->taken_at));
    if (record->ahead)
        diagnosis_hint(diagnosis_bad(found, "backup", SEVERITY_ERROR,
                                     "the newest good one, %s, is dated in the future: %s", record->id,
                                     record->taken_at),
                       "Set the clock that is wrong, here or on the server, and take another one.");
    else if (max_age_ms >= 0 && age_ms(record->taken_at) > max_age_ms)
        diagnosis_hint(diagnosis_bad(found, "backup", SEVERITY_ERROR, "the newest good one, %s, is %s old",
                                     record->id, age),
                       "Take one: pgmigrate backup create.");
    else
        diagnosis_good(found, "backup", "the newest is %s old", age);
    OWNED char *since = tested == NULL ? NULL : text_duration(age_ms(tested->tested_at));
    if (tested != NULL)
        diagnosis_good(found, "restore test", "%s was restored %s ago", tested->id, since);
    else if (max_age_ms >= 0)
        diagnosis_hint(diagnosis_bad(found, "restore test", SEVERITY_WARNING, "no backup was ever restored"),
                       "Show that they can be: pgmigrate backup test latest.");
}

/* Of a repository that is there: whether the next backup can be put into it. */
static void examine_repository(const char *folder, const struct record *newest, struct diagnoses *found)
{
    struct statvfs status;

    if (!file_is_folder(folder))
        return;
    if (access(folder, W_OK | X_OK) != 0)
        diagnosis_hint(diagnosis_bad(found, "repository", SEVERITY_WARNING, "cannot write to %s: %s", folder,
                                     strerror(errno)),
                       "This user can take no backup.");
    if (newest == NULL || statvfs(folder, &status) != 0)
        return;
    long long room = (long long)status.f_bavail * (long long)status.f_frsize;
    OWNED char *there = text_size(room), *last = text_size(newest->whole.bytes);
    if (room < newest->whole.bytes)
        diagnosis_hint(diagnosis_bad(found, "repository", SEVERITY_WARNING,
                                     "only %s are free under %s, and the newest backup has %s", there, folder,
                                     last),
                       "\"pgmigrate backup prune\" makes room.");
}

static void examine_backups(const struct invocation *invocation, struct postgres *postgres,
                            struct diagnoses *found)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(records_clear) struct records records = {0};
    AUTO(record_free) struct record *record = NULL;
    AUTO(backed_up_clear)
    struct backed_up whose = {postgres_database(postgres), backups_server(postgres)};
    OWNED char *archive = NULL;
    int64_t max_age_ms = config_duration(invocation->config, "max_age");

    if (!backups_repository(invocation, false, &repository, &error) ||
        !repository_list(repository, &records, NULL, &error)) {
        diagnosis_error(found, "backup", &error);
        return;
    }
    repository_prefer(repository, whose.system_identifier);
    if (!repository_find(repository, "latest", whose.database, &record, &archive, &error) &&
        error.code != ERROR_BACKUP) {
        diagnosis_error(found, "backup", &error);
        return;
    }
    examine_repository(repository_folder(repository), record, found);
    for (size_t i = 0; i < repository_passed_over(repository)->count; i++)
        diagnosis_hint(diagnosis_bad(found, "backup", SEVERITY_WARNING, "%s",
                                     repository_passed_over(repository)->items[i]),
                       "See what is in it, and what is left: pgmigrate backup show ID, backup verify ID.");
    if (record != NULL && is_of(record, &whose))
        judge_backups(max_age_ms, record, newest_tested(&records, &whose), found);
    else if (max_age_ms >= 0)
        diagnosis_hint(diagnosis_bad(found, "backup", SEVERITY_ERROR,
                                     "there is none of database \"%s\"%s in %s", whose.database,
                                     record != NULL ? " of this server" : "", repository_folder(repository)),
                       "Take one: pgmigrate backup create.");
}

/* The backup that a database holds part of; NULL where none is known to be. */
static char *unfinished_restore(const struct postgres *postgres, const char *database)
{
    AUTO(postgres_free) struct postgres *inside = NULL;
    AUTO(ledger_clear) struct ledger ledger = {0};
    AUTO(error_clear) struct error ignored = {0};
    bool present = false;

    if (!postgres_connect_database(postgres, database, &inside, &ignored) ||
        !ledger_read(inside, &present, &ledger, &ignored))
        return NULL;
    return present ? take(ledger.backup) : NULL;
}

/* What a restore that was killed has left, under a name that nobody chose or waiting to be swapped in. */
static void examine_restores(struct postgres *postgres, struct diagnoses *found)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error error = {0};
    OWNED char *prefix = restore_prefix(postgres_database(postgres));
    const char *value = prefix;

    if (!postgres_query(postgres, sql_restore_leftovers, 1, &value, &rows, &error)) {
        diagnosis_error(found, "restores", &error);
        return;
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *name = rows_text(rows, i, "name"), *marked = rows_text(rows, i, "marked");
        OWNED char *id = marked ? text_copy(marked) : unfinished_restore(postgres, name);
        OWNED char *quoted = postgres_quote_name(name);

        if (id)
            diagnosis_hint(diagnosis_bad(found, "restores", SEVERITY_WARNING,
                                         "database \"%s\" was left by a restore of %s that did not end", name,
                                         id),
                           "Go on with it: pgmigrate restore %s --to %s --resume, with the options that it "
                           "had%s; or remove it: DROP DATABASE %s.",
                           id, quoted, marked ? ", --swap among them" : "", quoted);
    }
}

/* ---- the report ---- */

static const char *state_name(const struct diagnosis *diagnosis)
{
    return diagnosis->good ? "ok" : severity_name(diagnosis->severity);
}

static void print(const struct invocation *invocation, const struct diagnoses *found)
{
    bool color = invocation->color_output;
    size_t bad = 0;

    for (size_t i = 0; i < found->count; i++) {
        const struct diagnosis *diagnosis = &found->items[i];
        OWNED char *state = text_format("%-8s", state_name(diagnosis));

        bad += !diagnosis->good;
        if (diagnosis->good && invocation->verbosity == VERBOSITY_QUIET)
            continue;
        report_paint(stdout, color,
                     diagnosis->good                         ? PAINT_GREEN
                     : diagnosis->severity == SEVERITY_ERROR ? PAINT_RED
                                                             : PAINT_YELLOW,
                     state);
        printf("%-14s %s\n", diagnosis->check, diagnosis->message);
        if (diagnosis->detail)
            printf("%23sdetail: %s\n", "", diagnosis->detail);
        if (diagnosis->hint)
            printf("%23shint: %s\n", "", diagnosis->hint);
    }
    if (invocation->verbosity > VERBOSITY_QUIET && bad)
        printf("\n%zu of %zu checks found something\n", bad, found->count);
    else if (invocation->verbosity > VERBOSITY_QUIET)
        printf("\nall %zu checks are fine\n", found->count);
}

static void fill(json_t *document, const struct diagnoses *found)
{
    json_t *list = json_array();

    for (size_t i = 0; i < found->count; i++) {
        const struct diagnosis *diagnosis = &found->items[i];
        json_t *object = json_object();

        document_text(object, "check", diagnosis->check);
        document_text(object, "state", state_name(diagnosis));
        document_text(object, "message", diagnosis->message);
        document_text(object, "detail", diagnosis->detail);
        document_text(object, "hint", diagnosis->hint);
        json_array_append_new(list, object);
    }
    json_object_set_new(document, "checks", list);
}

static void examine(struct invocation *invocation, struct diagnoses *found)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(postgres_free) struct postgres *postgres = NULL;

    if (!examine_configuration(invocation, found))
        return;
    examine_folder(invocation, &folder, found);
    examine_machine(invocation, found);
    if (connect_database(invocation, &postgres, &error)) {
        examine_database(invocation, postgres, folder, found);
        examine_backups(invocation, postgres, found);
        examine_restores(postgres, found);
    } else
        diagnosis_error(found, "connection", &error);
    examine_program("psql", postgres, found);
    examine_program("pg_dump", postgres, found);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(diagnoses_clear) struct diagnoses found = {0};

    (void)error;
    examine(invocation, &found);
    if (invocation->json)
        fill(invocation->document, &found);
    else
        print(invocation, &found);
    for (size_t i = 0; i < found.count; i++)
        if (!found.items[i].good)
            invocation->exit_code = ERROR_FINDINGS;
    return true;
}

static const struct option_spec options[] = {
    {.name = "role", .argument = "ROLE", .key = "role"},
    {.name = "pooler", .argument = "MODE", .key = "pooler"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {.name = "max-age", .argument = "AGE", .key = "max_age"},
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_doctor = {
    .name = "doctor",
    .summary = "say what is wrong with server, tools, permissions or settings",
    .details =
        "Looks at the configuration, the folder of migrations and its git work tree, the server (version, "
        "standby, read-only, pooler, encoding), the history and who may write it, the run lock, transactions "
        "and indexes that will be in the way, the client programs, the age of the newest backup and of its "
        "last restore test, and what restores left that did not end. It changes nothing. Exit 3 when "
        "something was found; every finding says how to mend it.",
    .options = options,
    .group = "Server",
    .without_config = true,
    .run = run,
};
