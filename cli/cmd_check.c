/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "cli/report.h"
#include "migrator/base.h"
#include "migrator/check.h"
#include "migrator/rule.h"

static const struct option_spec options[] = {
    {.name = "base",
     .argument = "GITREF",
     .summary = "compare with a branch: what is new here, numbers taken there, files edited that it has"},
    OPTIONS_FOLDER,
    {0},
};

/* A folder that is not there is no finding about migrations but a wrong call. */
static bool check_folders(const struct folder *folder, struct error *error)
{
    for (size_t i = 0; i < folder->findings.count; i++) {
        const struct finding *finding = &folder->findings.items[i];
        if (!text_equal(finding->rule, RULE_FOLDER_MISSING))
            continue;
        error_set(error, ERROR_USAGE, "%s", finding->message);
        return finding->hint ? error_hint(error, "%s", finding->hint) : false;
    }
    return true;
}

static bool find(const struct invocation *invocation, struct folder **ret_folder, struct findings *findings,
                 struct text_list *ret_added, struct error *error)
{
    AUTO(inputs_folder_options_clear)
    struct folder_options folders = inputs_folder_options(invocation->config);
    AUTO(error_clear) struct error known = {0}; /* is among the findings */
    const char *base = invocation_option(invocation, "base");
    if (!folder_read(&folders, ret_folder, &known) && !check_folders(*ret_folder, error))
        return false;
    check_folder(*ret_folder, findings);
    const struct base_request request = {.options = &folders, .folder = *ret_folder, .base = base};
    if (base && !base_check(&request, findings, ret_added, error))
        return false;
    check_sort(findings);
    return true;
}

static void print_count(FILE *out, size_t count, const char *noun)
{
    fprintf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static void print_summary(const struct folder *folder, const struct findings *findings)
{
    size_t errors = findings_count(findings, SEVERITY_ERROR);
    size_t warnings = findings_count(findings, SEVERITY_WARNING) - errors;
    print_count(stdout, folder->count, "migration");
    printf(" checked: ");
    if (findings->count == 0) {
        printf("nothing found\n");
        return;
    }
    print_count(stdout, errors, "error");
    printf(", ");
    print_count(stdout, warnings, "warning");
    printf(", ");
    print_count(stdout, findings->count - errors - warnings, "notice");
    printf("\n");
}

static void add_fields(json_t *document, const struct folder *folder, const struct findings *findings,
                       const struct text_list *added, bool with_base)
{
    json_object_set_new(document, "findings", document_findings(findings));
    document_integer(document, "checked", (int64_t)folder->count);
    if (!with_base)
        return;
    json_t *versions = json_array();
    for (size_t i = 0; i < added->count; i++)
        json_array_append_new(versions, json_string(added->items[i]));
    json_object_set_new(document, "added", versions);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(findings_clear) struct findings findings = {0};
    AUTO(text_list_clear) struct text_list added = {0};
    if (!find(invocation, &folder, &findings, &added, error))
        return false;
    if (invocation->json) {
        add_fields(invocation->document, folder, &findings, &added, invocation_flag(invocation, "base"));
    } else {
        report_findings(stdout, invocation->color_output, &findings);
        if (invocation->verbosity > VERBOSITY_QUIET)
            print_summary(folder, &findings);
    }
    if (findings_count(&findings, SEVERITY_WARNING) > 0)
        invocation->exit_code = ERROR_FINDINGS;
    return true;
}

const struct command cmd_check = {
    .name = "check",
    .summary = "find mistakes in migration files, without a database",
    .details =
        "Looks at every file: names, pairs, numbers used twice or left out, directives, encoding, quotes "
        "that "
        "are never closed, transaction control, statements that need no-transaction, commands of psql. Every "
        "finding is printed with its place, its severity and the name of its rule.\n\n"
        "With --base it also compares the folder with another branch: which migrations are new here, whether "
        "that branch gave one of their numbers away meanwhile, and whether a migration that it has, and that "
        "may be applied somewhere, was edited, renamed or deleted here. Files need not be committed.\n\n"
        "Exits with 3 when there is a warning or an error, with 0 when there are at most notices.",
    .options = options,
    .group = "Migrations",
    .run = run,
};
