/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/trace.h"

#include "common/interrupt.h"
#include "deploy/trace_observer.h"
#include "deploy/trace_statement.h"
#include "migrator/script.h"
#include "sql.h"
#include <string.h>

#define COUNTS_CAN_BE_SENT 150000
#define NONE               ((size_t)-1)

/* A migration. */
struct traced {
    char *version;
    struct rehearsed_statement *statements;
    size_t count, committed; /* those behind committed are of the running transaction */
    struct touched *touched;
    size_t touched_count;
    int64_t commit_us;
    int64_t victim_us;
    char *victim_relation;
};

struct trace {
    struct run_watch watch;
    struct trace_options options;
    struct trace_observer *observer;
    struct victim *victim; /* or NULL */
    struct trace_relations relations;
    bool stale; /* the relations are to be read anew */
    struct traced *items;
    size_t count;
    size_t current; /* in items, or NONE */
    bool counted;   /* what the session had counted before the transaction is known */
    bool exclusive; /* an earlier statement of the transaction has ACCESS EXCLUSIVE */
    int64_t wal, temp, began_us;
    const struct statement *running;
};

static void clear_traced(struct traced *traced)
{
    struct rehearsed rehearsed = {.version = traced->version,
                                  .statements = traced->statements,
                                  .statement_count = traced->count,
                                  .touched = traced->touched,
                                  .touched_count = traced->touched_count,
                                  .victim_relation = traced->victim_relation};
    rehearsed_clear(&rehearsed);
    *traced = (struct traced){0};
}

void trace_free(struct trace *trace)
{
    if (trace == NULL)
        return;
    trace_observer_free(trace->observer);
    victim_free(trace->victim);
    trace_relations_clear(&trace->relations);
    for (size_t i = 0; i < trace->count; i++)
        clear_traced(&trace->items[i]);
    free(trace->items);
    free(trace);
}

const struct run_watch *trace_watch(struct trace *trace)
{
    return &trace->watch;
}

/* ---- the server is asked ---- */

static bool ask(const struct run_look *look, const char *sql, struct rows **ret, struct error *error)
{
    return postgres_query(look->postgres, sql, 0, NULL, ret, error) ||
           error_prefix(error, "could not measure");
}

static bool ask_relations(const struct trace *trace, const struct run_look *look, const char *sql,
                          struct rows **ret, struct error *error)
{
    const struct history *history = trace->options.history;
    const char *values[] = {history->schema, history->table, history->log};
    return postgres_query(look->postgres, sql, 3, values, ret, error) ||
           error_prefix(error, "could not measure");
}

/* Counts that the session still keeps to itself would be taken for the transaction's. */
static bool send_counts(const struct run_look *look, struct error *error)
{
    return postgres_server_version(look->postgres) < COUNTS_CAN_BE_SENT ||
           ask(look, sql_trace_flush, NULL, error);
}

static bool ask_where(const struct run_look *look, int64_t *ret_wal, int64_t *ret_temp, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!ask(look, sql_trace_begin, &rows, error))
        return false;
    *ret_wal = rows_integer(rows, 0, "wal");
    *ret_temp = rows_integer(rows, 0, "temp");
    return true;
}

/* All relations as they are now; what has changed since the last look. */
static bool look_at_all(struct trace *trace, const struct run_look *look, struct trace_changes *ret,
                        struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!ask_relations(trace, look, sql_trace_relations, &rows, error))
        return false;
    trace_relations_look(&trace->relations, rows, true, ret);
    return true;
}

/* ---- a transaction begins ---- */

static struct traced *current(struct trace *trace)
{
    return &trace->items[trace->current];
}

static size_t find(const struct trace *trace, const char *version)
{
    for (size_t i = 0; i < trace->count; i++)
        if (text_equal(trace->items[i].version, version))
            return i;
    return trace->count;
}

static void drop_statements(struct traced *traced, size_t kept)
{
    struct rehearsed rehearsed = {.statements =
                                      memory_allocate(traced->count + 1, sizeof *traced->statements),
                                  .statement_count = traced->count - kept};
    memcpy(rehearsed.statements, traced->statements + kept,
           rehearsed.statement_count * sizeof *traced->statements);
    rehearsed_clear(&rehearsed);
    traced->count = kept;
}

