/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "migrator/repair.h"

static void print(const struct invocation *invocation, const struct postgres *postgres,
                  const struct text_list *marked, bool dry_run)
{
    OWNED char *target = connect_target(postgres);

    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    for (size_t i = 0; i < marked->count; i++)
        printf("%s %s\n", dry_run ? "would mark" : "marked", marked->items[i]);
    if (marked->count)
        printf("%zu %s as applied on %s\n", marked->count, dry_run ? "would be marked" : "marked", target);
    else
        printf("nothing to mark on %s\n", target);
}

static void fill(json_t *document, const struct text_list *marked, bool dry_run)
{
    json_t *list = json_array();

    for (size_t i = 0; i < marked->count; i++) {
        json_t *object = json_object();

        document_text(object, "version", marked->items[i]);
        document_text(object, "state", dry_run ? "pending" : "applied");
        json_array_append_new(list, object);
    }
    json_object_set_new(document, "migrations", list);
}

static bool confirmed(const struct invocation *invocation, const struct postgres *postgres,
                      const struct baseline *baseline, struct error *error)
{
    OWNED char *target = connect_target(postgres);
    OWNED char *what = text_format("mark everything up to %s as applied on %s", baseline->version, target);

    return baseline->dry_run || confirm(invocation, what, error);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    AUTO(connect_run_clear) struct connect_run run = {0};
    AUTO(progress_free) struct progress *progress = progress_new(invocation, "marked");
    AUTO(text_list_clear) struct text_list marked = {0};
    struct run_listener listener = progress_listener(progress);
    struct baseline baseline = {.version = invocation->operands.items[0],
                                .dry_run = invocation_flag(invocation, "dry-run")};

    if (!inputs_folder(invocation, &folder, error) || !connect_run_options(invocation, &run, error) ||
        !connect_database(invocation, &postgres, error) ||
        !connect_history(invocation, postgres, &history, error))
        return false;
    run.options.reason = invocation_option(invocation, "reason");
    if (!confirmed(invocation, postgres, &baseline, error) ||
        !baseline_run(postgres, history, folder, &baseline, &run.options, &listener, &marked, error))
        return false;
    if (invocation->json)
        fill(invocation->document, &marked, baseline.dry_run);
    else
        print(invocation, postgres, &marked, baseline.dry_run);
    return true;
}

static const struct option_spec options[] = {
    {.name = "dry-run", .summary = "only list what would be marked"},
    {.name = "reason", .argument = "TEXT", .summary = "why; goes to the log"},
    OPTIONS_LOCK,
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_baseline = {
    .name = "baseline",
    .operands = "VERSION",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "mark everything up to a version as applied without running it",
    .details =
        "For a database whose first migrations were run by hand or by another tool. Every file up to and "
        "including VERSION that the history does not have gets a row, in one transaction, under the run "
        "lock; nothing of it is run. What is in the history already stays as it is.",
    .options = options,
    .group = "History",
    .run = run,
};
