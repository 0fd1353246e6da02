/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a script's leading comments tell pgmigrate: "-- pgmigrate: no-transaction, lock_timeout=5s".
 *
 * The leading comment block is everything before the first statement: comments of both kinds, blank lines and
 * psql's backslash lines. Several directives on a line are separated by commas or blanks; values with blanks
 * are quoted. dbmate's "-- migrate:up transaction:false" counts as no-transaction.
 */
#ifndef MIGRATOR_DIRECTIVE_H
#define MIGRATOR_DIRECTIVE_H

#include "common/text.h"
#include "migrator/source.h"
#include <stdint.h>

struct directives {
    bool no_transaction;
    bool irreversible;
    bool variables;
    int64_t lock_timeout_ms;      /* -1 when not given */
    int64_t statement_timeout_ms; /* -1 when not given */
    char *role;                   /* NULL when not given */
    struct text_list requires;    /* versions as written */
    struct text_list rls_allow;   /* "CHECK object, reason" */
};

/* The table of directives, for messages and the manual; ended by a NULL name. */
struct directive_info {
    const char *name;
    const char *value; /* "DURATION", or NULL for one without a value */
    const char *meaning;
};
extern const struct directive_info directive_table[];

/* The source must be loaded. Errors (ERROR_USAGE) carry file, line, column, and the nearest known directive.
 */
MUST_CHECK bool directives_read(const struct source *source, struct directives *ret, struct error *error);
void directives_clear(struct directives *directives);
CLEANUP_VALUE(struct directives, directives_clear)

/* Whether they say the same of how a script runs; what they allow row-level security says nothing of that. */
bool directives_equal(const struct directives *a, const struct directives *b);

/*
 * A directive after the first statement has no effect. Finds the first from *offset on; false when there is
 * none. *offset is moved behind it, *ret_place is where it stands in the file.
 */
bool directives_too_late(const struct source *source, size_t *offset, struct text_position *ret_place);

#endif
