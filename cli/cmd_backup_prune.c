/* SPDX-License-Identifier: PostgreSQL */
#include "backup/retention.h"
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/report.h"
#include "common/moment.h"

#define REMEMBERED_US (INT64_C(30) * 86400 * 1000000) /* how long the history holds backups fast */

/* ---- what the history points at ---- */

static bool is_recent(const char *time)
{
    int64_t us;

    return time && moment_parse(time, &us) && moment_now() - us < REMEMBERED_US;
}

/* The database whose history was read. */
struct asked {
    char *database, *system_identifier; /* NULL: none, or of a server that is not known */
};

static void asked_clear(struct asked *asked)
{
    free(asked->database);
    free(asked->system_identifier);
}
CLEANUP_VALUE(struct asked, asked_clear)

/* The table has what is applied now, the log also what was rolled back. Where it cannot be read, the reason
 * is told. */
static void ask_history(const struct invocation *invocation, struct text_list *referenced, struct asked *ret)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    AUTO(rows_free) struct rows *log = NULL;

    if (!connect_database(invocation, &postgres, &error) ||
        !connect_history(invocation, postgres, &history, &error) || !history_log(history, 0, &log, &error)) {
        report_warning(invocation,
                       "could not look which backups the history points at: %s\n"
                       "hint: What \"apply\" took in the last 30 days is kept.",
                       error.message);
        return;
    }
    for (size_t i = 0; i < history->count; i++)
        if (history->rows[i].backup_id && is_recent(history->rows[i].applied_at))
            text_list_add(referenced, text_copy(history->rows[i].backup_id));
    for (size_t i = 0; i < rows_count(log); i++)
        if (rows_text(log, i, "backup_id") && is_recent(rows_text(log, i, "at")))
            text_list_add(referenced, text_copy(rows_text(log, i, "backup_id")));
    /* To a role that may not know the server, all that apply took may be another one's. */
    ret->system_identifier = backups_server(postgres);
    if (ret->system_identifier != NULL)
        ret->database = text_copy(postgres_database(postgres));
}

/* Of databases whose history cannot be asked, those are held fast that it may point at. */
static void find_referenced(const struct invocation *invocation, const struct records *records,
                            struct text_list *ret, struct text_list *ret_unasked)
{
    AUTO(asked_clear) struct asked asked = {0};

    ask_history(invocation, ret, &asked);
    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = records->items[i];
        bool own = text_equal(record->database, asked.database) &&
                   text_equal(record->system_identifier, asked.system_identifier);
        if (!own && is_recent(record->taken_at) && text_starts_with(record->command, "apply"))
            text_list_add(ret_unasked, text_copy(record->id));
    }
}

/* ---- the plan ---- */

static void print_plan(const struct invocation *invocation, const struct retention_plan *plan)
{
    AUTO(report_table_clear)
    struct report_table table = {.headings = {"", "backup", "database", "taken (UTC)", "size", "why"},
                                 .right = {[4] = true}};

    for (size_t i = 0; i < plan->count; i++) {
        const struct retention_choice *choice = &plan->items[i];
        report_cell(&table, choice->keep ? PAINT_GREEN : PAINT_RED,
                    text_copy(choice->keep ? "keep" : "remove"));
        report_cell(&table, PAINT_NONE, text_copy(choice->record->id));
        report_cell(&table, PAINT_NONE, text_copy(choice->record->database));
        report_cell(&table, PAINT_NONE, report_time(choice->record->taken_at));
        report_cell(&table, PAINT_NONE, text_size(choice->record->whole.bytes));
        report_cell(&table, PAINT_NONE, text_copy(choice->reason));
    }
    if (plan->count > 0)
        report_table_print(stdout, invocation->color_output, &table);
}

static json_t *choice_object(const struct retention_choice *choice)
{
    json_t *object = json_object();

    document_text(object, "id", choice->record->id);
    document_text(object, "database", choice->record->database);
    document_text(object, "taken_at", choice->record->taken_at);
    document_integer(object, "bytes", choice->record->whole.bytes);
    document_bool(object, "keep", choice->keep);
    document_text(object, "reason", choice->reason);
    return object;
}

/* ---- the removing ---- */

static bool remove_all(const struct invocation *invocation, struct repository *repository,
                       const struct retention_plan *plan, struct error *error)
{
    size_t removed = 0;
    int64_t bytes = 0;

    for (size_t i = 0; i < plan->count; i++) {
        AUTO(error_clear) struct error problem = {0};
        if (plan->items[i].keep)
            continue;
        if (repository_remove(repository, plan->items[i].record, &problem)) {
            removed++;
            bytes += plan->items[i].record->whole.bytes;
        } else if (problem.code == ERROR_LOCKED) {
            report_warning(invocation, "%s is left: %s", plan->items[i].record->id, problem.message);
        } else {
            error_move(error, &problem);
            return error_prefix(error, "%zu %s removed", removed,
                                removed == 1 ? "backup was" : "backups were");
        }
    }
    OWNED char *size = text_size(bytes);
    document_integer(invocation->document, "removed", (int64_t)removed);
    if (!invocation->json && invocation->verbosity != VERBOSITY_QUIET)
        printf("removed %zu %s, %s\n", removed, removed == 1 ? "backup" : "backups", size);
    return true;
}

