/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rehearsal_report.h"

#include "cli/rehearsal_words.h"
#include "cli/report.h"
#include <string.h>

#define BAR_WIDTH 16

/* ---- one line each ---- */

/* A bar is as long as its share of the longest; what took any time has one. */
static char *bar(int64_t ms, int64_t longest)
{
    size_t width = ms <= 0 || longest <= 0 ? 0 : (size_t)(ms * BAR_WIDTH / longest);
    char *text = memory_allocate(BAR_WIDTH + 1, 1);

    memset(text, '#', width > 0 || ms <= 0 ? width : 1);
    return text;
}

static enum paint round_trip_paint(const struct rehearsed *item)
{
    bool mild = true;

    for (size_t i = 0; i < item->difference_count; i++)
        mild &= item->differences[i].mild;
    switch (item->round_trip) {
    case ROUND_TRIP_EXACT:
        return PAINT_GREEN;
    case ROUND_TRIP_DIFFERS:
        return mild ? PAINT_YELLOW : PAINT_RED;
    case ROUND_TRIP_FAILS:
        return PAINT_RED;
    case ROUND_TRIP_MISSING:
        return PAINT_YELLOW;
    case ROUND_TRIP_NONE:
        break;
    }
    return PAINT_DIM;
}

static int64_t longest_ms(const struct rehearsal *rehearsal)
{
    int64_t longest = 0;

    for (size_t i = 0; i < rehearsal->count; i++)
        if (rehearsal->items[i].execution_ms > longest)
            longest = rehearsal->items[i].execution_ms;
    return longest;
}

static bool is_estimated(const struct rehearsal *rehearsal)
{
    for (size_t i = 0; i < rehearsal->count; i++)
        if (rehearsal->items[i].basis != NULL)
            return true;
    return false;
}

static bool failed(const struct rehearsed *item)
{
    return item->failure.code != ERROR_NONE && item->round_trip != ROUND_TRIP_FAILS;
}

static void add_row(struct report_table *table, const struct rehearsed *item, int64_t longest, bool estimated)
{
    char *lock = rehearsed_lock_words(item);

    report_cell(table, item->passed ? PAINT_NONE : PAINT_RED, text_copy(item->version));
    report_cell(table, PAINT_NONE, item->execution_ms < 0 ? NULL : text_duration(item->execution_ms));
    report_cell(table, failed(item) ? PAINT_RED : PAINT_BLUE,
                failed(item) ? text_copy("failed") : bar(item->execution_ms, longest));
    report_cell(table, PAINT_NONE, lock != NULL ? lock : text_copy("no lock is felt"));
    report_cell(table, round_trip_paint(item), text_copy(round_trip_name(item->round_trip)));
    if (estimated)
        report_cell(table, PAINT_NONE, rehearsed_estimate_words(item->low_ms, item->high_ms));
}

static void print_table(FILE *out, bool color, const struct rehearsal *rehearsal)
{
    bool estimated = is_estimated(rehearsal);
    AUTO(report_table_clear)
    struct report_table table = {
        .headings = {"migration", "time", "", "worst lock", "rollback", estimated ? "at the target" : NULL},
        .right[1] = true};

    for (size_t i = 0; i < rehearsal->count; i++)
        add_row(&table, &rehearsal->items[i], longest_ms(rehearsal), estimated);
    if (table.count > 0) {
        report_table_print(out, color, &table);
        fputc('\n', out);
    }
}

/* ---- what is to be looked at ---- */

static void print_differences(FILE *out, bool color, const struct rehearsed *item)
{
    for (size_t i = 0; i < item->difference_count; i++) {
        const struct difference *difference = &item->differences[i];

        report_paint(out, color, difference->mild ? PAINT_YELLOW : PAINT_RED, "after the rollback:");
        fprintf(out, " %s %s: %s\n", difference->kind, difference->object, difference->what);
    }
}

static void print_advice(FILE *out, bool color, const struct rehearsed *item)
{
    AUTO(findings_clear) struct findings findings = {0};

    for (size_t i = 0; i < item->advice_count; i++) {
        const struct advice *advice = &item->advice[i];
        finding_at(finding_add(&findings, advice->rule, SEVERITY_WARNING, item->file, "%s", advice->text),
                   advice->line, 0);
    }
    report_findings(out, color, &findings);
}

static void print_details(FILE *out, bool color, const struct rehearsed *item)
{
    bool any = item->failure.code != ERROR_NONE || item->victim_ms > 0 ||
               item->difference_count + item->weakness_count + item->change_count + item->advice_count > 0;

    if (!any)
        return;
    report_paint(out, color, PAINT_BOLD, item->version);
    fputc('\n', out);
    if (item->failure.code != ERROR_NONE)
        report_error(out, color, &item->failure);
    print_differences(out, color, item);
    for (size_t i = 0; i < item->weakness_count; i++) {
        report_paint(out, color, PAINT_RED, "row-level security of");
        fprintf(out, " %s: %s\n", item->weaknesses[i].object, item->weaknesses[i].what);
    }
    for (size_t i = 0; i < item->change_count; i++) {
        report_paint(out, color, PAINT_BLUE, "an application notices:");
        fprintf(out, " %s %s\n", item->changes[i].object, item->changes[i].what);
    }
    if (item->victim_ms > 0) {
        OWNED char *stall = text_duration(item->victim_ms);
        fprintf(out, "an application was held up for %s%s%s\n", stall,
                item->victim_relation == NULL ? "" : " by ",
                item->victim_relation == NULL ? "" : item->victim_relation);
    }
    print_advice(out, color, item);
    fputc('\n', out);
}

static void print_verdict(FILE *out, bool color, const struct rehearsal *rehearsal)
{
    OWNED char *count = rehearsal_count_words(rehearsal), *where = rehearsal_where_words(rehearsal);
    OWNED char *took = text_duration(rehearsal_ms(rehearsal));

    report_paint(out, color, rehearsal->passed ? PAINT_GREEN : PAINT_RED,
                 rehearsal->passed ? "passed:" : "failed:");
    fprintf(out, " %s in %s on %s\n", count, took, where);
    if (rehearsal->advice != NULL) {
        report_paint(out, color, rehearsal->window ? PAINT_YELLOW : PAINT_GREEN, "advice:");
        fprintf(out, " %s\n", rehearsal->advice);
    }
}

void rehearsal_print(FILE *out, bool color, const struct rehearsal *rehearsal)
{
    print_table(out, color, rehearsal);
    for (size_t i = 0; i < rehearsal->count; i++)
        print_details(out, color, &rehearsal->items[i]);
    for (size_t i = 0; i < rehearsal->differing_settings.count; i++) {
        report_paint(out, color, PAINT_YELLOW, "differs from the target:");
        fprintf(out, " %s\n", rehearsal->differing_settings.items[i]);
    }
    print_verdict(out, color, rehearsal);
}
