/* SPDX-License-Identifier: PostgreSQL */
/*
 * Where PostgreSQL's server programs (initdb, pg_ctl, postgres) are installed. PGMIGRATE_PG_BINDIR names
 * their folder; otherwise the places where packages put them are searched, and then PATH.
 */
#ifndef COMMON_PROGRAMS_H
#define COMMON_PROGRAMS_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>

/*
 * The folder with the programs of the given major version, or with the newest there are for major 0.
 * ERROR_FAILED with a remedy when there is none.
 */
MUST_CHECK bool programs_find(int major, char **ret_folder, struct error *error);

/* "15.20", "17beta2": what the postgres in this folder says it is. */
MUST_CHECK bool programs_version(const char *folder, char **ret_version, struct error *error);

#endif
