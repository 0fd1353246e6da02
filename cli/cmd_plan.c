/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/listing.h"
#include "cli/rehearsals.h"
#include "cli/report.h"
#include "migrator/rls_window.h"
#include "migrator/script.h"
#include "migrator/session.h"

/* What plan needs to look at; freed in the reverse order. */
struct view {
    struct folder *folder;
    struct postgres *postgres;
    struct history *history;
    struct plan *plan;
    struct plan_steps steps;
    struct findings notices;
    struct connect_run run;
    struct evidence *evidence;    /* or NULL */
    struct rehearsals rehearsals; /* of each step */
};

static void view_clear(struct view *view)
{
    rehearsals_clear(&view->rehearsals);
    evidence_close(view->evidence);
    connect_run_clear(&view->run);
    findings_clear(&view->notices);
    plan_steps_clear(&view->steps);
    plan_free(view->plan);
    history_free(view->history);
    postgres_free(view->postgres);
    folder_free(view->folder);
}
CLEANUP_VALUE(struct view, view_clear)

/* How many statements a step sends; -1 where it cannot be told. */
static int64_t count_statements(const struct view *view, const struct plan_entry *step)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(script_free) struct script *script = NULL;
    struct migration *migration = step->migration;
    struct script_options options = {
        .no_transaction = migration->directives.no_transaction,
        .variables = migration->directives.variables,
        .database = postgres_database(view->postgres),
        .escapes = postgres_escapes(view->postgres),
        .settings = &view->run.settings,
    };
    int64_t count = -1;

    if (source_load(&migration->forward, &ignored) &&
        script_prepare(&migration->forward, &options, &script, &ignored))
        count = (int64_t)script->count;
    return count;
}

/* Tables that would stand unprotected between two of the transactions. */
static void find_windows(struct view *view)
{
    OWNED struct migration **migrations = memory_allocate(view->steps.count + 1, sizeof *migrations);

    for (size_t i = 0; i < view->steps.count; i++)
        migrations[i] = view->steps.items[i]->migration;
    rls_window_check(migrations, view->steps.count, &view->notices);
}

static void print(const struct invocation *invocation, const struct view *view)
{
    AUTO(report_table_clear)
    struct report_table table = {.headings = {"version", "state", "mode", "statements", "rollback"},
                                 .right[3] = true};
    OWNED char *target = connect_target(view->postgres);

    table.headings[5] = view->rehearsals.any ? "rehearsal" : NULL;
    listing_findings(invocation, &view->plan->findings, NULL);
    if (invocation->verbosity > VERBOSITY_QUIET)
        report_findings(stderr, invocation->color, &view->notices);
    listing_warn_history(invocation, view->history);
    for (size_t i = 0; i < view->steps.count; i++) {
        const struct plan_entry *step = view->steps.items[i];
        int64_t statements = count_statements(view, step);

        report_cell(&table, PAINT_NONE, text_copy(step->version));
        report_cell(
            &table, step->state == PLAN_PENDING ? PAINT_NONE : PAINT_YELLOW,
            text_copy(step->state == PLAN_OUT_OF_ORDER ? "out of order" : plan_state_name(step->state)));
        report_cell(&table, PAINT_NONE,
                    text_copy(step->migration->directives.no_transaction ? "no transaction" : "transaction"));
        report_cell(&table, PAINT_NONE, statements < 0 ? NULL : text_format("%lld", (long long)statements));
        report_cell(&table, PAINT_NONE, text_copy(migration_has_rollback(step->migration) ? "yes" : "no"));
        if (view->rehearsals.any)
            rehearsals_cell(&table, &view->rehearsals.items[i]);
    }
    if (table.count)
        report_table_print(stdout, invocation->color_output, &table);
    printf("%s%zu to apply, %zu applied on %s\n", table.count ? "\n" : "", view->steps.count,
           view->plan->counts[PLAN_APPLIED], target);
}

static void fill(json_t *document, const struct view *view)
{
    json_t *list = json_array();

    for (size_t i = 0; i < view->steps.count; i++) {
        json_t *entry = listing_entry(view->steps.items[i]);

        document_known(entry, "statements", count_statements(view, view->steps.items[i]));
        rehearsals_fill(entry, &view->rehearsals.items[i]);
        json_array_append_new(list, entry);
    }
    json_object_set_new(document, "migrations", list);
    json_object_set_new(document, "counts", listing_counts(view->plan));
    json_object_set_new(document, "warnings", document_findings(&view->plan->findings));
    json_object_set_new(document, "notices", document_findings(&view->notices));
    listing_server(document, view->postgres, view->history);
}

static bool look(struct invocation *invocation, struct view *view, struct error *error)
{
    struct plan_target target = {.to = invocation_option(invocation, "to"),
                                 .out_of_order = invocation_flag(invocation, "out-of-order")};
    OWNED char *holder = NULL;

    return rehearsals_look(invocation, &view->evidence, error) &&
           inputs_folder(invocation, &view->folder, error) &&
           connect_run_options(invocation, &view->run, error) &&
           connect_database(invocation, &view->postgres, error) &&
           session_check(view->postgres, true, false, error) &&
           connect_history(invocation, view->postgres, &view->history, error) &&
           session_lock_holder(view->postgres, view->history, &holder, error) &&
           plan_make(view->folder, view->history, &(struct plan_options){.lock_held = holder != NULL},
                     &view->plan, error) &&
           plan_steps(view->plan, view->folder, view->history, &target, &view->steps, error) &&
           apply_preflight(&view->steps, view->history, &view->run.settings, &view->notices, error);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(view_clear) struct view view = {0};

    if (!look(invocation, &view, error))
        return false;
    find_windows(&view);
    for (size_t i = 0; i < view.steps.count; i++)
        rehearsals_add(invocation, view.evidence, view.steps.items[i], &view.rehearsals);
    if (invocation->json)
        fill(invocation->document, &view);
    else
        print(invocation, &view);
    return true;
}

static const struct option_spec options[] = {
    {.name = "to", .argument = "VERSION", .summary = "stop after this version"},
    {.name = "out-of-order", .summary = "also files older than what is applied"},
    OPTION_EVIDENCE,
    OPTION_SET,
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_plan = {
    .name = "plan",
    .summary = "show what apply would do, in order",
    .details =
        "Reads and checks every pending script as apply does before its first one, and changes nothing. "
        "Where "
        "apply would refuse, plan fails in the same way: with exit 6 when history and folder disagree, with "
        "exit 2 when a script cannot be run, with exit 1 when a right to write the history is missing; but "
        "a role that may only read it may look at the plan. Tables that would stand without row-level "
        "security between two "
        "transactions of the plan are warned of.",
    .options = options,
    .group = "Migrations",
    .run = run,
};
