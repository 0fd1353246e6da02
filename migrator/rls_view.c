/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_view.h"

#include "migrator/rls_check.h"
#include "migrator/rls_match.h"
#include "sql.h"
#include <string.h>

#define FUNCTION "0" /* the oid of a guard that is a function's */
#define PLACE    "its place in the schemas that are looked at"

static void guard_clear(struct rls_guard *guard)
{
    free(guard->oid);
    free(guard->object);
    free(guard->name);
    free(guard->check);
    free(guard->hint);
    free(guard->needs);
    free(guard->thing);
}

void rls_view_clear(struct rls_view *view)
{
    for (size_t i = 0; i < view->guard_count; i++)
        guard_clear(&view->guards[i]);
    free(view->guards);
    free(view->roles);
    rows_free(view->digests);
    rls_findings_clear(&view->findings);
    text_list_clear(&view->only);
    text_list_clear(&view->names);
    *view = (struct rls_view){0};
}

/* ---- what changed ---- */

struct change {
    struct text_list oids; /* whose digests differ, also those that are gone or new */
    bool access;           /* owners or rights are among what differs */
};

static void change_clear(struct change *change)
{
    text_list_clear(&change->oids);
}
CLEANUP_VALUE(struct change, change_clear)

/* Both are sorted by oid. */
static struct change changed(const struct rows *before, const struct rows *after)
{
    struct change change = {0};
    size_t i = 0, k = 0;

    while (i < rows_count(before) || k < rows_count(after)) {
        int64_t old = i < rows_count(before) ? rows_integer(before, i, "oid") : INT64_MAX;
        int64_t new = k < rows_count(after) ? rows_integer(after, k, "oid") : INT64_MAX;
        bool same = old == new;
        if (!same || !text_equal(rows_text(before, i, "digest"), rows_text(after, k, "digest"))) {
            text_list_add(&change.oids, text_format("%lld", (long long)(old < new ? old : new)));
            change.access = change.access || !same ||
                            !text_equal(rows_text(before, i, "access"), rows_text(after, k, "access"));
        }
        i += old <= new ? 1 : 0;
        k += new <= old ? 1 : 0;
    }
    return change;
}

static void add_name(const struct rows *digests, const char *oid, struct text_list *names)
{
    for (size_t row = 0; row < rows_count(digests); row++)
        if (text_equal(rows_text(digests, row, "oid"), oid) && rows_text(digests, row, "name") != NULL)
            text_list_add(names, text_copy(rows_text(digests, row, "name")));
}

/* ---- looking ---- */

static bool read_roles(struct postgres *postgres, bool kept, struct rls_view *view, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!(kept ? rls_check_query_kept(postgres, "pgmigrate_rls_roles", sql_rls_roles_now, &rows, error)
               : rls_check_query(postgres, sql_rls_roles_now, &rows, error)))
        return false;
    view->roles = text_copy(rows_text(rows, 0, "roles"));
    view->roles_fixed = rows_bool(rows, 0, "fixed");
    return true;
}

/* What belongs to no relation, such as a role, may concern all of them; and much is looked at as all. */
static bool narrow(struct postgres *postgres, const struct change *change, const struct rls_view *before,
                   struct rls_view *view, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *joined = text_list_join(&change->oids, ","), *array = text_format("{%s}", joined);

    if (text_list_contains(&change->oids, "0"))
        return true;
    if (change->access && !before->roles_fixed) {
        if (!read_roles(postgres, true, view, error))
            return false;
        if (!text_equal(view->roles, before->roles))
            return true;
    }
    if (!postgres_query_kept(postgres, "pgmigrate_rls_narrow", sql_rls_narrow, 2,
                             (const char *const[]){array, before->roles}, &rows, error))
        return false;
    view->narrow = rows_count(rows) > 0;
    for (size_t row = 0; row < rows_count(rows); row++) {
        text_list_add(&view->only, text_copy(rows_text(rows, row, "oid")));
        if (!rows_bool(rows, row, "told"))
            continue;
        text_list_add(&view->names, text_copy(rows_text(rows, row, "name")));
        add_name(before->digests, rows_text(rows, row, "oid"), &view->names);
    }
    return true;
}

