/* SPDX-License-Identifier: PostgreSQL */
#include "backup/repository.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/metrics.h"
#include "cli/report.h"
#include "common/moment.h"

static json_t *record_object(const struct record *record)
{
    json_t *object = json_object();

    document_text(object, "id", record->id);
    document_text(object, "database", record->database);
    document_text(object, "taken_at", record->taken_at);
    document_integer(object, "bytes", record->whole.bytes);
    document_text(object, "migrations_version", record->last_migration);
    document_text(object, "verified_at", record_is_damaged(record) ? NULL : record->verified_at);
    document_bool(object, "damaged", record_is_damaged(record));
    document_text(object, "tested_at", record->tested_at);
    if (record->tested_at)
        document_integer(object, "tested_ms", record->tested_ms);
    document_bool(object, "kept", record->kept);
    document_text(object, "tag", record->tag);
    return object;
}

static void fill(json_t *document, const struct records *records, const struct text_list *problems)
{
    json_t *list = json_array(), *texts = json_array();

    for (size_t i = 0; i < records->count; i++)
        json_array_append_new(list, record_object(records->items[i]));
    for (size_t i = 0; i < problems->count; i++)
        json_array_append_new(texts, json_string(problems->items[i]));
    json_object_set_new(document, "backups", list);
    json_object_set_new(document, "problems", texts);
}

static void print(const struct invocation *invocation, const struct records *records)
{
    AUTO(report_table_clear)
    struct report_table table = {
        .headings = {"backup", "database", "taken (UTC)", "size", "migration", "verified", "restored in",
                     "notes"},
        .right = {[3] = true, [6] = true},
    };

    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = records->items[i];
        report_cell(&table, PAINT_BOLD, text_copy(record->id));
        report_cell(&table, PAINT_NONE, text_copy(record->database));
        report_cell(&table, PAINT_NONE, report_time(record->taken_at));
        report_cell(&table, PAINT_NONE, text_size(record->whole.bytes));
        report_cell(&table, PAINT_NONE, text_copy(record->last_migration));
        report_cell(&table, PAINT_NONE, record_is_damaged(record) ? NULL : report_time(record->verified_at));
        report_cell(&table, PAINT_NONE, record->tested_at ? text_duration(record->tested_ms) : NULL);
        report_cell(&table, record_is_damaged(record) ? PAINT_RED : PAINT_DIM,
                    text_format("%s%s%s%s", record_is_damaged(record) ? "damaged " : "",
                                record->kept ? "kept" : "", record->kept && record->tag ? ", " : "",
                                record->tag ? record->tag : ""));
    }
    if (records->count > 0)
        report_table_print(stdout, invocation->color_output, &table);
}

/* Leave only those of one database. */
static void filter(struct records *records, const char *database)
{
    size_t kept = 0;

    for (size_t i = 0; i < records->count; i++)
        if (!database || text_equal(records->items[i]->database, database))
            records->items[kept++] = records->items[i];
        else
            record_free(records->items[i]);
    records->count = kept;
}

/* In milliseconds; -1: not asked for. */
static bool read_age(const struct invocation *invocation, int64_t *ret, struct error *error)
{
    const char *age = invocation_option(invocation, "older-than");

    *ret = -1;
    if (!age || (age[strspn(age, "0123456789")] != '\0' && text_parse_duration(age, ret)))
        return true;
    error_set(error, ERROR_USAGE, "\"--older-than\" wants an age, not \"%s\"", age);
    return error_hint(error, "Write 26h, 90min or 7d.");
}

/* The newest of each database must be younger; none at all is as bad. False where there is such a problem. */
static bool look_at_age(const struct records *records, int64_t ms, struct text_list *problems)
{
    AUTO(text_list_clear) struct text_list seen = {0};
    int64_t us = 0, now = moment_now();
    size_t before = problems->count;

    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = records->items[i];
        if (text_list_contains(&seen, record->database) || record_is_damaged(record))
            continue;
        text_list_add(&seen, text_copy(record->database));
        if (record->ahead) {
            text_list_add(problems,
                          text_format("the newest good backup of database \"%s\" is dated in the future: %s",
                                      record->database, record->taken_at));
            continue;
        }
        if (moment_parse(record->taken_at, &us) && now - us <= ms * 1000)
            continue;
        OWNED char *old = text_duration((now - us) / 1000);
        text_list_add(problems, text_format("the newest good backup of database \"%s\" is %s old",
                                            record->database, old));
    }
    if (seen.count == 0)
        text_list_add(problems, text_copy("there is no good backup"));
    return problems->count == before;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list problems = {0};
    OWNED char *folder = config_path(invocation->config, "repository");
    const char *metrics = invocation_option(invocation, "metrics"), *of = invocation_option(invocation, "of");
    int64_t age_ms;

    if (!read_age(invocation, &age_ms, error) || !repository_open(folder, false, &repository, error) ||
        !repository_list(repository, &records, &problems, error))
        return false;
    filter(&records, of);
    if (metrics && !metrics_write(metrics, &records, error))
        return false;
    if (age_ms >= 0 && !look_at_age(&records, age_ms, &problems))
        invocation->exit_code = ERROR_FINDINGS;
    for (size_t i = 0; i < problems.count; i++)
        report_warning(invocation, "%s", problems.items[i]);
    if (invocation->json)
        fill(invocation->document, &records, &problems);
    else
        print(invocation, &records);
    if (!invocation->json && records.count == 0)
        report_warning(invocation, "there are no backups%s%s%s in \"%s\"", of ? " of database \"" : "",
                       of ? of : "", of ? "\"" : "", folder);
    return true;
}

static const struct option_spec options[] = {
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {.name = "of", .argument = "NAME", .summary = "only backups of the database of this name"},
    {.name = "older-than",
     .argument = "AGE",
     .summary = "exit 3 unless every database in the list has a good backup younger than this, such as 26h"},
    {.name = "metrics",
     .argument = "FILE",
     .summary = "also write a file for Prometheus' textfile collector"},
    {0},
};

const struct command cmd_backup_list = {
    .name = "backup list",
    .summary = "list backups, newest first",
    .details =
        "A backup is listed when its record can be read and its archive is there, as large as the record "
        "says and with a whole footer. What is not is told as a warning. \"Restored in\" is how long "
        "\"backup test\" took.\n"
        "\n"
        "For a monitor: --older-than makes the exit status 3 when the newest good backup is too old.",
    .options = options,
    .group = "Backups",
    .finding = "a database has no good backup that is new enough",
    .run = run,
};