/* The migration's first transaction, another attempt, or the next stretch of a script. */
static bool enter(struct trace *trace, const struct run_look *look, struct error *error)
{
    size_t at = find(trace, look->version);
    bool next = at != trace->current;
    if (at == trace->count) {
        trace->items = memory_grow(trace->items, trace->count, sizeof *trace->items);
        trace->items[trace->count++] = (struct traced){.version = text_copy(look->version)};
    }
    trace->current = at;
    if (current(trace)->count > current(trace)->committed)
        drop_statements(current(trace), current(trace)->committed);
    if (next && !trace->stale)
        trace_relations_settle(&trace->relations);
    if (trace->stale &&
        !trace_relations_read(look->postgres, trace->options.history, &trace->relations, error))
        return false;
    trace->stale = false;
    return true;
}

static bool begin(struct trace *trace, const struct run_look *look, struct error *error)
{
    AUTO(trace_changes_clear) struct trace_changes ignored = {0};
    if (!enter(trace, look, error) || !send_counts(look, error) ||
        !ask_where(look, &trace->wal, &trace->temp, error))
        return false;
    trace->counted = postgres_server_version(look->postgres) >= COUNTS_CAN_BE_SENT;
    trace->exclusive = false;
    trace->running = NULL;
    trace_relations_begin(&trace->relations, NULL);
    return !look->bare || look_at_all(trace, look, &ignored, error);
}

/* ---- a statement ---- */

static bool sets_transaction(const char *text)
{
    return strncasecmp(text, "set", strlen("set")) == 0 && strcasestr(text, "transaction") != NULL;
}

/* SET TRANSACTION must come before any query, ours too. */
static bool may_ask(const struct run_look *look)
{
    const struct statement *end = look->script->items + look->script->count;
    for (const struct statement *next = look->statement + 1; next < end && !look->bare; next++)
        if (sets_transaction(next->text))
            return false;
    return true;
}

static bool before(struct trace *trace, const struct run_look *look, struct error *error)
{
    if (!trace->counted && !look->bare && may_ask(look) && !sets_transaction(look->statement->text)) {
        AUTO(rows_free) struct rows *rows = NULL;
        if (!ask(look, sql_trace_counters, &rows, error))
            return false;
        trace_relations_begin(&trace->relations, rows);
        trace->counted = true;
    }
    trace->running = look->statement;
    trace->began_us = clock_us();
    trace_observer_begin(trace->observer, look->pid, look->bare);
    return true;
}

static struct rehearsed_statement *add_statement(struct trace *trace, const struct run_look *look)
{
    struct traced *traced = current(trace);
    const struct statement *from = trace->running;
    traced->statements = memory_grow(traced->statements, traced->count, sizeof *traced->statements);
    struct rehearsed_statement *statement = &traced->statements[traced->count++];
    *statement = (struct rehearsed_statement){
        .line = from->line,
        .text = trace_statement_text(look->script->source->text + from->offset, from->length),
        .class = CLASS_OTHER,
        .us = look->us,
        .rows = look->rows,
        .under_exclusive = trace->exclusive,
        .low_ms = -1,
        .high_ms = -1,
    };
    trace->running = NULL;
    return statement;
}

/* Waits, and what was seen of a statement whose locks are gone now. */
static void add_seen(const struct trace *trace, struct seen *seen, bool bare,
                     struct rehearsed_statement *statement)
{
    statement->lock_wait_us = seen->wait_us < statement->us ? seen->wait_us : statement->us;
    statement->phases = seen->phases;
    seen->phases = (struct text_list){0};
    for (size_t i = 0; i < seen->count && bare; i++) {
        const struct seen_lock *lock = &seen->locks[i];
        const struct trace_relation *relation = trace_relations_find(&trace->relations, lock->oid);
        if (relation == NULL || relation->born > 0)
            continue;
        statement->locks = memory_grow(statement->locks, statement->lock_count, sizeof *statement->locks);
        statement->locks[statement->lock_count++] =
            (struct held_lock){.relation = text_copy(relation->name),
                               .mode = text_copy(lock_mode_name(lock->mode)),
                               .bytes = relation->bytes_before,
                               .wait_us = lock->wait_us,
                               .held_us = lock->last_us - lock->first_us};
    }
}

/* Which of the statement's locks was waited for; when a transaction's lock was taken stands in held_us until
 * the transaction ends. */
