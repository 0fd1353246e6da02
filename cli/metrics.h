/* SPDX-License-Identifier: PostgreSQL */
/* What monitoring reads of a repository: a file for Prometheus' textfile collector. */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include "backup/repository.h"

/* For each database its newest good backup's time, size and duration, and when one of its backups was last
 * verified and tested. Replaced atomically, readable by others (0644). */
MUST_CHECK bool metrics_write(const char *path, const struct records *records, struct error *error);

#endif
