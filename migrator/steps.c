/* SPDX-License-Identifier: PostgreSQL */
/* What apply runs: the pending part of the plan, or why nothing may run. */
#include "migrator/plan.h"

void plan_steps_clear(struct plan_steps *steps)
{
    free(steps->items);
    free(steps->notice);
    *steps = (struct plan_steps){0};
}

/* ---- what stands in the way ---- */

static bool check_history(const struct history *history, struct error *error)
{
    if (history->shape == HISTORY_FOREIGN || history->shape == HISTORY_UNUSABLE)
        return history_refuse(history, error);
    if (history->shape != HISTORY_ABSENT || history->other_tool == NULL)
        return true;
    error_set(error, ERROR_CONFLICT, "this database has a history of %s in \"%s\", and none of pgmigrate",
              history->other_tool, history->other_table);
    return error_hint(
        error, "Mark what it has applied with \"pgmigrate baseline VERSION\". If these migrations have "
               "nothing to do with it, \"pgmigrate baseline 0\" begins an empty history beside it.");
}

static bool is_conflict(const struct plan_entry *entry, bool out_of_order)
{
    bool half_undone = entry->row != NULL && entry->row->state == ROW_UNDOING;
    bool failed_before_us = entry->row != NULL && history_row_is_foreign_failure(entry->row);
    return entry->state == PLAN_CHANGED || entry->state == PLAN_MISSING || half_undone || failed_before_us ||
           (entry->state == PLAN_OUT_OF_ORDER && !out_of_order);
}

static bool conflict(const struct plan_entry *entry, size_t others, struct error *error)
{
    error_set(error, ERROR_CONFLICT, "migration \"%s\" %s", entry->version, entry->message);
    const char *diff = entry->diff == NULL ? "" : entry->diff;
    if (others > 0)
        error_detail(error, "%s%s%zu more %s with the history; \"pgmigrate status\" lists all.", diff,
                     *diff == '\0' ? "" : "\n", others,
                     others == 1 ? "migration disagrees" : "migrations disagree");
    else
        error_detail(error, "%s", diff);
    error_hint(error, "%s", entry->hint);
    if (entry->migration != NULL)
        error_at(error, entry->migration->forward.path, 0, 0);
    return false;
}

/* Changed, missing, half undone and foreign failed migrations stop a run wherever they are; out-of-order ones
 * when they are meant to run.
 */
static bool check_conflicts(const struct plan *plan, const struct migration *last, bool out_of_order,
                            struct error *error)
{
    const struct plan_entry *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_entry *entry = &plan->entries[i];
        bool beyond = last != NULL && entry->state == PLAN_OUT_OF_ORDER &&
                      version_compare(&entry->migration->version, &last->version) > 0;
        if (beyond || !is_conflict(entry, out_of_order))
            continue;
        if (first == NULL)
            first = entry;
        count++;
    }
    return first == NULL || conflict(first, count - 1, error);
}

/* ---- requires ---- */

/* The line of the directive, for the message: 1-based, 0 when the text is not at hand. */
static size_t requires_line(const struct source *source)
{
    const char *found = source->text == NULL ? NULL : strstr(source->text, "requires");
    return found == NULL
               ? 0
               : source->first_line + text_position(source->text, (size_t)(found - source->text)).line - 1;
}

/* Applied is also what this run applies before. Entries are in order of version, and run in that order. */
static bool is_met(const struct plan *plan, const struct plan_entry *step, const char *word)
{
    for (const struct plan_entry *entry = plan->entries; entry < step; entry++)
        if (entry->migration != NULL && version_matches(&entry->migration->version, word))
            return true;
    for (const struct plan_entry *entry = step + 1; entry < plan->entries + plan->count; entry++)
        if (entry->migration != NULL && entry->state == PLAN_APPLIED &&
            version_matches(&entry->migration->version, word))
            return true;
    return false;
}

