/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_sarif.h"

#include "cli/document.h"
#include "common/digest.h"
#include "common/text.h"
#include <string.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *level(enum rls_severity severity)
{
    return severity == RLS_HIGH ? "error" : severity == RLS_MEDIUM ? "warning" : "note";
}

static json_t *text_object(const char *text)
{
    json_t *object = json_object();

    document_text(object, "text", text);
    return object;
}

static json_t *list_of(json_t *only)
{
    json_t *list = json_array();

    json_array_append_new(list, only);
    return list;
}

static json_t *rule(const struct rls_tally *tally)
{
    json_t *object = json_object(), *configuration = json_object();

    document_text(object, "id", tally->check);
    json_object_set_new(object, "shortDescription",
                        text_object(*tally->title != '\0' ? tally->title : tally->check));
    document_text(configuration, "level", tally->found > 0 ? level(tally->worst) : "warning");
    json_object_set_new(object, "defaultConfiguration", configuration);
    return object;
}

static json_t *message(const struct rls_finding *finding)
{
    OWNED char *text = text_format(
        "%s: %s%s%s%s%s%s%s%s", finding->object, finding->message, finding->role != NULL ? " (role " : "",
        finding->role != NULL ? finding->role : "", finding->role != NULL ? ")" : "",
        finding->hint != NULL ? "\n" : "", finding->hint != NULL ? finding->hint : "",
        finding->evidence != NULL ? "\nevidence: " : "", finding->evidence != NULL ? finding->evidence : "");

    return text_object(text);
}

static json_t *location(const struct rls_finding *finding, const char *file)
{
    json_t *place = json_object(), *physical = json_object(), *artifact = json_object();
    json_t *region = json_object(), *logical = json_object();

    document_text(artifact, "uri", file);
    document_integer(region, "startLine", 1);
    json_object_set_new(physical, "artifactLocation", artifact);
    json_object_set_new(physical, "region", region);
    document_text(logical, "fullyQualifiedName", finding->object);
    json_object_set_new(place, "physicalLocation", physical);
    json_object_set_new(place, "logicalLocations", list_of(logical));
    return place;
}

/* What makes it the same finding in the next run: never its message, which may hold numbers. Of several that
 * are about the same thing, each has its own number. */
static json_t *fingerprints(const struct rls_result *result, const struct rls_finding *finding)
{
    size_t number = 1;
    OWNED char *identity = text_format("%s\n%s\n%s", finding->check, finding->object,
                                       finding->role != NULL ? finding->role : "");
    char hex[DIGEST_HEX_SIZE];
    json_t *object = json_object();

    for (const struct rls_finding *other = result->findings.items; other < finding; other++)
        number += rls_finding_same(other, finding);
    digest_sha256(identity, strlen(identity), hex);
    OWNED char *fingerprint = text_format("%s:%zu", hex, number);
    document_text(object, "primaryLocationLineHash", fingerprint);
    return object;
}

static json_t *suppression(const struct rls_finding *finding)
{
    json_t *object = json_object();

    document_text(object, "kind", "external");
    document_text(object, "justification", finding->accepted);
    return object;
}

static json_t *sarif_result(const struct rls_result *result, const struct rls_finding *finding,
                            const char *file)
{
    json_t *object = json_object(), *properties = json_object();

    document_text(object, "ruleId", finding->check);
    document_text(object, "kind", finding->inconclusive ? "open" : "fail");
    document_text(object, "level", finding->inconclusive ? "none" : level(finding->severity));
    json_object_set_new(object, "message", message(finding));
    json_object_set_new(object, "locations", list_of(location(finding, file)));
    json_object_set_new(object, "partialFingerprints", fingerprints(result, finding));
    if (finding->accepted != NULL)
        json_object_set_new(object, "suppressions", list_of(suppression(finding)));
    document_text(properties, "severity", rls_severity_name(finding->severity));
    document_text(properties, "role", finding->role);
    json_object_set_new(object, "properties", properties);
    return object;
}

static json_t *driver(const struct rls_result *result)
{
    json_t *object = json_object(), *rules = json_array();

    document_text(object, "name", "pgmigrate");
    document_text(object, "version", PGMIGRATE_VERSION);
    for (size_t i = 0; i < result->count; i++)
        json_array_append_new(rules, rule(&result->tallies[i]));
    json_object_set_new(object, "rules", rules);
    return object;
}

char *rls_sarif(const struct rls_result *result, const char *file)
{
    json_t *top = json_object(), *run = json_object(), *tool = json_object(), *results = json_array();

    for (size_t i = 0; i < result->findings.count; i++)
        json_array_append_new(results, sarif_result(result, &result->findings.items[i], file));
    json_object_set_new(tool, "driver", driver(result));
    json_object_set_new(run, "tool", tool);
    json_object_set_new(run, "results", results);
    document_text(top, "$schema", SCHEMA);
    document_text(top, "version", "2.1.0");
    json_object_set_new(top, "runs", list_of(run));
    OWNED char *text = json_dumps(top, JSON_INDENT(2));
    json_decref(top);
    return text_format("%s\n", text);
}
