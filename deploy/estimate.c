/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/estimate.h"

#include <math.h>
#include <string.h>

#define RATIO_LARGEST    100.0
#define ROWS_LEAST       10000
#define BYTES_LEAST      (1 << 20) /* where rows were never counted */
#define SMALL_GROWTH     2.0       /* what may be said even of a small table */
#define ROWS_FEW         1000      /* so many rows without a scan are as many at the target */
#define HIGH_USUAL       1.5
#define HIGH_SCAN        2.5
#define HIGH_BUILD       3.0
#define HIGH_DML         4.0
#define CORRECTION_LEAST 0.2
#define CORRECTION_MOST  5.0

/* The tables that a statement's time depends on, here and at the target. */
struct amount {
    int64_t bytes, index_bytes, rows;
    bool counted; /* rows of all of them are known */
};

struct comparison {
    const struct server_facts *here_facts, *target_facts;
    const struct rehearsed *rehearsed;
    struct amount here, target;
    size_t tables;       /* that were there before */
    const char *missing; /* a table that the target has not */
    char *names;
};

static void comparison_clear(struct comparison *comparison)
{
    free(comparison->names);
}
CLEANUP_VALUE(struct comparison, comparison_clear)

/* ---- what is compared ---- */

static void add_amount(struct amount *amount, const struct table_facts *table)
{
    amount->bytes += table->bytes;
    amount->index_bytes += table->index_bytes;
    amount->rows += table->rows < 0 ? 0 : table->rows;
    amount->counted = amount->counted && table->rows >= 0;
}

static void compare_table(struct comparison *comparison, const char *name)
{
    const struct table_facts *here = server_facts_table(comparison->here_facts, name);
    const struct table_facts *target = server_facts_table(comparison->target_facts, name);
    if (here == NULL) /* made by a migration: as large there as it is here */
        return;
    if (target == NULL) {
        comparison->missing = name;
        return;
    }
    char *names =
        comparison->names == NULL ? text_copy(name) : text_format("%s, %s", comparison->names, name);
    free(comparison->names);
    comparison->names = names;
    comparison->tables++;
    add_amount(&comparison->here, here);
    add_amount(&comparison->target, target);
}

static void compare_all(struct comparison *comparison, const struct text_list *names,
                        const struct text_list *except)
{
    for (size_t i = 0; i < names->count; i++)
        if (except == NULL || !text_list_contains(except, names->items[i]))
            compare_table(comparison, names->items[i]);
}

static void compare(struct comparison *comparison, const struct rehearsed_statement *statement)
{
    comparison->here.counted = comparison->target.counted = true;
    switch (statement->class) {
    case CLASS_REWRITE:
        compare_all(comparison, &statement->rewritten, NULL);
        break;
    case CLASS_DML:
        compare_all(comparison, &statement->written, NULL);
        compare_all(comparison, &statement->scanned, &statement->written);
        break;
    case CLASS_INDEX_BUILD:
    case CLASS_SCAN:
    case CLASS_OTHER:
        compare_all(comparison, &statement->scanned, NULL);
        break;
    case CLASS_METADATA:
        break;
    }
}

static double ratio_of(int64_t here, int64_t target)
{
    return here <= 0 ? (target <= 0 ? 1.0 : INFINITY) : (double)target / (double)here;
}

static double bytes_ratio(const struct comparison *comparison, bool indexes)
{
    return ratio_of(comparison->here.bytes + (indexes ? comparison->here.index_bytes : 0),
                    comparison->target.bytes + (indexes ? comparison->target.index_bytes : 0));
}

static bool has_rows(const struct comparison *comparison)
{
    return comparison->here.counted && comparison->target.counted;
}

static double rows_ratio(const struct comparison *comparison)
{
    return has_rows(comparison) ? ratio_of(comparison->here.rows, comparison->target.rows)
                                : bytes_ratio(comparison, false);
}

/* ---- the model ---- */

/* Bytes that the files of these relations have after the migration. */
static int64_t bytes_after(const struct rehearsed *rehearsed, const struct text_list *names)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < rehearsed->touched_count; i++)
        if (text_list_contains(names, rehearsed->touched[i].relation))
            bytes += rehearsed->touched[i].after;
    return bytes;
}

