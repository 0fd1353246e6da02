/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/rls.h"
#include "cli/rls_accept.h"
#include "cli/rls_document.h"
#include "cli/rls_junit.h"
#include "cli/rls_probing.h"
#include "cli/rls_report.h"
#include "cli/rls_sarif.h"
#include "cli/rls_suggest.h"
#include "migrator/rls_check.h"
#include "migrator/rls_performance.h"
#include "sql.h"
#include <string.h>

static const struct option_spec options[] = {
    {.name = "role", .argument = "ROLE", .repeats = true, .summary = "a role that the application works as"},
    OPTIONS_TENANT,
    OPTIONS_PROBING,
    {.name = "fail-on", .argument = "SEVERITY", .key = "fail_on"},
    OPTIONS_BASELINE,
    {.name = "suggest", .summary = "look at the database, and print a section [rls] for the configuration"},
    {.name = "sarif", .argument = "FILE", .summary = "write what was found as SARIF 2.1.0, for code hosts"},
    {.name = "junit", .argument = "FILE", .summary = "write what was found as JUnit XML, for CI"},
    {0},
};

struct run {
    const struct invocation *invocation;
    struct rls_place place;
    struct rls_settings settings;
    bool catalogs_only;
    struct rls_result result;
};

static void run_clear(struct run *run)
{
    rls_place_clear(&run->place);
    rls_settings_clear(&run->settings);
    rls_result_clear(&run->result);
}
CLEANUP_VALUE(struct run, run_clear)

static bool count(struct run *run, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(run->place.postgres, sql_rls_counts, &rows, error))
        return false;
    run->result.tables = rows_integer(rows, 0, "tables");
    run->result.roles = rows_integer(rows, 0, "roles");
    return true;
}

/* A name that is nowhere is a mistake in the settings: looking without it would find too little. The column
 * that is looked for where nobody names one may be missing. */
static bool check_settings(const struct run *run, struct error *error)
{
    const struct config *config = run->invocation->config;
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(run->place.postgres, sql_rls_missing, &rows, error))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++) {
        const char *key = rows_text(rows, row, "key"), *name = rows_text(rows, row, "name");
        if (text_equal(key, "tenant_column") && !config_is_set(config, key)) {
            report_warning(run->invocation,
                           "no table has a column \"%s\"; say in [rls] what tenants are: "
                           "\"pgmigrate rls --suggest\" writes it",
                           name);
            continue;
        }
        error_set(error, ERROR_USAGE, "%s \"%s\" is not in the database", rows_text(rows, row, "what"), name);
        return error_detail(error, "\"%s\" of [rls] names it.", key);
    }
    return true;
}

static void add_checks(struct run *run)
{
    bool nobody = run->result.roles == 0 && run->result.tables > 0;

    if (nobody)
        report_warning(run->invocation,
                       "no role of the application was found, so what it may do was not looked at: "
                       "name it as \"roles\" in [rls]");
    for (const struct rls_check *check = rls_checks; check->id != NULL; check++)
        rls_result_add(&run->result, check->id, check->title,
                       (check->about == RLS_AS_ROLE && run->catalogs_only) ||
                           (check->about != RLS_OF_TABLES && nobody));
    for (const struct rls_performance_check *check = rls_performance_checks; check->id != NULL; check++)
        rls_result_add(&run->result, check->id, check->title,
                       run->catalogs_only || (check->of_roles && nobody));
}

static bool find(struct run *run, struct error *error)
{
    if (!postgres_execute(run->place.postgres, sql_rls_begin, error) ||
        !rls_check_begin(run->place.postgres, &run->settings, error) || !check_settings(run, error) ||
        !count(run, error) ||
        !rls_check_all(run->place.postgres, run->catalogs_only, &run->result.findings, error) ||
        (!run->catalogs_only &&
         !rls_performance_run(run->place.postgres, &run->settings, &run->result.findings, error)))
        return false;
    add_checks(run);
    return postgres_execute(run->place.postgres, sql_rollback, error);
}

static bool is_stdout(const char *file)
{
    return text_equal(file, "-");
}

/* One document at most goes to standard output. */
static bool check_files(const struct invocation *invocation, struct error *error)
{
    bool sarif = is_stdout(invocation_option(invocation, "sarif"));
    bool junit = is_stdout(invocation_option(invocation, "junit"));

    if ((sarif && junit) || ((sarif || junit) && invocation->json))
        return error_set(error, ERROR_USAGE,
                         "only one of \"--json\", \"--sarif -\" and \"--junit -\" can be on standard output");
    return true;
}

static bool write_file(const char *file, const char *text, struct error *error)
{
    return is_stdout(file) || file_write_atomic(file, text, strlen(text), 0644, error);
}

static bool write_files(const struct run *run, enum rls_severity fail_on, struct error *error)
{
    const char *sarif = invocation_option(run->invocation, "sarif");
    const char *junit = invocation_option(run->invocation, "junit");
    const char *file = config_file(run->invocation->config);
    OWNED char *place = file != NULL ? report_path(file) : text_copy("pgmigrate.conf");
    OWNED char *sarif_text = sarif != NULL ? rls_sarif(&run->result, place) : NULL;
    OWNED char *junit_text = junit != NULL ? rls_junit(&run->result, fail_on) : NULL;

    if (is_stdout(sarif))
        fputs(sarif_text, stdout);
    if (is_stdout(junit))
        fputs(junit_text, stdout);
    return (sarif == NULL || write_file(sarif, sarif_text, error)) &&
           (junit == NULL || write_file(junit, junit_text, error));
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(run_clear)
    struct run run = {.invocation = invocation, .catalogs_only = invocation_flag(invocation, "static-only")};
    enum rls_severity fail_on = RLS_MEDIUM;

    if (!check_files(invocation, error) || !rls_read_settings(invocation, &run.settings, error) ||
        !rls_severity_parse(config_text(invocation->config, "fail_on"), &fail_on) ||
        !rls_place_open(invocation, &run.place, error))
        return false;
    if (invocation_flag(invocation, "suggest"))
        return rls_suggest(invocation, run.place.postgres, error);
    if (!find(&run, error) || !rls_probing(invocation, &run.place, &run.settings, &run.result, error) ||
        !rls_accept(invocation, &run.result, error))
        return false;
    rls_result_tally(&run.result);
    if (!write_files(&run, fail_on, error))
        return false;
    if (invocation->json)
        rls_document_fill(invocation->document, &run.result);
    else if (!is_stdout(invocation_option(invocation, "sarif")) &&
             !is_stdout(invocation_option(invocation, "junit")))
        rls_report_print(invocation, &run.result);
    if (rls_findings_count(&run.result.findings, fail_on) > 0)
        invocation->exit_code = ERROR_FINDINGS;
    return true;
}

const struct command cmd_rls = {
    .name = "rls",
    .summary = "verify row-level security",
    .details =
        "Looks at the catalogs for what lets one tenant see or change the rows of another.\n\n"
        "A finding is one line, with the remedy to paste and what proves it under it. What could not be "
        "decided is inconclusive: neither found nor passed. --sarif and --junit write the same for code "
        "hosts and CI; the file - is standard output, without the report.\n\n"
        "The file of --baseline accepts findings, one line each, until a day and for a reason:\n\n"
        "  CHECK OBJECT until YYYY-MM-DD: REASON\n"
        "  CHECK as ROLE OBJECT until YYYY-MM-DD: REASON\n\n"
        "Exits with 3 when there is a finding of at least the severity of --fail-on that is not accepted.",
    .options = options,
    .group = "Migrations",
    .run = run,
};
