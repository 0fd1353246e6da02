/* SPDX-License-Identifier: PostgreSQL */
/*
 * The order of the columns of tables that inherit, which pg_dump cannot keep: CREATE TABLE … INHERITS puts
 * the inherited columns first, whatever ALTER TABLE … INHERIT or a column added to the parent had made of it.
 * All that pg_dump writes in the order of columns is in another order in a dump of the copy, then.
 */
#ifndef BACKUP_COLUMN_ORDER_H
#define BACKUP_COLUMN_ORDER_H

/*
 * The script of a schema with all that in an order of its own: the columns in CREATE TABLE where it ends in
 * INHERITS, without the commas behind them, and the ALTER COLUMN behind it; the comments, labels, privileges
 * and defaults of columns, which are entries of their own and name them; the columns of CREATE STATISTICS. An
 * ordinary table's columns stay as they are. The caller frees it.
 */
char *column_order_forget(const char *script);

#endif
