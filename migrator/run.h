/* SPDX-License-Identifier: PostgreSQL */
/*
 * What apply and rollback tell while they run, and what they return. Nobody here prints: progress is events.
 */
#ifndef MIGRATOR_RUN_H
#define MIGRATOR_RUN_H

#include "common/finding.h"
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
    const struct notice *notice; /* the server's; NULL: text is ours … */
    bool warning;                /* … and is a warning, not a notice */
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
    const char *before; /* what status calls it before the run; NULL: pending */
    int64_t execution_ms;
    size_t attempts;
    bool bare; /* a no-transaction script: what it did before it failed stays */
    struct statement_result *statements;
    size_t statement_count;
};

/*
 * Somebody who looks into each transaction of a run from inside: who measures a rehearsal, or a gate that may
 * refuse what a migration has done. Its statements go through the run's own connection, at these moments:
 *
 *   RUN_LOOK_BEGIN      before BEGIN, outside any transaction, with the run's settings
 *   RUN_LOOK_BEFORE     a statement is about to run
 *   RUN_LOOK_AFTER      it has succeeded: us, rows and tag are its own
 *   RUN_LOOK_COMMIT     everything has run and is recorded; COMMIT comes next
 *   RUN_LOOK_ENDED      committed (us is COMMIT's time), or else undone, or its outcome is not known
 *
 * A transaction is a migration, or a stretch of a no-transaction script. A bare statement of one (CREATE
 * INDEX CONCURRENTLY) is one of its own without RUN_LOOK_COMMIT, and what it has done cannot be refused any
 * more. A retry begins anew with RUN_LOOK_BEGIN. Verify scripts' statements are not looked at, nor are
 * --dry-run and the trial of a rollback. Between RUN_LOOK_BEGIN and the first RUN_LOOK_AFTER nothing should
 * be asked that takes a snapshot: SET TRANSACTION in the script would fail.
 *
 * A run that is watched sends one statement after the other instead of all at once, unless the watch wants
 * the whole transaction only.
 */
enum run_moment { RUN_LOOK_BEGIN, RUN_LOOK_BEFORE, RUN_LOOK_AFTER, RUN_LOOK_COMMIT, RUN_LOOK_ENDED };

struct statement;
struct script;
struct run_look {
    enum run_moment moment;
    bool bare; /* a statement outside any transaction */
    bool committed;
    bool backwards; /* a rollback script */
    const char *version;
    const struct script *script;       /* that of the migration, or the rollback script */
    const struct statement *statement; /* at RUN_LOOK_BEFORE and RUN_LOOK_AFTER; where bare is set, at
                                        * RUN_LOOK_ENDED; else NULL */
    int64_t us, rows;                  /* rows: -1 when the command has none */
    const char *tag;                   /* "ALTER TABLE" */
    struct postgres *postgres;
    int pid; /* of its server process */
};

struct run_watch {
    void *context;
    /* False, with error filled, stops the migration and undoes its transaction; after RUN_LOOK_ENDED it
     * counts for nothing. */
    bool (*look)(void *context, const struct run_look *look, struct error *error);
    bool whole;         /* RUN_LOOK_BEFORE and RUN_LOOK_AFTER are not wanted */
    const char *begins; /* a statement that each transaction begins with, which takes no snapshot; or NULL */
    void (*explain)(struct error *error); /* what that may have had to do with a statement's error; or NULL */
};

/* A transaction that cannot write although the server could: the script's doing, and no failure of the
 * connection. Other errors stay as they are. */
void run_explain_read_only(struct error *error);

/* A random UUID (RFC 4122, version 4). */
void run_new_id(char ret_id[37]);

/* Tell the listener; NULL listens to nothing. */
void run_emit(const struct run_listener *listener, const struct run_event *event);

struct run_result {
    char run_id[37]; /* "" when nothing was to be done */
    char *backup_id; /* of the backup that was taken before; or NULL */
    struct migration_result *items;
    size_t count;
    size_t done;              /* how many of them are applied (rolled back) */
    struct findings findings; /* apply: what the plan warns of */
};
void run_result_clear(struct run_result *result);
CLEANUP_VALUE(struct run_result, run_result_clear)

#endif