static bool read_guards(struct postgres *postgres, struct rls_view *view, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!(view->narrow ? rls_check_query_kept(postgres, "pgmigrate_rls_guards", sql_rls_guards, &rows, error)
                       : rls_check_query(postgres, sql_rls_guards, &rows, error)))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++) {
        struct rls_guard guard = {.oid = text_copy(rows_text(rows, row, "oid")),
                                  .object = text_copy(rows_text(rows, row, "object")),
                                  .name = text_copy(rows_text(rows, row, "guard")),
                                  .check = text_copy(rows_text(rows, row, "check")),
                                  .hint = text_copy(rows_text(rows, row, "hint")),
                                  .needs = text_copy(rows_text(rows, row, "needs")),
                                  .thing = text_copy(rows_text(rows, row, "thing")),
                                  .severity = RLS_HIGH};
        view->guards = memory_grow(view->guards, view->guard_count, sizeof *view->guards);
        view->guards[view->guard_count++] = guard;
        if (!rls_severity_parse(rows_text(rows, row, "severity"), &view->guards[row].severity))
            return error_set(error, ERROR_FAILED, "a guard has an unknown severity");
    }
    return true;
}

/* After a first statement, in the same round trip: most migrations change nothing of this. */
static bool read_digests(struct postgres *postgres, const struct rls_settings *settings, const char *first,
                         char **oldest, struct rows **ret, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *scope = rls_settings_scope(settings);

    queries_add(&queries, first, 0, NULL);
    queries_add(&queries, sql_rls_settings, 1, (const char *const[]){scope});
    queries_add(&queries, sql_rls_digest, 1, (const char *const[]){*oldest});
    if (!postgres_query_all(postgres, &queries, error))
        return false;
    for (size_t i = 0; i < queries.count; i++)
        if (queries.items[i].rows == NULL) {
            error_move(error, &queries.items[i].error);
            return false;
        }
    if (*oldest == NULL)
        *oldest = text_copy(rows_text(queries.items[queries.count - 2].rows, 0, "oldest"));
    *ret = take(queries.items[queries.count - 1].rows);
    return true;
}

static bool look_at_all(struct postgres *postgres, struct rls_view *view, struct error *error)
{
    return postgres_execute(postgres, sql_rls_no_nestloop, error) &&
           (view->roles != NULL || read_roles(postgres, false, view, error)) &&
           rls_check_all(postgres, true, &view->findings, error);
}

bool rls_view_read(struct postgres *postgres, const struct rls_settings *settings, const char *first,
                   const struct rls_view *before, bool whole, char **oldest, struct rls_view *ret,
                   struct error *error)
{
    AUTO(rls_view_clear) struct rls_view view = {0};

    if (!read_digests(postgres, settings, first, oldest, &view.digests, error))
        return false;
    if (before != NULL) {
        AUTO(change_clear) struct change change = changed(before->digests, view.digests);
        if (change.oids.count == 0)
            return true;
        if (!whole && !narrow(postgres, &change, before, &view, error))
            return false;
    }
    if (!(view.narrow ? rls_check_narrow(postgres, &view.findings, error)
                      : look_at_all(postgres, &view, error)) ||
        !read_guards(postgres, &view, error))
        return false;
    if (view.narrow && view.roles == NULL) {
        view.roles = text_copy(before->roles);
        view.roles_fixed = before->roles_fixed;
    }
    *ret = view;
    view = (struct rls_view){0};
    return true;
}

/* ---- what is gone ---- */

/* Whether the view says anything about a guard: those of functions are in every one. */
static bool sees(const struct rls_view *view, const struct rls_guard *guard)
{
    return !view->narrow || text_equal(guard->oid, FUNCTION) || text_list_contains(&view->only, guard->oid);
}

/* Tables and policies may be renamed, or dropped and made again. */
static bool same_guard(const struct rls_guard *a, const struct rls_guard *b)
{
    bool same_thing = a->thing != NULL && text_equal(a->thing, b->thing);
    bool same_table =
        text_equal(a->object, b->object) || (text_equal(a->oid, b->oid) && !text_equal(a->oid, FUNCTION));

    return same_thing || (same_table && text_equal(a->name, b->name));
}