struct model {
    double grows;  /* time here times this is the low estimate */
    double spread; /* which times this is the high one */
    const char *by;
};

static bool outgrows(int64_t here, int64_t here_limit, int64_t target, int64_t target_limit)
{
    return target > target_limit && here <= here_limit;
}

static struct model model_of(const struct comparison *comparison, const struct rehearsed_statement *statement)
{
    const struct server_facts *here = comparison->here_facts, *target = comparison->target_facts;
    double bytes = bytes_ratio(comparison, false), rows = rows_ratio(comparison);
    bool large = outgrows(comparison->here.bytes, here->shared_buffers, comparison->target.bytes,
                          target->shared_buffers);
    switch (statement->class) {
    case CLASS_REWRITE:
        return (struct model){bytes_ratio(comparison, true), HIGH_USUAL, "the bytes of table and indexes"};
    case CLASS_INDEX_BUILD: {
        int64_t index = bytes_after(comparison->rehearsed, &statement->built);
        bool sorts = outgrows(index, here->maintenance_work_mem, (int64_t)((double)index * bytes),
                              target->maintenance_work_mem);
        bool known = has_rows(comparison) && comparison->here.rows > 1 && comparison->target.rows > 1;
        double depth =
            known ? log((double)comparison->target.rows) / log((double)comparison->here.rows) : 1.0;
        return (struct model){bytes * depth, sorts || large ? HIGH_BUILD : HIGH_USUAL,
                              sorts ? "the bytes; the index outgrows maintenance_work_mem" : "the bytes"};
    }
    case CLASS_SCAN:
    case CLASS_OTHER:
        return (struct model){bytes, large ? HIGH_SCAN : HIGH_USUAL,
                              large ? "the bytes; they outgrow shared_buffers" : "the bytes"};
    case CLASS_DML:
        return (struct model){rows, HIGH_DML, has_rows(comparison) ? "the rows" : "the bytes"};
    case CLASS_METADATA:
        break;
    }
    return (struct model){1.0, 1.0, "nothing"};
}

/* Its time does not depend on how large the tables are. */
static bool is_constant(const struct comparison *comparison, const struct rehearsed_statement *statement)
{
    bool few = statement->scanned.count == 0 && statement->rows <= ROWS_FEW;
    return statement->class == CLASS_METADATA || comparison->tables == 0 ||
           (statement->class == CLASS_DML && few);
}

/* Why nothing can be said, or NULL. */
static char *objection(const struct comparison *comparison, double grows)
{
    if (comparison->missing != NULL)
        return text_format("not estimable: %s is not in the target", comparison->missing);
    if (grows > RATIO_LARGEST)
        return text_format("not estimable: there is more than %.0f times as much of %s at the target",
                           RATIO_LARGEST, comparison->names);
    bool small =
        comparison->here.counted ? comparison->here.rows < ROWS_LEAST : comparison->here.bytes < BYTES_LEAST;
    if (!small || grows < SMALL_GROWTH)
        return NULL;
    return text_format("not estimable: %s is too small here to measure what grows with it",
                       comparison->names);
}

static double correction_of(const struct estimate_options *options)
{
    double correction = options->correction > 0 ? options->correction : 1.0;
    return fmax(CORRECTION_LEAST, fmin(CORRECTION_MOST, correction));
}

static void add_oldest(const struct server_facts *target, char **basis)
{
    OWNED char *before = take(*basis);
    OWNED char *age = text_duration(target->oldest_ms);
    OWNED char *oldest = target->oldest_ms < 0    ? text_copy("those at the target could not be seen")
                         : target->oldest_ms == 0 ? text_copy("there were none at the target")
                                                  : text_format("the oldest at the target was %s old", age);
    *basis = text_format("%s; it waits for older transactions: %s", before, oldest);
}

/* CONCURRENTLY does. Its phases are seen by looking now and then, so a quick one may have shown none. */
static bool waits_for_transactions(const struct rehearsed_statement *statement)
{
    for (size_t i = 0; i < statement->phases.count; i++)
        if (text_starts_with(statement->phases.items[i], "waiting for"))
            return true;
    return statement->text != NULL && strcasestr(statement->text, "concurrently") != NULL;
}

