/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/advice.h"

#include "deploy/lock_mode.h"
#include <string.h>

#define LONG_US   100000 /* a statement that others notice when they wait for it */
#define ROWS_MANY 100000

/* One statement of a migration. */
struct view {
    const struct advice_options *options;
    struct rehearsed *rehearsed;
    const struct rehearsed_statement *statement;
};

static void add(const struct view *view, const char *rule, char *text)
{
    struct rehearsed *rehearsed = view->rehearsed;
    rehearsed->advice = memory_grow(rehearsed->advice, rehearsed->advice_count, sizeof *rehearsed->advice);
    rehearsed->advice[rehearsed->advice_count++] =
        (struct advice){view->statement->line, text_copy(rule), text};
}

/* ---- what was measured ---- */

static int64_t bytes_at(const struct advice_options *options, const char *relation, int64_t here)
{
    const struct table_facts *table =
        options->target == NULL ? NULL : server_facts_table(options->target, relation);
    return table == NULL ? here : table->bytes;
}

static bool is_large(const struct advice_options *options, const struct held_lock *lock)
{
    return bytes_at(options, lock->relation, lock->bytes) > options->exclusive_bytes;
}

static bool is_built(const struct rehearsed_statement *statement, const struct held_lock *lock)
{
    return text_list_contains(&statement->built, lock->relation);
}

/* The lock on a large table of a mode at least this strong; NULL when there is none. */
static const struct held_lock *lock_from(const struct view *view, enum lock_mode least)
{
    for (size_t i = 0; i < view->statement->lock_count; i++) {
        const struct held_lock *lock = &view->statement->locks[i];
        if (lock_mode_of(lock->mode) >= least && is_large(view->options, lock))
            return lock;
    }
    return NULL;
}

/* The statement that took ACCESS EXCLUSIVE on a large table before this one; NULL when none did. */
static const struct rehearsed_statement *holder(const struct view *view, const struct held_lock **ret)
{
    const struct rehearsed *rehearsed = view->rehearsed;
    for (const struct rehearsed_statement *at = rehearsed->statements; at < view->statement; at++) {
        struct view before = {view->options, view->rehearsed, at};
        *ret = view->statement->under_exclusive ? lock_from(&before, LOCK_ACCESS_EXCLUSIVE) : NULL;
        if (*ret != NULL)
            return at;
    }
    return NULL;
}

static bool says(const struct view *view, const char *words)
{
    return strcasestr(view->statement->text, words) != NULL;
}

/* ---- the rules, one function a class ---- */

static void advise_build(const struct view *view)
{
    const struct held_lock *lock = lock_from(view, LOCK_SHARE);
    if (lock == NULL)
        return;
    bool again = false;
    for (size_t i = 0; i < view->statement->lock_count; i++)
        again = again || is_built(view->statement, &view->statement->locks[i]);
    if (again)
        add(view, "reindex-not-concurrent",
            text_format("REINDEX stops writing and reading %s; use REINDEX … CONCURRENTLY in a "
                        "no-transaction migration",
                        lock->relation));
    else if (lock_mode_of(lock->mode) == LOCK_SHARE)
        add(view, "index-not-concurrent",
            text_format("nobody can write %s while the index is built; use CREATE INDEX CONCURRENTLY in a "
                        "no-transaction migration",
                        lock->relation));
    else
        add(view, "unique-not-concurrent",
            text_format("nobody can use %s while the index is built; build it with CREATE UNIQUE INDEX "
                        "CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX",
                        lock->relation));
}

static void advise_scan(const struct view *view)
{
    const struct held_lock *by = NULL, *lock = lock_from(view, LOCK_SHARE);
    const struct rehearsed_statement *earlier = holder(view, &by);
    if (lock == NULL && earlier != NULL) {
        add(view, "validate-under-exclusive",
            text_format("%s is read while line %zu holds ACCESS EXCLUSIVE on %s; put it into a migration of "
                        "its own",
                        view->statement->scanned.items[0], earlier->line, by->relation));
        return;
    }
    if (lock == NULL)
        return;
    const char *way = "add the constraint NOT VALID, and VALIDATE it in another migration";
    if (says(view, "not null"))
        way = "add CHECK (… IS NOT NULL) NOT VALID, VALIDATE it in another migration, and SET NOT NULL after "
              "that reads nothing";
    else if (says(view, "attach partition"))
        way = "give the partition a valid CHECK that implies its bounds first, and the default partition one "
              "that excludes them";
    else if (says(view, " type "))
        way = "drop the CHECK constraints on the column before, and add them NOT VALID after it";
    add(view, "scan-under-lock",
        text_format("%s is read whole while %s on %s is held; %s", view->statement->scanned.items[0],
                    lock_mode_words(lock_mode_of(lock->mode)), lock->relation, way));
}