static bool has_guard(const struct rls_view *view, const struct rls_guard *guard)
{
    for (size_t i = 0; i < view->guard_count; i++)
        if (same_guard(&view->guards[i], guard))
            return true;
    return false;
}

static bool is_there(struct postgres *postgres, const struct rls_guard *guard, bool *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql_rls_there, 2, (const char *const[]){guard->oid, guard->needs}, &rows,
                        error))
        return false;
    *ret = rows_bool(rows, 0, "there");
    return true;
}

/* Whether the guard is another one than place, of a relation that is not looked at any more. */
static bool is_out_of_sight(const struct rls_view *before, const struct rls_view *after,
                            const struct rls_guard *guard)
{
    for (size_t i = 0; i < before->guard_count; i++) {
        const struct rls_guard *place = &before->guards[i];
        if (place != guard && text_equal(place->oid, guard->oid) && text_equal(place->name, PLACE))
            return !text_equal(guard->name, PLACE) && !has_guard(after, place);
    }
    return false;
}

/* What protected rows and is gone, while what it protected is still there. */
bool rls_view_lost(struct postgres *postgres, const struct rls_view *before, const struct rls_view *after,
                   struct rls_findings *findings, struct error *error)
{
    for (size_t i = 0; i < before->guard_count; i++) {
        const struct rls_guard *guard = &before->guards[i];
        bool there = false;
        if (!sees(after, guard) || has_guard(after, guard) || is_out_of_sight(before, after, guard))
            continue;
        if (!is_there(postgres, guard, &there, error))
            return false;
        if (!there)
            continue;
        struct rls_finding *finding = rls_finding_add(findings, guard->check, guard->severity, guard->object);
        finding->message = text_format("lost %s", guard->name);
        finding->hint = text_copy(guard->hint);
    }
    return true;
}

/* ---- what is new ---- */

void rls_view_added(const struct rls_view *before, const struct rls_view *after, bool all,
                    struct rls_findings *findings)
{
    AUTO(rls_renames_clear) struct rls_renames renames = rls_renames_of(before->digests, after->digests);
    AUTO(rls_match_clear)
    struct rls_match match = rls_match_of(&before->findings, &after->findings, &renames);

    for (size_t i = 0; i < after->findings.count; i++)
        if (!after->findings.items[i].inconclusive && (all || !match.known[i]))
            rls_findings_copy(findings, &after->findings.items[i]);
}

/* ---- going on ---- */

/* Whether the text ends with the name as a whole: "schema.table", "policy p on schema.table". */
static bool ends_with_name(const char *text, const char *name)
{
    size_t size = strlen(text), length = strlen(name);

    return text_ends_with(text, name) && (size == length || text[size - length - 1] == ' ');
}

/* Whether the view says everything of a finding's object. */
static bool tells_of(const struct rls_view *view, const char *object)
{
    for (size_t i = 0; i < view->names.count; i++)
        if (ends_with_name(object, view->names.items[i]))
            return true;
    return false;
}

static bool has_exactly(const struct rls_findings *findings, const struct rls_finding *finding)
{
    for (size_t i = 0; i < findings->count; i++)
        if (rls_finding_same(&findings->items[i], finding) &&
            text_equal(findings->items[i].message, finding->message))
            return true;
    return false;
}

void rls_view_absorb(struct rls_view *before, struct rls_view *view)
{
    size_t seen = view->findings.count;

    for (size_t i = 0; view->narrow && i < before->guard_count; i++) {
        if (sees(view, &before->guards[i]))
            continue;
        view->guards = memory_grow(view->guards, view->guard_count, sizeof *view->guards);
        view->guards[view->guard_count++] = before->guards[i];
        before->guards[i] = (struct rls_guard){0};
    }
    for (size_t i = 0; view->narrow && i < before->findings.count; i++) {
        const struct rls_findings looked = {.items = view->findings.items, .count = seen};
        if (!tells_of(view, before->findings.items[i].object) &&
            !has_exactly(&looked, &before->findings.items[i]))
            rls_findings_copy(&view->findings, &before->findings.items[i]);
    }
    text_list_clear(&view->only);
    text_list_clear(&view->names);
    view->narrow = false;
    rls_view_clear(before);
    *before = *view;
    *view = (struct rls_view){0};
}
