/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_probing.h"

#include "cli/backups.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/restoring.h"
#include "deploy/guard.h"

#define STATEMENT_TIMEOUT_MS 30000

/* ---- the place ---- */

void rls_place_clear(struct rls_place *place)
{
    if (!place->stage)
        postgres_free(place->postgres);
    stage_free(place->stage);
    *place = (struct rls_place){0};
}

static bool check_options(const struct invocation *invocation, struct error *error)
{
    static const struct {
        const char *one, *other;
    } excluding[] = {{"probe", "static-only"}, {"scratch", "from-backup"}};

    for (size_t i = 0; i < sizeof excluding / sizeof *excluding; i++)
        if (invocation_flag(invocation, excluding[i].one) && invocation_flag(invocation, excluding[i].other))
            return error_set(error, ERROR_USAGE, "\"--%s\" and \"--%s\" exclude each other", excluding[i].one,
                             excluding[i].other);
    return true;
}

static bool refuse_protected(const struct invocation *invocation, struct error *error)
{
    OWNED char *whose = confirm_protected(invocation);

    error_set(error, ERROR_REFUSED, "%s is protected: nothing is probed in it", whose);
    return error_hint(error, "Probe on staging, or in a backup: --from-backup latest.");
}

static bool connect_unprotected(const struct invocation *invocation, struct postgres **ret,
                                struct error *error)
{
    AUTO(text_list_clear) struct text_list notes = {0};

    if (config_bool(invocation->config, "protected"))
        return refuse_protected(invocation, error);
    if (!connect_database(invocation, ret, error) || !guard_check(invocation->config, *ret, &notes, error))
        return false;
    for (size_t i = 0; i < notes.count; i++)
        report_warning(invocation, "%s", notes.items[i]);
    return true;
}

static bool open_backup(const struct invocation *invocation, struct rls_place *ret, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *archive = NULL, *conninfo = NULL, *database = NULL;
    struct restoring_progress progress = {.invocation = invocation};
    struct restore_listener listener = restoring_listener(&progress);

    if (config_database(invocation->config, &conninfo, &ignored))
        database = postgres_conninfo_database(conninfo);
    if (!backups_repository(invocation, false, &repository, error) ||
        !backups_find(invocation, repository, invocation_option(invocation, "from-backup"), database, &record,
                      &archive, error))
        return false;
    if (!record)
        return error_set(error, ERROR_BACKUP, "\"%s\" has no commit record beside it", archive);
    struct stage_options options = {.archive = archive,
                                    .record = record,
                                    .listener = &listener,
                                    .settings = "",
                                    .major = (int)strtol(record->server_version, NULL, 10)};
    bool good =
        backups_jobs(invocation->config, &options.jobs, error) && stage_open(&options, &ret->stage, error);
    restoring_progress_end(&progress);
    return good;
}

static bool open_scratch(const struct invocation *invocation, struct rls_place *ret, struct error *error)
{
    struct stage_options options = {.settings = ""};

    return connect_unprotected(invocation, &options.staging, error) &&
           stage_open(&options, &ret->stage, error);
}

bool rls_place_open(const struct invocation *invocation, struct rls_place *ret, struct error *error)
{
    bool staged = true, good;

    if (!check_options(invocation, error))
        return false;
    if (invocation_flag(invocation, "from-backup"))
        good = open_backup(invocation, ret, error);
    else if (invocation_flag(invocation, "scratch"))
        good = open_scratch(invocation, ret, error);
    else if (invocation_flag(invocation, "probe"))
        staged = false, good = connect_unprotected(invocation, &ret->postgres, error);
    else
        staged = false, good = connect_database(invocation, &ret->postgres, error);
    if (good && staged)
        ret->postgres = stage_postgres(ret->stage);
    return good;
}

/* ---- probing ---- */

static void show_progress(void *context, const char *object, size_t done, size_t total)
{
    const struct invocation *invocation = context;

    OWNED char *line = text_format("probing (%zu of %zu) %s", done + 1, total, object);

    if (invocation->terminal && invocation->verbosity != VERBOSITY_QUIET)
        report_live(line);
}

static void end_progress(const struct invocation *invocation)
{
    if (invocation->terminal && invocation->verbosity != VERBOSITY_QUIET)
        report_live("");
}

