/* SPDX-License-Identifier: PostgreSQL */
/*
 * SIGINT and SIGTERM as a flag. The first signal asks the running work to stop (poll() and sleep return early
 * with EINTR), a second one of the same kind ends the process at once. This module holds the program's only
 * mutable global, because a signal handler can reach nothing else.
 */
#ifndef COMMON_INTERRUPT_H
#define COMMON_INTERRUPT_H

#include "common/error.h"
#include <stdbool.h>
#include <stdint.h>

void interrupt_install(void); /* also ignores SIGPIPE and SIGXFSZ */

/* The signal that came, or 0. */
int interrupt_signal(void);

/* Fill error with "interrupted" or "terminated" (exit 130, 143) and return false. */
bool interrupt_error(struct error *error);

/* Sleep; false when a signal came before or during it. */
bool interrupt_sleep(int64_t ms);
/* Sleep, also when a signal came before; one that comes meanwhile may end it early. */
void interrupt_pause(int64_t ms);

/* Monotonic clock, milliseconds and microseconds. */
int64_t clock_ms(void);
int64_t clock_us(void);

#endif
