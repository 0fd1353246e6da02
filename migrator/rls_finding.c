/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_finding.h"

#include "common/text.h"
#include <string.h>

static const char *const severity_names[] = {"info", "low", "medium", "high"};

const char *rls_severity_name(enum rls_severity severity)
{
    return severity_names[severity];
}

bool rls_severity_parse(const char *name, enum rls_severity *ret)
{
    for (size_t i = 0; i < sizeof severity_names / sizeof *severity_names; i++) {
        if (!text_equal(name, severity_names[i]))
            continue;
        *ret = (enum rls_severity)i;
        return true;
    }
    return false;
}

struct rls_finding *rls_finding_add(struct rls_findings *findings, const char *check,
                                    enum rls_severity severity, const char *object)
{
    findings->items = memory_grow(findings->items, findings->count, sizeof *findings->items);
    struct rls_finding *finding = &findings->items[findings->count++];
    *finding =
        (struct rls_finding){.check = text_copy(check), .severity = severity, .object = text_copy(object)};
    return finding;
}

bool rls_finding_read(const struct rows *rows, size_t row, struct rls_findings *findings, struct error *error)
{
    const char *check = rows_text(rows, row, "check"), *name = rows_text(rows, row, "severity");
    enum rls_severity severity;

    if (!rls_severity_parse(name, &severity))
        return error_set(error, ERROR_FAILED, "check %s answered the severity \"%s\"", check, name);
    struct rls_finding *finding = rls_finding_add(findings, check, severity, rows_text(rows, row, "object"));
    finding->role = text_copy(rows_text(rows, row, "role"));
    finding->message = text_copy(rows_text(rows, row, "message"));
    finding->hint = text_copy(rows_text(rows, row, "hint"));
    finding->evidence = text_copy(rows_text(rows, row, "evidence"));
    finding->inconclusive = rows_bool(rows, row, "inconclusive");
    return true;
}

bool rls_finding_same(const struct rls_finding *a, const struct rls_finding *b)
{
    return text_equal(a->check, b->check) && text_equal(a->object, b->object) && text_equal(a->role, b->role);
}

bool rls_findings_have(const struct rls_findings *findings, const struct rls_finding *finding)
{
    for (size_t i = 0; i < findings->count; i++)
        if (rls_finding_same(&findings->items[i], finding) &&
            findings->items[i].severity >= finding->severity && !findings->items[i].inconclusive)
            return true;
    return false;
}

void rls_findings_move(struct rls_findings *to, struct rls_findings *from)
{
    for (size_t i = 0; i < from->count; i++) {
        to->items = memory_grow(to->items, to->count, sizeof *to->items);
        to->items[to->count++] = from->items[i];
    }
    free(from->items);
    *from = (struct rls_findings){0};
}

/* The worst finding of an object decides where the object stands; each item knows it while sorting. */
struct ranked {
    struct rls_finding finding;
    int worst;
};

static int rank(const struct rls_finding *finding)
{
    return finding->inconclusive ? -1 : (int)finding->severity;
}

static int compare(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->finding.inconclusive != b->finding.inconclusive)
        return a->finding.inconclusive ? 1 : -1;
    if (a->worst != b->worst)
        return b->worst - a->worst;
    int order = strcmp(a->finding.object, b->finding.object);
    if (order == 0)
        order = rank(&b->finding) - rank(&a->finding);
    if (order == 0)
        order = strverscmp(a->finding.check, b->finding.check);
    if (order == 0)
        order = strcmp(a->finding.role == NULL ? "" : a->finding.role,
                       b->finding.role == NULL ? "" : b->finding.role);
    return order;
}

static int by_object(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    return strcmp(a->finding.object, b->finding.object);
}

void rls_findings_sort(struct rls_findings *findings)
{
    OWNED struct ranked *items = memory_allocate(findings->count + 1, sizeof *items);
    size_t end;

    for (size_t i = 0; i < findings->count; i++)
        items[i] = (struct ranked){.finding = findings->items[i], .worst = rank(&findings->items[i])};
    qsort(items, findings->count, sizeof *items, by_object);
    for (size_t begin = 0; begin < findings->count; begin = end) {
        int worst = -1;
        for (end = begin; end < findings->count && by_object(&items[begin], &items[end]) == 0; end++)
            worst = items[end].worst > worst ? items[end].worst : worst;
        for (size_t i = begin; i < end; i++)
            items[i].worst = worst;
    }
    qsort(items, findings->count, sizeof *items, compare);
    for (size_t i = 0; i < findings->count; i++)
        findings->items[i] = items[i].finding;
}

size_t rls_findings_count(const struct rls_findings *findings, enum rls_severity at_least)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += !findings->items[i].inconclusive && findings->items[i].accepted == NULL &&
                 findings->items[i].severity >= at_least;
    return count;
}

void rls_findings_clear(struct rls_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct rls_finding *finding = &findings->items[i];
        free(finding->check);
        free(finding->object);
        free(finding->role);
        free(finding->message);
        free(finding->hint);
        free(finding->evidence);
        free(finding->accepted);
    }
    free(findings->items);
    *findings = (struct rls_findings){0};
}

void rls_findings_copy(struct rls_findings *to, const struct rls_finding *from)
{
    struct rls_finding *finding = rls_finding_add(to, from->check, from->severity, from->object);

    finding->role = text_copy(from->role);
    finding->message = text_copy(from->message);
    finding->hint = text_copy(from->hint);
    finding->evidence = text_copy(from->evidence);
    finding->accepted = text_copy(from->accepted);
    finding->inconclusive = from->inconclusive;
}
