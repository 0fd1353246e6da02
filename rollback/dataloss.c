/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/dataloss.h"

#include "migrator/retry.h"
#include "rollback/catalog.h"
#include "sql.h"
#include <string.h>

#define COUNT_LIMIT 1000000

/* Something that disappeared, not yet counted. */
struct suspect {
    enum loss_kind kind;
    char *version;
    size_t at;       /* row of the first catalog that names it */
    size_t whole;    /* LOSS_TABLE: the same, of the partitioned table that went with it, or at */
    int64_t deleted; /* LOSS_ROWS, LOSS_LARGE_OBJECTS: as the server counted */
    bool emptied;    /* LOSS_ROWS: the file changed; then it counts how many rows are … */
    int64_t left;    /* … left, of how many … */
    int64_t before;  /* … there were before; -1: to be counted */
    int64_t locked;  /* LOSS_ROWS: how many there are when it runs for real; -1: not looked at */
    char *what;      /* LOSS_UNKNOWN */
    char *problem;
};

struct dataloss {
    struct postgres *postgres;
    const struct history *history;
    struct catalog *first, *last;
    struct suspect *suspects;
    size_t count;
};

const char *loss_kind_name(enum loss_kind kind)
{
    static const char *const names[] = {[LOSS_TABLE] = "table",
                                        [LOSS_COLUMN] = "column",
                                        [LOSS_ROWS] = "rows",
                                        [LOSS_LARGE_OBJECTS] = "large objects",
                                        [LOSS_UNKNOWN] = "unknown"};
    return names[kind];
}

void data_losses_clear(struct data_losses *losses)
{
    for (size_t i = 0; i < losses->count; i++) {
        free(losses->items[i].object);
        free(losses->items[i].version);
        free(losses->items[i].problem);
    }
    free(losses->items);
    *losses = (struct data_losses){0};
}

static void suspect_clear(struct suspect *suspect)
{
    free(suspect->version);
    free(suspect->what);
    free(suspect->problem);
}

void dataloss_free(struct dataloss *dataloss)
{
    if (dataloss == NULL)
        return;
    if (dataloss->last != dataloss->first)
        catalog_free(dataloss->last);
    catalog_free(dataloss->first);
    for (size_t i = 0; i < dataloss->count; i++)
        suspect_clear(&dataloss->suspects[i]);
    free(dataloss->suspects);
    free(dataloss);
}

static struct suspect *suspect(struct dataloss *dataloss, enum loss_kind kind, const char *version, size_t at)
{
    dataloss->suspects = memory_grow(dataloss->suspects, dataloss->count, sizeof *dataloss->suspects);
    struct suspect *new = &dataloss->suspects[dataloss->count++];
    *new = (struct suspect){.kind = kind, .version = text_copy(version), .at = at, .locked = -1};
    return new;
}

void dataloss_unknown(struct dataloss *dataloss, const char *version, const char *what, const char *problem)
{
    struct suspect *unknown = suspect(dataloss, LOSS_UNKNOWN, version, 0);
    unknown->what = text_copy(what);
    unknown->problem = text_copy(problem);
}

bool dataloss_begin(struct postgres *postgres, const struct history *history, struct dataloss **ret,
                    struct error *error)
{
    AUTO(dataloss_free) struct dataloss *dataloss = memory_allocate(1, sizeof *dataloss);
    dataloss->postgres = postgres;
    dataloss->history = history;
    if (!catalog_read(postgres, history, &dataloss->first, error))
        return false;
    dataloss->last = dataloss->first;
    *ret = take(dataloss);
    return true;
}

/* ---- counting ---- */

/* What counting one thing came to. */
struct counted {
    int64_t rows;
    struct error problem; /* why it could not be counted, if its code is set */
};

static void counted_clear(struct counted *counted)
{
    error_clear(&counted->problem);
}
CLEANUP_VALUE(struct counted, counted_clear)

static bool count_rows(struct postgres *postgres, const char *sql, struct counted *ret)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *limit = text_format("%d", COUNT_LIMIT + 1);
    if (!postgres_execute(postgres, sql_set_row_security_off, &ret->problem) ||
        !postgres_query(postgres, sql, 1, (const char *const[]){limit}, &rows, &ret->problem))
        return false;
    ret->rows = rows_integer(rows, 0, "rows");
    return true;
}

/* In a transaction, of which a failure to count must not be the end. False when all is over, or to be tried
 * again. */
