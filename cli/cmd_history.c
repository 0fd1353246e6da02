/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/report.h"
#include "migrator/session.h"

static enum paint paint_of(const char *action)
{
    if (text_equal(action, "failed"))
        return PAINT_RED;
    return text_equal(action, "apply") || text_equal(action, "applied") ? PAINT_GREEN : PAINT_YELLOW;
}

static void print(const struct invocation *invocation, const struct history *history, const struct rows *rows)
{
    AUTO(report_table_clear)
    struct report_table table = {.headings = {"at (UTC)", "who", "action", "version", "ms", "reason"},
                                 .right[4] = true};

    bool backups = false;

    for (size_t i = 0; i < rows_count(rows); i++)
        backups |= rows_text(rows, i, "backup_id") != NULL;
    table.headings[6] = backups ? "backup" : NULL;
    if (!rows_count(rows)) {
        printf("\"%s.%s\" has no entries\n", history->schema, history->log);
        return;
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *reason = rows_text(rows, i, "reason"), *detail = rows_text(rows, i, "detail");
        char *why = text_copy(reason ? reason : detail);

        report_cell(&table, PAINT_NONE, report_time(rows_text(rows, i, "at")));
        report_cell(&table, PAINT_NONE, text_copy(rows_text(rows, i, "who")));
        report_cell(&table, paint_of(rows_text(rows, i, "action")), text_copy(rows_text(rows, i, "action")));
        report_cell(&table, PAINT_NONE, text_copy(rows_text(rows, i, "version")));
        report_cell(&table, PAINT_NONE, text_copy(rows_text(rows, i, "execution_ms")));
        for (char *at = why; at && *at; at++)
            *at = (unsigned char)*at < ' ' ? ' ' : *at;
        report_cell(&table, PAINT_NONE, why);
        if (backups)
            report_cell(&table, PAINT_NONE, text_copy(rows_text(rows, i, "backup_id")));
    }
    report_table_print(stdout, invocation->color_output, &table);
}

static void fill(json_t *document, const struct rows *rows)
{
    static const char *const texts[] = {"at",     "who",    "action",       "version",  "run_id",
                                        "reason", "detail", "tool_version", "backup_id"};
    json_t *list = json_array();

    for (size_t i = 0; i < rows_count(rows); i++) {
        json_t *object = json_object();

        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            document_text(object, texts[j], rows_text(rows, i, texts[j]));
        if (rows_text(rows, i, "execution_ms"))
            document_integer(object, "execution_ms", rows_integer(rows, i, "execution_ms"));
        json_array_append_new(list, object);
    }
    json_object_set_new(document, "entries", list);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    int64_t limit = 0;

    if (!invocation_number(invocation, "limit", 1, INT32_MAX, &limit, error) ||
        !connect_database(invocation, &postgres, error) || !session_check(postgres, true, false, error) ||
        !connect_history(invocation, postgres, &history, error) ||
        !history_log(history, (size_t)limit, &rows, error))
        return false;
    if (invocation->json)
        fill(invocation->document, rows);
    else
        print(invocation, history, rows);
    return true;
}

static const struct option_spec options[] = {
    {.name = "limit", .argument = "N", .summary = "only the newest N entries"},
    OPTION_HISTORY_TABLE,
    {0},
};

const struct command cmd_history = {
    .name = "history",
    .summary = "print the log of what was done, newest first",
    .details =
        "The log stands in a table of its own beside the history, named after it with \"_log\" behind. Lines "
        "are only ever added: applied, failed and rolled back migrations, baselines and repairs, with who, "
        "when and why.",
    .options = options,
    .group = "History",
    .run = run,
};
