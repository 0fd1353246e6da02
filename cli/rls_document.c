/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_document.h"

#include "cli/document.h"

static json_t *finding_object(const struct rls_finding *finding)
{
    json_t *object = json_object();

    document_text(object, "check", finding->check);
    document_text(object, "severity", rls_severity_name(finding->severity));
    document_text(object, "object", finding->object);
    document_text(object, "role", finding->role);
    document_text(object, "message", finding->message);
    document_text(object, "hint", finding->hint);
    document_text(object, "evidence", finding->evidence);
    document_text(object, "reason", finding->accepted);
    return object;
}

static const char *tally_result(const struct rls_tally *tally)
{
    return tally->left_out           ? "left out"
           : tally->found > 0        ? "found"
           : tally->inconclusive > 0 ? "inconclusive"
           : tally->accepted > 0     ? "accepted"
                                     : "passed";
}

static json_t *tally_object(const struct rls_tally *tally)
{
    json_t *object = json_object();

    document_text(object, "check", tally->check);
    document_text(object, "title", tally->title);
    document_text(object, "result", tally_result(tally));
    document_integer(object, "found", (int64_t)tally->found);
    document_integer(object, "inconclusive", (int64_t)tally->inconclusive);
    document_integer(object, "accepted", (int64_t)tally->accepted);
    return object;
}

void rls_document_fill(json_t *document, const struct rls_result *result)
{
    json_t *found = json_array(), *inconclusive = json_array(), *accepted = json_array();
    json_t *checks = json_array(), *checked = json_object();

    for (size_t i = 0; i < result->findings.count; i++) {
        const struct rls_finding *finding = &result->findings.items[i];
        json_array_append_new(finding->inconclusive       ? inconclusive
                              : finding->accepted != NULL ? accepted
                                                          : found,
                              finding_object(finding));
    }
    for (size_t i = 0; i < result->count; i++)
        json_array_append_new(checks, tally_object(&result->tallies[i]));
    document_integer(checked, "tables", result->tables);
    document_integer(checked, "roles", result->roles);
    document_integer(checked, "probes", result->probes);
    json_object_set_new(document, "findings", found);
    json_object_set_new(document, "checked", checked);
    json_object_set_new(document, "inconclusive", inconclusive);
    json_object_set_new(document, "accepted", accepted);
    json_object_set_new(document, "checks", checks);
}

void rls_document_put(json_t *document, const char *name, const struct rls_findings *findings)
{
    json_t *array = json_array();

    for (size_t i = 0; i < findings->count; i++)
        json_array_append_new(array, finding_object(&findings->items[i]));
    json_object_set_new(document, name, array);
}
