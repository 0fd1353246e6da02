/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/listing.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "common/interrupt.h"
#include "rollback/undo.h"

static void print_losses(FILE *out, bool color, const struct data_losses *losses, bool lost)
{
    AUTO(report_table_clear)
    struct report_table table = {
        .headings = {lost ? "lost" : "would be lost", "object", "rows with data", "by rollback of"},
        .right[2] = true};

    for (size_t i = 0; i < losses->count; i++) {
        const struct data_loss *loss = &losses->items[i];

        report_cell(&table, PAINT_RED, text_copy(loss_kind_name(loss->kind)));
        report_cell(&table, PAINT_NONE, text_copy(loss->object));
        report_cell(&table, PAINT_NONE,
                    loss->rows < 0
                        ? text_copy("unknown")
                        : text_format("%s%lld", loss->at_least ? "at least " : "", (long long)loss->rows));
        report_cell(&table, PAINT_NONE, text_copy(loss->version));
    }
    if (losses->count)
        report_table_print(out, color, &table);
}

static json_t *losses_array(const struct data_losses *losses)
{
    json_t *list = json_array();

    for (size_t i = 0; i < losses->count; i++) {
        const struct data_loss *loss = &losses->items[i];
        json_t *object = json_object();

        document_text(object, "kind", loss_kind_name(loss->kind));
        document_text(object, "object", loss->object);
        document_text(object, "version", loss->version);
        document_known(object, "rows", loss->rows);
        document_text(object, "problem", loss->problem);
        document_bool(object, "at_least", loss->at_least);
        json_array_append_new(list, object);
    }
    return list;
}

static void conclude(const struct invocation *invocation, const struct outcome *outcome,
                     const struct data_losses *losses)
{
    OWNED char *summary = outcome_summary(outcome);
    bool lost = !outcome->error && !invocation_flag(invocation, "dry-run");
    bool silent = invocation->json && (!outcome->error || invocation->verbosity == VERBOSITY_QUIET);

    if (!silent)
        print_losses(stderr, invocation->color, losses, lost);
    if (!outcome_signalled(outcome, summary) && outcome->error && summary && !silent)
        fprintf(stderr, "%s\n", summary);
    else if (!outcome->error && !invocation->json && invocation->verbosity > VERBOSITY_QUIET) {
        if (summary)
            printf("%s\n", summary);
        else
            printf("nothing to roll back on %s\n", outcome->target);
    }
}

static bool confirmed(const struct invocation *invocation, const struct undo_options *options,
                      const char *target, struct error *error)
{
    OWNED char *what = options->to ? text_format("go back to %s on %s", options->to, target)
                                   : text_format("roll back %zu migration%s on %s", options->steps,
                                                 options->steps == 1 ? "" : "s", target);

    return options->dry_run || confirm(invocation, what, error);
}

static bool roll_back(struct invocation *invocation, const struct folder *folder, struct postgres *postgres,
                      const struct undo_options *options, struct error *error)
{
    AUTO(history_free) struct history *history = NULL;
    AUTO(run_result_clear) struct run_result result = {0};
    AUTO(data_losses_clear) struct data_losses losses = {0};
    AUTO(progress_free) struct progress *progress = NULL;
    OWNED char *target = connect_target(postgres);
    struct outcome outcome = {.result = &result,
                              .backwards = true,
                              .done = options->dry_run ? "tried" : "rolled back",
                              .target = target};
    struct run_listener listener;
    int64_t began;
    bool idle, ok;

    if (!connect_history(invocation, postgres, &history, error))
        return false;
    listing_warn_history(invocation, history);
    if (!undo_is_idle(history, &idle, error) || (!idle && !confirmed(invocation, options, target, error)))
        return false;
    began = clock_ms();
    progress = progress_new(invocation, outcome.done);
    listener = progress_listener(progress);
    ok = idle || undo_run(postgres, history, folder, options, &listener, &losses, &result, error);
    progress_free(take(progress));
    outcome.ms = clock_ms() - began;
    outcome.error = ok ? NULL : error;
    if (invocation->json) {
        outcome_fill(invocation->document, &result);
        json_object_set_new(invocation->document, "losses", losses_array(&losses));
    }
    conclude(invocation, &outcome, &losses);
    return ok;
}

