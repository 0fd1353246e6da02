/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restore.h"
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/restoring.h"
#include "common/interrupt.h"
#include "common/moment.h"
#include "sql.h"

/* One run of the command. */
struct run {
    struct invocation *invocation;
    struct repository *repository;
    struct postgres *server;
    char *database;          /* that the configuration names */
    char *system_identifier; /* of the server, or NULL where the role may not know it */
    struct record *record;
    char *archive;
    char *to;
    struct text_list tables;
    struct restore_options options;
    struct restore_result result;
    char *previous; /* what the old database is called now */
};

static void run_clear(struct run *run)
{
    repository_free(run->repository);
    postgres_free(run->server);
    record_free(run->record);
    restore_result_clear(&run->result);
    text_list_clear(&run->tables);
    free(run->database);
    free(run->system_identifier);
    free(run->archive);
    free(run->to);
    free(run->previous);
}
CLEANUP_VALUE(struct run, run_clear)

/* ---- which backup ---- */

static bool one_way(const struct invocation *invocation, struct error *error)
{
    int ways = (invocation->operands.count > 0) + invocation_flag(invocation, "before") +
               invocation_flag(invocation, "before-time");

    if (ways == 1)
        return true;
    error_set(error, ERROR_USAGE, ways ? "a backup was named in two ways" : "no backup was named");
    return error_hint(error, "Give an id, a path or \"latest\", or --before VERSION, or --before-time TIME. "
                             "\"pgmigrate backup list\" shows what there is.");
}

/* The backup is of the database that the configuration names, on this server. */
static bool is_own(const struct run *run)
{
    return text_equal(run->record->database, run->database) &&
           (run->system_identifier == NULL ||
            text_equal(run->record->system_identifier, run->system_identifier));
}

/* When the version was applied to the database that is there now; NULL: it was not, for all that is known. */
static char *applied_at(const struct run *run, const char *version)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    AUTO(error_clear) struct error ignored = {0};

    if (!postgres_connect_database(run->server, run->database, &postgres, &ignored) ||
        !connect_history(run->invocation, postgres, &history, &ignored))
        return NULL;
    for (size_t i = 0; i < history->count; i++)
        if (record_is_version(history->rows[i].version, version))
            return text_copy(history->rows[i].applied_at);
    return NULL;
}

/* The version of --before, or NULL: "latest" is the one that was applied last in the database that is there.
 */
static bool read_before(struct run *run, char **ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    const char *before = invocation_option(run->invocation, "before");
    struct history_row *row = NULL;

    if (text_equal(before, "latest")) {
        if (!postgres_connect_database(run->server, run->database, &postgres, error) ||
            !connect_history(run->invocation, postgres, &history, error) ||
            !history_word(history, before, &row, error))
            return false;
        before = row->version;
    }
    *ret = text_copy(before);
    return true;
}

/* Where the records do not tell whether the backup is from before the migration. */
static bool judge_by_clocks(const struct run *run, const char *version, bool known, struct error *error)
{
    const struct invocation *invocation = run->invocation;
    const struct record *record = run->record;
    OWNED char *at = applied_at(run, version);
    bool swap = invocation_flag(invocation, "swap");
    int64_t us = 0;

    if (at && moment_parse(at, &us) && record_taken_us(record) > us) {
        OWNED char *text = text_format("backup %s was taken (%s) after migration \"%s\" was applied (%s)",
                                       record->id, record->taken_at, version, at);
        if (swap) {
            error_set(error, ERROR_BACKUP, "%s", text);
            return error_hint(
                error, "Choose one by its id (\"pgmigrate backup list\"), or with --before-time %s.", at);
        }
        report_warning(invocation, "%s", text);
        return true;
    }
    if (known || at)
        return true;
    if (!swap) {
        report_warning(
            invocation,
            "no backup holds migration \"%s\": this is the newest one; see whether the version is right",
            version);
        return true;
    }
    error_set(error, ERROR_BACKUP, "no backup holds migration \"%s\"", version);
    return error_hint(error,
                      "It may be misspelt, or no backup was taken since it was applied: choose one by its id "
                      "(\"pgmigrate backup list\"), or leave --swap out.");
}

