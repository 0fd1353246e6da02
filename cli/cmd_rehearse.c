/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/inputs.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/rehearsal_document.h"
#include "cli/rehearsal_html.h"
#include "cli/rehearsal_report.h"
#include "cli/rehearsals.h"
#include "cli/rehearsing.h"
#include "cli/report.h"
#include "cli/rls_gating.h"
#include "cli/rls_probing.h"
#include "deploy/advice.h"
#include "deploy/estimate.h"
#include "deploy/evidence.h"
#include "deploy/rehearse.h"

struct run {
    struct invocation *invocation;
    struct folder *folder;
    struct connect_run settings;
    struct rehearse_options options;
    struct rls_gating gating;
    struct rls_probe_options probe;
    struct rehearsing place;
    struct server_facts here;
    struct evidence *evidence;
    struct rehearsal rehearsal;
    char *kept; /* name of the scratch database that stays, or NULL */
};

static void run_clear(struct run *run)
{
    folder_free(run->folder);
    connect_run_clear(&run->settings);
    rls_gating_clear(&run->gating);
    rehearsing_clear(&run->place);
    server_facts_clear(&run->here);
    evidence_close(run->evidence);
    rehearsal_clear(&run->rehearsal);
    free(run->kept);
}
CLEANUP_VALUE(struct run, run_clear)

/* ---- estimate and advice ---- */

static struct advice_options thresholds(const struct run *run)
{
    const struct config *config = run->invocation->config;

    return (struct advice_options){.target = run->place.facts_known ? &run->place.facts : NULL,
                                   .exclusive_ms = config_duration(config, "window_lock"),
                                   .exclusive_bytes = config_size(config, "window_table"),
                                   .expected_ms = config_duration(config, "window_time")};
}

static void judge(struct run *run)
{
    struct advice_options advice = thresholds(run);
    struct estimate_options estimate = {.here = &run->here,
                                        .target = run->place.facts_known ? &run->place.facts : NULL,
                                        .correction = run->rehearsal.correction};

    for (size_t i = 0; i < run->rehearsal.count; i++) {
        estimate_fill(&run->rehearsal.items[i], &estimate);
        advice_fill(&run->rehearsal.items[i], &advice);
    }
    advice_conclude(&run->rehearsal, &advice);
}

/* ---- the result ---- */

static void print_result(const struct run *run)
{
    const struct rehearsal *rehearsal = &run->rehearsal;
    bool quiet = run->invocation->verbosity == VERBOSITY_QUIET;

    for (size_t i = 0; i < run->place.notes.count; i++)
        report_warning(run->invocation, "%s", run->place.notes.items[i]);
    for (size_t i = 0; i < run->place.differing.count && !quiet; i++)
        fprintf(stderr, "note: %s\n", run->place.differing.items[i]);
    if (run->kept && !quiet)
        fprintf(stderr, "note: the scratch database \"%s\" was kept\n", run->kept);
    if (run->invocation->json)
        rehearsal_fill(run->invocation->document, rehearsal);
    if (run->invocation->json || quiet)
        return;
    if (rehearsal->count == 0)
        printf("nothing to rehearse on %s\n", rehearsal->server);
    else
        rehearsal_print(stdout, run->invocation->color_output, rehearsal);
}

static bool write_file(const char *file, const char *text, struct error *error)
{
    return !file || file_write_atomic(file, text, strlen(text), 0644, error);
}

/* What was found is kept whether it was good or not: a failed rehearsal of the same files must not leave an
 * older one standing. */
static bool keep_evidence(struct run *run, struct error *error)
{
    const char *page = invocation_option(run->invocation, "html");
    OWNED char *document = NULL, *html = NULL;

    if (run->rehearsal.count == 0)
        return true;
    document = rehearsal_evidence(&run->rehearsal);
    html = page ? rehearsal_html(&run->rehearsal) : NULL;
    return evidence_put(run->evidence, &run->rehearsal, document, error) &&
           write_file(invocation_option(run->invocation, "evidence"), document, error) &&
           write_file(page, html, error);
}

