/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a rollback would destroy, found by running it in a transaction that is rolled back: tables and columns
 * that would disappear, rows that would be deleted or truncated, and how much is in them.
 *
 * Tables and columns are compared by oid and number, so a rename loses nothing. Deleted rows come from the
 * server's own counters, truncated ones from counting tables whose file changed. A column that only changes
 * its type or values is not seen.
 */
#ifndef ROLLBACK_DATALOSS_H
#define ROLLBACK_DATALOSS_H

#include "common/postgres.h"
#include "migrator/history.h"

enum loss_kind { LOSS_TABLE, LOSS_COLUMN, LOSS_ROWS };
const char *loss_kind_name(enum loss_kind kind); /* "table", "column", "rows" */

struct data_loss {
    enum loss_kind kind;
    char *object;  /* "public.orders", "public.orders.note" */
    char *version; /* the migration whose rollback does it */
    int64_t rows;  /* that hold data: rows of the table, non-null values of the column, rows deleted */
    bool at_least; /* counting stopped there */
};

struct data_losses {
    struct data_loss *items; /* only those that hold data */
    size_t count;
};
void data_losses_clear(struct data_losses *losses);
CLEANUP_VALUE(struct data_losses, data_losses_clear)

/*
 * Use: begin a transaction; dataloss_begin; run a rollback script, dataloss_step; the next one …; roll the
 * transaction back; dataloss_count, which counts what is in the objects now that they are there again.
 */
struct dataloss;
MUST_CHECK bool dataloss_begin(struct postgres *postgres, const struct history *history,
                               struct dataloss **ret, struct error *error);
MUST_CHECK bool dataloss_step(struct dataloss *dataloss, const char *version, struct error *error);
MUST_CHECK bool dataloss_count(struct dataloss *dataloss, struct data_losses *ret, struct error *error);
void dataloss_free(struct dataloss *dataloss);
CLEANUP_POINTER(struct dataloss *, dataloss_free)

#endif
