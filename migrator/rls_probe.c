/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_probe.h"

#include "migrator/rls_attempt.h"
#include "migrator/rls_check.h"
#include "migrator/rls_probe_table.h"
#include "migrator/rls_subject.h"
#include "sql.h"
#include <stdio.h>
#include <string.h>

#define MALFORMED "pgmigrate: no tenant"
#define PREFIX    "pgmigrate: "

void rls_probe_result_clear(struct rls_probe_result *result)
{
    rls_findings_clear(&result->findings);
    free(result->tenants[0]);
    free(result->tenants[1]);
    text_list_clear(&result->notes);
    *result = (struct rls_probe_result){0};
}

/* ---- one probe ---- */

/* A role and a tenant's view of one relation. */
struct view {
    const struct rls_aim *aim;
    const struct rls_role *role;
    char *rights;
    struct rls_pairs more; /* names of the role's own */
    bool read;             /* the plain attack got at foreign rows */
};

static void view_clear(struct view *view)
{
    free(view->rights);
    rls_pairs_clear(&view->more);
}
CLEANUP_VALUE(struct view, view_clear)

static char *session_of(const struct rls_run *run, const struct view *view, enum rls_session session)
{
    switch (session) {
    case RLS_SESSION_UNSET:
        return text_copy("");
    case RLS_SESSION_EMPTY:
        return rls_tenant_settings(run->settings, "");
    case RLS_SESSION_BLANK:
        return rls_tenant_session(run->settings, "");
    case RLS_SESSION_MALFORMED:
        return rls_tenant_settings(run->settings, MALFORMED);
    case RLS_SESSION_UNKNOWN:
        return rls_tenant_session(run->settings, run->tenants.unknown);
    default:
        return rls_tenant_session(run->settings, view->aim->tenant_a);
    }
}

/* A role's tenant without settings has no states of them. */
static bool session_exists(const struct rls_run *run, enum rls_session session)
{
    bool templates = false;

    for (size_t i = 0; i < run->settings->set.count; i++)
        templates = templates || !text_equal(run->settings->set.items[i].value, "{tenant}");
    switch (session) {
    case RLS_SESSION_TENANT:
        return true;
    case RLS_SESSION_BLANK:
        return templates && !run->settings->tenant_role;
    case RLS_SESSION_UNKNOWN:
        return run->settings->set.count > 0 && run->tenants.unknown && !run->settings->tenant_role;
    default:
        return run->settings->set.count > 0;
    }
}

/* Views, materialized views, foreign tables and partitions are what D8 is about. */
static const char *id_of(const struct rls_probe *probe, const struct rls_target *target)
{
    return probe->reads && (!rls_target_is_table(target) || target->child) ? "D8" : probe->id;
}

static struct rls_report report_of(const struct view *view, const struct rls_probe *probe)
{
    return (struct rls_report){.id = id_of(probe, view->aim->target),
                               .severity = probe->severity,
                               .object = view->aim->target->label,
                               .role = view->role->name,
                               .tenant = view->aim->tenant_a,
                               .what = probe->what};
}

/* One reason for several probes is told once. */
static bool is_told(const struct rls_run *run, const struct rls_report *report)
{
    for (size_t i = 0; i < run->result->findings.count; i++) {
        const struct rls_finding *finding = &run->result->findings.items[i];
        if (finding->inconclusive && text_equal(finding->object, report->object) &&
            text_equal(finding->role, report->role) && text_equal(finding->message, report->what))
            return true;
    }
    return false;
}

static void inconclusive(struct rls_run *run, const struct view *view, const struct rls_probe *probe,
                         const char *reason)
{
    struct rls_report report = report_of(view, probe);

    report.severity = RLS_INFO;
    report.tenant = NULL;
    report.what = reason;
    report.inconclusive = true;
    rls_run_count(run, report.id, RLS_INCONCLUSIVE);
    if (!is_told(run, &report))
        rls_run_report(run, &report);
}

enum outcome { WORKED, DENIED, DENIED_SURELY, UNCLEAR };