static bool count(struct dataloss *dataloss, const struct catalog *catalog, size_t row, bool column,
                  struct counted *ret, struct error *error)
{
    OWNED char *sql = catalog_count(catalog, row, column);
    if (!postgres_execute(dataloss->postgres, sql_savepoint, error))
        return false;
    bool good = count_rows(dataloss->postgres, sql, ret);
    if (!good && (postgres_is_lost(dataloss->postgres) || retry_makes_sense(&ret->problem) ||
                  strcmp(ret->problem.sqlstate, "42501") != 0)) {
        error_move(error, &ret->problem);
        return false;
    }
    return postgres_execute(dataloss->postgres, sql_savepoint_back, error);
}

/* ---- comparing ---- */

/* The topmost table of which the one at row was a part and that is gone, too. */
static size_t whole_of(const struct dataloss *dataloss, const struct catalog *now, size_t row)
{
    for (;;) {
        int64_t parent = catalog_entry(dataloss->first, row)->parent;
        size_t above = parent == 0 ? CATALOG_NONE : catalog_find(dataloss->first, parent, 0);
        if (above == CATALOG_NONE || catalog_has(now, parent, 0))
            return row;
        row = above;
    }
}

/* Of a partitioned table it is the parts that hold the rows. A column is told by the table that owns it. */
static void compare_objects(struct dataloss *dataloss, const struct catalog *now, const char *version)
{
    const struct catalog *first = dataloss->first;
    for (size_t row = 0; row < catalog_size(first); row++) {
        const struct catalog_entry *entry = catalog_entry(first, row);
        if (!catalog_has(dataloss->last, entry->relation, entry->number) ||
            catalog_has(now, entry->relation, entry->number))
            continue;
        bool table_gone = !catalog_has(now, entry->relation, 0);
        if (table_gone && catalog_begins(first, row) && !entry->partitioned)
            suspect(dataloss, LOSS_TABLE, version, row)->whole = whole_of(dataloss, now, row);
        if (!table_gone && !entry->derived)
            suspect(dataloss, LOSS_COLUMN, version, row);
    }
}

/* How many rows were left when the table's file changed last, or -1 when it has not. */
static int64_t left_before(const struct dataloss *dataloss, size_t at)
{
    for (size_t i = dataloss->count; i > 0; i--)
        if (dataloss->suspects[i - 1].emptied && dataloss->suspects[i - 1].at == at)
            return dataloss->suspects[i - 1].left;
    return -1;
}

/* Of the rows that are there, those that the script has not put there itself: TRUNCATE and as many new rows
 * lose all. Beyond the limit of counting it cannot be told. */
static int64_t survivors(const struct dataloss *dataloss, const struct catalog *now, int64_t relation,
                         int64_t rows)
{
    int64_t since = catalog_inserted(now, relation), before = catalog_inserted(dataloss->last, relation);
    int64_t inserted = since >= before ? since - before : since;

    if (rows > COUNT_LIMIT && inserted < COUNT_LIMIT)
        return rows;
    return inserted < rows ? rows - inserted : 0;
}

/* A table whose file changed was rewritten or truncated: what is left is counted now, what was there later.
 */
static bool compare_file(struct dataloss *dataloss, const struct catalog *now, size_t row,
                         struct suspect *found, struct error *error)
{
    AUTO(counted_clear) struct counted left = {0};
    if (!count(dataloss, now, row, false, &left, error))
        return false;
    found->before = left_before(dataloss, found->at);
    found->left = survivors(dataloss, now, catalog_entry(now, row)->relation, left.rows);
    found->emptied = true;
    return true;
}

static bool compare_rows(struct dataloss *dataloss, const struct catalog *now, const char *version,
                         struct error *error)
{
    const struct catalog *last = dataloss->last;
    for (size_t row = 0; row < catalog_size(last); row++) {
        const struct catalog_entry *entry = catalog_entry(last, row);
        size_t first = catalog_find(dataloss->first, entry->relation, 0);
        size_t after = catalog_find(now, entry->relation, 0);
        if (!catalog_begins(last, row) || first == CATALOG_NONE || after == CATALOG_NONE)
            continue;
        struct suspect found = {.kind = LOSS_ROWS, .at = first, .locked = -1};
        found.deleted = catalog_deleted(now, entry->relation) - catalog_deleted(last, entry->relation);
        if (catalog_entry(now, after)->file != entry->file &&
            !compare_file(dataloss, now, after, &found, error))
            return false;
        if (found.deleted > 0 || found.emptied) {
            found.version = text_copy(version);
            *suspect(dataloss, LOSS_ROWS, NULL, first) = found;
        }
    }
    return true;
}

static void compare_large_objects(struct dataloss *dataloss, const struct catalog *now, const char *version)
{
    int64_t unlinked = catalog_unlinked(now) - catalog_unlinked(dataloss->last);
    if (unlinked > 0)
        suspect(dataloss, LOSS_LARGE_OBJECTS, version, 0)->deleted = unlinked;
}

