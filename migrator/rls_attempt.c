/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_attempt.h"

#include "common/copy.h"
#include "migrator/rls_probe_table.h"
#include "sql.h"
#include <string.h>

/* ---- the statement ---- */

static bool run_statement(struct rls_run *run, struct rls_attempt *attempt, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    bool good = attempt->data ? postgres_copy_in(run->postgres, attempt->sql, attempt->data,
                                                 strlen(attempt->data), &rows, error)
                              : postgres_run(run->postgres, attempt->sql,
                                             attempt->keep ? KEEP_ROWS : KEEP_TAG, &rows, error);

    if (!good)
        return false;
    attempt->affected = rows ? rows_affected(rows) : -1;
    if (attempt->keep && rows && rows_count(rows) > 0 && rows_columns(rows) > 0) {
        const char *number = rows_value(rows, 0, 0);
        attempt->number = number ? strtoll(number, NULL, 10) : 0;
        attempt->whose = rows_columns(rows) > 1 ? text_copy(rows_value(rows, 0, 1)) : NULL;
    }
    return true;
}

/* As who we were: what the role did is still there. */
static bool verify(struct rls_run *run, struct rls_attempt *attempt, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    attempt->theirs = -1;
    if (!attempt->verify)
        return true;
    if (!rls_tenant_return(run->postgres, error) ||
        !postgres_query(run->postgres, attempt->verify, 0, NULL, &rows, error))
        return false;
    attempt->theirs = rows_integer(rows, 0, "theirs");
    return true;
}

/* Where nobody was become, there is no savepoint of that. */
static bool undo(struct rls_run *run, const struct rls_attempt *attempt, struct error *error)
{
    if (!attempt->setup)
        return rls_tenant_back(run->postgres, error);
    return postgres_execute(run->postgres, sql_rls_seed_undo, error);
}

bool rls_attempt_make(struct rls_run *run, struct rls_attempt *attempt, struct error *error)
{
    struct error *problem = &attempt->problem;

    free(take(run->notice));
    if (attempt->setup && !postgres_execute(run->postgres, sql_savepoint, error))
        return false;
    attempt->good = (!attempt->setup || postgres_execute(run->postgres, attempt->setup, problem)) &&
                    rls_tenant_become(run->postgres, attempt->role, attempt->session, problem) &&
                    run_statement(run, attempt, problem) && verify(run, attempt, problem);
    attempt->noticed = run->notice != NULL;
    if (run->notice) {
        free(attempt->whose);
        attempt->whose = take(run->notice);
    }
    if (!attempt->good && rls_is_over(run->postgres, problem)) {
        error_move(error, problem);
        return false;
    }
    /* What was prepared outlives a savepoint. */
    return undo(run, attempt, error) &&
           (!strstr(attempt->sql, "PREPARE") || postgres_execute(run->postgres, sql_deallocate_all, error));
}

void rls_attempt_clear(struct rls_attempt *attempt)
{
    free(attempt->whose);
    error_clear(&attempt->problem);
    *attempt = (struct rls_attempt){0};
}

/* ---- what came of it ---- */

void rls_run_count(struct rls_run *run, const char *id, enum rls_verdict verdict)
{
    struct rls_probe_count *count = &run->result->counts[strtol(id + 1, NULL, 10)];

    run->result->probes += verdict != RLS_NOT_GRANTED;
    switch (verdict) {
    case RLS_PASSED:
        count->passed++;
        break;
    case RLS_FOUND:
        count->found++;
        break;
    case RLS_NOT_GRANTED:
        count->not_granted++;
        break;
    case RLS_INCONCLUSIVE:
        count->inconclusive++;
        break;
    }
}

static struct rls_finding *finding_of(struct rls_run *run, const struct rls_report *report)
{
    struct rls_findings *findings = &run->result->findings;

    for (size_t i = 0; i < findings->count; i++) {
        struct rls_finding *finding = &findings->items[i];
        if (text_equal(finding->check, report->id) && text_equal(finding->object, report->object) &&
            text_equal(finding->role, report->role) && finding->inconclusive == report->inconclusive)
            return finding;
    }
    return NULL;
}

void rls_run_report(struct rls_run *run, const struct rls_report *report)
{
    OWNED char *evidence = report->evidence;
    struct rls_finding *finding = finding_of(run, report);

    if (finding) {
        if (finding->severity < report->severity)
            finding->severity = report->severity;
        /* With the other tenant, or in another way. */
        if (!report->inconclusive && !strstr(finding->message, report->what)) {
            OWNED char *before = finding->message;
            finding->message = text_format("%s; %s", before, report->what);
        }
        return;
    }
    finding = rls_finding_add(&run->result->findings, report->id, report->severity, report->object);
    finding->role = text_copy(report->role);
    const char *detail = report->detail ? report->detail : "";
    finding->message =
        text_format("%s%s%s%s%s%s%s", report->tenant ? "tenant " : "", report->tenant ? report->tenant : "",
                    report->tenant ? " " : "", report->what,
                    !report->detail        ? ""
                    : report->inconclusive ? ": "
                                           : " (",
                    detail, report->detail && !report->inconclusive ? ")" : "");
    finding->hint = report->inconclusive ? NULL : rls_probe_remedy(report->id, report->object);
    finding->evidence = take(evidence);
    finding->inconclusive = report->inconclusive;
}