/* Of several with one number, the one that is applied may not be the one that is meant. */
static bool check_required(const struct plan *plan, const struct folder *folder,
                           const struct plan_entry *step, const char *word, struct error *error)
{
    struct migration *required = NULL;
    if (is_met(plan, step, word))
        return folder_find(folder, word, &required, error) ||
               error_prefix(error, "migration \"%s\" requires \"%s\"", step->version, word);
    error_set(error, ERROR_CONFLICT, "migration \"%s\" requires \"%s\", which is not applied", step->version,
              word);
    return error_hint(error,
                      "No migration of that name is applied, nor comes before this one in the folder.");
}

static bool check_requires(const struct plan *plan, const struct folder *folder,
                           const struct plan_entry *step, struct error *error)
{
    const struct text_list *words = &step->migration->directives.requires;
    for (size_t i = 0; i < words->count; i++)
        if (!check_required(plan, folder, step, words->items[i], error))
            return error_at(error, step->migration->forward.path, requires_line(&step->migration->forward),
                            0);
    return true;
}

/* ---- rollbacks ---- */

/* Required only of what is to run: a folder that was read whole has no other errors. */
static bool check_rollbacks(const struct folder *folder, const struct plan_steps *steps, struct error *error)
{
    for (size_t i = 0; i < folder->findings.count; i++) {
        const struct finding *finding = &folder->findings.items[i];
        for (size_t at = 0; finding->severity == SEVERITY_ERROR && at < steps->count; at++) {
            if (!text_equal(steps->items[at]->migration->forward.path, finding->file))
                continue;
            error_set(error, ERROR_USAGE, "%s", finding->message);
            error_hint(error, "%s", finding->hint);
            return error_at(error, finding->file, 0, 0);
        }
    }
    return true;
}

/* ---- the steps ---- */

static bool is_step(const struct plan_entry *entry, const struct migration *last)
{
    bool open = entry->state == PLAN_PENDING || entry->state == PLAN_OUT_OF_ORDER ||
                entry->state == PLAN_FAILED || entry->state == PLAN_RUNNING;
    return open && (last == NULL || version_compare(&entry->migration->version, &last->version) <= 0);
}

static bool is_applied(const struct plan *plan, const struct migration *migration)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->entries[i].migration == migration)
            return plan->entries[i].state == PLAN_APPLIED;
    return false;
}

/* Newer than last and applied: going to last would mean going back. */
static bool is_behind(const struct plan *plan, const struct migration *last)
{
    for (size_t i = plan->count; i-- > 0;) {
        const struct plan_entry *entry = &plan->entries[i];
        if (entry->migration != NULL && entry->state == PLAN_APPLIED)
            return version_compare(&entry->migration->version, &last->version) > 0;
    }
    return false;
}

bool plan_steps(const struct plan *plan, const struct folder *folder, const struct history *history,
                const struct plan_target *target, struct plan_steps *ret, struct error *error)
{
    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    struct migration *last = NULL;
    if (!check_history(history, error) ||
        (target->to != NULL && !folder_find(folder, target->to, &last, error)) ||
        !check_conflicts(plan, last, target->out_of_order, error))
        return false;
    steps.items = memory_allocate(plan->count + 1, sizeof *steps.items);
    for (size_t i = 0; i < plan->count; i++) {
        if (!is_step(&plan->entries[i], last))
            continue;
        if (!check_requires(plan, folder, &plan->entries[i], error))
            return false;
        steps.items[steps.count++] = &plan->entries[i];
    }
    if (!check_rollbacks(folder, &steps, error))
        return false;
    if (steps.count == 0 && last != NULL && is_applied(plan, last) && is_behind(plan, last))
        steps.notice =
            text_format("\"%s\" is applied, and newer ones are, too; to go back to it, use \"pgmigrate "
                        "rollback --to %s\"",
                        last->version.stem, last->version.stem);
    *ret = steps;
    steps = (struct plan_steps){0};
    return true;
}
