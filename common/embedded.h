/* SPDX-License-Identifier: PostgreSQL */
/* Files that the build puts into the program. */
#ifndef COMMON_EMBEDDED_H
#define COMMON_EMBEDDED_H

struct embedded_file {
    const char *name; /* without folders */
    const char *text;
};

/* The sample application's migrations in docs/examples/shop, ended by a NULL name. */
extern const struct embedded_file shop_files[];
/* The next one, docs/examples/discounts: right, with a mistake, and its rollback. */
extern const struct embedded_file discount_files[];

#endif