static bool find_backup(struct run *run, struct error *error)
{
    const struct invocation *invocation = run->invocation;
    OWNED char *before = NULL;
    const char *time = invocation_option(invocation, "before-time");
    if (!read_before(run, &before, error) || !backups_repository(invocation, false, &run->repository, error))
        return false;
    run->system_identifier = backups_server(run->server);
    repository_prefer(run->repository, run->system_identifier);
    bool known = true;
    if (before && !repository_find_before(run->repository, before, run->database, &run->record, &run->archive,
                                          &known, error)) {
        backups_warn(invocation, run->repository);
        return false;
    }
    if (before && (!known || !record_tells_migrations(run->record)))
        return judge_by_clocks(run, before, known, error);
    if (before)
        return true;
    if (time)
        return repository_find_before_time(run->repository, time, run->database, &run->record, &run->archive,
                                           error);
    return repository_find(run->repository, invocation->operands.items[0], run->database, &run->record,
                           &run->archive, error);
}

/* ---- the plan ---- */

static void plan_line(FILE *out, const char *name, char *owned)
{
    OWNED char *text = owned;

    fprintf(out, "%-11s %s\n", name, text);
}

static char *age_of(const char *taken_at)
{
    int64_t then, now = moment_now();

    if (!moment_parse(taken_at, &then))
        return text_copy("");
    if (then > now)
        return text_copy(", which is in the future: a clock is wrong");
    OWNED char *age = text_duration((now - then) / 1000);
    return text_format(", %s old", age);
}

/* From a test of this backup, or of the newest other one of the database. */
static char *estimate(struct run *run)
{
    AUTO(records_clear) struct records records = {0};
    AUTO(error_clear) struct error ignored = {0};
    const struct record *record = run->record, *basis = record->tested_ms ? record : NULL;

    if (!basis && repository_list(run->repository, &records, NULL, &ignored))
        for (size_t i = 0; i < records.count && !basis; i++)
            if (records.items[i]->tested_ms && records.items[i]->raw_bytes &&
                text_equal(records.items[i]->database, record->database))
                basis = records.items[i];
    if (!basis || !basis->raw_bytes)
        return text_copy("unknown: no restore was tested yet (\"pgmigrate backup test\")");
    OWNED char *time = text_duration(
        (int64_t)((double)basis->tested_ms * (double)record->raw_bytes / (double)basis->raw_bytes));
    return text_format("about %s, from the test of %s", time, basis->id);
}

static bool is_there(const struct run *run, const char *name, bool *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(run->server, sql_restore_database, 1, &name, &rows, error))
        return false;
    *ret = rows_count(rows) > 0;
    return true;
}

static char *target_text(const struct run *run)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *where = connect_target(run->server);
    OWNED char *host = text_copy_part(where, (size_t)(strrchr(where, '/') - where));
    bool there = run->options.resume;
    const char *kind = there ? "" : is_there(run, run->to, &there, &ignored) && there ? "existing " : "new ";

    return text_format("%sdatabase \"%s\" on %s", kind, run->to, host);
}

static void print_plan(struct run *run)
{
    const struct record *record = run->record;
    OWNED char *age = age_of(record->taken_at), *taken = report_time(record->taken_at);
    OWNED char *bytes = text_size(record->whole.bytes), *raw = text_size(record->raw_bytes);

    plan_line(stderr, "backup", text_format("%s, taken %s UTC%s", record->id, taken, age));
    bool foreign =
        run->system_identifier != NULL && !text_equal(record->system_identifier, run->system_identifier);
    plan_line(stderr, "from",
              text_format("database \"%s\"%s, PostgreSQL %s", record->database,
                          foreign ? " of another server" : "", record->server_version));
    plan_line(stderr, "migrations",
              record->last_migration ? text_format("%zu in the history, the last one applied is %s",
                                                   record->migrations.count, record->last_migration)
                                     : text_copy("none"));
    plan_line(stderr, "contents",
              text_format("%lld tables, %lld rows, %s (%s compressed)", (long long)record->tables,
                          (long long)record->rows, raw, bytes));
    for (size_t i = 0; i < run->tables.count; i++)
        plan_line(stderr, i ? "" : "only", text_copy(run->tables.items[i]));
    plan_line(stderr, "into", target_text(run));
    if (run->options.swap_follows)
        plan_line(
            stderr, "then",
            text_format("it takes the place of \"%s\", which is kept under another name", run->database));
    plan_line(stderr, "time", estimate(run));
}

/* No refusal: TOAST may take less than the text did. Indexes and WAL are taken for half of the contents. */
static void warn_of_room(const struct run *run)
{
    bool whole = !run->tables.count && !run->options.schema_only && !run->options.resume;
    int64_t room = whole ? restore_room(run->server) : -1;
    OWNED char *there = text_size(room), *needed = text_size(run->record->raw_bytes);

    if (room >= 0 && room < run->record->raw_bytes / 2 * 3)
        report_warning(run->invocation,
                       "the server has only %s of room, and the contents are %s, without indexes", there,
                       needed);
}

