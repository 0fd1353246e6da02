/* SPDX-License-Identifier: PostgreSQL */
/*
 * Work cut into items, done by several threads, each with a connection of its own to one database. Items are
 * taken in their order. The first one that fails stops all; so does an interruption.
 */
#ifndef BACKUP_CREW_H
#define BACKUP_CREW_H

#include "common/postgres.h"
#include <stdatomic.h>

struct crew_worker {
    struct postgres *postgres; /* with the settings of a session that writes; lost ones are the item's to
                                * replace (crew_connect) */
    const atomic_bool *stop;   /* somebody else has failed */
    size_t number;
};

struct crew_job {
    const struct postgres *server; /* whose parameters the connections have */
    const char *database;
    size_t workers, items;
    bool (*work)(void *context, struct crew_worker *worker, size_t item, struct error *error);
    void (*tick)(void *context); /* about ten times a second, from the calling thread; may be NULL */
    void *context;
};

MUST_CHECK bool crew_run(const struct crew_job *job, struct error *error);

/* A connection as the workers have it. */
MUST_CHECK bool crew_connect(const struct crew_job *job, struct postgres **ret, struct error *error);

#endif