static bool read_options(const struct invocation *invocation, const struct connect_run *run,
                         struct undo_options *ret, struct error *error)
{
    int64_t steps = 1;

    if (invocation_flag(invocation, "to") && invocation_flag(invocation, "steps"))
        return error_set(error, ERROR_USAGE, "\"--to\" and \"--steps\" exclude each other");
    if (!invocation_number(invocation, "steps", 1, INT32_MAX, &steps, error))
        return false;
    *ret = (struct undo_options){
        .run = run->options,
        .to = invocation_option(invocation, "to"),
        .steps = (size_t)steps,
        .dry_run = invocation_flag(invocation, "dry-run"),
        .accept_data_loss = invocation_flag(invocation, "accept-data-loss"),
        .use_file = text_equal(invocation_option(invocation, "use"), "file"),
        .no_verify = invocation_flag(invocation, "no-verify"),
    };
    ret->run.reason = invocation_option(invocation, "reason");
    return true;
}

/* Going back is needed most when the folder is gone, or is of another release: the stored scripts do without
 * it. */
static bool read_folder(const struct invocation *invocation, const struct undo_options *options,
                        struct folder **ret_folder, struct error *error)
{
    AUTO(error_clear) struct error problem = {0};

    if (inputs_folder(invocation, ret_folder, &problem))
        return true;
    if (options->use_file) {
        error_move(error, &problem);
        return false;
    }
    report_warning(
        invocation,
        "the migrations folder is left out of account: %s%s%s\n"
        "hint: The stored rollback scripts run all the same; only verify scripts, which stand in the "
        "folder, do not.",
        problem.file ? problem.file : "", problem.file ? ": " : "", problem.message);
    folder_free(*ret_folder);
    *ret_folder = memory_allocate(1, sizeof **ret_folder);
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(connect_run_clear) struct connect_run run = {0};
    struct undo_options options;

    return connect_run_options(invocation, &run, error) && read_options(invocation, &run, &options, error) &&
           read_folder(invocation, &options, &folder, error) &&
           connect_database(invocation, &postgres, error) &&
           roll_back(invocation, folder, postgres, &options, error);
}

static const struct option_spec options_rollback[] = {
    {.name = "to",
     .argument = "VERSION",
     .summary = "roll back everything after VERSION, which stays; 0: everything"},
    {.name = "steps", .argument = "N", .summary = "roll back the N newest [default: 1]"},
    {.name = "dry-run", .summary = "run everything in one transaction and undo it"},
    {.name = "accept-data-loss", .summary = "also when tables or columns with data disappear"},
    {.name = "use",
     .argument = "SOURCE",
     .choices = "stored file",
     .summary = "which rollback script: the one stored when it was applied (default), or the file"},
    OPTION_SET,
    OPTIONS_TIMEOUTS,
    {.name = "no-verify", .summary = "leave out the verify script of what is the newest afterwards"},
    {.name = "reason", .argument = "TEXT", .summary = "why; goes to the log"},
    OPTIONS_LOCK,
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_rollback = {
    .name = "rollback",
    .aliases = "down",
    .summary = "run rollback scripts, newest first",
    .details =
        "Goes back by the history, not by the folder: the migration applied last goes first, and the "
        "rollback "
        "script that runs is the one stored when it was applied, so that it works after the folder went back "
        "to an older release. The row leaves the history; the log keeps everything.\n"
        "\n"
        "Before anything runs, the scripts are tried in a transaction that is undone, to find out which "
        "tables, columns and rows would disappear. Where they hold data, the rollback is refused without "
        "--accept-data-loss.",
    .options = options_rollback,
    .group = "Migrations",
    .run = run,
};
