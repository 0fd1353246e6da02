/* SPDX-License-Identifier: PostgreSQL */
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/listing.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/rehearsals.h"
#include "cli/report.h"
#include "cli/rls_document.h"
#include "cli/rls_gating.h"
#include "common/interrupt.h"
#include "common/moment.h"

/* The line under everything: on stdout after success, with the error's lines after a failure. */
static void conclude(const struct invocation *invocation, const struct outcome *outcome)
{
    OWNED char *summary = outcome_summary(outcome);
    bool silent = invocation->json && invocation->verbosity == VERBOSITY_QUIET;

    if (!outcome_signalled(outcome, summary) && outcome->error && summary && !silent)
        fprintf(stderr, "%s\n", summary);
    else if (!outcome->error && !invocation->json && invocation->verbosity > VERBOSITY_QUIET) {
        if (summary)
            printf("%s\n", summary);
        else
            printf("nothing to apply on %s\n", outcome->target);
    }
}

/* What --dry-run could not try, by name. */
static void tell_untried(const struct invocation *invocation, const struct run_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->items[i].state == RUN_STATE_UNTRIED)
            report_warning(invocation, "%s was not tried: it cannot run in a transaction that is rolled back",
                           result->items[i].version);
}

/* Under the run lock, before anything is changed: was all of it rehearsed, and what is needed to go back when
 * a migration was wrong. */
struct safety {
    const struct invocation *invocation;
    struct postgres *postgres;
    struct evidence *evidence; /* or NULL */
    struct rls_gate *gate;     /* or NULL */
};

static bool back_up(const struct safety *safety, const struct plan_steps *steps, char **ret_backup_id,
                    struct error *error)
{
    const struct invocation *invocation = safety->invocation;
    AUTO(record_free) struct record *record = NULL;
    int64_t wait_ms = config_duration(invocation->config, "wait_lock");
    AUTO(text_list_clear) struct text_list before = {0};
    struct backups_request request = {
        .command = "apply --backup", .before = &before, .verify = true, .wait_ms = wait_ms < 0 ? 0 : wait_ms};

    for (size_t i = 0; i < steps->count; i++)
        text_list_add(&before, text_copy(steps->items[i]->version));
    if (!backups_take(invocation, safety->postgres, &request, &record, error)) {
        const char *role = config_text(invocation->config, "role");
        OWNED char *who =
            role ? text_format("It is made as the role that connects, not as \"%s\", which migrations run "
                               "as.",
                               role)
                 : NULL;
        if (who && error->code == ERROR_REFUSED)
            error_hint_more(error, who);
        return error_prefix(error, "nothing was applied, because the backup failed");
    }
    if (invocation->verbosity > VERBOSITY_QUIET) {
        OWNED char *summary = backups_summary(record);

        report_paint(stderr, invocation->color, PAINT_GREEN, "backed up");
        fprintf(stderr, " %s\n", summary);
    }
    *ret_backup_id = text_copy(record->id);
    return true;
}

static bool wants_backup(const struct invocation *invocation)
{
    return invocation_flag(invocation, "backup") ||
           text_equal(config_text(invocation->config, "backup"), "before-migrate");
}

static bool before(void *context, const struct plan_steps *steps, char **ret_backup_id, struct error *error)
{
    const struct safety *safety = context;

    return rehearsals_gate(safety->invocation, safety->evidence, steps, error) &&
           (!wants_backup(safety->invocation) || back_up(safety, steps, ret_backup_id, error));
}

static void gate_tell(const struct invocation *invocation, const struct rls_gate *gate)
{
    const struct rls_findings *allowed = rls_gate_allowed(gate);

    for (size_t i = 0; i < allowed->count; i++)
        report_warning(invocation, "%s: %s (%s), allowed: %s", allowed->items[i].object,
                       allowed->items[i].message, allowed->items[i].check, allowed->items[i].accepted);
    const struct text_list *unused = rls_gate_unused(gate);
    for (size_t i = 0; i < unused->count; i++)
        report_warning(invocation, "%s", unused->items[i]);
    if (!invocation->json)
        return;
    rls_document_put(invocation->document, "rls_refused", rls_gate_refused(gate));
    rls_document_put(invocation->document, "rls_allowed", allowed);
}

/* A protected environment is asked about what there is to do, unless it will be refused; where that is
 * nothing, or cannot be told, apply_run says so. */
static bool confirmed(const struct safety *safety, const struct folder *folder, const struct history *history,
                      const struct apply_options *options, struct error *error)
{
    const struct invocation *invocation = safety->invocation;
    AUTO(error_clear) struct error ignored = {0};
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    struct plan_target target = {.to = options->to, .out_of_order = options->out_of_order};
    OWNED char *where = NULL, *what = NULL;

    if (options->dry_run || !confirm_needed(invocation) ||
        !plan_make(folder, history, &(struct plan_options){0}, &plan, &ignored) ||
        !plan_steps(plan, folder, history, &target, &steps, &ignored) || !steps.count)
        return true;
    if (!rehearsals_gate(invocation, safety->evidence, &steps, error))
        return false;
    where = connect_target(history->postgres);
    what = text_format("apply %zu migration%s to %s", steps.count, steps.count == 1 ? "" : "s", where);
    return confirm(invocation, what, error);
}

