/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/rls.h"
#include "cli/rls_probing.h"
#include "migrator/rls_check.h"
#include "migrator/rls_performance.h"
#include "sql.h"

static const struct option_spec options[] = {
    {.name = "role", .argument = "ROLE", .repeats = true, .summary = "a role that the application works as"},
    OPTIONS_TENANT,
    OPTIONS_PROBING,
    {.name = "fail-on", .argument = "SEVERITY", .key = "fail_on"},
    {0},
};

static bool find(struct postgres *postgres, const struct rls_settings *settings, bool catalogs_only,
                 struct rls_findings *findings, struct error *error)
{
    if (!postgres_execute(postgres, sql_rls_begin, error) || !rls_check_begin(postgres, settings, error))
        return false;
    return rls_check_all(postgres, catalogs_only, findings, error) &&
           (catalogs_only || rls_performance_run(postgres, settings, findings, error)) &&
           postgres_execute(postgres, sql_rollback, error);
}

static json_t *document_finding(const struct rls_finding *finding)
{
    json_t *object = json_object();

    document_text(object, "check", finding->check);
    document_text(object, "severity", rls_severity_name(finding->severity));
    document_text(object, "object", finding->object);
    document_text(object, "role", finding->role);
    document_text(object, "message", finding->message);
    document_text(object, "hint", finding->hint);
    document_text(object, "evidence", finding->evidence);
    return object;
}

static void add_fields(json_t *document, const struct rls_findings *findings)
{
    json_t *found = json_array(), *inconclusive = json_array();

    for (size_t i = 0; i < findings->count; i++)
        json_array_append_new(findings->items[i].inconclusive ? inconclusive : found,
                              document_finding(&findings->items[i]));
    json_object_set_new(document, "findings", found);
    json_object_set_new(document, "inconclusive", inconclusive);
}

static void print(const struct rls_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct rls_finding *finding = &findings->items[i];
        printf("%s: %s: %s [%s]\n", finding->object, rls_severity_name(finding->severity), finding->message,
               finding->check);
    }
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(rls_place_clear) struct rls_place place = {0};
    AUTO(rls_settings_clear) struct rls_settings settings = {0};
    AUTO(rls_findings_clear) struct rls_findings findings = {0};
    enum rls_severity fail_on = RLS_MEDIUM;

    rls_read_settings(invocation, &settings);
    if (!rls_severity_parse(config_text(invocation->config, "fail_on"), &fail_on) ||
        !rls_place_open(invocation, &place, error) ||
        !find(place.postgres, &settings, invocation_flag(invocation, "static-only"), &findings, error) ||
        !rls_probing(invocation, &place, &settings, &findings, error))
        return false;
    rls_findings_sort(&findings);
    if (invocation->json)
        add_fields(invocation->document, &findings);
    else
        print(&findings);
    if (rls_findings_count(&findings, fail_on) > 0)
        invocation->exit_code = ERROR_FINDINGS;
    return true;
}

const struct command cmd_rls = {
    .name = "rls",
    .summary = "verify row-level security",
    .details = "Looks at the catalogs for what lets one tenant see or change the rows of another.\n\n"
               "Exits with 3 when there is a finding of at least the severity of --fail-on.",
    .options = options,
    .group = "Migrations",
    .run = run,
};
