/* SPDX-License-Identifier: PostgreSQL */
/*
 * The table of contents of a pg_dump archive, as "pg_restore --list --verbose" prints it, and the lists for
 * "pg_restore --use-list" made of it.
 *
 * A restore in sections would apply privileges with the objects they belong to, before the data: an owner
 * that has revoked its own INSERT could then not be loaded. One uninterrupted pg_restore applies them after
 * all data, and event triggers and materialized views' contents after those; toc_part tells which is which
 * (_tocEntryRestorePass() in PostgreSQL's pg_backup_archiver.c).
 *
 * Names stand in the listing as they are, without quotes, and with blanks for line breaks. So an entry is not
 * taken apart: it is compared with the text that an object known by name would have (toc_key).
 */
#ifndef BACKUP_TOC_H
#define BACKUP_TOC_H

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <stdbool.h>
#include <stddef.h>

enum toc_part {
    TOC_OBJECTS,    /* before and after the data: pg_restore --section tells them apart */
    TOC_PRIVILEGES, /* after all data */
    TOC_LATE,       /* after the privileges: contents of materialized views, event triggers */
};

struct toc_entry {
    char *line;       /* "216; 1259 16394 TABLE public users shop" */
    const char *text; /* from the kind on: "TABLE public users shop"; points into line */
    long id;
    long *needs; /* ids of other entries, not all of which must be there */
    size_t need_count;
};
struct toc {
    struct toc_entry *items; /* in the order in which they are restored */
    size_t count;
    const struct text_list *roles; /* names with blanks that owners may have; may be NULL; not owned */
};
void toc_clear(struct toc *toc);
CLEANUP_VALUE(struct toc, toc_clear)

/* ERROR_BACKUP when it is no listing of pg_restore's. */
MUST_CHECK bool toc_read(const char *listing, struct toc *ret, struct error *error);

enum toc_part toc_part(const struct toc_entry *entry);

/* Whether it makes an index: one of its own, a constraint's, or the part of one that a partition has. */
bool toc_makes_index(const struct toc_entry *entry);

/* How the entry of an object begins: kind "TABLE", schema (NULL where it has none) and name. */
char *toc_key(const char *kind, const char *schema, const char *name);
/* Whether the entry is that of the key. */
bool toc_is(const struct toc *toc, const struct toc_entry *entry, const char *key);
/* The first entry of that key, or NULL. */
const struct toc_entry *toc_find(const struct toc *toc, const char *key);

/* Whose things the chosen entries (NULL: all) make, the schema public among them or not; or, with defaults,
 * for whose later things they set default privileges. */
void toc_owners(const struct toc *toc, const bool *chosen, bool defaults, bool with_public,
                struct text_list *ret);

/*
 * What belongs to some tables: chosen[i] is set for each entry that is one of the tables (keys: toc_key with
 * kind "TABLE"), something it needs (schema, types, functions, sequences), or something that hangs on it
 * (defaults, constraints, indexes, statistics, partitions, comments, privileges). Foreign keys, triggers,
 * policies and rules only where all that they need is chosen anyway. wanted[i] is set for those that are not
 * only needed by others: the tables themselves, their partitions, what hangs on them. Both have toc->count
 * elements.
 */
void toc_choose_tables(const struct toc *toc, const struct text_list *keys, bool *chosen, bool *wanted);

/* Of the wanted tables' foreign keys, triggers, policies and rules those that were not chosen, each with what
 * it needs, as sentences. chosen and wanted are those of toc_choose_tables. */
void toc_left_out(const struct toc *toc, const bool *chosen, const bool *wanted, struct text_list *ret);

/* Lines for --use-list: the entries of a part, of the chosen ones (NULL: all), without those whose key is in
 * done (NULL: none). The caller frees it. */
char *toc_list(const struct toc *toc, enum toc_part part, const bool *chosen, const struct text_list *done);

#endif