static void fill_plan(const struct run *run, const struct text_list *problems)
{
    json_t *document = run->invocation->document, *list = json_array();

    document_text(document, "id", run->record->id);
    document_text(document, "database", run->to);
    document_integer(document, "tables", run->record->tables);
    document_integer(document, "rows", run->record->rows);
    document_text(document, "taken_at", run->record->taken_at);
    document_text(document, "migrations_version", run->record->last_migration);
    document_bool(document, "swapped", false);
    for (size_t i = 0; i < problems->count; i++)
        json_array_append_new(list, json_string(problems->items[i]));
    json_object_set_new(document, "problems", list);
}

/* ---- asking ---- */

static bool refuse_unconfirmed(const struct run *run, const char *given, struct error *error)
{
    OWNED char *whose = confirm_protected(run->invocation);

    if (given)
        error_set(error, ERROR_REFUSED, "--confirm names \"%s\", but \"%s\" would be replaced", given,
                  run->database);
    else if (!is_own(run))
        error_set(error, ERROR_REFUSED,
                  "the backup is of database \"%s\"%s: putting it in the place of \"%s\" wants --confirm %s",
                  run->record->database,
                  text_equal(run->record->database, run->database) ? " of another server" : "", run->database,
                  run->database);
    else
        error_set(error, ERROR_REFUSED, "%s is protected: swapping wants --confirm %s", whose, run->database);
    return error_hint(error, "Nothing was changed.");
}

static bool ask(struct error *error)
{
    OWNED char *line = NULL;
    size_t size = 0;

    fprintf(stderr, "Type \"yes\" to go on: ");
    fflush(stderr);
    if (getline(&line, &size, stdin) > 0 && text_equal(line, "yes\n"))
        return true;
    if (interrupt_signal())
        return interrupt_error(error);
    error_set(error, ERROR_REFUSED, "the restore was not confirmed");
    return error_hint(error, "Nothing was changed. Give --yes, or answer \"yes\".");
}

/* Whether the database whose place is taken must be named: in a protected environment, and where what comes
 * into its place is of another one. */
static bool wants_confirm(const struct run *run, bool *ret, struct error *error)
{
    *ret = run->options.swap_follows && config_bool(run->invocation->config, "protected");
    if (*ret || !run->options.swap_follows || is_own(run))
        return true;
    return is_there(run, run->database, ret, error);
}

