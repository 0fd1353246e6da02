/* SPDX-License-Identifier: PostgreSQL */
/*
 * Several pieces of work side by side, each in a thread of its own that lives until its work has ended (so
 * children may be started from it). The first that fails sets stop, at which the others end; so does an
 * interruption. The calling thread waits, and ticks.
 */
#ifndef BACKUP_TASKS_H
#define BACKUP_TASKS_H

#include "common/error.h"
#include "common/file.h"
#include <stdatomic.h>

struct task {
    bool (*run)(void *context, size_t number, struct error *error);
    size_t number;
};

/* tick (may be NULL): about ten times a second. The error is that of the first to fail, or of the
 * interruption. */
MUST_CHECK bool tasks_run(const struct task tasks[], size_t count, atomic_bool *stop,
                          void (*tick)(void *context), void *context, struct error *error);

#endif
