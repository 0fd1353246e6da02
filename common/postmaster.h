/* SPDX-License-Identifier: PostgreSQL */
/*
 * The server process of a data folder, by its postmaster.pid and by /proc: every process of a PostgreSQL
 * server has the data folder as its working folder, so a number in a stale file is not mistaken for it.
 * Functions that wait do so for a bounded time and stop for a signal.
 */
#ifndef COMMON_POSTMASTER_H
#define COMMON_POSTMASTER_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>

/* The postmaster's process id, or 0 when it is not running. */
int postmaster_pid(const char *data);

/* Wait until a running server accepts connections. */
MUST_CHECK bool postmaster_wait_ready(const char *data, struct error *error);

/*
 * After a crash: wait for processes that outlived their postmaster (two servers on one folder would destroy
 * it), then remove postmaster.pid. Only while nobody else can start the server.
 */
MUST_CHECK bool postmaster_clear(const char *data, struct error *error);

/* Fast shutdown: connections are ended, and everything is written. A stopped server is fine. */
MUST_CHECK bool postmaster_stop(const char *data, struct error *error);

#endif