static bool confirmed(const struct run *run, struct error *error)
{
    const struct invocation *invocation = run->invocation;
    const char *given = invocation_option(invocation, "confirm");
    bool wanted = false;

    if (!wants_confirm(run, &wanted, error))
        return false;
    if ((wanted || (given && run->options.swap_follows)) && !text_equal(given, run->database))
        return refuse_unconfirmed(run, given, error);
    if (invocation->yes || given || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    return ask(error);
}

/* ---- the result ---- */

static void add_strings(json_t *document, const char *name, const struct text_list *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    json_object_set_new(document, name, list);
}

static void tell_result(const struct run *run, int64_t ms)
{
    const struct invocation *invocation = run->invocation;
    const struct restore_result *result = &run->result;
    const char *name = run->previous || run->options.swap_follows ? run->database : result->database;
    OWNED char *duration = text_duration(ms);

    if (invocation->json) {
        document_text(invocation->document, "id", run->record->id);
        document_text(invocation->document, "database", name);
        document_integer(invocation->document, "tables", result->tables);
        document_integer(invocation->document, "rows", result->rows);
        json_object_set_new(invocation->document, "seconds", json_real((double)ms / 1000));
        document_bool(invocation->document, "swapped", run->options.swap_follows);
        document_text(invocation->document, "previous_database", run->previous);
        add_strings(invocation->document, "created_roles", &result->created_roles);
        add_strings(invocation->document, "notes", &result->notes);
        return;
    }
    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    printf("restored %s into database \"%s\" in %s: %lld tables, %lld rows%s\n", run->record->id, name,
           duration, (long long)result->tables, (long long)result->rows,
           run->options.schema_only || run->options.no_compare ? "" : ", compared with the backup");
    if (run->previous)
        printf("the old database is \"%s\"\n", run->previous);
    for (size_t i = 0; i < result->created_roles.count; i++)
        printf("role \"%s\" was created without login\n", result->created_roles.items[i]);
    for (size_t i = 0; i < result->notes.count; i++)
        printf("note: %s\n", result->notes.items[i]);
}

/* ---- running ---- */

static bool swap(struct run *run, struct error *error)
{
    if (!run->options.swap_follows)
        return true;
    if (restore_swap_notes(run->server, run->to, run->database, &run->result.notes, error) &&
        restore_swap(run->server, run->to, run->database, &run->previous, error))
        return true;
    if (!error->hint) {
        OWNED char *command = restoring_command(run->invocation, run->record->id, run->to);

        error_hint(error, "\"%s\" is restored and stays; \"%s\" is as it was. Try again with \"%s\".",
                   run->to, run->database, command);
    }
    return false;
}

static void note_damage(const struct run *run)
{
    if (run->result.damaged)
        backups_mark_verified(run->invocation, run->repository, run->record, run->archive, "damaged");
}

static bool restore(struct run *run, struct error *error)
{
    struct restoring_progress progress = {.invocation = run->invocation};
    struct restore_listener listener = restoring_listener(&progress);
    int64_t began = clock_ms();
    bool ok =
        restore_run(run->server, run->archive, run->record, &run->options, &listener, &run->result, error);

    restoring_progress_end(&progress);
    note_damage(run);
    if (!ok && run->result.kept) {
        OWNED char *command = restoring_command(run->invocation, run->record->id, run->to);

        error_hint(
            error,
            "If something in it must be mended first, do that; go on with \"%s\", or drop the database.",
            command);
    }
    if (!ok || !swap(run, error))
        return false;
    tell_result(run, clock_ms() - began);
    run->invocation->complete = true;
    if (run->result.unfilled > 0)
        run->invocation->exit_code = ERROR_FINDINGS;
    return true;
}

static bool try_dry(struct run *run, struct error *error)
{
    AUTO(archive_reader_free) struct archive_reader *archive = NULL;
    AUTO(manifest_free) struct manifest *manifest = NULL;
    AUTO(text_list_clear) struct text_list problems = {0};
    struct restoring_progress progress = {.invocation = run->invocation};
    struct restore_listener listener = restoring_listener(&progress);
    OWNED char *text = NULL;
    size_t size;

    if (!archive_reader_open(run->archive, &archive, error) ||
        !archive_reader_manifest(archive, &text, &size, error) ||
        !manifest_read(text, size, archive_reader_bytes(archive), &manifest, error) ||
        !restore_preflight(run->server, manifest, &run->options, &problems, error))
        return false;
    if (run->invocation->json)
        fill_plan(run, &problems);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "in the way: %s\n", problems.items[i]);
    if (problems.count)
        return error_set(error, ERROR_REFUSED, "%s", problems.items[0]);
    bool ok =
        restore_try(run->server, run->archive, run->record, &run->options, &listener, &run->result, error);
    restoring_progress_end(&progress);
    note_damage(run);
    return ok;
}

#define NAME_LENGTH 63 /* PostgreSQL's NAMEDATALEN - 1; the server cuts off what is longer */

static bool check_name(const char *to, struct error *error)
{
    if (*to == '\0')
        return error_set(error, ERROR_USAGE, "\"--to\" wants a name");
    if (strlen(to) > NAME_LENGTH)
        return error_set(error, ERROR_USAGE,
                         "\"%s\" is longer than the %d bytes that a database's name may have", to,
                         NAME_LENGTH);
    if (text_equal(to, "template0") || text_equal(to, "template1"))
        return error_set(error, ERROR_USAGE,
                         "\"%s\" is what new databases are made from; restore into another one", to);
    return true;
}

static bool read_options(struct run *run, struct error *error)
{
    const struct invocation *invocation = run->invocation;
    const char *to = invocation_option(invocation, "to");
    const char *const *values = NULL;
    size_t count = invocation_options(invocation, "table", &values);

    for (size_t i = 0; i < count; i++)
        text_list_add(&run->tables, text_copy(values[i]));
    if (invocation_flag(invocation, "resume") && !to) {
        error_set(error, ERROR_USAGE, "\"--resume\" needs \"--to\"");
        return error_hint(error, "Name the database that the interrupted restore left.");
    }
    if (invocation_flag(invocation, "swap") && (count || invocation_flag(invocation, "schema-only")))
        return error_set(error, ERROR_USAGE,
                         "\"--swap\" wants a whole database: without --table and "
                         "--schema-only");
    if (to && !check_name(to, error))
        return false;
    run->to = to ? text_copy(to) : restore_name(run->database, "restore");
    if (text_equal(run->to, run->database) && invocation_flag(invocation, "swap"))
        return error_set(error, ERROR_USAGE,
                         "\"--to\" must be another name than that of the database that "
                         "is replaced");
    run->options = (struct restore_options){
        .to = run->to,
        .schema_only = invocation_flag(invocation, "schema-only"),
        .no_owner = invocation_flag(invocation, "no-owner"),
        .no_privileges = invocation_flag(invocation, "no-privileges"),
        .create_missing_roles = invocation_flag(invocation, "create-missing-roles"),
        .resume = invocation_flag(invocation, "resume"),
        .no_compare = invocation_flag(invocation, "no-compare"),
        .swap_follows = invocation_flag(invocation, "swap"),
        .replaces = run->database,
        .any_locale = text_equal(invocation_option(invocation, "confirm"), run->to),
        .tables = &run->tables,
    };
    if (!backups_jobs(invocation->config, &run->options.jobs, error))
        return false;
    return true;
}