static void advise_rewrite(const struct view *view)
{
    const struct held_lock *lock = lock_from(view, LOCK_ACCESS_EXCLUSIVE);
    if (lock == NULL)
        return;
    const char *way = "add a column, fill it in batches, and let it take the other's place";
    if (says(view, "refresh"))
        way = "REFRESH MATERIALIZED VIEW CONCURRENTLY lets readers go on; it needs a unique index";
    else if (says(view, "vacuum") || says(view, "cluster"))
        way = "pg_repack does it without the lock";
    else if (says(view, "add column") || says(view, " add "))
        way = "add the column without the default, SET DEFAULT after it, and fill the old rows in batches";
    add(view, "rewrite",
        text_format("all rows of %s are written anew under ACCESS EXCLUSIVE; %s", lock->relation, way));
}

static void advise_dml(const struct view *view)
{
    const struct held_lock *by = NULL;
    const struct rehearsed_statement *earlier = holder(view, &by);
    const struct rehearsed_statement *statement = view->statement;
    if (earlier != NULL && (statement->rows >= ROWS_MANY / 100 || statement->us > LONG_US))
        add(view, "rows-under-exclusive",
            text_format("rows are changed while line %zu holds ACCESS EXCLUSIVE on %s; put them into a "
                        "migration of their own",
                        earlier->line, by->relation));
    if (statement->rows >= ROWS_MANY && statement->scanned.count > 0)
        add(view, "large-dml",
            text_format("%lld rows of %s are changed at once; change them in batches, each in a transaction "
                        "of its own",
                        (long long)statement->rows,
                        statement->written.count > 0 ? statement->written.items[0] : "a table"));
}

static void advise_metadata(const struct view *view)
{
    const struct held_lock *lock = lock_from(view, LOCK_ACCESS_EXCLUSIVE);
    if (lock == NULL)
        return;
    if (text_starts_with(view->statement->text, "DROP INDEX") || says(view, "drop index"))
        add(view, "drop-index-not-concurrent",
            text_format("it waits for everybody who uses %s, and all others wait for it; use DROP INDEX "
                        "CONCURRENTLY in a no-transaction migration",
                        lock->relation));
    else if (says(view, "detach partition"))
        add(view, "detach-not-concurrent",
            text_format("it takes ACCESS EXCLUSIVE on %s; use DETACH PARTITION … CONCURRENTLY in a "
                        "no-transaction migration",
                        lock->relation));
    else if (says(view, "partition of"))
        add(view, "partition-of",
            text_format("it takes ACCESS EXCLUSIVE on %s; CREATE TABLE and ATTACH PARTITION do not",
                        lock->relation));
}

static void advise_other(const struct view *view)
{
    const struct held_lock *by = NULL;
    const struct rehearsed_statement *earlier = holder(view, &by);
    if (earlier != NULL && view->statement->us > LONG_US)
        add(view, "long-under-exclusive",
            text_format("it runs while line %zu holds ACCESS EXCLUSIVE on %s; put it into another migration",
                        earlier->line, by->relation));
}

/* Two sessions that lock the same tables the other way round wait for each other for ever. */
static void advise_order(struct rehearsed *rehearsed, const struct advice_options *options)
{
    const struct held_lock *first = NULL;
    for (size_t i = 0; i < rehearsed->statement_count && rehearsed->transactional; i++) {
        struct view view = {options, rehearsed, &rehearsed->statements[i]};
        const struct held_lock *lock = lock_from(&view, LOCK_ACCESS_EXCLUSIVE);
        if (lock == NULL)
            continue;
        if (first != NULL && strcmp(first->relation, lock->relation) != 0) {
            add(&view, "several-exclusive",
                text_format("ACCESS EXCLUSIVE on %s is taken while it is held on %s, which dead-locks with "
                            "who takes them the other way round; one table a migration",
                            lock->relation, first->relation));
            return;
        }
        first = lock;
    }
}

