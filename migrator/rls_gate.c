/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_gate.h"

#include "migrator/directive.h"
#include "migrator/rls_blame.h"
#include "migrator/rls_check.h"
#include "migrator/script.h"
#include "sql.h"
#include <string.h>

#define FUNCTION "0" /* the oid of a guard that is a function's */
#define PLACE    "its place in the schemas that are looked at"

/* What protects rows; see sql/rls/guards.sql. */
struct guard {
    char *oid, *object, *name, *check, *hint, *needs, *thing;
    enum rls_severity severity;
};

/* The state at a moment: of all relations, or of those in only. */
struct view {
    struct rows *digests; /* see sql/rls/digest.sql */
    struct rls_findings findings;
    struct guard *guards;
    size_t guard_count;
    bool narrow;
    struct text_list only;  /* oids, of functions negative */
    struct text_list names; /* of those of which everything is told, also as they were called before */
};

static void guard_clear(struct guard *guard)
{
    free(guard->oid);
    free(guard->object);
    free(guard->name);
    free(guard->check);
    free(guard->hint);
    free(guard->needs);
    free(guard->thing);
}

static void view_clear(struct view *view)
{
    for (size_t i = 0; i < view->guard_count; i++)
        guard_clear(&view->guards[i]);
    free(view->guards);
    rows_free(view->digests);
    rls_findings_clear(&view->findings);
    text_list_clear(&view->only);
    text_list_clear(&view->names);
    *view = (struct view){0};
}
CLEANUP_VALUE(struct view, view_clear)

struct rls_gate {
    struct run_watch watch;
    struct rls_gate_options options;
    struct view before; /* as of the last COMMIT; digests NULL: not looked at yet */
    struct view after;  /* of the transaction that is about to commit; digests NULL: as before */
    bool behind;        /* something was committed that was not looked at */
    char *oldest;       /* the oldest transaction that was running at the first look; NULL before it */
    struct rls_findings refused, allowed;
    struct text_list unused;
};

void rls_gate_free(struct rls_gate *gate)
{
    if (gate == NULL)
        return;
    view_clear(&gate->before);
    view_clear(&gate->after);
    rls_findings_clear(&gate->refused);
    rls_findings_clear(&gate->allowed);
    text_list_clear(&gate->unused);
    free(gate->oldest);
    free(gate);
}

const struct rls_findings *rls_gate_refused(const struct rls_gate *gate)
{
    return &gate->refused;
}

const struct rls_findings *rls_gate_allowed(const struct rls_gate *gate)
{
    return &gate->allowed;
}

const struct text_list *rls_gate_unused(const struct rls_gate *gate)
{
    return &gate->unused;
}

/* ---- looking ---- */

/* The oids whose digests differ, also those that are gone or new; both are sorted by oid. */
static struct text_list changed(const struct rows *before, const struct rows *after)
{
    struct text_list list = {0};
    size_t i = 0, k = 0;

    while (i < rows_count(before) || k < rows_count(after)) {
        int64_t old = i < rows_count(before) ? rows_integer(before, i, "oid") : INT64_MAX;
        int64_t new = k < rows_count(after) ? rows_integer(after, k, "oid") : INT64_MAX;
        if (old != new || !text_equal(rows_text(before, i, "digest"), rows_text(after, k, "digest")))
            text_list_add(&list, text_format("%lld", (long long)(old < new ? old : new)));
        i += old <= new ? 1 : 0;
        k += new <= old ? 1 : 0;
    }
    return list;
}

static void add_name(const struct rows *digests, const char *oid, struct text_list *names)
{
    for (size_t row = 0; row < rows_count(digests); row++)
        if (text_equal(rows_text(digests, row, "oid"), oid) && rows_text(digests, row, "name") != NULL)
            text_list_add(names, text_copy(rows_text(digests, row, "name")));
}