/* The first failure is the command's; what only looks wrong is a finding. */
static bool conclude(const struct run *run, struct error *error)
{
    for (size_t i = 0; i < run->rehearsal.count; i++) {
        const struct rehearsed *item = &run->rehearsal.items[i];
        const struct error *failure = &item->failure;

        if (rehearsed_is_suspect(item) || !item->passed)
            run->invocation->exit_code = ERROR_FINDINGS;
        if (item->passed || failure->code == ERROR_NONE || item->round_trip != ROUND_TRIP_NONE)
            continue;
        error_set(error, ERROR_FAILED, "%s", failure->message);
        error_detail(error, "%s", failure->detail ? failure->detail : "");
        error_hint(error, "%s", failure->hint ? failure->hint : "");
        memcpy(error->sqlstate, failure->sqlstate, sizeof error->sqlstate);
        return error_at(error, failure->file, failure->line, failure->column);
    }
    return true;
}

/* ---- running ---- */

static bool catch_up(struct run *run, struct error *error)
{
    AUTO(history_free) struct history *history = NULL;
    const struct config *config = run->invocation->config;

    if (stage_place(run->place.stage) != REHEARSAL_EMBEDDED || run->place.backup_id || !run->place.target)
        return true;
    return history_open(run->place.target, config_text(config, "history_table"), &history, error) &&
           stage_catch_up(run->place.stage, run->folder, history, &run->settings.options,
                          config_text(config, "history_table"), error);
}

static bool open_evidence(struct run *run, struct error *error)
{
    return rehearsals_open(run->invocation, &run->evidence, error) &&
           (!run->place.facts_known ||
            evidence_correction(run->evidence, run->place.facts.database, &run->rehearsal.correction, error));
}

static bool rehearse(struct run *run, struct error *error)
{
    struct rehearsal *rehearsal = &run->rehearsal;
    struct postgres *postgres = stage_postgres(run->place.stage);
    struct progress *progress;
    struct run_listener listener;

    rehearsal->place = stage_place(run->place.stage);
    rehearsal->server = text_copy(stage_server(run->place.stage));
    rehearsal->environment = text_copy(run->place.environment);
    rehearsal->backup_id = text_copy(run->place.backup_id);
    for (size_t i = 0; i < run->place.differing.count; i++)
        text_list_add(&rehearsal->differing_settings, text_copy(run->place.differing.items[i]));
    if (!server_facts_read(postgres, &run->here, error))
        return false;
    progress = progress_new(run->invocation, "tried");
    listener = progress_listener(progress);
    bool good = rehearse_run(postgres, run->folder, &run->options, &listener, rehearsal, error);
    progress_free(progress);
    judge(run);
    return good;
}

static bool export_facts(struct run *run, const char *file, struct error *error)
{
    if (!invocation_flag(run->invocation, "against"))
        return error_set(error, ERROR_USAGE, "\"--export-facts\" needs \"--against\"");
    if (!rehearsing_target(run->invocation, &run->place.target, error) ||
        !server_facts_read(run->place.target, &run->place.facts, error))
        return false;
    OWNED char *text = server_facts_text(&run->place.facts);
    if (!file_write_atomic(file, text, strlen(text), 0644, error))
        return false;
    if (!run->invocation->json && run->invocation->verbosity > VERBOSITY_QUIET)
        printf("wrote sizes of %zu tables to %s\n", run->place.facts.count, file);
    return true;
}

static bool read_options(struct run *run, struct error *error)
{
    const struct invocation *invocation = run->invocation;
    const char *trip = invocation_option(invocation, "round-trip");

    if (!connect_run_options(invocation, &run->settings, error))
        return false;
    run->options = (struct rehearse_options){
        .run = run->settings.options,
        .history_table = config_text(invocation->config, "history_table"),
        .to = invocation_option(invocation, "to"),
        .out_of_order = invocation_flag(invocation, "out-of-order"),
        .trip = text_equal(trip, "chain")  ? TRIP_CHAIN
                : text_equal(trip, "none") ? TRIP_NONE
                                           : TRIP_EACH,
        .probe_victims = invocation_flag(invocation, "probe-victims"),
    };
    return true;
}