static void time_locks(const struct trace *trace, const struct seen *seen,
                       struct rehearsed_statement *statement)
{
    for (size_t i = 0; i < statement->lock_count; i++) {
        struct held_lock *lock = &statement->locks[i];
        lock->held_us = trace->began_us + statement->lock_wait_us;
        for (size_t k = 0; k < seen->count; k++) {
            const struct trace_relation *relation =
                trace_relations_find(&trace->relations, seen->locks[k].oid);
            if (relation != NULL && strcmp(relation->name, lock->relation) == 0)
                lock->wait_us += seen->locks[k].wait_us;
        }
    }
}

static bool has_exclusive(const struct rehearsed_statement *statement)
{
    for (size_t i = 0; i < statement->lock_count; i++)
        if (lock_mode_of(statement->locks[i].mode) == LOCK_ACCESS_EXCLUSIVE)
            return true;
    return false;
}

/* In autocommit: its locks are gone, its rows may be committed; all relations are compared. */
static bool measure_bare(struct trace *trace, const struct run_look *look,
                         struct rehearsed_statement *statement, struct error *error)
{
    AUTO(trace_changes_clear) struct trace_changes changes = {0};
    int64_t wal = trace->wal, temp = 0;
    if (!ask_where(look, &wal, &temp, error) || !look_at_all(trace, look, &changes, error))
        return false;
    statement->wal_bytes = wal - trace->wal;
    for (size_t i = 0; i < changes.count && trace->options.probe_victims; i++) {
        changes.items[i].scanned = false; /* the probe reads and writes, too */
        changes.items[i].written = 0;
    }
    trace_statement_fill(&trace->relations, &changes, look->tag, statement);
    return true;
}

static bool measure(struct trace *trace, const struct run_look *look, struct rehearsed_statement *statement,
                    struct error *error)
{
    AUTO(trace_changes_clear) struct trace_changes changes = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (!ask_relations(trace, look, sql_trace_locked, &rows, error))
        return false;
    statement->wal_bytes = rows_integer(rows, 0, "wal") - trace->wal;
    trace->wal = rows_integer(rows, 0, "wal");
    trace_relations_look(&trace->relations, rows, false, &changes);
    trace_statement_fill(&trace->relations, &changes, look->tag, statement);
    return true;
}

/* What was locked too shortly to be seen meanwhile is held until COMMIT. */
static void visit_locked(struct trace *trace)
{
    for (size_t i = 0; i < trace->relations.count && trace->victim != NULL; i++)
        if (trace->relations.items[i].mode >= LOCK_ROW_EXCLUSIVE && trace->relations.items[i].born == 0)
            victim_visit(trace->victim, trace->relations.items[i].oid);
}

static bool after(struct trace *trace, const struct run_look *look, struct error *error)
{
    AUTO(seen_clear) struct seen seen = {0};
    trace_observer_end(trace->observer, &seen);
    struct rehearsed_statement *statement = add_statement(trace, look);
    add_seen(trace, &seen, look->bare, statement);
    if (look->bare)
        return measure_bare(trace, look, statement, error);
    if (!may_ask(look))
        return true;
    bool good = measure(trace, look, statement, error);
    time_locks(trace, &seen, statement);
    visit_locked(trace);
    trace->exclusive = trace->exclusive || has_exclusive(statement);
    return good;
}

/* ---- a transaction ends ---- */

static void end_locks(struct traced *traced, bool bare, int64_t now)
{
    for (size_t i = traced->committed; i < traced->count && !bare; i++)
        for (size_t k = 0; k < traced->statements[i].lock_count; k++)
            traced->statements[i].locks[k].held_us = now - traced->statements[i].locks[k].held_us;
}

static void count_temporary(struct trace *trace, const struct run_look *look)
{
    AUTO(error_clear) struct error ignored = {0};
    struct traced *traced = current(trace);
    struct rehearsed_statement *longest = NULL;
    int64_t wal = 0, temp = 0;
    if (postgres_is_lost(look->postgres) || !send_counts(look, &ignored) ||
        !ask_where(look, &wal, &temp, &ignored))
        return;
    for (size_t i = traced->committed; i < traced->count; i++)
        if (longest == NULL || traced->statements[i].us > longest->us)
            longest = &traced->statements[i];
    if (longest != NULL && temp > trace->temp)
        longest->temp_bytes = temp - trace->temp;
}

