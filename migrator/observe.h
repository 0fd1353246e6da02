/* SPDX-License-Identifier: PostgreSQL */
/*
 * A second connection that looks at the server while the first one waits: who blocks it, and how far its long
 * statement is. Opened when first needed, always in autocommit, so that it never holds a snapshot that a
 * CREATE INDEX CONCURRENTLY would wait for. Lost, or refused, it is opened again after a pause of a second,
 * and of twice as long each time up to a minute: connecting holds up the one who waits.
 */
#ifndef MIGRATOR_OBSERVE_H
#define MIGRATOR_OBSERVE_H

#include "common/postgres.h"

struct observer {
    const struct postgres *watched; /* borrowed */
    int pid;                        /* of its server process; what libpq was told may be a pooler's number */
    struct postgres *postgres;      /* NULL until needed */
    int64_t again_ms;               /* not connecting before this time, after it was lost or refused … */
    int64_t pause_ms;               /* … which it waited for that long */
};
void observer_done(struct observer *observer);

/* Connect and look once, where there is time: the next wait may be too short for a first look. */
void observer_prepare(struct observer *observer);

/* "blocked by pid 42 (app, user deploy, 00:12 in transaction, query …)", several joined by "; "; NULL when
 * the watched session waits for nobody, or when this cannot be seen. */
char *observer_blockers(struct observer *observer);

/* The same of rows with the columns of session_blockers; NULL when there are none. */
char *observer_describe(const struct rows *rows);

/* "building index: scanning table, 41 %", or NULL. */
char *observer_progress(struct observer *observer);

#endif