/* The same gate as apply's, so that nothing passes here that would be refused there. */
static bool read_isolation(struct run *run, struct error *error)
{
    const struct invocation *invocation = run->invocation;

    if (!rls_gating_read(invocation, &run->gating, error))
        return false;
    if (run->gating.on)
        run->options.isolation = &run->gating.options;
    if (!invocation_flag(invocation, "probe-tenants"))
        return true;
    if (!run->gating.on) {
        error_set(error, ERROR_USAGE, "\"--probe-tenants\" needs to know what a tenant is");
        return error_hint(error, "\"pgmigrate rls --suggest\" writes the section [rls] of pgmigrate.conf.");
    }
    run->probe = rls_probing_options(invocation);
    run->options.probe = &run->probe;
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(run_clear) struct run run = {.invocation = invocation};
    const char *facts = invocation_option(invocation, "export-facts");

    if (facts)
        return export_facts(&run, facts, error);
    if (!read_options(&run, error) || !read_isolation(&run, error) ||
        !inputs_folder(invocation, &run.folder, error) || !rehearsing_open(invocation, &run.place, error) ||
        !open_evidence(&run, error) || !catch_up(&run, error) ||
        !connect_role(invocation, stage_postgres(run.place.stage), error))
        return false;
    listing_findings(invocation, &run.folder->findings, "rollback-missing");
    if (!rehearse(&run, error) || !keep_evidence(&run, error) ||
        (invocation_flag(invocation, "keep") && !stage_keep(run.place.stage, &run.kept, error)))
        return false;
    print_result(&run);
    return conclude(&run, error);
}

static const struct option_spec options_rehearse[] = {
    {.name = "on",
     .argument = "CONNINFO",
     .summary = "the staging database, or an environment's name; default: the database of --database and "
                "--environment"},
    {.name = "scratch", .summary = "in a scratch copy on the staging server, dropped afterwards (default)"},
    {.name = "in-place", .summary = "in the staging database itself, which is left migrated"},
    {.name = "embedded", .summary = "in a private throwaway cluster"},
    {.name = "from-backup", .argument = "BACKUP", .summary = "fill it from a backup: an id or \"latest\""},
    {.name = "keep", .summary = "keep the scratch database"},
    {.name = "against",
     .argument = "CONNINFO",
     .summary = "the target, or an environment's name: its settings, and its sizes for the estimate; only "
                "read"},
    {.name = "facts", .argument = "FILE", .summary = "sizes of the target, from --export-facts"},
    {.name = "export-facts", .argument = "FILE", .summary = "write sizes of --against to a file, and end"},
    {.name = "evidence", .argument = "FILE", .summary = "write what was found as a JSON document"},
    {.name = "html", .argument = "FILE", .summary = "write it as a page for a browser"},
    {.name = "to", .argument = "VERSION", .summary = "stop after this version"},
    {.name = "out-of-order", .summary = "also run files older than what is applied"},
    {.name = "round-trip",
     .argument = "HOW",
     .choices = "each chain none",
     .summary = "each goes back after every migration (default), chain after all of them"},
    {.name = "probe-victims",
     .summary = "read and write the touched tables meanwhile, and tell the longest stall"},
    {.name = "rls-gate", .argument = "WHAT", .key = "rls_gate"},
    {.name = "probe-tenants",
     .summary = "after each migration and after its rollback, also try to reach other tenants' rows"},
    {.name = "window-lock", .argument = "MS", .key = "window_lock"},
    {.name = "window-table", .argument = "SIZE", .key = "window_table"},
    {.name = "window-time", .argument = "MS", .key = "window_time"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    OPTION_SET,
    OPTIONS_TIMEOUTS,
    OPTIONS_LOCK,
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_rehearse = {
    .name = "rehearse",
    .summary = "try pending migrations where it does no harm, and measure them",
    .details =
        "Each pending migration is applied and measured, rolled back, compared with what was there before, "
        "and applied again: in a scratch copy of the staging database, which is dropped afterwards. A "
        "database "
        "that others are connected to is copied through a backup, which disturbs nobody but takes longer, "
        "and "
        "room in the folder for temporary files.\n"
        "\n"
        "A database that an environment of the configuration names as protected is never copied or changed, "
        "by whatever name it is given: the servers are asked who they are.\n"
        "\n"
        "A round trip is \"exact\", or \"differs\": everything that pg_dump shows of the schema is compared, "
        "and with it INVALID indexes, sequences, triggers switched off, and how many rows each table has. "
        "Where row-level security is configured, apply's gate stands before each COMMIT here, too, and a "
        "rollback that leaves it weaker than it was is a difference. "
        "Exit status 1: a migration failed. 3: a rollback failed, or left something different, so that "
        "perhaps "
        "the migration could not be applied again, and those after it were not reached.",
    .options = options_rehearse,
    .group = "Migrations",
    .run = run,
};
