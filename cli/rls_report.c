/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_report.h"

#include "cli/report.h"
#include <string.h>

static enum paint severity_paint(enum rls_severity severity)
{
    static const enum paint paints[] = {
        [RLS_INFO] = PAINT_BLUE, [RLS_LOW] = PAINT_BLUE, [RLS_MEDIUM] = PAINT_YELLOW, [RLS_HIGH] = PAINT_RED};

    return paints[severity];
}

/* Every line of it under its finding. */
static void print_below(bool color, const char *label, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    fputs("    ", stdout);
    report_paint(stdout, color, PAINT_DIM, label);
    for (const char *at = text; *at != '\0'; at++) {
        fputc(*at, stdout);
        if (*at == '\n' && at[1] != '\0')
            fputs("    ", stdout);
    }
    if (!text_ends_with(text, "\n"))
        fputc('\n', stdout);
}

static void print_finding(bool color, const struct rls_finding *finding)
{
    const char *word = finding->inconclusive       ? "inconclusive"
                       : finding->accepted != NULL ? "accepted"
                                                   : rls_severity_name(finding->severity);
    bool counts = !finding->inconclusive && finding->accepted == NULL;
    OWNED char *object = text_format("%s:", finding->object);
    OWNED char *severity = text_format("%s:", word);
    OWNED char *check = text_format("[%s]", finding->check);

    report_paint(stdout, color, PAINT_BOLD, object);
    fputc(' ', stdout);
    report_paint(stdout, color, counts ? severity_paint(finding->severity) : PAINT_DIM, severity);
    printf(" %s", finding->message);
    if (finding->role != NULL)
        printf(" (role %s)", finding->role);
    fputc(' ', stdout);
    report_paint(stdout, color, PAINT_DIM, check);
    fputc('\n', stdout);
    print_below(color, "", finding->accepted != NULL ? NULL : finding->hint);
    print_below(color, "evidence: ", finding->evidence);
    print_below(color, "accepted: ", finding->accepted);
}

static void print_table(bool color, const struct rls_result *result)
{
    AUTO(report_table_clear)
    struct report_table table = {.headings = {"check", "what is looked at", "result"}};

    for (size_t i = 0; i < result->count; i++) {
        const struct rls_tally *tally = &result->tallies[i];
        enum paint paint = tally->found > 0                         ? severity_paint(tally->worst)
                           : tally->inconclusive > 0                ? PAINT_YELLOW
                           : tally->left_out || tally->accepted > 0 ? PAINT_DIM
                                                                    : PAINT_GREEN;
        report_cell(&table, PAINT_NONE, text_copy(tally->check));
        report_cell(&table, PAINT_NONE, text_copy(tally->title));
        report_cell(&table, paint, rls_tally_words(tally));
    }
    report_table_print(stdout, color, &table);
}

static void add_count(struct text_list *words, size_t count, const char *word)
{
    if (count > 0)
        text_list_add(words, text_format("%zu %s", count, word));
}

/* "1 high, 2 low, 1 inconclusive"; "nothing found". */
static char *outcome(const struct rls_result *result)
{
    AUTO(text_list_clear) struct text_list words = {0};
    size_t inconclusive = 0, accepted = 0, above = 0;

    for (int severity = RLS_HIGH; severity >= RLS_INFO; severity--) {
        size_t count = rls_findings_count(&result->findings, (enum rls_severity)severity);
        add_count(&words, count - above, rls_severity_name((enum rls_severity)severity));
        above = count;
    }
    if (words.count == 0)
        text_list_add(&words, text_copy("nothing found"));
    for (size_t i = 0; i < result->count; i++) {
        inconclusive += result->tallies[i].inconclusive;
        accepted += result->tallies[i].accepted;
    }
    add_count(&words, inconclusive, "inconclusive");
    add_count(&words, accepted, "accepted");
    return text_list_join(&words, ", ");
}

static void print_summary(const struct rls_result *result)
{
    OWNED char *words = outcome(result);

    printf("%lld table%s of tenants, %lld role%s of the application", (long long)result->tables,
           result->tables == 1 ? "" : "s", (long long)result->roles, result->roles == 1 ? "" : "s");
    if (result->probes > 0)
        printf(", %lld probe%s", (long long)result->probes, result->probes == 1 ? "" : "s");
    printf(": %s\n", words);
}

void rls_report_print(const struct invocation *invocation, const struct rls_result *result)
{
    bool color = invocation->color_output, any = false;

    for (size_t i = 0; i < result->findings.count; i++) {
        const struct rls_finding *finding = &result->findings.items[i];
        if (finding->accepted != NULL && invocation->verbosity < VERBOSITY_VERBOSE)
            continue;
        print_finding(color, finding);
        any = true;
    }
    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    if (any)
        fputc('\n', stdout);
    print_table(color, result);
    fputc('\n', stdout);
    print_summary(result);
}
