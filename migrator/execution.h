/* SPDX-License-Identifier: PostgreSQL */
/*
 * A run: what is the same for all its migrations, what runs at the moment, and telling the listener about it.
 */
#ifndef MIGRATOR_EXECUTION_H
#define MIGRATOR_EXECUTION_H

#include "migrator/apply.h"
#include "migrator/leftover.h"
#include "migrator/observe.h"
#include "migrator/script.h"
#include "migrator/session.h"

struct execution {
    struct postgres *postgres; /* borrowed, as all below */
    const struct history *history;
    const struct run_options *options;
    const struct run_listener *listener;
    size_t total;             /* migrations in the run */
    bool dry_run;             /* inside a transaction of the caller: no BEGIN, no COMMIT */
    int64_t tried_ms;         /* … of which so much had passed when the last script ended */
    bool backwards;           /* rollback scripts */
    bool unlocked;            /* the run lock was given back together with the last COMMIT */
    bool used;                /* a script ran in this session, so the next one starts with a reset */
    unsigned leaves;          /* what it may have left besides settings: enum leftover */
    bool defaults;            /* it changed what a BEGIN begins, so that a reset behind it comes too late */
    const char *prepared;     /* name of the record statement that the session has prepared, or NULL */
    const char *prepare_sent; /* the same, not yet confirmed */
    char *prepared_as;        /* what the server calls it: another name each time; owned */
    char *lock_key;           /* of the run lock, for statements; owned */
    const struct session *session;
    struct observer observer;
    char *blockers;           /* who blocked last, or NULL; owned */
    size_t blocked;           /* index of the migration they blocked */
    struct text_list invalid; /* the INVALID indexes before an index without a name is built */

    struct {
        const char *version;
        size_t index;
        const struct script *script;
        const struct statement *statement;
        int64_t began_us;  /* of the step that runs */
        int64_t looked_ms; /* when what blocks it was last looked for, and told */
        int64_t told_ms;
        int64_t lock_timeout_ms;
        bool at_once;  /* look at once: the attempt before was over before it could be seen who blocks */
        size_t echoed; /* what \echo prints in front of earlier statements of the script has been told */
    } now;
};

/* From here on notices and ticks of the connection become events. */
void execution_begin(struct execution *execution);
void execution_done(struct execution *execution);
CLEANUP_VALUE(struct execution, execution_done)

/*
 * A script is about to run: what it may leave behind in the session. Its words are looked at, for several
 * scripts may be in flight at once; what functions it calls have left, the answer to its record tells.
 */
void execution_uses(struct execution *execution, const struct script *script);
void execution_was_left(struct execution *execution, const struct rows *record);

/* The statements that clear away what may have been left, before a script begins; a reset of the settings
 * comes after them. Those with takes_key have the run lock's key as $1. What is undone again, by a failed
 * transaction, is for the caller to put back into leaves. */
struct cleaning {
    const char *sql;
    bool takes_key;
};
#define CLEANING_MAX 8
size_t execution_cleaning(struct execution *execution, const struct script *next,
                          struct cleaning ret[CLEANING_MAX]);

/* Who blocked what runs now, in this attempt or an earlier one; NULL when that was not seen. Borrowed. */
const char *execution_blockers(const struct execution *execution);

/* Send an event; version, file, counts and, when it has none, the line are filled from what runs now. */
void execution_tell(struct execution *execution, struct run_event event);

/*
 * Send what \echo prints in front of the statements up to items[end - 1], from where the last call ended. A
 * dry run says nothing: what the script tells is not so.
 */
void execution_echo(struct execution *execution, const struct script *script, size_t end);

/* Whether somebody looks into this run; and let them. Version, script, connection are filled in. */
bool execution_is_watched(const struct execution *execution);
MUST_CHECK bool execution_look(struct execution *execution, struct run_look look, struct error *error);
/* The transaction is over, or the statement that ran outside of any (NULL: it was one): RUN_LOOK_ENDED. */
void execution_ended(struct execution *execution, const struct statement *bare, bool committed, int64_t us);

/* Fill the place in the file of the statement that failed. */
bool execution_place(const struct script *script, const struct statement *statement, struct error *error);

#endif