void advice_fill(struct rehearsed *rehearsed, const struct advice_options *options)
{
    static void (*const rules[])(const struct view *) = {
        [CLASS_REWRITE] = advise_rewrite,   [CLASS_INDEX_BUILD] = advise_build, [CLASS_SCAN] = advise_scan,
        [CLASS_METADATA] = advise_metadata, [CLASS_DML] = advise_dml,           [CLASS_OTHER] = advise_other,
    };
    for (size_t i = 0; i < rehearsed->statement_count; i++) {
        struct view view = {options, rehearsed, &rehearsed->statements[i]};
        size_t before = rehearsed->advice_count;
        rules[view.statement->class](&view);
        if (rehearsed->advice_count == before && view.statement->class != CLASS_OTHER)
            advise_other(&view);
    }
    advise_order(rehearsed, options);
}

/* ---- the whole ---- */

const struct held_lock *advice_worst_lock(const struct rehearsed *rehearsed)
{
    const struct held_lock *worst = NULL;
    for (size_t i = 0; i < rehearsed->statement_count; i++)
        for (size_t k = 0; k < rehearsed->statements[i].lock_count; k++) {
            const struct held_lock *lock = &rehearsed->statements[i].locks[k];
            enum lock_mode mode = lock_mode_of(lock->mode);
            bool exclusive = mode == LOCK_ACCESS_EXCLUSIVE;
            bool worst_exclusive = worst != NULL && lock_mode_of(worst->mode) == LOCK_ACCESS_EXCLUSIVE;
            if (mode < LOCK_SHARE || (worst_exclusive && !exclusive))
                continue;
            if (worst == NULL || exclusive > worst_exclusive || lock->held_us > worst->held_us)
                worst = lock;
        }
    return worst;
}

/* What was measured, times as much as the migration takes longer at the target. */
static int64_t held_ms(const struct rehearsed *rehearsed, const struct held_lock *lock)
{
    int64_t held = lock->held_us / 1000, took = 0;
    for (size_t i = 0; i < rehearsed->statement_count; i++)
        took += (rehearsed->statements[i].us - rehearsed->statements[i].lock_wait_us) / 1000;
    return rehearsed->high_ms > took && took > 0
               ? (int64_t)((double)held * (double)rehearsed->high_ms / (double)took)
               : held;
}

static char *long_lock(const struct rehearsed *rehearsed, const struct advice_options *options)
{
    for (size_t i = 0; i < rehearsed->statement_count; i++)
        for (size_t k = 0; k < rehearsed->statements[i].lock_count; k++) {
            const struct held_lock *lock = &rehearsed->statements[i].locks[k];
            if (lock_mode_of(lock->mode) != LOCK_ACCESS_EXCLUSIVE || !is_large(options, lock) ||
                held_ms(rehearsed, lock) <= options->exclusive_ms)
                continue;
            OWNED char *held = text_duration(held_ms(rehearsed, lock));
            OWNED char *size = text_size(bytes_at(options, lock->relation, lock->bytes));
            return text_format("maintenance window: %s holds ACCESS EXCLUSIVE on %s (%s) for %s",
                               rehearsed->version, lock->relation, size, held);
        }
    return NULL;
}

static int64_t expected_ms(const struct rehearsed *rehearsed)
{
    return rehearsed->high_ms >= 0 ? rehearsed->high_ms : rehearsed->execution_ms;
}

void advice_conclude(struct rehearsal *rehearsal, const struct advice_options *options)
{
    int64_t expected = 0;
    char *why = NULL;
    const char *unknown = NULL;
    for (size_t i = 0; i < rehearsal->count; i++) {
        const struct rehearsed *rehearsed = &rehearsal->items[i];
        expected += expected_ms(rehearsed);
        if (why == NULL)
            why = long_lock(rehearsed, options);
        if (rehearsed->high_ms < 0 && options->target != NULL && unknown == NULL)
            unknown = rehearsed->version;
    }
    OWNED char *time = text_duration(expected);
    if (why == NULL && expected > options->expected_ms)
        why = text_format("maintenance window: the migrations may take %s", time);
    rehearsal->window = why != NULL;
    if (why == NULL && unknown != NULL)
        why = text_format("standard deployment, as far as can be told: %s is not estimable", unknown);
    free(rehearsal->advice);
    rehearsal->advice = why != NULL ? why : text_copy("standard deployment");
}
