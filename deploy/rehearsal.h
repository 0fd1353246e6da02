/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a rehearsal found: the data that `rehearse` fills, the estimate and the advice are made from, the
 * evidence stores, and the reports print. Plain data; every text is owned and may be NULL where it says so.
 *
 * Times of day are UTC, RFC 3339; durations microseconds (_us) or milliseconds (_ms); sizes bytes. -1 is
 * "not known" for rows, sizes and durations.
 */
#ifndef DEPLOY_REHEARSAL_H
#define DEPLOY_REHEARSAL_H

#include "common/error.h"
#include "common/text.h"
#include <stdint.h>

enum rehearsal_place { REHEARSAL_SCRATCH, REHEARSAL_BACKUP, REHEARSAL_EMBEDDED, REHEARSAL_IN_PLACE };

/* What a statement turned out to be, by what was measured, the dearest first. */
enum statement_class {
    CLASS_REWRITE,     /* a table got a new file with its rows */
    CLASS_INDEX_BUILD, /* an index was built */
    CLASS_SCAN,        /* a table was read under a lock, nothing written */
    CLASS_DML,         /* rows changed */
    CLASS_METADATA,    /* the catalogs only */
    CLASS_OTHER,       /* nothing of that: SELECT, SET, … */
};
const char *statement_class_name(enum statement_class class); /* "rewrite", "index build", … */

/* A lock on a relation that a statement took. */
struct held_lock {
    char *relation;           /* "public.orders", by the name it had before the statement */
    char *mode;               /* "AccessExclusiveLock" */
    int64_t bytes;            /* of the relation, before */
    int64_t wait_us, held_us; /* held: until COMMIT, or until the statement let it go */
};

/* One relation's size before and after the migration. */
struct touched {
    char *relation;
    int64_t before, after;
};

struct rehearsed_statement {
    size_t line;
    char *text; /* on one line, shortened */
    enum statement_class class;
    int64_t us, lock_wait_us, rows, wal_bytes, temp_bytes;
    bool
        under_exclusive; /* an earlier statement holds ACCESS EXCLUSIVE on a relation that was there before */
    struct held_lock *locks;
    size_t lock_count;
    struct text_list rewritten, scanned, built; /* tables, tables, indexes */
    struct text_list written;                   /* tables whose rows it changed */
    struct text_list phases;                    /* of CONCURRENTLY: "waiting for old snapshots 120 ms" */
    int64_t low_ms, high_ms;                    /* estimate for the target; -1: not estimable */
    char *basis;                                /* what the estimate rests on, or why there is none */
};

enum round_trip {
    ROUND_TRIP_NONE,
    ROUND_TRIP_EXACT,
    ROUND_TRIP_DIFFERS,
    ROUND_TRIP_FAILS,
    ROUND_TRIP_MISSING
};
const char *round_trip_name(enum round_trip result); /* "exact", "differs", … as in JSON */

/* One thing that is not as it was: "table", "public.orders", "column note is missing". */
struct difference {
    char *kind, *object, *what;
    bool mild; /* the order of columns only */
};

/* What an application would notice: "public.orders.note", "was dropped"; or what lets one tenant reach the
 * rows of another since the migration: "public.orders", "… (D1)". */
struct change {
    char *object, *what;
};

/* What to do about a statement: line 12, "index-not-concurrent", "build the index CONCURRENTLY". */
struct advice {
    size_t line; /* 0: the whole file */
    char *rule;
    char *text;
};

struct rehearsed {
    char *version, *description, *file;
    /* Of the files, as the history has them; NULL where there is no file. */
    char *checksum, *rollback_checksum, *verify_checksum;
    bool transactional;
    bool passed; /* applied; its rollback, where it has one, left what was there before, and it was applied
                    again */
    int64_t execution_ms, lock_wait_ms, commit_ms, rollback_ms;
    struct rehearsed_statement *statements;
    size_t statement_count;
    struct touched *touched;
    size_t touched_count;
    enum round_trip round_trip;
    struct difference *differences;
    size_t difference_count;
    struct change *changes;
    size_t change_count;
    struct change *weaknesses;
    size_t weakness_count;
    struct advice *advice;
    size_t advice_count;
    struct error failure;    /* of whatever failed; code ERROR_NONE: nothing */
    int64_t victim_ms;       /* longest stall of the victim probe; -1: it was not asked for */
    char *victim_relation;   /* or NULL */
    int64_t low_ms, high_ms; /* estimate, the statements' sums; -1: not estimable */
    char *basis;
    int64_t needs_disk, needs_wal; /* bytes at the target, estimated with the times; -1: not estimable */
};

struct rehearsal {
    char id[37];
    char *began_at, *ended_at;
    enum rehearsal_place place;
    char *environment; /* of the configuration, or NULL */
    char *server;      /* "host:port/database", without a password */
    char *system_identifier;
    char *server_version, *tool_version;
    char *backup_id;                     /* it was filled from, or NULL */
    struct text_list differing_settings; /* "TimeZone is UTC here and Europe/Vienna at the target" */
    struct rehearsed *items;
    size_t count;
    bool passed;
    bool window;       /* the advice is a maintenance window */
    char *advice;      /* "standard deployment", or why not */
    double correction; /* by which the estimates were multiplied (deploy/evidence); 0: by nothing */
};
void rehearsed_clear(struct rehearsed *rehearsed);
void rehearsal_clear(struct rehearsal *rehearsal);
CLEANUP_VALUE(struct rehearsed, rehearsed_clear)
CLEANUP_VALUE(struct rehearsal, rehearsal_clear)

#endif
