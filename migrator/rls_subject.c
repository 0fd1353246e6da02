/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_subject.h"

#include "sql.h"

/* Of a relation, as seen by the first (0) or the second (1) of the two tenants; NULL: not looked at. */
static const struct rls_aim *aim_of(const struct rls_run *run, const char *oid, size_t tenant)
{
    const struct rls_target *target = rls_targets_find(&run->targets, oid);

    if (!target)
        return NULL;
    const struct rls_aim *aim = &run->aims[2 * (size_t)(target - run->targets.items) + tenant];
    return aim->problem ? NULL : aim;
}

/* ---- foreign keys ---- */

/* One foreign key, as tenant A whose row B's refers to. */
struct cascade {
    const char *name, *action;
    const struct rls_aim *child, *parent;
    struct rls_pairs names;
};

static void cascade_clear(struct cascade *cascade)
{
    rls_pairs_clear(&cascade->names);
}
CLEANUP_VALUE(struct cascade, cascade_clear)

/* False with *ret_there where there is no row to do it with. */
static bool name_keys(struct rls_run *run, struct cascade *cascade, const struct rows *keys, size_t row,
                      bool *ret_there, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(rls_pairs_clear) struct rls_pairs literals = {0};

    rls_pairs_add(&literals, "literals", rows_text(keys, row, "literals"));
    OWNED char *sql = rls_aim_bind(cascade->parent, sql_rls_probe_cascade_keys, &literals);
    *ret_there = false;
    if (!sql)
        return true;
    if (!postgres_query(run->postgres, sql, 0, NULL, &rows, error))
        return false;
    if (rows_count(rows) == 0)
        return true;
    rls_pairs_add(&cascade->names, "columns", rows_text(keys, row, "columns"));
    rls_pairs_add(&cascade->names, "children", rows_text(keys, row, "children"));
    rls_pairs_add(&cascade->names, "keys", rows_text(rows, 0, "keys"));
    OWNED char *refers = rls_aim_show(cascade->child, sql_rls_probe_cascade_refer, &cascade->names);
    rls_pairs_add(&cascade->names, "their_row_now", refers);
    *ret_there = true;
    return true;
}

static void conclude_cascade(struct rls_run *run, const struct cascade *cascade,
                             const struct rls_attempt *attempt)
{
    bool denied = !attempt->good && text_equal(attempt->problem.sqlstate, "42501");
    bool worked = attempt->good && attempt->theirs == 0;
    OWNED char *what = NULL, *shown = rls_aim_show(cascade->parent, attempt->sql, NULL);

    rls_run_count(run, "D10", worked ? RLS_FOUND : attempt->good || denied ? RLS_PASSED : RLS_INCONCLUSIVE);
    if (attempt->good ? !worked : denied)
        return;
    if (worked)
        what = text_format("%s rows of other tenants that refer to its own, by foreign key %s",
                           cascade->action, cascade->name);
    else
        what = text_format("foreign key %s: %s (%s)", cascade->name, attempt->problem.message,
                           attempt->problem.sqlstate);
    rls_run_report(
        run, &(struct rls_report){
                 .id = "D10",
                 .severity = RLS_MEDIUM,
                 .object = cascade->child->target->label,
                 .role = attempt->role->name,
                 .tenant = worked ? cascade->child->tenant_a : NULL,
                 .what = what,
                 .evidence = worked ? rls_tenant_statement(attempt->role, attempt->session, shown) : NULL,
                 .inconclusive = !worked});
}

static bool probe_cascade(struct rls_run *run, const struct cascade *cascade, const struct rls_role *role,
                          struct error *error)
{
    OWNED char *session = rls_tenant_session(run->settings, cascade->child->tenant_a);
    OWNED char *sql = rls_aim_bind(cascade->parent, sql_rls_probe_delete_own, NULL);
    OWNED char *setup = rls_aim_bind(cascade->child, sql_rls_probe_cascade_begin, &cascade->names);
    OWNED char *verify = rls_aim_show(cascade->child, sql_rls_probe_cascade_count, &cascade->names);
    AUTO(rls_attempt_clear)
    struct rls_attempt attempt = {
        .role = role, .session = session, .sql = sql, .setup = setup, .verify = verify};

    if (!role->can || !sql || !setup)
        return true;
    if (!rls_attempt_make(run, &attempt, error))
        return false;
    conclude_cascade(run, cascade, &attempt);
    return true;
}

