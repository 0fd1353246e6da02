/* SPDX-License-Identifier: PostgreSQL */
/*
 * What apply and rollback tell while they run, and what they return. Nobody here prints: progress is events.
 */
#ifndef MIGRATOR_RUN_H
#define MIGRATOR_RUN_H

#include "common/postgres.h"
#include <stdint.h>

enum run_event_type {
    RUN_LOCK_WAIT, /* another run holds the run lock: text is who; ms waited so far */
    RUN_BEGIN,     /* a migration begins: version, index of total */
    RUN_STATEMENT, /* a statement begins: line, statement of statements, text (its first line) */
    RUN_PROGRESS,  /* about once a second while a statement runs: text from pg_stat_progress_*, or NULL; ms */
    RUN_BLOCKED,   /* a table lock is waited for: text is "blocked by pid …"; ms waited so far */
    RUN_RETRY,     /* the attempt was rolled back and is tried again: text is why, ms the pause, attempt */
    RUN_NOTICE,    /* the server raised notice at line; or, with notice NULL, text is a notice of ours */
    RUN_ECHO,      /* \echo, between the statements it stands between: text, line */
    RUN_DONE,      /* the migration is committed: ms */
    RUN_FAILED,    /* it failed; the error comes back from the call */
};

struct run_event {
    enum run_event_type type;
    const char *version;
    const char *file; /* path of the script that runs, or NULL */
    size_t index, total;
    size_t statement, statements;
    size_t line;
    size_t attempt;
    int64_t ms;
    const char *text;
    const struct notice *notice;
};

struct run_listener {
    void *context;
    void (*event)(void *context, const struct run_event *event);
};

struct statement_result {
    size_t line;
    int64_t us;   /* wall time, microseconds */
    int64_t rows; /* -1 when the command has none */
};

enum run_state {
    RUN_STATE_APPLIED,
    RUN_STATE_ROLLED_BACK, /* by the rollback command */
    RUN_STATE_TRIED,       /* --dry-run: ran, and was undone */
    RUN_STATE_UNTRIED,     /* --dry-run: could not be tried in a transaction */
    RUN_STATE_FAILED,
    RUN_STATE_PENDING, /* not reached */
};
const char *run_state_name(enum run_state state); /* "applied", "rolled_back", "tried", … */

struct migration_result {
    char *version;
    enum run_state state;
    int64_t execution_ms;
    size_t attempts;
    bool bare; /* a no-transaction script: what it did before it failed stays */
    struct statement_result *statements;
    size_t statement_count;
};

/* A random UUID (RFC 4122, version 4). */
void run_new_id(char ret_id[37]);

/* Tell the listener; NULL listens to nothing. */
void run_emit(const struct run_listener *listener, const struct run_event *event);

struct run_result {
    char run_id[37]; /* "" when nothing was to be done */
    char *backup_id; /* of the backup that was taken before; or NULL */
    struct migration_result *items;
    size_t count;
    size_t done; /* how many of them are applied (rolled back) */
};
void run_result_clear(struct run_result *result);
CLEANUP_VALUE(struct run_result, run_result_clear)

#endif