/* Restoring is running SQL as whoever connects: an archive that nobody vouches for wants a decision. */
static bool trusted(struct run *run, struct error *error)
{
    if (run->record)
        return true;
    error_set(error, ERROR_BACKUP, "\"%s\" has no commit record beside it", run->archive);
    return error_hint(error,
                      "The record (.json) says which SHA-256 the archive has: copy both. Where it is lost, "
                      "restore.sh in the archive restores without it.");
}

static bool run_restore(struct invocation *invocation, struct error *error)
{
    AUTO(run_clear) struct run run = {.invocation = invocation};

    if (!one_way(invocation, error) || !connect_server(invocation, &run.server, &run.database, error) ||
        !read_options(&run, error) || !find_backup(&run, error) || !trusted(&run, error))
        return false;
    backups_warn(invocation, run.repository);
    if (!invocation->json && invocation->verbosity > VERBOSITY_QUIET)
        print_plan(&run);
    warn_of_room(&run);
    if (invocation_flag(invocation, "dry-run"))
        return try_dry(&run, error);
    return confirmed(&run, error) && restore(&run, error);
}

static const struct option_spec options_restore[] = {
    {.name = "to", .argument = "NEWDB", .summary = "the new database [default: <database>_restore_<time>]"},
    {.name = "swap", .summary = "put it in the place of the database, which is kept under another name"},
    {.name = "table", .argument = "NAME", .repeats = true, .summary = "only this table, with what it needs"},
    {.name = "schema-only", .summary = "no rows"},
    {.name = "jobs", .letter = 'j', .argument = "N", .key = "jobs"},
    {.name = "before", .argument = "VERSION", .summary = "the last backup before that migration was applied"},
    {.name = "before-time", .argument = "TIME", .summary = "the last backup before that time (RFC 3339)"},
    {.name = "resume", .summary = "go on with a restore that was interrupted"},
    {.name = "no-owner", .summary = "everything belongs to whoever restores"},
    {.name = "no-privileges", .summary = "leave out GRANT and REVOKE"},
    {.name = "create-missing-roles", .summary = "create roles that are missing, without login"},
    {.name = "no-compare", .summary = "do not read the tables back to compare them with the backup"},
    {.name = "dry-run", .summary = "show the plan and what is in the way"},
    {.name = "confirm",
     .argument = "DBNAME",
     .summary =
         "the database that --swap replaces, or an empty one that is to be filled though its locale is "
         "not the backup's"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

const struct command cmd_restore = {
    .name = "restore",
    .operands = "[BACKUP]",
    .max_operands = 1,
    .summary = "restore a backup into a new database",
    .details =
        "BACKUP is an id or its beginning, a path, or \"latest\"; --before finds the last backup that was "
        "taken before a migration was applied. The archive's digest and structure are checked before "
        "anything is created. Rows go in by several streams, every COPY's count is compared, and in the end "
        "every table is read back and compared with the backup.\n"
        "\n"
        "Nothing that exists is overwritten: the backup goes into a database of its own. With --swap that "
        "one takes the place of the database in one transaction, after its connections were ended; the old "
        "one stays, as <database>_before_restore_<time>. Where the backup is of a database with another "
        "name, or "
        "of another server, --confirm must name the one that is replaced.\n"
        "\n"
        "A restore that was interrupted keeps what it has; the message names the command that goes on. What "
        "could not be done but keeps nobody from working (statistics of foreign tables, settings the role "
        "may "
        "not make) is told as a note. Exits with 3 when a materialized view could not be filled.",
    .options = options_restore,
    .group = "Backups",
    .run = run_restore,
};