static bool was_tried(const struct rls_probe_count *count)
{
    return count->passed + count->found + count->not_granted + count->inconclusive > 0;
}

static void add_document(json_t *document, const struct rls_probe_result *result)
{
    json_t *counts = json_array(), *tenants = json_array(), *notes = json_array();

    for (size_t i = 0; i < sizeof result->counts / sizeof *result->counts; i++) {
        const struct rls_probe_count *count = &result->counts[i];
        if (!was_tried(count))
            continue;
        json_t *object = json_object();
        document_text(object, "check", count->id);
        document_integer(object, "passed", (int64_t)count->passed);
        document_integer(object, "found", (int64_t)count->found);
        document_integer(object, "not_granted", (int64_t)count->not_granted);
        document_integer(object, "inconclusive", (int64_t)count->inconclusive);
        json_array_append_new(counts, object);
    }
    for (size_t i = 0; i < 2 && result->tenants[i]; i++)
        json_array_append_new(tenants, document_string(result->tenants[i]));
    for (size_t i = 0; i < result->notes.count; i++)
        json_array_append_new(notes, document_string(result->notes.items[i]));
    json_object_set_new(document, "tenants", tenants);
    json_object_set_new(document, "probes", counts);
    json_object_set_new(document, "notes", notes);
}

static void print_summary(const struct invocation *invocation, const struct rls_probe_result *result)
{
    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    if (!result->tenants[0]) {
        fputs("no table holds rows of tenants: nothing was probed\n", stderr);
        return;
    }
    fprintf(stderr, "%zu probes as tenants %s and %s%s\n", result->probes, result->tenants[0],
            result->tenants[1], result->made ? ", made for it" : "");
    for (size_t i = 0; i < result->notes.count; i++)
        report_warning(invocation, "%s", result->notes.items[i]);
}

/* What is true where a probe passes. */
static const struct {
    const char *id, *title;
} probes[] = {
    {"D0", "the server says that row-level security is active"},
    {"D1", "a tenant reads its own rows, all of them, and no others"},
    {"D2", "without a tenant nobody reads anything"},
    {"D3", "no row is inserted for another tenant"},
    {"D4", "no row is given to another tenant"},
    {"D5", "rows of another tenant are not changed, deleted or locked"},
    {"D6", "tables are not emptied"},
    {"D7", "COPY, cursors and samples show the same rows"},
    {"D8", "views, copies, partitions and functions show the same rows"},
    {"D9", "unique and foreign keys tell nothing of other tenants"},
    {"D10", "cascades stay with the tenant"},
    {"D11", "the role stays what it is"},
    {"D12", "row_security = off is refused"},
    {"D13", "reading raises no error"},
    {"D14", "prepared statements follow the tenant"},
    {"D15", "functions in conditions do not see other tenants' rows"},
};

static void add_tallies(struct rls_result *result, const struct rls_probe_result *probed)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        const struct rls_probe_count *count = &probed->counts[i];
        if (was_tried(count))
            rls_result_add(result, probes[i].id, probes[i].title,
                           count->passed + count->found + count->inconclusive == 0);
    }
    result->probes = (int64_t)probed->probes;
}

struct rls_probe_options rls_probing_options(const struct invocation *invocation)
{
    int64_t statement_ms = config_duration(invocation->config, "statement_timeout");

    return (struct rls_probe_options){.lock_timeout_ms = config_duration(invocation->config, "lock_timeout"),
                                      .statement_timeout_ms =
                                          statement_ms == 0 ? STATEMENT_TIMEOUT_MS : statement_ms};
}

bool rls_probing(struct invocation *invocation, struct rls_place *place, const struct rls_settings *settings,
                 struct rls_result *ret, struct error *error)
{
    AUTO(rls_probe_result_clear) struct rls_probe_result result = {0};
    struct rls_probe_options options = rls_probing_options(invocation);

    if (!invocation_flag(invocation, "probe"))
        return true;
    options.progress = show_progress;
    options.context = invocation;
    bool good = rls_probe_run(place->postgres, settings, &options, &result, error);
    end_progress(invocation);
    if (!good)
        return false;
    add_tallies(ret, &result);
    rls_findings_move(&ret->findings, &result.findings);
    if (invocation->json)
        add_document(invocation->document, &result);
    else
        print_summary(invocation, &result);
    return true;
}