bool dataloss_step(struct dataloss *dataloss, const char *version, struct error *error)
{
    struct catalog *now = NULL;
    if (!catalog_read(dataloss->postgres, dataloss->history, &now, error))
        return false;
    compare_objects(dataloss, now, version);
    compare_large_objects(dataloss, now, version);
    bool good = compare_rows(dataloss, now, version, error);
    if (!catalog_counts(now))
        dataloss_unknown(dataloss, version, "deleted rows",
                         "the server does not count them while track_counts is off");
    if (dataloss->last != dataloss->first)
        catalog_free(dataloss->last);
    dataloss->last = now;
    return good;
}

/* ---- the result ---- */

static void add_loss(struct data_losses *losses, struct data_loss loss)
{
    losses->items = memory_grow(losses->items, losses->count, sizeof *losses->items);
    losses->items[losses->count++] = loss;
}

/* Rows that hold data; more: counting stopped at the limit. */
static int64_t rows_lost(const struct suspect *suspect, int64_t found, bool *ret_more)
{
    int64_t lost = found - suspect->left;
    *ret_more = found > COUNT_LIMIT && lost > suspect->deleted;
    if (lost < suspect->deleted)
        return suspect->deleted;
    return *ret_more && lost > COUNT_LIMIT ? COUNT_LIMIT : lost;
}

/* Add what this one lost to the loss. */
static bool count_suspect(struct dataloss *dataloss, const struct suspect *suspect, struct data_loss *loss,
                          struct error *error)
{
    AUTO(counted_clear) struct counted counted = {0};
    bool known = suspect->kind == LOSS_ROWS && (!suspect->emptied || suspect->before >= 0), more = false;
    if (!known &&
        !count(dataloss, dataloss->first, suspect->at, suspect->kind == LOSS_COLUMN, &counted, error))
        return false;
    loss->rows += rows_lost(suspect, known ? suspect->before : counted.rows, &more);
    loss->at_least = loss->at_least || more;
    if (loss->problem == NULL)
        loss->problem = text_copy(counted.problem.message);
    return true;
}

static bool same_whole(const struct suspect *a, const struct suspect *b)
{
    return a->kind == LOSS_TABLE && b->kind == LOSS_TABLE && a->whole == b->whole &&
           strcmp(a->version, b->version) == 0;
}

static bool is_told(const struct dataloss *dataloss, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_whole(&dataloss->suspects[i], &dataloss->suspects[at]))
            return true;
    return false;
}

/* A loss with the suspect at the index; the parts of one table are one loss. */
static bool count_loss(struct dataloss *dataloss, size_t at, struct data_losses *losses, struct error *error)
{
    const struct suspect *first = &dataloss->suspects[at];
    bool table = first->kind == LOSS_TABLE;
    struct data_loss loss = {.kind = first->kind};
    bool good = count_suspect(dataloss, first, &loss, error);
    for (size_t i = at + 1; i < dataloss->count && good && table; i++)
        if (same_whole(first, &dataloss->suspects[i]))
            good = count_suspect(dataloss, &dataloss->suspects[i], &loss, error);
    if (!good || (loss.rows <= 0 && loss.problem == NULL)) {
        free(loss.problem);
        return good;
    }
    if (loss.problem != NULL)
        loss.rows = -1;
    loss.object = catalog_name(dataloss->first, table ? first->whole : first->at, first->kind == LOSS_COLUMN);
    loss.version = text_copy(first->version);
    add_loss(losses, loss);
    return true;
}

/* A loss for which nothing is to be counted. */
static bool add_told(const struct suspect *suspect, struct data_losses *losses)
{
    struct data_loss loss = {.kind = suspect->kind, .rows = -1};
    if (suspect->kind == LOSS_LARGE_OBJECTS)
        loss.rows = suspect->deleted;
    else if (suspect->kind != LOSS_UNKNOWN)
        return false;
    loss.object = text_copy(suspect->kind == LOSS_UNKNOWN ? suspect->what : "pg_largeobject");
    loss.version = text_copy(suspect->version);
    loss.problem = text_copy(suspect->problem);
    add_loss(losses, loss);
    return true;
}

bool dataloss_count(struct dataloss *dataloss, struct data_losses *ret, struct error *error)
{
    AUTO(data_losses_clear) struct data_losses losses = {0};
    for (size_t i = 0; i < dataloss->count; i++)
        if (!add_told(&dataloss->suspects[i], &losses) && !is_told(dataloss, i) &&
            !count_loss(dataloss, i, &losses, error))
            return false;
    *ret = losses;
    losses = (struct data_losses){0};
    return true;
}

/* ---- once more, for real ---- */

/* The table as the other script left it, locked, if this role may; its lock lasts as long as the transaction.
 */