static bool has_worked(const struct view *view, const struct rls_probe *probe,
                       const struct rls_attempt *attempt)
{
    switch (probe->proof) {
    case RLS_PROOF_COUNT:
        return attempt->number > 0;
    case RLS_PROOF_AFFECTED:
        return attempt->affected > 0;
    case RLS_PROOF_CHANGED:
        return attempt->theirs != view->aim->theirs;
    case RLS_PROOF_EXCEEDED:
        return view->aim->all >= 0 && attempt->affected > view->aim->all - view->aim->foreign;
    case RLS_PROOF_SUCCESS:
        return true;
    case RLS_PROOF_NOTICE:
        return attempt->noticed;
    default:
        return false;
    }
}

/* Locks, timeouts and lack of resources say nothing of anybody's rights. */
static bool says_nothing(const char *state)
{
    static const char *const classes[] = {"40", "53", "54", "55", "57", "58", "XX", NULL};

    for (size_t i = 0; classes[i] != NULL; i++)
        if (text_starts_with(state, classes[i]))
            return true;
    return *state == '\0';
}

static enum outcome outcome_of(const struct view *view, const struct rls_probe *probe,
                               const struct rls_attempt *attempt)
{
    const char *state = attempt->problem.sqlstate;

    if (attempt->good)
        return has_worked(view, probe, attempt) ? WORKED : DENIED;
    if (text_equal(state, probe->found))
        return WORKED;
    if (text_equal(state, probe->denied) || (probe->error_denies && !says_nothing(state)))
        return DENIED_SURELY;
    return text_equal(state, "42501") ? DENIED : UNCLEAR;
}

static char *verify_of(const struct view *view, const struct rls_probe *probe)
{
    return probe->proof == RLS_PROOF_CHANGED ? rls_aim_show(view->aim, sql_rls_probe_recount, NULL) : NULL;
}

static void found(struct rls_run *run, const struct view *view, const struct rls_probe *probe,
                  const struct rls_attempt *attempt)
{
    struct rls_report report = report_of(view, probe);
    OWNED char *shown = rls_aim_show(view->aim, probe->sql, &view->more);
    OWNED char *detail = NULL;

    if (probe->session != RLS_SESSION_TENANT)
        report.tenant = NULL, report.what = probe->what;
    if (attempt->good && probe->proof == RLS_PROOF_COUNT && !text_equal(probe->id, "D0"))
        detail = attempt->whose ? text_format("%jd rows, such as of tenant %s", (intmax_t)attempt->number,
                                              attempt->whose)
                                : text_format("%jd rows", (intmax_t)attempt->number);
    else if (attempt->noticed)
        detail = text_format("of tenant %s", attempt->whose);
    else if (probe->proof == RLS_PROOF_CHANGED || probe->proof == RLS_PROOF_AFFECTED)
        detail = text_format("of tenant %s", view->aim->tenant_b);
    report.detail = detail;
    report.evidence = rls_tenant_statement(view->role, attempt->session, shown);
    rls_run_report(run, &report);
    rls_run_count(run, report.id, RLS_FOUND);
}

/* Who cannot see all of its own rows cannot work. */
static bool is_restricted(struct rls_run *run, const struct view *view, const struct rls_probe *probe,
                          const struct rls_attempt *control)
{
    struct rls_report report = report_of(view, probe);

    if (!probe->reads || view->aim->mine < 0 || control->number >= view->aim->mine)
        return false;
    OWNED char *detail = text_format("%jd of %jd", (intmax_t)control->number, (intmax_t)view->aim->mine);
    report.severity = control->number == 0 ? RLS_MEDIUM : RLS_LOW;
    report.what = control->number == 0
                      ? "sees none of its own rows, so that nothing shows whether it is isolated"
                      : "does not see all of its own rows";
    report.detail = detail;
    report.evidence = rls_tenant_statement(view->role, control->session, control->sql);
    rls_run_report(run, &report);
    rls_run_count(run, report.id, RLS_FOUND);
    return true;
}

/* A denial means something only where the same is possible with one's own rows. */
static bool check_control(struct rls_run *run, const struct view *view, const struct rls_probe *probe,
                          struct error *error)
{
    OWNED char *session = session_of(run, view, RLS_SESSION_TENANT);
    OWNED char *sql = rls_aim_bind(view->aim, probe->control, &view->more);
    AUTO(rls_attempt_clear)
    struct rls_attempt control = {
        .role = view->role, .session = session, .sql = sql, .keep = probe->control == sql_rls_probe_read_own};

