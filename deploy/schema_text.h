/* SPDX-License-Identifier: PostgreSQL */
/*
 * A schema as pg_dump writes it, cut into the objects that its comments name, and two of them compared object
 * by object. The text of pg_dump is the measure because it is complete: what no query of ours thinks of is in
 * it.
 */
#ifndef DEPLOY_SCHEMA_TEXT_H
#define DEPLOY_SCHEMA_TEXT_H

#include "common/postgres.h"
#include "deploy/rehearsal.h"

struct schema_object {
    char *kind;             /* "table", "constraint", … */
    char *name;             /* "public.orders" */
    struct text_list lines; /* of its statements, without the commas at their ends */
};

struct schema_text {
    struct schema_object *items; /* in order of kind and name */
    size_t count;
};
void schema_text_clear(struct schema_text *text);
CLEANUP_VALUE(struct schema_text, schema_text_clear)

/* The pg_dump that fits the server; the caller frees it. */
MUST_CHECK bool schema_text_program(const struct postgres *postgres, char **ret, struct error *error);
/* By that program, as the user of the connection, with the settings that its sessions begin with. */
MUST_CHECK bool schema_text_read(const struct postgres *postgres, const char *program,
                                 struct schema_text *ret, struct error *error);
/* For tests: the same from a text of pg_dump. */
void schema_text_parse(const char *text, struct schema_text *ret);

/*
 * Add what is different in found. Columns that stand in another order are a mild difference; privileges
 * granted in another order are none.
 */
void schema_text_compare(const struct schema_text *expected, const struct schema_text *found,
                         struct rehearsed *ret);

/* Add one; the format's text is what differs. */
void difference_add(struct rehearsed *rehearsed, const char *kind, const char *object, bool mild,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
