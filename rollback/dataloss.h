/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a rollback would destroy, found by running it in a transaction that is rolled back: tables and columns
 * that would disappear, rows that would be deleted or truncated, and how much is in them; how many large
 * objects would be unlinked.
 *
 * Tables and columns are compared by oid and number, so a rename loses nothing. Deleted rows come from the
 * server's own counters (those of a subtransaction that was rolled back are in them), truncated ones from
 * counting tables whose file changed. A column that only changes its type or values is not seen. Sequences
 * and whatever else a script does outside the transaction is not undone.
 */
#ifndef ROLLBACK_DATALOSS_H
#define ROLLBACK_DATALOSS_H

#include "common/postgres.h"
#include "migrator/history.h"

enum loss_kind {
    LOSS_TABLE,
    LOSS_COLUMN,
    LOSS_ROWS,
    LOSS_LARGE_OBJECTS, /* unlinked */
    LOSS_UNKNOWN,       /* a statement that could not be tried: object is where and what it is */
};
const char *loss_kind_name(enum loss_kind kind); /* "table", "column", "rows", "large objects", "unknown" */

struct data_loss {
    enum loss_kind kind;
    char *object;  /* "public.orders", "public.orders.note", as written in SQL; "pg_largeobject" */
    char *version; /* the migration whose rollback does it */
    int64_t rows;  /* that hold data: rows of the table, non-null values of the column, rows deleted; -1:
                      unknown */
    bool at_least; /* counting stopped there */
    char *problem; /* why rows is unknown, or NULL */
};

struct data_losses {
    struct data_loss *items; /* only those that hold data, or may */
    size_t count;
};
void data_losses_clear(struct data_losses *losses);
CLEANUP_VALUE(struct data_losses, data_losses_clear)

/*
 * Use: begin a transaction; dataloss_begin; run a rollback script, dataloss_step; the next one …; roll the
 * transaction back and begin another one; dataloss_count, which counts what is in the objects now that they
 * are there again. Counting runs as the current role; rows that row-level security hides from it make the
 * count unknown.
 */
struct dataloss;
MUST_CHECK bool dataloss_begin(struct postgres *postgres, const struct history *history,
                               struct dataloss **ret, struct error *error);
MUST_CHECK bool dataloss_step(struct dataloss *dataloss, const char *version, struct error *error);
MUST_CHECK bool dataloss_count(struct dataloss *dataloss, struct data_losses *ret, struct error *error);
/* Add what could not be tried. */
void dataloss_unknown(struct dataloss *dataloss, const char *version, const char *what, const char *problem);

/*
 * The same script once more, for real, where it was found to lose nothing: rows may have come since then.
 * In its transaction, dataloss_lock before its first statement locks the tables that it would drop, empty or
 * take a column from, as it will do itself, and looks whether they are as empty as they were; dataloss_check
 * before COMMIT finds what else went. What they find is added to losses. A column of a table larger than 64
 * MB is not looked at again: nobody should have to wait for that.
 */
MUST_CHECK bool dataloss_lock(struct dataloss *dataloss, const char *version, struct data_losses *losses,
                              struct error *error);
MUST_CHECK bool dataloss_check(struct dataloss *dataloss, const char *version, struct data_losses *losses,
                               struct error *error);
void dataloss_free(struct dataloss *dataloss);
CLEANUP_POINTER(struct dataloss *, dataloss_free)

#endif