    bool lacking = view->aim->a->problem && !view->aim->a->row.table; /* which has been said of the table */
    if (!sql || lacking) {
        if (lacking)
            rls_run_count(run, id_of(probe, view->aim->target), RLS_INCONCLUSIVE);
        else
            inconclusive(run, view, probe, "there is no row of the tenant's own to try the same with");
        return true;
    }
    if (!rls_attempt_make(run, &control, error))
        return false;
    int64_t number = control.keep ? control.number : control.affected;
    if (control.good && is_restricted(run, view, probe, &control))
        return true;
    if (control.good && number != 0) {
        rls_run_count(run, id_of(probe, view->aim->target), RLS_PASSED);
        return true;
    }
    OWNED char *reason =
        text_format("tenant %s cannot do it with its own rows either, so that a denial shows nothing: %s",
                    view->aim->tenant_a, control.good ? "0 rows" : control.problem.message);
    inconclusive(run, view, probe, reason);
    return true;
}

static bool conclude(struct rls_run *run, struct view *view, const struct rls_probe *probe,
                     const struct rls_attempt *attempt, struct error *error)
{
    enum outcome outcome = outcome_of(view, probe, attempt);

    if (outcome == WORKED) {
        view->read = view->read || probe->reads;
        found(run, view, probe, attempt);
    } else if (outcome == UNCLEAR) {
        OWNED char *reason = text_format("%s (%s)", attempt->problem.message, attempt->problem.sqlstate);
        inconclusive(run, view, probe, reason);
    } else if (outcome == DENIED_SURELY || probe->denial_is_enough) {
        rls_run_count(run, id_of(probe, view->aim->target), RLS_PASSED);
    } else {
        return check_control(run, view, probe, error);
    }
    return true;
}

static bool is_granted(const struct view *view, const struct rls_probe *probe)
{
    for (const char *right = probe->needs; *right != '\0'; right++)
        if (strchr(view->rights, *right) == NULL)
            return false;
    return true;
}

/* Where others have no rows, not reading them is no merit. */
static bool has_subject(struct rls_run *run, const struct view *view, const struct rls_probe *probe)
{
    if (view->aim->foreign != 0 || probe->proof != RLS_PROOF_COUNT || text_equal(probe->id, "D0"))
        return true;
    if (!view->aim->target->child && !view->aim->b->problem)
        inconclusive(run, view, probe, "there are no rows of other tenants in it");
    return false;
}

static bool try_probe(struct rls_run *run, struct view *view, const struct rls_probe *probe,
                      struct error *error)
{
    bool suits = strchr(probe->kinds, view->aim->target->kind) != NULL &&
                 probe->since * 10000 <= postgres_server_version(run->postgres) &&
                 !(probe->after_read && view->read) && session_exists(run, probe->session);

    if (!suits)
        return true;
    if (!is_granted(view, probe)) {
        rls_run_count(run, id_of(probe, view->aim->target), RLS_NOT_GRANTED);
        return true;
    }
    OWNED char *sql = rls_aim_bind(view->aim, probe->sql, &view->more);
    OWNED char *data = probe->copies && sql ? rls_aim_bind(view->aim, sql_rls_probe_data, NULL) : NULL;
    OWNED char *session = session_of(run, view, probe->session), *verify = verify_of(view, probe);
    OWNED char *setup = probe->trapped ? rls_aim_bind(view->aim, sql_rls_probe_trap, NULL) : NULL;
    AUTO(rls_attempt_clear)
    struct rls_attempt attempt = {.role = view->role,
                                  .session = session,
                                  .sql = sql,
                                  .data = data,
                                  .setup = setup,
                                  .keep = probe->proof != RLS_PROOF_AFFECTED,
                                  .verify = verify};
    if (!sql) {
        /* That rows could not be made has been said of the table. */
        if (rls_aim_lacks_rows(view->aim, probe->sql))
            rls_run_count(run, probe->id, RLS_INCONCLUSIVE);
        return true;
    }
    return !has_subject(run, view, probe) ||
           (rls_attempt_make(run, &attempt, error) && conclude(run, view, probe, &attempt, error));
}

