/* SPDX-License-Identifier: PostgreSQL */
/*
 * The second connection of a trace, in a thread of its own: while a statement runs it samples what the server
 * process holds and waits for. Waits are in no statistics, and the locks of a statement outside transactions
 * are gone when it ends.
 *
 * Samples are 5 ms apart at first and then a twentieth of the statement's time: a wait is known to that
 * exactness, and what is shorter may not be seen. Always in autocommit, so that no CREATE INDEX CONCURRENTLY
 * waits for it for longer than a sample takes.
 */
#ifndef DEPLOY_TRACE_OBSERVER_H
#define DEPLOY_TRACE_OBSERVER_H

#include "common/postgres.h"
#include "deploy/lock_mode.h"
#include "deploy/victim.h"

struct seen_lock {
    int64_t oid; /* of a relation; 0: another kind of lock, only waited for */
    enum lock_mode mode;
    int64_t wait_us;
    int64_t first_us, last_us; /* seen held, by clock_us; 0: never */
};

struct seen {
    struct seen_lock *locks;
    size_t count;
    int64_t wait_us;         /* all waits together */
    struct text_list phases; /* "building index: scanning table 120 ms", in order */
};
void seen_clear(struct seen *seen);
CLEANUP_VALUE(struct seen, seen_clear)

struct trace_observer;
/* watched is copied from: the connection that is to be observed, or any to the same database. The victim,
 * NULL or borrowed, visits what is seen to be locked or waited for. */
MUST_CHECK bool trace_observer_new(const struct postgres *watched, struct victim *victim,
                                   struct trace_observer **ret, struct error *error);
void trace_observer_free(struct trace_observer *observer);
CLEANUP_POINTER(struct trace_observer *, trace_observer_free)

/* A statement begins in the server process pid; held: also sample what it holds. */
void trace_observer_begin(struct trace_observer *observer, int pid, bool held);
/* It has ended. Where nothing had begun, nothing was seen. */
void trace_observer_end(struct trace_observer *observer, struct seen *ret);

#endif
