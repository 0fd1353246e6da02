/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_gate.h"

#include "migrator/directive.h"
#include "migrator/rls_blame.h"
#include "migrator/rls_view.h"
#include "migrator/script.h"
#include "sql.h"
#include <string.h>

struct rls_gate {
    struct run_watch watch;
    struct rls_gate_options options;
    struct rls_view before; /* as of the last COMMIT; digests NULL: not looked at yet */
    struct rls_view after;  /* of the transaction that is about to commit; digests NULL: as before */
    bool behind;            /* something was committed that was not looked at */
    char *bare_path;        /* where that stands */
    struct text_position bare_at;
    char *oldest; /* the oldest transaction that was running at the first look; NULL before it */
    struct rls_findings refused, allowed;
    struct text_list unused;
};

void rls_gate_free(struct rls_gate *gate)
{
    if (gate == NULL)
        return;
    rls_view_clear(&gate->before);
    rls_view_clear(&gate->after);
    rls_findings_clear(&gate->refused);
    rls_findings_clear(&gate->allowed);
    text_list_clear(&gate->unused);
    free(gate->oldest);
    free(gate->bare_path);
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

static bool read_view(struct rls_gate *gate, struct postgres *postgres, const char *first,
                      struct rls_view *ret, struct error *error)
{
    return rls_view_read(postgres, gate->options.settings, first,
                         gate->before.digests == NULL ? NULL : &gate->before, gate->options.all,
                         &gate->oldest, ret, error);
}

/* The same in a transaction of its own. */
static bool read_apart(struct rls_gate *gate, struct postgres *postgres, struct rls_view *ret,
                       struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    bool good = read_view(gate, postgres, sql_rls_begin, ret, error);

    if (!postgres_is_lost(postgres) && !postgres_execute(postgres, sql_rollback, good ? error : &ignored))
        return false;
    return good;
}

/* ---- what is new ---- */

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

/* Everything that the view adds to the state before it. */
static bool find_new(const struct rls_gate *gate, struct postgres *postgres, const struct rls_view *view,
                     struct rls_findings *findings, struct error *error)
{
    if (!rls_view_lost(postgres, &gate->before, view, findings, error))
        return false;
    rls_view_added(&gate->before, view, gate->options.all, findings);
    if (gate->options.accept != NULL)
        gate->options.accept(gate->options.context, findings);
    return true;
}

/* Sorts it into gate->refused and gate->allowed, and tells of directives that allow nothing. An empty view
 * has nothing new. */
static bool judge(struct rls_gate *gate, const struct run_look *look, const struct rls_view *view,
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
        rls_findings_copy(reason != NULL ? &gate->allowed : &gate->refused, finding);
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

/* What ran outside transactions is looked at when the next one begins. */
static bool at_begin(struct rls_gate *gate, const struct run_look *look, struct error *error)
{
    AUTO(rls_view_clear) struct rls_view view = {0};
    bool first = gate->before.digests == NULL;

    rls_view_clear(&gate->after);
    if (!first && !gate->behind)
        return true;
    if (!read_apart(gate, look->postgres, &view, error) || (!first && !judge(gate, look, &view, error)))
        return error_prefix(error, "gate of row-level security");
    gate->behind = false;
    if (view.digests != NULL)
        rls_view_absorb(&gate->before, &view);
    if (gate->refused.count == 0)
        return true;
    (void)refuse(gate, NULL, true, error);
    return gate->bare_path == NULL
               ? false
               : error_at(error, gate->bare_path, gate->bare_at.line, gate->bare_at.column);
}

/* Triggers that are deferred run now, as COMMIT would let them: what they do is to be seen. */
static bool at_commit(struct rls_gate *gate, const struct run_look *look, struct error *error)
{
    rls_view_clear(&gate->after);
    rls_findings_clear(&gate->refused);
    if (!postgres_execute(look->postgres, sql_set_constraints_immediate, error))
        return postgres_is_lost(look->postgres) || look->script == NULL
                   ? false
                   : error_prefix(error, "at COMMIT") || error_at(error, look->script->source->path, 0, 0);
    if (!read_view(gate, look->postgres, sql_savepoint, &gate->after, error) ||
        !judge(gate, look, &gate->after, error) ||
        !postgres_execute(look->postgres, sql_savepoint_back, error))
        return error_prefix(error, "gate of row-level security");
    return gate->refused.count == 0 || refuse(gate, look->script, false, error);
}

static void at_end(struct rls_gate *gate, const struct run_look *look)
{
    if (look->bare && look->committed) {
        free(gate->bare_path);
        gate->bare_path = text_copy(look->script->source->path);
        gate->bare_at = script_position(look->script, look->statement, 0);
    }
    gate->behind = gate->behind || (look->bare && look->committed);
    if (!look->bare && look->committed && gate->after.digests != NULL)
        rls_view_absorb(&gate->before, &gate->after);
    rls_view_clear(&gate->after);
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

/* The server's own hint would weaken the isolation that the gate is there for. */
static void explain(struct error *error)
{
    if (strcmp(error->sqlstate, "42501") != 0 ||
        strstr(error->message, "would be affected by row-level security policy") == NULL)
        return;
    error_hint(error,
               "Under the gate of row-level security, scripts run with row_security = off, so that a data "
               "migration fails where policies would hide rows from it. Where that cannot be, as in the "
               "body of a function, or is meant, begin the script with: SET LOCAL row_security = on;");
}

struct rls_gate *rls_gate_new(const struct rls_gate_options *options)
{
    struct rls_gate *gate = memory_allocate(1, sizeof *gate);

    gate->options = *options;
    gate->watch = (struct run_watch){.context = gate,
                                     .look = look_into,
                                     .whole = true,
                                     .begins = sql_set_row_security_off,
                                     .explain = explain};
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