/* What belongs to no relation, such as a role, may concern all of them; and much is looked at as all. */
static bool narrow(struct postgres *postgres, const struct text_list *list, const struct view *before,
                   struct view *view, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *joined = text_list_join(list, ","), *array = text_format("{%s}", joined);

    if (text_list_contains(list, "0"))
        return true;
    if (!postgres_query_kept(postgres, "pgmigrate_rls_narrow", sql_rls_narrow, 1,
                             (const char *const[]){array}, &rows, error))
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

static bool read_guards(struct postgres *postgres, struct view *view, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!(view->narrow ? rls_check_query_kept(postgres, "pgmigrate_rls_guards", sql_rls_guards, &rows, error)
                       : rls_check_query(postgres, sql_rls_guards, &rows, error)))
        return false;
    for (size_t row = 0; row < rows_count(rows); row++) {
        struct guard guard = {.oid = text_copy(rows_text(rows, row, "oid")),
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
static bool read_digests(struct rls_gate *gate, struct postgres *postgres, const char *first,
                         struct rows **ret, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *scope = rls_settings_scope(gate->options.settings);

    queries_add(&queries, first, 0, NULL);
    queries_add(&queries, sql_rls_settings, 1, (const char *const[]){scope});
    queries_add(&queries, sql_rls_digest, 1, (const char *const[]){gate->oldest});
    if (!postgres_query_all(postgres, &queries, error))
        return false;
    for (size_t i = 0; i < queries.count; i++)
        if (queries.items[i].rows == NULL) {
            error_move(error, &queries.items[i].error);
            return false;
        }
    if (gate->oldest == NULL)
        gate->oldest = text_copy(rows_text(queries.items[queries.count - 2].rows, 0, "oldest"));
    *ret = take(queries.items[queries.count - 1].rows);
    return true;
}

/* first begins what the caller will undo, with the settings of the checks. Where nothing changed since
 * gate->before, ret stays empty. */
static bool read_view(struct rls_gate *gate, struct postgres *postgres, const char *first, struct view *ret,
                      struct error *error)
{
    AUTO(view_clear) struct view view = {0};
    AUTO(text_list_clear) struct text_list list = {0};

    if (!read_digests(gate, postgres, first, &view.digests, error))
        return false;
    if (gate->before.digests != NULL) {
        list = changed(gate->before.digests, view.digests);
        if (list.count == 0)
            return true;
        if (!gate->options.all && !narrow(postgres, &list, &gate->before, &view, error))
            return false;
    }
    if (!(view.narrow ? rls_check_narrow(postgres, &view.findings, error)
                      : postgres_execute(postgres, sql_rls_no_nestloop, error) &&
                            rls_check_all(postgres, true, &view.findings, error)) ||
        !read_guards(postgres, &view, error))
        return false;
    *ret = view;
    view = (struct view){0};
    return true;
}

/* The same in a transaction of its own. */
static bool read_apart(struct rls_gate *gate, struct postgres *postgres, struct view *ret,
                       struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    bool good = read_view(gate, postgres, sql_rls_begin, ret, error);

    if (!postgres_is_lost(postgres) && !postgres_execute(postgres, sql_rollback, good ? error : &ignored))
        return false;
    return good;
}

/* ---- what is new ---- */

/* Whether the view says anything about a guard: those of functions are in every one. */
static bool sees(const struct view *view, const struct guard *guard)
{
    return !view->narrow || text_equal(guard->oid, FUNCTION) || text_list_contains(&view->only, guard->oid);
}

/* Tables and policies may be renamed, or dropped and made again. */
static bool same_guard(const struct guard *a, const struct guard *b)
{
    bool same_thing = a->thing != NULL && text_equal(a->thing, b->thing);
    bool same_table =
        text_equal(a->object, b->object) || (text_equal(a->oid, b->oid) && !text_equal(a->oid, FUNCTION));

    return same_thing || (same_table && text_equal(a->name, b->name));
}

static bool has_guard(const struct view *view, const struct guard *guard)
{
    for (size_t i = 0; i < view->guard_count; i++)
        if (same_guard(&view->guards[i], guard))
            return true;
    return false;
}

static bool is_there(struct postgres *postgres, const struct guard *guard, bool *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql_rls_there, 2, (const char *const[]){guard->oid, guard->needs}, &rows,
                        error))
        return false;
    *ret = rows_bool(rows, 0, "there");
    return true;
}

/* Whether the guard is another one than place, of a relation that is not looked at any more. */
static bool is_out_of_sight(const struct view *before, const struct view *after, const struct guard *guard)
{
    for (size_t i = 0; i < before->guard_count; i++) {
        const struct guard *place = &before->guards[i];
        if (place != guard && text_equal(place->oid, guard->oid) && text_equal(place->name, PLACE))
            return !text_equal(guard->name, PLACE) && !has_guard(after, place);
    }
    return false;
}

/* What protected rows and is gone, while what it protected is still there. */
static bool find_lost(struct postgres *postgres, const struct view *before, const struct view *after,
                      struct rls_findings *findings, struct error *error)
{
    for (size_t i = 0; i < before->guard_count; i++) {
        const struct guard *guard = &before->guards[i];
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

static void copy_finding(struct rls_findings *to, const struct rls_finding *from)
{
    struct rls_finding *finding = rls_finding_add(to, from->check, from->severity, from->object);

    finding->role = text_copy(from->role);
    finding->message = text_copy(from->message);
    finding->hint = text_copy(from->hint);
    finding->evidence = text_copy(from->evidence);
    finding->accepted = text_copy(from->accepted);
    finding->inconclusive = from->inconclusive;
}

/* "CHECK object, reason": its reason where it is about the finding, or NULL. Blanks do not count. */
static const char *allows(const char *text, const struct rls_finding *finding)
{
    size_t check = strlen(finding->check), object = strlen(finding->object);

    if (strncmp(text, finding->check, check) != 0 || text[check] != ' ')
        return NULL;
    text += check + strspn(text + check, " ");
    if (strncmp(text, finding->object, object) != 0)
        return NULL;
    text += object + strspn(text + object, " ");
    return *text == ',' ? text + 1 + strspn(text + 1, " ") : NULL;
}

/* The reason of a directive that allows the finding, or NULL; used[i]: the directive was of use. */
static const char *allowed_by(const struct text_list *directives, const struct rls_finding *finding,
                              bool used[])
{
    const char *reason = NULL;

    for (size_t i = 0; i < directives->count && reason == NULL; i++) {
        reason = allows(directives->items[i], finding);
        used[i] = used[i] || reason != NULL;
    }
    return reason;
}

/* Whether the text ends with the name as a whole: "schema.table", "policy p on schema.table". */
static bool ends_with_name(const char *text, const char *name)
{
    size_t size = strlen(text), length = strlen(name);

    return text_ends_with(text, name) && (size == length || text[size - length - 1] == ' ');
}

/* What the finding's object was called in the digests before, if another name; else NULL. The caller frees
 * it. */
static char *old_object(const struct rows *before, const struct rows *after, const char *object)
{
    for (size_t i = 0; i < rows_count(after); i++) {
        const char *name = rows_text(after, i, "name");
        if (name == NULL || !ends_with_name(object, name))
            continue;
        for (size_t k = 0; k < rows_count(before); k++)
            if (text_equal(rows_text(before, k, "oid"), rows_text(after, i, "oid")) &&
                rows_text(before, k, "name") != NULL && !text_equal(rows_text(before, k, "name"), name))
                return text_format("%.*s%s", (int)(strlen(object) - strlen(name)), object,
                                   rows_text(before, k, "name"));
    }
    return NULL;
}

/* Whether a finding was there before, maybe under the name that its object had. */
static bool was_there(const struct rls_gate *gate, const struct view *view, const struct rls_finding *finding)
{
    struct rls_finding old = *finding;
    OWNED char *object = NULL;

    if (rls_findings_have(&gate->before.findings, finding))
        return true;
    object = old_object(gate->before.digests, view->digests, finding->object);
    old.object = object;
    return object != NULL && rls_findings_have(&gate->before.findings, &old);
}

/* Everything that the view adds to the state before it. */
static bool find_new(const struct rls_gate *gate, struct postgres *postgres, const struct view *view,
                     struct rls_findings *findings, struct error *error)
{
    if (!find_lost(postgres, &gate->before, view, findings, error))
        return false;
    for (size_t i = 0; i < view->findings.count; i++)
        if (!view->findings.items[i].inconclusive &&
            (gate->options.all || !was_there(gate, view, &view->findings.items[i])))
            copy_finding(findings, &view->findings.items[i]);
    if (gate->options.accept != NULL)
        gate->options.accept(gate->options.context, findings);
    return true;
}

/* Sorts it into gate->refused and gate->allowed, and tells of directives that allow nothing. An empty view
 * has nothing new. */
static bool judge(struct rls_gate *gate, const struct run_look *look, const struct view *view,
                  struct error *error)
{
    AUTO(rls_findings_clear) struct rls_findings findings = {0};
    AUTO(directives_clear) struct directives directives = {.lock_timeout_ms = -1};

    if ((view->digests != NULL && !find_new(gate, look->postgres, view, &findings, error)) ||
        (look->script != NULL && !directives_read(look->script->source, &directives, error)))
        return false;
    OWNED bool *used = memory_allocate(directives.rls_allow.count + 1, sizeof *used);
    for (size_t i = 0; i < findings.count; i++) {
        struct rls_finding *finding = &findings.items[i];
        const char *reason = allowed_by(&directives.rls_allow, finding, used);
        if (finding->accepted != NULL || finding->severity < gate->options.at_least)
            continue;
        if (reason != NULL)
            finding->accepted = text_copy(reason);
        copy_finding(reason != NULL ? &gate->allowed : &gate->refused, finding);
    }
    for (size_t i = 0; i < directives.rls_allow.count && gate->refused.count == 0; i++) {
        OWNED char *text =
            text_format("%s: \"rls-allow=%s\" allows nothing", look->version, directives.rls_allow.items[i]);
        if (!used[i] && !text_list_contains(&gate->unused, text))
            text_list_add(&gate->unused, take(text));
    }
    rls_findings_sort(&gate->refused);
    return true;
}

/* ---- telling ---- */

static bool refuse(const struct rls_gate *gate, const struct script *script, bool committed,
                   struct error *error)
{
    const struct rls_finding *first = &gate->refused.items[0];
    char *detail = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&detail, &size);

    for (size_t i = 1; i < gate->refused.count; i++)
        fprintf(stream, "%s%s: %s (%s)", i == 1 ? "Also: " : "; ", gate->refused.items[i].object,
                gate->refused.items[i].message, gate->refused.items[i].check);
    if (gate->refused.count > 1)
        fputc('.', stream);
    if (committed)
        fprintf(stream, "%sIt ran outside a transaction and is committed.", size > 0 ? " " : "");
    fclose(stream);
    error_set(error, ERROR_REFUSED, "row-level security is weaker: %s: %s (%s)", first->object,
              first->message, first->check);
    error_detail(error, "%s", detail);
    free(detail);
    error_hint(error, "%s%s\"-- pgmigrate: rls-allow=%s %s, REASON\" in the script accepts it.",
               first->hint == NULL ? "" : first->hint, first->hint == NULL ? "" : " ", first->check,
               first->object);
    if (script != NULL)
        rls_blame(script, first, error);
    return false;
}

/* ---- the moments ---- */

/* Whether the view says everything of a finding's object. */
static bool tells_of(const struct view *view, const char *object)
{
    for (size_t i = 0; i < view->names.count; i++)
        if (ends_with_name(object, view->names.items[i]))
            return true;
    return false;
}

/* What view has seen is the state from now on; of relations it did not look at, everything stays. */
static void absorb(struct rls_gate *gate, struct view *view)
{
    struct view *before = &gate->before;

    for (size_t i = 0; view->narrow && i < before->guard_count; i++) {
        if (sees(view, &before->guards[i]))
            continue;
        view->guards = memory_grow(view->guards, view->guard_count, sizeof *view->guards);
        view->guards[view->guard_count++] = before->guards[i];
        before->guards[i] = (struct guard){0};
    }
    for (size_t i = 0; view->narrow && i < before->findings.count; i++)
        if (!tells_of(view, before->findings.items[i].object) &&
            !rls_findings_have(&view->findings, &before->findings.items[i]))
            copy_finding(&view->findings, &before->findings.items[i]);
    text_list_clear(&view->only);
    text_list_clear(&view->names);
    view->narrow = false;
    view_clear(before);
    *before = *view;
    *view = (struct view){0};
}

/* What ran outside transactions is looked at when the next one begins. */
static bool at_begin(struct rls_gate *gate, const struct run_look *look, struct error *error)
{
    AUTO(view_clear) struct view view = {0};
    bool first = gate->before.digests == NULL;

    view_clear(&gate->after);
    if (!first && !gate->behind)
        return true;
    if (!read_apart(gate, look->postgres, &view, error) || (!first && !judge(gate, look, &view, error)))
        return error_prefix(error, "gate of row-level security");
    gate->behind = false;
    if (view.digests != NULL)
        absorb(gate, &view);
    return gate->refused.count == 0 || refuse(gate, NULL, true, error);
}

static bool at_commit(struct rls_gate *gate, const struct run_look *look, struct error *error)
{
    view_clear(&gate->after);
    rls_findings_clear(&gate->refused);
    if (!read_view(gate, look->postgres, sql_savepoint, &gate->after, error) ||
        !judge(gate, look, &gate->after, error) ||
        !postgres_execute(look->postgres, sql_savepoint_back, error))
        return error_prefix(error, "gate of row-level security");
    return gate->refused.count == 0 || refuse(gate, look->script, false, error);
}

static void at_end(struct rls_gate *gate, const struct run_look *look)
{
    gate->behind = gate->behind || (look->bare && look->committed);
    if (!look->bare && look->committed && gate->after.digests != NULL)
        absorb(gate, &gate->after);
    view_clear(&gate->after);
}

static bool look_into(void *context, const struct run_look *look, struct error *error)
{
    struct rls_gate *gate = context;

    switch (look->moment) {
    case RUN_LOOK_BEGIN:
        return at_begin(gate, look, error);
    case RUN_LOOK_COMMIT:
        return at_commit(gate, look, error);
    case RUN_LOOK_ENDED:
        at_end(gate, look);
        break;
    case RUN_LOOK_BEFORE:
    case RUN_LOOK_AFTER:
        break;
    }
    return true;
}

struct rls_gate *rls_gate_new(const struct rls_gate_options *options)
{
    struct rls_gate *gate = memory_allocate(1, sizeof *gate);

    gate->options = *options;
    gate->watch = (struct run_watch){
        .context = gate, .look = look_into, .whole = true, .begins = sql_set_row_security_off};
    return gate;
}

const struct run_watch *rls_gate_watch(struct rls_gate *gate)
{
    return &gate->watch;
}

bool rls_gate_finish(struct rls_gate *gate, struct postgres *postgres, struct error *error)
{
    const struct run_look last = {.moment = RUN_LOOK_BEGIN, .postgres = postgres};

    return !gate->behind || at_begin(gate, &last, error);
}