/* The work alone: waits depend on who else is there. */
static void estimate(struct rehearsed_statement *statement, const struct comparison *comparison,
                     const struct estimate_options *options)
{
    double ms = (double)(statement->us - statement->lock_wait_us) / 1000.0;
    struct model model = model_of(comparison, statement);
    if (is_constant(comparison, statement) && comparison->missing == NULL) {
        statement->basis = text_copy("as measured; waiting for locks comes on top");
        model = (struct model){1.0, 1.0, ""};
    } else {
        statement->basis = objection(comparison, model.grows);
        if (statement->basis != NULL)
            return;
        statement->basis = text_format("%.1f times %s of %s; up to %.1f times that", model.grows, model.by,
                                       comparison->names, model.spread);
        ms *= correction_of(options);
    }
    statement->low_ms = (int64_t)floor(ms * model.grows);
    statement->high_ms = (int64_t)ceil(ms * model.grows * model.spread);
    if (waits_for_transactions(statement))
        add_oldest(options->target, &statement->basis);
}

/* ---- disk and WAL ---- */

/* New files stand beside the old ones until COMMIT. */
static int64_t disk_of(const struct rehearsed_statement *statement, const struct comparison *comparison)
{
    switch (statement->class) {
    case CLASS_REWRITE:
        return comparison->target.bytes + comparison->target.index_bytes;
    case CLASS_INDEX_BUILD:
        return (int64_t)((double)bytes_after(comparison->rehearsed, &statement->built) *
                         bytes_ratio(comparison, false));
    case CLASS_DML: /* a new version of each row */
        return (int64_t)((double)statement->wal_bytes * rows_ratio(comparison));
    default:
        return 0;
    }
}

static void need(struct rehearsed *rehearsed, const struct rehearsed_statement *statement,
                 const struct comparison *comparison)
{
    bool grows = !is_constant(comparison, statement) && statement->class != CLASS_SCAN;
    double ratio = grows ? model_of(comparison, statement).grows : 1.0;
    if (statement->high_ms < 0)
        rehearsed->needs_disk = rehearsed->needs_wal = -1;
    if (rehearsed->needs_disk < 0)
        return;
    rehearsed->needs_wal += (int64_t)((double)statement->wal_bytes * ratio);
    rehearsed->needs_disk += grows ? disk_of(statement, comparison) : 0;
}

/* ---- the migration ---- */

static void total(struct rehearsed *rehearsed)
{
    rehearsed->low_ms = rehearsed->high_ms = 0;
    for (size_t i = 0; i < rehearsed->statement_count; i++) {
        const struct rehearsed_statement *statement = &rehearsed->statements[i];
        if (statement->high_ms < 0) {
            rehearsed->low_ms = rehearsed->high_ms = -1;
            rehearsed->basis = text_format("line %zu: %s", statement->line, statement->basis);
            return;
        }
        rehearsed->low_ms += statement->low_ms;
        rehearsed->high_ms += statement->high_ms;
    }
    const struct rehearsed_statement *most = NULL;
    for (size_t i = 0; i < rehearsed->statement_count; i++)
        if (most == NULL || rehearsed->statements[i].high_ms > most->high_ms)
            most = &rehearsed->statements[i];
    if (most != NULL)
        rehearsed->basis = text_format("line %zu: %s", most->line, most->basis);
}

void estimate_fill(struct rehearsed *rehearsed, const struct estimate_options *options)
{
    rehearsed->low_ms = rehearsed->high_ms = -1;
    rehearsed->needs_disk = rehearsed->needs_wal = options->target == NULL ? -1 : 0;
    free(take(rehearsed->basis));
    for (size_t i = 0; i < rehearsed->statement_count; i++) {
        struct rehearsed_statement *statement = &rehearsed->statements[i];
        AUTO(comparison_clear)
        struct comparison comparison = {
            .here_facts = options->here, .target_facts = options->target, .rehearsed = rehearsed};
        statement->low_ms = statement->high_ms = -1;
        free(take(statement->basis));
        if (options->target == NULL)
            continue;
        compare(&comparison, statement);
        estimate(statement, &comparison, options);
        need(rehearsed, statement, &comparison);
    }
    if (options->target != NULL)
        total(rehearsed);
}