static void list_touched(struct trace *trace)
{
    struct traced *traced = current(trace);
    struct rehearsed before = {.touched = traced->touched, .touched_count = traced->touched_count};
    rehearsed_clear(&before);
    traced->touched = NULL;
    traced->touched_count = 0;
    for (size_t i = 0; i < trace->relations.count; i++) {
        const struct trace_relation *relation = &trace->relations.items[i];
        int64_t was = relation->born == 0 ? relation->bytes_before : 0;
        if (was == relation->bytes && !(relation->gone && relation->born == 0))
            continue;
        traced->touched = memory_grow(traced->touched, traced->touched_count, sizeof *traced->touched);
        traced->touched[traced->touched_count++] =
            (struct touched){text_copy(relation->name), was, relation->bytes};
    }
}

/* The statement that failed is told of, too: what it waited for may be why. */
static void end_failed(struct trace *trace, const struct run_look *look)
{
    AUTO(seen_clear) struct seen seen = {0};
    trace_observer_end(trace->observer, &seen);
    trace->stale = true;
    if (trace->running == NULL)
        return;
    struct rehearsed_statement *statement = add_statement(trace, look);
    statement->us = clock_us() - trace->began_us;
    statement->rows = -1;
    add_seen(trace, &seen, look->bare, statement);
}

static void end_stalls(struct trace *trace)
{
    struct traced *traced = current(trace);
    OWNED char *relation = NULL;
    int64_t us = 0;
    if (trace->victim == NULL)
        return;
    victim_rest(trace->victim, &us, &relation);
    if (relation == NULL || (traced->victim_relation != NULL && us <= traced->victim_us))
        return;
    free(traced->victim_relation);
    traced->victim_relation = take(relation);
    traced->victim_us = us;
}

static void end(struct trace *trace, const struct run_look *look)
{
    int64_t now = clock_us();
    if (trace->current == NONE)
        return;
    struct traced *traced = current(trace);
    if (!look->committed)
        end_failed(trace, look);
    end_stalls(trace);
    end_locks(traced, look->bare, now);
    count_temporary(trace, look);
    if (!look->committed)
        return;
    traced->committed = traced->count;
    traced->commit_us += look->bare ? 0 : look->us;
    list_touched(trace);
}

static bool look_into(void *context, const struct run_look *look, struct error *error)
{
    struct trace *trace = context;
    switch (look->moment) {
    case RUN_LOOK_BEGIN:
        return begin(trace, look, error);
    case RUN_LOOK_BEFORE:
        return before(trace, look, error);
    case RUN_LOOK_AFTER:
        return after(trace, look, error);
    case RUN_LOOK_COMMIT:
        return true;
    case RUN_LOOK_ENDED:
        end(trace, look);
        return true;
    }
    return true;
}

bool trace_begin(struct postgres *postgres, const struct trace_options *options, struct trace **ret,
                 struct error *error)
{
    AUTO(trace_free) struct trace *trace = memory_allocate(1, sizeof *trace);
    trace->options = *options;
    trace->watch = (struct run_watch){.context = trace, .look = look_into};
    trace->stale = true;
    trace->current = NONE;
    if ((options->probe_victims && !victim_new(postgres, &trace->victim, error)) ||
        !trace_observer_new(postgres, trace->victim, &trace->observer, error))
        return false;
    *ret = take(trace);
    return true;
}

/* ---- what it comes to ---- */

bool trace_take(struct trace *trace, const char *version, struct rehearsed *ret)
{
    size_t at = find(trace, version);
    trace->stale = true;
    trace->current = NONE;
    if (at == trace->count)
        return false;
    struct traced *traced = &trace->items[at];
    int64_t wait_us = 0;
    for (size_t i = 0; i < traced->count; i++)
        wait_us += traced->statements[i].lock_wait_us;
    ret->statements = take(traced->statements);
    ret->statement_count = traced->count;
    ret->touched = take(traced->touched);
    ret->touched_count = traced->touched_count;
    ret->lock_wait_ms = wait_us / 1000;
    ret->commit_ms = traced->commit_us / 1000;
    ret->victim_ms = trace->victim == NULL ? -1 : traced->victim_us / 1000;
    ret->victim_relation = take(traced->victim_relation);
    free(traced->version);
    *traced = trace->items[--trace->count];
    return true;
}
