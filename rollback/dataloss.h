/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a rollback would destroy, found by running it in a transaction that is rolled back: tables and columns
 * that would disappear, rows that would be deleted, and how much is in them.
 */
#ifndef ROLLBACK_DATALOSS_H
#define ROLLBACK_DATALOSS_H

#include "common/memory.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum loss_kind { LOSS_TABLE, LOSS_COLUMN, LOSS_ROWS };

struct data_loss {
    enum loss_kind kind;
    char *object;    /* "public.orders", "public.orders.note" */
    char *version;   /* the migration whose rollback does it */
    int64_t rows;    /* that hold data: rows of the table, non-null values of the column, rows deleted */
    bool at_least;   /* counting stopped there */
};

struct data_losses {
    struct data_loss *items; /* only those that hold data */
    size_t count;
};
void data_losses_clear(struct data_losses *losses);
CLEANUP_VALUE(struct data_losses, data_losses_clear)

#endif
