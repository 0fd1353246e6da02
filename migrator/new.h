/* SPDX-License-Identifier: PostgreSQL */
/*
 * Write the files of a new migration, numbered and laid out as the others are.
 *
 * The number is the last one's plus one in its width, or the time where the folder has timestamps (17, 14,
 * 13, 12, 10 or 8 digits, as the last one has). Files are made only where there is none, and both or neither.
 */
#ifndef MIGRATOR_NEW_H
#define MIGRATOR_NEW_H

#include "migrator/folder.h"
#include <time.h>

enum new_numbering { NEW_AUTO, NEW_SEQUENCE, NEW_TIMESTAMP };

struct new_request {
    const struct folder *folder; /* what is there; may be one that holds errors */
    const char *directory;       /* where to write; made when it is not there */
    const char *description;     /* as the user gives it: "Add orders" */
    enum new_numbering numbering;
    enum layout layout; /* LAYOUT_AUTO: the last migration's */
    time_t now;
};

struct new_result {
    char *version;
    struct text_list files;
};

MUST_CHECK bool new_write(const struct new_request *request, struct new_result *ret, struct error *error);
void new_result_clear(struct new_result *result);
CLEANUP_VALUE(struct new_result, new_result_clear)

/* "Add orders, please" -> "add_orders_please"; NULL when no letter or digit is left. */
char *new_description(const char *words);
/* The digits of the next number. */
char *new_number(const struct new_request *request);

#endif