/* ---- all of them ---- */

static bool read_rights(struct rls_run *run, struct view *view, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct rls_target *target = view->aim->target;
    OWNED char *tenant_role = run->settings->tenant_role
                                  ? rls_settings_fill(run->settings->tenant_role, view->aim->tenant_a)
                                  : text_copy(view->role->name);
    const char *values[] = {tenant_role, target->oid, target->tenant};

    bool function = target->kind == 'F';
    if (!postgres_query(run->postgres, function ? sql_rls_probe_rights_function : sql_rls_probe_rights,
                        function ? 2 : 3, values, &rows, error))
        return false;
    view->rights = text_copy(rows_text(rows, 0, "rights"));
    rls_pairs_add(&view->more, "touch", rows_text(rows, 0, "touch"));
    OWNED char *next = rls_tenant_session(run->settings, view->aim->tenant_b);
    rls_pairs_add(&view->more, "next_session", next);
    return true;
}

static bool probe_view(struct rls_run *run, const struct rls_aim *aim, const struct rls_role *role,
                       bool unset, struct error *error)
{
    AUTO(view_clear) struct view view = {.aim = aim, .role = role};

    if (aim->problem || !role->can)
        return true;
    if (!read_rights(run, &view, error))
        return false;
    for (const struct rls_probe *probe = rls_probes; probe->id; probe++)
        if ((probe->session == RLS_SESSION_UNSET) == unset && !try_probe(run, &view, probe, error))
            return false;
    return true;
}

static bool probe_all(struct rls_run *run, bool unset, struct error *error)
{
    for (size_t i = 0; i < 2 * run->targets.count; i++) {
        if (run->options->progress && !unset && i % 2 == 0)
            run->options->progress(run->options->context, run->targets.items[i / 2].object, i / 2,
                                   run->targets.count);
        for (size_t k = 0; k < run->roles.count; k++)
            if (!probe_view(run, &run->aims[i], &run->roles.items[k], unset, error))
                return false;
    }
    return true;
}

/* ---- rows and aims ---- */

static void report_problem(struct rls_run *run, const struct rls_target *target, const char *id,
                           const char *what, const char *problem)
{
    struct rls_report report = {
        .id = id, .object = target->label, .what = what, .detail = problem, .inconclusive = true};

    rls_run_report(run, &report);
}

static bool seed(struct rls_run *run, struct error *error)
{
    for (size_t i = 0; i < 2 * run->targets.count; i++) {
        const struct rls_target *target = &run->targets.items[i / 2];
        struct rls_seed *seed = &run->seeds[i];
        if (!rls_target_is_table(target))
            continue;
        if (!rls_seed_make(run->postgres, &run->targets, target, run->tenants.names[i % 2], seed, error))
            return false;
        if (seed->problem && !target->child)
            report_problem(run, target, "D3", "no rows could be made to probe with", seed->problem);
    }
    return true;
}

static bool aim(struct rls_run *run, struct error *error)
{
    for (size_t i = 0; i < 2 * run->targets.count; i++) {
        struct rls_aim *aim = &run->aims[i];
        aim->target = &run->targets.items[i / 2];
        aim->a = &run->seeds[i];
        aim->b = &run->seeds[i ^ 1];
        aim->tenant_a = run->tenants.names[i % 2];
        aim->tenant_b = run->tenants.names[!(i % 2)];
        if (!rls_aim_take(run->postgres, &run->targets, aim, error))
            return false;
        if (aim->problem)
            report_problem(run, aim->target, "D1", "it cannot be looked at", aim->problem);
    }
    return true;
}