static bool run_all(struct invocation *invocation, const struct inputs *inputs, const struct safety *safety,
                    const struct apply_options *options, struct error *error)
{
    struct postgres *postgres = inputs->postgres;
    const struct folder *folder = inputs->folder;
    struct history *history = inputs->history;
    AUTO(run_result_clear) struct run_result result = {0};
    AUTO(progress_free) struct progress *progress = NULL;
    OWNED char *target = connect_target(postgres);
    struct outcome outcome = {
        .result = &result, .done = options->dry_run ? "tried" : "applied", .target = target};
    struct run_listener listener;
    int64_t began;
    bool ok;

    if (history->shape != HISTORY_FOREIGN && history->shape != HISTORY_UNUSABLE)
        listing_warn_history(invocation, history); /* of those two, apply_run's error says the same */
    listing_findings(invocation, &folder->findings, "rollback-missing");
    if (!confirmed(safety, folder, history, options, error))
        return false;
    began = clock_ms();
    progress = progress_new(invocation, outcome.done);
    listener = progress_listener(progress);
    ok = apply_run(postgres, history, folder, options, &listener, &result, error);
    progress_free(take(progress));
    if (safety->gate != NULL) {
        ok = ok && rls_gate_finish(safety->gate, postgres, error);
        gate_tell(invocation, safety->gate);
    }
    outcome.ms = clock_ms() - began;
    outcome.error = ok ? NULL : error;
    rehearsals_keep(invocation, safety->evidence, postgres, folder, &result);
    if (invocation->json) {
        outcome_fill(invocation->document, &result);
        json_object_set_new(invocation->document, "warnings", document_findings(&result.findings));
    }
    tell_untried(invocation, &result);
    conclude(invocation, &outcome);
    return ok;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(inputs_clear) struct inputs inputs = {0};
    AUTO(connect_run_clear) struct connect_run run = {0};
    AUTO(evidence_close) struct evidence *evidence = NULL;
    AUTO(rls_gating_clear) struct rls_gating gating = {0};
    AUTO(rls_gate_free) struct rls_gate *gate = NULL;
    struct apply_options options;
    struct safety safety;
    int64_t batch = config_integer(invocation->config, "batch");

    if (!connect_run_options(invocation, &run, error) || !rehearsals_look(invocation, &evidence, error) ||
        !inputs_read(invocation, history_open_quickly, &inputs, error))
        return false;
    options = (struct apply_options){
        .run = run.options,
        .to = invocation_option(invocation, "to"),
        .out_of_order = invocation_flag(invocation, "out-of-order"),
        .dry_run = invocation_flag(invocation, "dry-run"),
        .batch = batch > 1 ? (size_t)batch : 1,
    };
    if (!rls_gating_read(invocation, &gating, error))
        return false;
    if (gating.on && !options.dry_run) {
        gate = rls_gate_new(&gating.options);
        options.run.watch = rls_gate_watch(gate);
    }
    safety = (struct safety){invocation, inputs.postgres, evidence, gate};
    options.before = before;
    options.before_context = &safety;
    return run_all(invocation, &inputs, &safety, &options, error);
}

static const struct option_spec options_apply[] = {
    {.name = "to", .argument = "VERSION", .summary = "stop after this version"},
    {.name = "dry-run", .summary = "run everything in one transaction and roll it back"},
    {.name = "backup", .summary = "take and verify a backup before anything is applied"},
    {.name = "require-rehearsal", .summary = "refuse files of which no rehearsal passed"},
    {.name = "rehearsal-max-age", .argument = "AGE", .key = "rehearsal_max_age"},
    OPTION_EVIDENCE,
    {.name = "rls-gate", .argument = "WHAT", .key = "rls_gate"},
    {.name = "out-of-order", .summary = "also run files older than what is applied"},
    OPTION_SET,
    OPTIONS_TIMEOUTS,
    OPTIONS_LOCK,
    {.name = "batch", .argument = "N", .key = "batch"},
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_apply = {
    .name = "apply",
    .aliases = "up migrate",
    .summary = "apply pending migrations",
    .details =
        "Every pending script is read and checked before the first one runs. Each runs in one transaction, "
        "together with its verify script and its row in the history: it is applied whole or not at all. "
        "Scripts with the directive \"no-transaction\" run statement by statement; one that stopped half way "
        "is taken up again where it stopped.\n"
        "\n"
        "Only one run at a time works on a database; a second one waits (--wait-lock) and says for whom. A "
        "statement that cannot have its table lock within --lock-timeout gives up, so that others are not "
        "queued behind it; the whole script is tried again until --max-wait has passed.\n"
        "\n"
        "In protected environments, and with --require-rehearsal, every file must have passed a rehearsal "
        "(\"pgmigrate rehearse\") as it stands, with its rollback and verify scripts, in the last seven days "
        "(--rehearsal-max-age); else exit 10 names those that have not. --evidence brings a rehearsal from "
        "another machine.\n"
        "\n"
        "Where row-level security is configured, the catalogs are looked at before each COMMIT: a migration "
        "that adds a finding (see \"pgmigrate rls\") is rolled back, with exit 10 and the statement that did "
        "it. --rls-gate=all refuses also what was there before, off looks at nothing. The directive "
        "\"rls-allow\" lets a finding pass, with its reason.\n"
        "\n"
        "Interrupted by SIGINT or SIGTERM, the running script is cancelled and rolled back.",
    .options = options_apply,
    .group = "Migrations",
    .run = run,
};
