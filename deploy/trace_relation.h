/* SPDX-License-Identifier: PostgreSQL */
/*
 * The relations of a database as a trace knows them: read whole before the first migration, then kept up to
 * date by what each statement has locked. So a relation that is gone is still known by its name, and a new
 * file, rows written and scans are seen as differences. Parts of deploy/trace.
 */
#ifndef DEPLOY_TRACE_RELATION_H
#define DEPLOY_TRACE_RELATION_H

#include "common/postgres.h"
#include "deploy/lock_mode.h"
#include "migrator/history.h"

struct trace_relation {
    int64_t oid;
    int64_t table; /* oid of an index's table; 0 for others */
    int64_t file;  /* 0: it has none */
    char kind;     /* relkind */
    char *name;    /* owned; as it was before the migration */
    int64_t bytes, bytes_before;
    int64_t scans, written;
    enum lock_mode mode; /* the strongest the running transaction holds */
    size_t born;         /* number of the look that saw it first; 0: it was there before the migration */
    bool gone;
};

struct trace_relations {
    struct trace_relation *items; /* in order of oid */
    size_t count;
    size_t looks;
};
void trace_relations_clear(struct trace_relations *relations);
CLEANUP_VALUE(struct trace_relations, trace_relations_clear)

/* What became of a relation from one look to the next. */
struct trace_change {
    size_t at;           /* in items */
    enum lock_mode mode; /* taken meanwhile; LOCK_NONE: none, or none stronger than the one that was held */
    bool created, dropped;
    bool rewritten; /* new file, with rows in it; for an index: built */
    bool emptied;   /* new file without rows */
    bool scanned;
    int64_t written;
};

struct trace_changes {
    struct trace_change *items; /* tables first */
    size_t count;
};
void trace_changes_clear(struct trace_changes *changes);
CLEANUP_VALUE(struct trace_changes, trace_changes_clear)

/* Begin anew with everything that is there; all of it counts as there before. */
MUST_CHECK bool trace_relations_read(struct postgres *postgres, const struct history *history,
                                     struct trace_relations *ret, struct error *error);
/* A migration begins: what is there now was there before. */
void trace_relations_settle(struct trace_relations *relations);
/* A transaction begins: no locks, and nothing counted but what the rows (of sql/trace_counters) say; NULL. */
void trace_relations_begin(struct trace_relations *relations, const struct rows *counters);

/* What has changed by the rows of sql/trace_locked, or, whole, of sql/trace_relations. */
void trace_relations_look(struct trace_relations *relations, const struct rows *rows, bool whole,
                          struct trace_changes *ret);

/* By oid; NULL when it is not known. */
struct trace_relation *trace_relations_find(const struct trace_relations *relations, int64_t oid);

#endif