static bool carry_out(const struct invocation *invocation, struct repository *repository,
                      const struct retention_plan *plan, struct error *error)
{
    bool confirmed = invocation_flag(invocation, "confirm");
    json_t *list = json_array();

    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(list, choice_object(&plan->items[i]));
    json_object_set_new(invocation->document, "backups", list);
    document_integer(invocation->document, "bytes", plan->bytes);
    document_bool(invocation->document, "confirmed", confirmed);
    if (!invocation->json)
        print_plan(invocation, plan);
    if (confirmed)
        return remove_all(invocation, repository, plan, error);
    OWNED char *size = text_size(plan->bytes);
    if (!invocation->json && invocation->verbosity != VERBOSITY_QUIET)
        printf("a dry run: --confirm would free %s\n", size);
    return true;
}

/* Old backups are worth most when new ones do not succeed. */
static bool refuse_after_failure(const struct invocation *invocation, struct repository *repository,
                                 const struct records *records, struct error *error)
{
    OWNED char *failure = repository_failure(repository, records);

    if (!failure)
        return true;
    if (invocation_flag(invocation, "despite-failure")) {
        report_warning(invocation, "the latest backup failed\ndetail: %s", failure);
        return true;
    }
    error_set(error, ERROR_REFUSED, "nothing is removed, because the latest backup failed");
    error_detail(error, "%s", failure);
    return error_hint(error,
                      "Take a good one first; of a run that was killed, \"pgmigrate backup gc\" removes "
                      "the rest. Where none can be taken (the disk is full, the database is gone), give "
                      "--despite-failure.");
}

/* Open it under the writer's lock, where it is there, and list what is in it. */
static bool open_locked(const struct invocation *invocation, struct repository **ret, struct records *records,
                        struct text_list *problems, struct error *error)
{
    OWNED char *folder = config_path(invocation->config, "repository");
    bool there;

    return repository_open(folder, false, ret, error) && repository_look(*ret, &there, error) &&
           (!there || repository_lock(*ret, 0, "backup prune", error)) &&
           repository_list(*ret, records, problems, error);
}

static bool run(struct invocation *invocation, struct error *error)
{
    const struct config *config = invocation->config;
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0}, referenced = {0}, unasked = {0};
    AUTO(retention_plan_clear) struct retention_plan plan = {0};
    struct retention_rules rules = {
        .last = config_integer(config, "keep_last"),
        .daily = config_integer(config, "keep_daily"),
        .weekly = config_integer(config, "keep_weekly"),
        .monthly = config_integer(config, "keep_monthly"),
        .within_ms = config_duration(config, "keep_within"),
        .referenced = &referenced,
        .unasked = &unasked,
        .drop_referenced = invocation_flag(invocation, "drop-referenced"),
    };

    if (!open_locked(invocation, &repository, &records, &problems, error))
        return false;
    for (size_t i = 0; i < problems.count; i++)
        report_warning(invocation, "%s", problems.items[i]);
    if (!rules.drop_referenced && records.count > 0)
        find_referenced(invocation, &records, &referenced, &unasked);
    return refuse_after_failure(invocation, repository, &records, error) &&
           retention_plan(&records, &rules, &plan, error) && carry_out(invocation, repository, &plan, error);
}

static const struct option_spec options[] = {
    {.name = "keep-last", .argument = "N", .key = "keep_last"},
    {.name = "keep-daily", .argument = "N", .key = "keep_daily"},
    {.name = "keep-weekly", .argument = "N", .key = "keep_weekly"},
    {.name = "keep-monthly", .argument = "N", .key = "keep_monthly"},
    {.name = "keep-within", .argument = "AGE", .key = "keep_within"},
    {.name = "drop-referenced",
     .summary = "also remove backups that the history of the last 30 days points at, or may point at"},
    {.name = "despite-failure", .summary = "also when the latest run failed"},
    {.name = "confirm", .argument = NULL, .summary = "remove; without it, only the plan is printed"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    OPTION_HISTORY_TABLE,
    {0},
};

const struct command cmd_backup_prune = {
    .name = "backup prune",
    .summary = "remove backups that no rule keeps; a dry run without --confirm",
    .details =
        "The rules are restic's: of each of the last N days, weeks (ISO) or months that have a backup, its "
        "newest "
        "one is kept, in UTC by the time of the snapshot; where there are fewer, the oldest one too. Ages "
        "count "
        "from the newest backup. Rules hold for each database of each cluster on its own.\n"
        "\n"
        "Kept in any case: the newest good backup of each database, marked ones (\"backup keep\"), and those "
        "that "
        "the history of the last 30 days points at, or may point at: of databases other than the one that is "
        "connected to, also on other servers, what \"apply\" took in that time. Nothing is removed when the "
        "latest run failed (exit 10), for old backups are worth most then; --despite-failure is for where no "
        "new one can be taken: the disk is full, or the database is gone.",
    .options = options,
    .group = "Backups",
    .run = run,
};
