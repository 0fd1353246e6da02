/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/listing.h"
#include "cli/rehearsals.h"
#include "cli/report.h"
#include "migrator/prepare.h"
#include "migrator/session.h"

/* What status looks at; freed in the reverse order. */
struct view {
    struct inputs inputs;
    struct plan *plan;
    char *holder; /* of the run lock, or NULL */
    struct evidence *evidence;
    struct rehearsals rehearsals; /* of each entry */
};

static void view_clear(struct view *view)
{
    rehearsals_clear(&view->rehearsals);
    evidence_close(view->evidence);
    free(view->holder);
    plan_free(view->plan);
    inputs_clear(&view->inputs);
}
CLEANUP_VALUE(struct view, view_clear)

static const enum paint paints[] = {
    [PLAN_APPLIED] = PAINT_GREEN, [PLAN_PENDING] = PAINT_YELLOW,   [PLAN_CHANGED] = PAINT_RED,
    [PLAN_MISSING] = PAINT_RED,   [PLAN_OUT_OF_ORDER] = PAINT_RED, [PLAN_FAILED] = PAINT_RED,
    [PLAN_RUNNING] = PAINT_BLUE,
};

static void add_row(struct report_table *table, const struct plan_entry *entry, bool backups)
{
    const struct history_row *row = entry->row;
    bool known = row && row->execution_ms >= 0;
    OWNED char *state = text_copy(plan_state_name(entry->state));

    for (char *at = state; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    if (row && row->state == ROW_BASELINE && entry->state == PLAN_APPLIED) {
        free(state);
        state = text_copy("baseline");
    }
    report_cell(table, PAINT_NONE, text_copy(entry->version));
    report_cell(table, paints[entry->state], take(state));
    report_cell(table, PAINT_NONE, row ? report_time(row->applied_at) : NULL);
    report_cell(table, PAINT_NONE, known ? text_format("%lld", (long long)row->execution_ms) : NULL);
    report_cell(table, PAINT_NONE, row ? text_copy(row->applied_by) : NULL);
    if (backups)
        report_cell(table, PAINT_NONE, row ? text_copy(row->backup_id) : NULL);
}

/* Why an entry is in a state that stops apply. */
static void print_reasons(const struct invocation *invocation, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_entry *entry = &plan->entries[i];

        if (entry->message && (entry->hint || entry->state != PLAN_APPLIED))
            report_warning(invocation, "%s %s%s%s", entry->version, entry->message,
                           entry->hint ? "\nhint: " : "", entry->hint ? entry->hint : "");
    }
}

static void print(const struct invocation *invocation, const struct view *view)
{
    const struct plan *plan = view->plan;
    AUTO(report_table_clear)
    struct report_table table = {.headings = {"version", "state", "applied at (UTC)", "ms", "by"},
                                 .right[3] = true};
    OWNED char *summary = listing_summary(plan);
    OWNED char *target = connect_target(view->inputs.postgres);
    bool backups = false;

    listing_warn_history(invocation, view->inputs.history);
    for (size_t i = 0; i < plan->count; i++)
        backups |= plan->entries[i].row && plan->entries[i].row->backup_id;
    table.headings[5] = backups ? "backup" : NULL;
    table.headings[backups ? 6 : 5] = view->rehearsals.any ? "rehearsal" : NULL;
    for (size_t i = 0; i < plan->count; i++) {
        add_row(&table, &plan->entries[i], backups);
        if (view->rehearsals.any)
            rehearsals_cell(&table, &view->rehearsals.items[i]);
    }
    if (table.count)
        report_table_print(stdout, invocation->color_output, &table);
    printf("%s%s on %s\n", table.count ? "\n" : "", summary, target);
    if (view->holder)
        printf("the run lock is held by %s\n", view->holder);
    fflush(stdout);
    listing_findings(invocation, &plan->findings, NULL);
    print_reasons(invocation, plan);
}

static void fill(json_t *document, const struct view *view)
{
    const struct plan *plan = view->plan;
    json_t *list = json_array();

    for (size_t i = 0; i < plan->count; i++) {
        json_t *entry = listing_entry(&plan->entries[i]);

        rehearsals_fill(entry, &view->rehearsals.items[i]);
        json_array_append_new(list, entry);
    }
    json_object_set_new(document, "migrations", list);
    json_object_set_new(document, "counts", listing_counts(plan));
    json_object_set_new(document, "warnings", document_findings(&plan->findings));
    document_text(document, "run_lock", view->holder);
    listing_server(document, view->inputs.postgres, view->inputs.history);
}

/* Half-run scripts whose file is gone, or is called otherwise. */
static size_t count_lost(const struct plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_entry *entry = &plan->entries[i];
        count += (entry->state == PLAN_MISSING || entry->state == PLAN_CHANGED) && entry->row != NULL &&
                 history_row_is_half_run(entry->row);
    }
    return count;
}

/* What apply would say to a script that stopped half way, in place of a promise that it goes on. */
static void explain(struct plan_entry *entry, const struct history *history)
{
    AUTO(error_clear) struct error problem = {0};

    if (entry->state != PLAN_FAILED || !entry->migration || history_row_is_foreign_failure(entry->row) ||
        prepare_goes_on(entry, history, &problem))
        return;
    free(entry->hint);
    entry->hint = text_format("\"pgmigrate apply\" does not go on: %s%s%s", problem.message,
                              problem.hint ? ". " : "", problem.hint ? problem.hint : "");
}

static bool look(const struct invocation *invocation, struct view *view, struct error *error)
{
    if (!rehearsals_look(invocation, &view->evidence, error) ||
        !inputs_read(invocation, history_open, &view->inputs, error) ||
        !session_check(view->inputs.postgres, true, false, error) ||
        !session_lock_holder(view->inputs.postgres, view->inputs.history, &view->holder, error) ||
        !plan_make(view->inputs.folder, view->inputs.history,
                   &(struct plan_options){.lock_held = view->holder != NULL}, &view->plan, error))
        return false;
    for (size_t i = 0; i < view->plan->count; i++) {
        explain(&view->plan->entries[i], view->inputs.history);
        rehearsals_add(invocation, view->evidence, &view->plan->entries[i], &view->rehearsals);
    }
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(view_clear) struct view view = {0};

    if (!look(invocation, &view, error))
        return false;
    if (invocation->json)
        fill(invocation->document, &view);
    else
        print(invocation, &view);
    const size_t *counts = view.plan->counts;
    if (invocation_flag(invocation, "exit-code") &&
        counts[PLAN_PENDING] + counts[PLAN_OUT_OF_ORDER] + counts[PLAN_FAILED] + count_lost(view.plan))
        invocation->exit_code = ERROR_FINDINGS;
    return true;
}

static const struct option_spec options[] = {
    {.name = "exit-code", .summary = "exit with 3 when migrations are pending"},
    OPTION_EVIDENCE,
    OPTION_HISTORY_TABLE,
    OPTIONS_FOLDER,
    {0},
};

const struct command cmd_status = {
    .name = "status",
    .aliases = "info",
    .summary = "show what is applied, pending, changed or missing",
    .details =
        "Compares the folder of migrations with the history in the database. It changes nothing, takes no "
        "lock and creates nothing; it works on standbys and read-only servers.\n"
        "\n"
        "States: applied, pending (to be run by the next apply), changed (the file is not what ran), missing "
        "(applied, but the file is gone), out of order (not applied, though a newer one is), failed (a "
        "script without a transaction stopped half way), running (such a script runs now).",
    .options = options,
    .group = "Migrations",
    .finding = "not all migrations are applied",
    .run = run,
};
