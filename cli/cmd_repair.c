/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "migrator/repair.h"

struct action {
    enum repair_action action;
    const char *option;
    const char *done;    /* of the version, for the line at the end */
    const char *undoing; /* the same where a rollback stopped half way; NULL: no other */
};

static const struct action actions[] = {
    {REPAIR_ACCEPT_CHECKSUM, "accept-checksum", "the file as it is now is what was applied", NULL},
    {REPAIR_MARK_APPLIED, "mark-applied", "marked as applied", NULL},
    {REPAIR_MARK_ROLLED_BACK, "mark-rolled-back", "marked as rolled back", NULL},
    {REPAIR_ACCEPT_MISSING, "accept-missing", "its file may be missing", NULL},
    {REPAIR_CLEAR, "clear", "forgotten; the next apply starts it from the beginning", NULL},
    {REPAIR_RESUME_AT, "resume-at", "the next apply goes on at that statement",
     "the next rollback goes on at that statement"},
};
#define ACTIONS (sizeof actions / sizeof *actions)

/* Exactly one of them, and a reason: what is done by hand must be explained. */
static const struct action *choose(const struct invocation *invocation, struct error *error)
{
    const struct action *chosen = NULL;
    const char *reason = invocation_option(invocation, "reason");

    for (size_t i = 0; i < ACTIONS; i++) {
        if (!invocation_flag(invocation, actions[i].option))
            continue;
        if (chosen) {
            error_set(error, ERROR_USAGE, "\"--%s\" and \"--%s\" exclude each other", chosen->option,
                      actions[i].option);
            return NULL;
        }
        chosen = &actions[i];
    }
    if (!chosen) {
        error_set(error, ERROR_USAGE, "\"repair\" needs to be told what to do");
        error_hint(error,
                   "Give one of --accept-checksum, --mark-applied, --mark-rolled-back, --accept-missing, "
                   "--clear and --resume-at N.");
        return NULL;
    }
    if (!reason || !reason[strspn(reason, " \t\n")]) {
        error_set(error, ERROR_USAGE, "\"repair\" needs \"--reason TEXT\"");
        error_hint(error, "The log keeps who repaired what, and why.");
        return NULL;
    }
    return chosen;
}

static bool confirmed(const struct invocation *invocation, const struct postgres *postgres,
                      const struct repair *request, const struct action *action, struct error *error)
{
    OWNED char *target = connect_target(postgres);
    OWNED char *what = text_format("repair %s --%s on %s", request->version, action->option, target);

    return confirm(invocation, what, error);
}

static bool repair(struct invocation *invocation, const struct folder *folder, const struct repair *request,
                   const struct action *action, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(history_free) struct history *history = NULL;
    AUTO(connect_run_clear) struct connect_run run = {0};
    AUTO(progress_free) struct progress *progress = progress_new(invocation, "repaired");
    struct run_listener listener = progress_listener(progress);
    AUTO(repaired_clear) struct repaired repaired = {0};

    if (!connect_run_options(invocation, &run, error) || !connect_database(invocation, &postgres, error) ||
        !connect_history(invocation, postgres, &history, error))
        return false;
    run.options.reason = invocation_option(invocation, "reason");
    if (!confirmed(invocation, postgres, request, action, error) ||
        !repair_run(postgres, history, folder, request, &run.options, &listener, &repaired, error))
        return false;
    if (invocation->json) {
        document_text(invocation->document, "version", repaired.version);
        document_text(invocation->document, "action", action->option);
    } else if (invocation->verbosity > VERBOSITY_QUIET) {
        printf("%s: %s\n", repaired.version,
               repaired.backwards && action->undoing ? action->undoing : action->done);
    }
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(folder_free) struct folder *folder = NULL;
    const struct action *action = choose(invocation, error);
    struct repair request = {.version = invocation->operands.items[0]};
    int64_t statement = 1;

    if (!action || !invocation_number(invocation, "resume-at", 1, INT32_MAX, &statement, error) ||
        !inputs_folder(invocation, &folder, error))
        return false;
    request.action = action->action;
    request.statement = (size_t)statement;
    return repair(invocation, folder, &request, action, error);
}

static const struct option_spec options[] = {
    {.name = "accept-checksum", .summary = "the changed file is right"},
    {.name = "mark-applied", .summary = "it was applied by hand"},
    {.name = "mark-rolled-back", .summary = "it was rolled back by hand"},
    {.name = "accept-missing", .summary = "its file is rightly gone"},
    {.name = "clear", .summary = "forget a half-run script; it starts from the beginning"},
    {.name = "resume-at", .argument = "N", .summary = "a half-run script goes on at statement N"},
    {.name = "reason", .argument = "TEXT", .summary = "why; goes to the log; required"},
    OPTIONS_LOCK,
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_repair = {
    .name = "repair",
    .operands = "VERSION",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "put the history of one version right",
    .details =
        "Changes the history only, never the schema: exactly one of the first six options says how. It works "
        "under the run lock, in one transaction, and the log keeps who did it and why.",
    .options = options,
    .group = "History",
    .run = run,
};
