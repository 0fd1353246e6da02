/* SPDX-License-Identifier: PostgreSQL */
/*
 * How files say what they are: by their names, or by sections inside.
 *
 *   native    042_add_orders.sql, 042_add_orders_rollback.sql, 042_add_orders_verify.sql
 *   updown    042_add_orders.up.sql, 042_add_orders.down.sql
 *   sections  042_add_orders.sql with "-- migrate:up" and "-- migrate:down" on lines of their own
 *   flyway    V1.2__add_orders.sql, U1.2__add_orders.sql
 *
 * LAYOUT_AUTO decides file by file; a folder may hold several kinds.
 */
#ifndef MIGRATOR_LAYOUT_H
#define MIGRATOR_LAYOUT_H

#include "common/error.h"
#include "migrator/source.h"
#include <stdbool.h>

enum layout { LAYOUT_AUTO, LAYOUT_NATIVE, LAYOUT_UPDOWN, LAYOUT_SECTIONS, LAYOUT_FLYWAY };

/* "auto", "native" …, as in the configuration. */
const char *layout_name(enum layout layout);
bool layout_from_name(const char *name, enum layout *ret);

enum file_role { ROLE_STRAY, ROLE_FORWARD, ROLE_ROLLBACK, ROLE_VERIFY, ROLE_SECTIONS };
/*
 * What a file's name means. For anything but ROLE_STRAY, *ret_stem is the version's stem (the caller's to
 * free) and *ret_layout the layout the name belongs to (native for plain NNN_x.sql).
 */
enum file_role migration_file_role(const char *name, enum layout layout, char **ret_stem,
                                   enum layout *ret_layout);

/* Why a name that ends in .sql, in whatever case, is not a migration's; NULL for a name of another kind. */
char *layout_stray_reason(const char *name, enum layout layout);

/* The two halves of a file with sections: [0, down) and [down, size). */
struct sections {
    bool up;           /* it has sections */
    size_t down;       /* where the down half begins; size when there is none */
    size_t first_line; /* the line that is on */
    bool rollback;     /* the down half holds a statement */
};

/*
 * Look for sections in a text. With LAYOUT_SECTIONS they must be there, with LAYOUT_AUTO they may; files of
 * the layouts that have two files are whole, as are those of LAYOUT_NATIVE, where marks that divide nothing
 * are plain comments. Marks that are out of place or misspelt, and those of tools whose sections are not
 * read, are errors (both halves would run): ERROR_USAGE at their place, with *ret_rule naming the check's
 * rule.
 */
MUST_CHECK bool sections_read(const struct source *whole, enum layout layout, struct sections *ret,
                              const char **ret_rule, struct error *error);

#endif