static bool lock_table(struct dataloss *dataloss, size_t row, bool *ret_locked, bool *ret_small,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *relation = text_format("%lld", (long long)catalog_entry(dataloss->last, row)->relation);
    if (!postgres_query(dataloss->postgres, sql_dataloss_lockable, 1, (const char *const[]){relation}, &rows,
                        error))
        return false;
    *ret_locked = rows_bool(rows, 0, "lockable");
    *ret_small = rows_bool(rows, 0, "small");
    if (!*ret_locked)
        return true;
    OWNED char *sql = catalog_lock(dataloss->last, row);
    return postgres_execute(dataloss->postgres, sql, error);
}

/* Rows in what a suspect is, now: -1 where that is not known. */
static bool look_again(struct dataloss *dataloss, const struct suspect *suspect, size_t row,
                       int64_t *ret_rows, struct error *error)
{
    AUTO(counted_clear) struct counted counted = {0};
    bool locked = false, small = false, column = suspect->kind == LOSS_COLUMN;
    *ret_rows = -1;
    if (!lock_table(dataloss, row, &locked, &small, error))
        return false;
    if (!locked || (column && !small))
        return true;
    if (!count(dataloss, dataloss->last, row, column, &counted, error))
        return false;
    if (counted.problem.code == ERROR_NONE)
        *ret_rows = counted.rows;
    return true;
}

static struct data_loss loss_of(const struct dataloss *dataloss, const struct suspect *suspect, int64_t rows)
{
    return (struct data_loss){
        .kind = suspect->kind,
        .object = suspect->kind == LOSS_LARGE_OBJECTS
                      ? text_copy("pg_largeobject")
                      : catalog_name(dataloss->first, suspect->at, suspect->kind == LOSS_COLUMN),
        .version = text_copy(suspect->version),
        .rows = rows < COUNT_LIMIT ? rows : COUNT_LIMIT,
        .at_least = rows > COUNT_LIMIT,
    };
}

bool dataloss_lock(struct dataloss *dataloss, const char *version, struct data_losses *losses,
                   struct error *error)
{
    struct catalog *now = NULL;
    if (!catalog_read(dataloss->postgres, dataloss->history, &now, error))
        return false;
    if (dataloss->last != dataloss->first)
        catalog_free(dataloss->last);
    dataloss->last = now;
    for (size_t i = 0; i < dataloss->count; i++) {
        struct suspect *suspect = &dataloss->suspects[i];
        if (strcmp(suspect->version, version) != 0 ||
            (suspect->kind != LOSS_TABLE && suspect->kind != LOSS_COLUMN && !suspect->emptied))
            continue;
        const struct catalog_entry *entry = catalog_entry(dataloss->first, suspect->at);
        size_t row = catalog_find(now, entry->relation, suspect->kind == LOSS_COLUMN ? entry->number : 0);
        int64_t rows = -1;
        if (row != CATALOG_NONE && !look_again(dataloss, suspect, row, &rows, error))
            return false;
        suspect->locked = rows;
        if (rows > 0 && suspect->kind != LOSS_ROWS)
            add_loss(losses, loss_of(dataloss, suspect, rows));
    }
    return true;
}

static const struct suspect *known_suspect(const struct dataloss *dataloss, size_t known,
                                           const struct suspect *new)
{
    for (size_t i = 0; i < known; i++)
        if (dataloss->suspects[i].kind == new->kind &&
            dataloss->suspects[i].at == new->at &&strcmp(dataloss->suspects[i].version, new->version) == 0)
            return &dataloss->suspects[i];
    return NULL;
}

/* What the real run has done and the trial has not. */
static void judge(const struct dataloss *dataloss, size_t known, const struct suspect *new,
                  struct data_losses *losses)
{
    const struct suspect *before = known_suspect(dataloss, known, new);
    int64_t rows = new->deleted;
    if (new->kind == LOSS_UNKNOWN)
        return;
    if (new->emptied && before != NULL && before->locked - new->left > rows)
        rows = before->locked - new->left;
    bool unknown = before == NULL && (new->emptied || new->kind == LOSS_TABLE || new->kind == LOSS_COLUMN);
    if (rows <= 0 && !unknown)
        return;
    struct data_loss loss = loss_of(dataloss, new, unknown ? -1 : rows);
    if (unknown)
        loss.problem = text_copy("this did not happen when the script was tried");
    add_loss(losses, loss);
}

bool dataloss_check(struct dataloss *dataloss, const char *version, struct data_losses *losses,
                    struct error *error)
{
    size_t known = dataloss->count;
    bool good = dataloss_step(dataloss, version, error);
    for (size_t i = known; i < dataloss->count; i++) {
        if (good)
            judge(dataloss, known, &dataloss->suspects[i], losses);
        suspect_clear(&dataloss->suspects[i]);
    }
    dataloss->count = known;
    return good;
}