static bool probe_cascades(struct rls_run *run, const char *oids, struct error *error)
{
    AUTO(rows_free) struct rows *keys = NULL;
    AUTO(text_list_clear) struct text_list tenants = {0};

    for (size_t i = 0; i < run->targets.count; i++)
        if (run->targets.items[i].tenant)
            text_list_add(&tenants, text_copy(run->targets.items[i].tenant));
    OWNED char *lines = text_list_join(&tenants, "\n");
    const char *values[] = {oids, lines};
    if (!postgres_query(run->postgres, sql_rls_probe_cascades, 2, values, &keys, error))
        return false;
    for (size_t i = 0; i < 2 * rows_count(keys); i++) {
        AUTO(cascade_clear)
        struct cascade cascade = {.name = rows_text(keys, i / 2, "name"),
                                  .action = rows_text(keys, i / 2, "action"),
                                  .child = aim_of(run, rows_text(keys, i / 2, "child"), i % 2),
                                  .parent = aim_of(run, rows_text(keys, i / 2, "parent"), i % 2)};
        bool there = false;
        /* Without a tenant column of its own, the child is whose its parent is. */
        if (!cascade.child || !cascade.parent || !cascade.child->target->tenant)
            continue;
        if (!name_keys(run, &cascade, keys, i / 2, &there, error))
            return false;
        for (size_t k = 0; k < run->roles.count && there; k++)
            if (!probe_cascade(run, &cascade, &run->roles.items[k], error))
                return false;
    }
    return true;
}

/* ---- the ways out ---- */

/* One statement that leads out of the role or the tenant, if it is let. */
struct escape {
    enum rls_severity severity;
    const char *session; /* in which it is tried */
    const char *sql;
    const char *what;
};

static bool probe_escape(struct rls_run *run, const struct rls_role *role, const struct escape *escape,
                         struct error *error)
{
    AUTO(rls_attempt_clear)
    struct rls_attempt attempt = {.role = role, .session = escape->session, .sql = escape->sql};
    OWNED char *object = text_format("role %s", role->quoted);

    if (!rls_attempt_make(run, &attempt, error))
        return false;
    rls_run_count(run, "D11", attempt.good ? RLS_FOUND : RLS_PASSED);
    if (attempt.good)
        rls_run_report(
            run, &(struct rls_report){.id = "D11",
                                      .severity = escape->severity,
                                      .object = object,
                                      .role = role->name,
                                      .what = escape->what,
                                      .evidence = rls_tenant_statement(role, escape->session, escape->sql)});
    return true;
}

static bool probe_settings(struct rls_run *run, const struct rls_role *role, struct error *error)
{
    OWNED char *session = rls_tenant_session(run->settings, run->tenants.names[0]);
    OWNED char *next = rls_tenant_session(run->settings, run->tenants.names[1]);
    const struct escape escape = {
        .severity = RLS_INFO,
        .session = session,
        .sql = next,
        .what =
            run->settings->tenant_role
                ? "becomes any other tenant by SET ROLE: a statement that is not its own reaches all of them"
                : "says itself who the tenant is: a statement that is not its own reaches all of them"};

    return *next == '\0' || probe_escape(run, role, &escape, error);
}

static bool probe_roles(struct rls_run *run, const struct rls_role *role, const char *oids,
                        struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {role->name, oids};

    if (!postgres_query(run->postgres, sql_rls_probe_escapes, 2, values, &rows, error))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++) {
        const struct postgres_name names[] = {{"role", rows_text(rows, row, "name")}, {NULL, NULL}};
        bool bypasses = rows_bool(rows, row, "bypasses");
        OWNED char *sql = postgres_bind(sql_rls_probe_role, names);
        OWNED char *what =
            text_format("becomes %s by SET ROLE, %s", rows_text(rows, row, "quoted"),
                        bypasses ? "whom no policy concerns"
                                 : "who owns tables of tenants without FORCE ROW LEVEL SECURITY");
        const struct escape escape = {
            .severity = bypasses ? RLS_HIGH : RLS_MEDIUM, .session = "", .sql = sql, .what = what};
        if (!probe_escape(run, role, &escape, error))
            return false;
    }
    return true;
}

bool rls_subjects_probe(struct rls_run *run, struct error *error)
{
    OWNED char *oids = rls_targets_oids(&run->targets);

    if (!probe_cascades(run, oids, error))
        return false;
    for (size_t i = 0; i < run->roles.count; i++) {
        const struct rls_role *role = &run->roles.items[i];
        if (role->can && (!probe_settings(run, role, error) || !probe_roles(run, role, oids, error)))
            return false;
    }
    return true;
}
