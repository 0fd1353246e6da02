/* SPDX-License-Identifier: PostgreSQL */
/*
 * Waiting for table locks without taking the site down: an ALTER that queues behind a reader stops everybody
 * who comes after it, so each attempt waits only shortly for a lock and then makes room.
 *
 * The attempts' lock timeouts rise from 100 ms to the limit given; the pauses between them are random, 5 to
 * 20 times as long and at most a minute, so that the time others are held up stays near a tenth. Only 55P03
 * (lock not available), 40P01 (deadlock) and 40001 (serialization) are tried again, always the whole
 * transaction, and never without a timeout.
 */
#ifndef MIGRATOR_RETRY_H
#define MIGRATOR_RETRY_H

#include "migrator/execute.h"

/* The lock timeout of an attempt (0 is the first) under a limit; a limit of 0 means no timeout. */
int64_t retry_lock_timeout(size_t attempt, int64_t limit_ms);
/* The pause after it; random is any number. */
int64_t retry_pause(int64_t lock_timeout_ms, uint64_t random);
bool retry_makes_sense(const struct error *error);

/*
 * One job until it succeeds, fails for another reason, or options->max_wait_ms is over (ERROR_LOCKED, naming
 * who blocked). A connection lost meanwhile is left to the caller.
 */
MUST_CHECK bool execute_with_retries(struct execution *execution, struct job *job, struct error *error);

/* Wait before another attempt, and tell why; false (error is completed) when the time is over or a signal
 * came. */
MUST_CHECK bool retry_wait(struct execution *execution, size_t attempt, int64_t lock_timeout_ms,
                           int64_t deadline_ms, struct error *error);

#endif
