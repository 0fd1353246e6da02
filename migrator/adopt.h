/* SPDX-License-Identifier: PostgreSQL */
/*
 * Looking at what has the history table's name, and making it ours: a new table, or columns added to one that
 * was there first. Parts of migrator/history; nobody else needs them.
 */
#ifndef MIGRATOR_ADOPT_H
#define MIGRATOR_ADOPT_H

#include "migrator/shape.h"

/* The table as it stands now; look->oid stays NULL when there is none. */
MUST_CHECK bool adopt_look(const struct history *history, struct table_look *ret, struct error *error);

/* Another tool's table somewhere in the database that holds something: both NULL when there is none. */
MUST_CHECK bool adopt_find_tool(const struct history *history, char **ret_tool, char **ret_table,
                                struct error *error);

/* Both questions apart from their answers, to be sent together with others; texts of them are kept in here.
 */
struct adopt_questions {
    const char *look[3], *tools[3];
    char *names;
};
void adopt_ask(const struct history *history, struct adopt_questions *ret);
void adopt_questions_clear(struct adopt_questions *questions);
CLEANUP_VALUE(struct adopt_questions, adopt_questions_clear)
void adopt_read_look(const struct rows *rows, struct table_look *ret);
void adopt_read_tool(const struct rows *rows, char **ret_tool, char **ret_table);

/* Create table and log (and schema). ret_raced: another session made them meanwhile, look again. */
MUST_CHECK bool adopt_create(const struct history *history, bool *ret_raced, struct error *error);

/* Bring a table judged adoptable into our shape, all in one transaction. */
MUST_CHECK bool adopt_table(const struct history *history, const struct table_look *look,
                            const struct table_verdict *verdict, bool *ret_raced, struct error *error);

/* "schema.table", for messages. */
char *history_name(const struct history *history);

/* A statement of sql/ with the names of schema, table and log, and column where it has one, put in. */
char *history_sql(const struct history *history, const char *sql, const char *column);

#endif
