/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_junit.h"

#include "common/text.h"
#include <stdio.h>
#include <string.h>

/* For elements and attributes. What XML 1.0 has no place for, even escaped, and what is no UTF-8 becomes "?".
 */
static void put(FILE *out, const char *text)
{
    OWNED char *clean = text_copy(text != NULL ? text : "");
    size_t bad;

    while (!text_is_utf8(clean, strlen(clean), &bad))
        clean[bad] = '?';
    for (const char *at = clean; *at != '\0'; at++) {
        if (strchr("<>&\"\n\t\r", *at) != NULL)
            fprintf(out, "&#%d;", *at);
        else
            fputc((unsigned char)*at < ' ' ? '?' : *at, out);
    }
}

enum kind { KIND_NONE, KIND_FAILURE, KIND_INCONCLUSIVE, KIND_OTHER };

static enum kind kind_of(const struct rls_finding *finding, enum rls_severity fail_on)
{
    return finding->inconclusive                                       ? KIND_INCONCLUSIVE
           : finding->accepted == NULL && finding->severity >= fail_on ? KIND_FAILURE
                                                                       : KIND_OTHER;
}

static void put_line(FILE *out, const char *label, const char *text)
{
    if (text == NULL)
        return;
    put(out, label);
    put(out, text);
    fputc('\n', out);
}

static void put_finding(FILE *out, const struct rls_finding *finding)
{
    OWNED char *line =
        text_format("%s: %s: %s%s%s%s", finding->object,
                    finding->inconclusive ? "inconclusive" : rls_severity_name(finding->severity),
                    finding->message, finding->role != NULL ? " (role " : "",
                    finding->role != NULL ? finding->role : "", finding->role != NULL ? ")" : "");

    put_line(out, "", line);
    put_line(out, "    ", finding->hint);
    put_line(out, "    evidence: ", finding->evidence);
    put_line(out, "    accepted: ", finding->accepted);
}

struct junit {
    FILE *out;
    const struct rls_result *result;
    enum rls_severity fail_on;
    size_t failures, skipped;
};

/* Those of one check and kind as the text of one element; returns how many there were. */
static size_t put_findings(const struct junit *junit, const char *check, enum kind kind, const char *element)
{
    size_t count = 0;

    for (size_t i = 0; i < junit->result->findings.count; i++) {
        const struct rls_finding *finding = &junit->result->findings.items[i];
        if (!text_equal(finding->check, check) || kind_of(finding, junit->fail_on) != kind)
            continue;
        if (count++ == 0) {
            fprintf(junit->out, "<%s", element);
            if (kind != KIND_OTHER) {
                fputs(" message=\"", junit->out);
                put(junit->out, finding->message);
                fputc('"', junit->out);
            }
            fputc('>', junit->out);
        }
        put_finding(junit->out, finding);
    }
    if (count > 0)
        fprintf(junit->out, "</%s>\n", element);
    return count;
}

static void put_case(struct junit *junit, const struct rls_tally *tally)
{
    size_t failed;

    fputs("<testcase classname=\"rls\" name=\"", junit->out);
    put(junit->out, tally->check);
    fputs(*tally->title != '\0' ? ": " : "", junit->out);
    put(junit->out, tally->title);
    fputs("\">\n", junit->out);
    failed = put_findings(junit, tally->check, KIND_FAILURE, "failure");
    if (failed > 0)
        junit->failures++;
    else if (tally->left_out)
        junit->skipped++, fputs("<skipped message=\"left out\"/>\n", junit->out);
    else if (put_findings(junit, tally->check, KIND_INCONCLUSIVE, "skipped") > 0)
        junit->skipped++;
    put_findings(junit, tally->check, KIND_OTHER, "system-out");
    if (failed > 0)
        put_findings(junit, tally->check, KIND_INCONCLUSIVE, "system-err");
    fputs("</testcase>\n", junit->out);
}

char *rls_junit(const struct rls_result *result, enum rls_severity fail_on)
{
    OWNED char *cases = NULL;
    size_t size;
    struct junit junit = {.out = open_memstream(&cases, &size), .result = result, .fail_on = fail_on};

    for (size_t i = 0; i < result->count; i++)
        put_case(&junit, &result->tallies[i]);
    fclose(junit.out);
    OWNED char *counts = text_format("tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"",
                                     result->count, junit.failures, junit.skipped);
    return text_format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites %s>\n<testsuite name=\"pgmigrate rls\" %s>\n%s</testsuite>\n</testsuites>\n",
        counts, counts, cases);
}