static void note_roles(struct rls_run *run)
{
    for (size_t i = 0; i < run->roles.count; i++) {
        const struct rls_role *role = &run->roles.items[i];
        if (!role->can)
            text_list_add(&run->result->notes,
                          text_format("Role %s was not probed: %s is neither a superuser nor a member of it.",
                                      role->quoted, postgres_user(run->postgres)));
        else if (!role->login)
            text_list_add(&run->result->notes,
                          text_format("Role %s was probed by SET ROLE, which hides what depends on "
                                      "session_user, ALTER ROLE … SET, and RESET ROLE.",
                                      role->quoted));
        if (!role->can)
            rls_run_report(run, &(struct rls_report){.id = "D1",
                                                     .object = role->quoted,
                                                     .role = role->name,
                                                     .what = "the role cannot be worked as",
                                                     .inconclusive = true});
    }
}

/* ---- the run ---- */

static void heed_notice(void *context, const struct notice *notice)
{
    struct rls_run *run = context;

    if (!run->notice && text_starts_with(notice->message, PREFIX))
        run->notice = text_copy(notice->message + strlen(PREFIX));
}

/* A statement that sets a timeout for the transaction. The caller frees it. */
static char *timeout_statement(const char *sql, int64_t ms)
{
    OWNED char *value = text_format("%jdms", (intmax_t)ms);

    return postgres_bind(sql, (const struct postgres_name[]){{"value", value}, {NULL, NULL}});
}

static bool begin(struct rls_run *run, struct error *error)
{
    OWNED char *lock = timeout_statement(sql_set_lock_timeout, run->options->lock_timeout_ms);
    OWNED char *statement = timeout_statement(sql_set_statement_timeout, run->options->statement_timeout_ms);

    return postgres_execute(run->postgres, sql_rls_probe_begin, error) &&
           postgres_execute(run->postgres, lock, error) &&
           postgres_execute(run->postgres, statement, error) &&
           rls_check_begin(run->postgres, run->settings, error) &&
           rls_targets_read(run->postgres, &run->targets, error) &&
           rls_roles_read(run->postgres, &run->roles, error) &&
           rls_tenants_find(run->postgres, run->settings, &run->targets, &run->tenants, error);
}

/* What was never set can be tried only before anything was. */
static bool work(struct rls_run *run, struct error *error)
{
    if (run->targets.count == 0)
        return true;
    run->seeds = memory_allocate(2 * run->targets.count, sizeof *run->seeds);
    run->aims = memory_allocate(2 * run->targets.count, sizeof *run->aims);
    run->result->made = run->tenants.made;
    for (size_t i = 0; i < 2; i++)
        run->result->tenants[i] = text_copy(run->tenants.names[i]);
    note_roles(run);
    return postgres_execute(run->postgres, sql_rls_search_path, error) && seed(run, error) &&
           aim(run, error) && probe_all(run, true, error) && probe_all(run, false, error) &&
           rls_subjects_probe(run, error);
}

static void run_clear(struct rls_run *run)
{
    for (size_t i = 0; i < 2 * run->targets.count && run->seeds; i++)
        rls_seed_clear(&run->seeds[i]);
    for (size_t i = 0; i < 2 * run->targets.count && run->aims; i++)
        rls_aim_clear(&run->aims[i]);
    free(run->seeds);
    free(run->aims);
    rls_targets_clear(&run->targets);
    rls_roles_clear(&run->roles);
    rls_tenants_clear(&run->tenants);
    free(run->notice);
}
CLEANUP_VALUE(struct rls_run, run_clear)

bool rls_probe_run(struct postgres *postgres, const struct rls_settings *settings,
                   const struct rls_probe_options *options, struct rls_probe_result *ret, struct error *error)
{
    AUTO(run_clear)
    struct rls_run run = {.postgres = postgres, .settings = settings, .options = options, .result = ret};
    struct postgres_hooks hooks = {.context = &run, .notice = heed_notice};
    AUTO(error_clear) struct error second = {0};

    for (int i = 0; i < 16; i++)
        snprintf(ret->counts[i].id, sizeof ret->counts[i].id, "D%d", i);
    postgres_set_hooks(postgres, &hooks);
    bool good = begin(&run, error) && work(&run, error);
    postgres_shield(postgres, true);
    bool undone =
        postgres_is_lost(postgres) || postgres_execute(postgres, sql_rollback, good ? error : &second);
    postgres_shield(postgres, false);
    postgres_set_hooks(postgres, NULL);
    return good && undone;
}
