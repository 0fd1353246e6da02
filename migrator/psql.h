/* SPDX-License-Identifier: PostgreSQL */
/*
 * psql's backslash commands in a migration. Accepted is what pg_dump and people write into files meant for
 * psql: \restrict, \unrestrict, \set ON_ERROR_STOP (AUTOCOMMIT on, QUIET), \encoding UTF8, \connect to the
 * same database, \echo, \qecho, \warn. Everything else would be missed if it were skipped, and is an error.
 */
#ifndef MIGRATOR_PSQL_H
#define MIGRATOR_PSQL_H

#include "common/error.h"
#include "common/file.h"

struct psql_command {
    char *echo;   /* what \echo and the like print, without the line's end; else NULL */
    char *notice; /* what is done differently than by psql; else NULL */
};

/*
 * text is the command with its backslash and arguments. database is the name that \connect must give, NULL
 * for any. Errors are ERROR_USAGE without a place.
 */
MUST_CHECK bool psql_command_read(const char *text, size_t length, const char *database,
                                  struct psql_command *ret, struct error *error);
void psql_command_clear(struct psql_command *command);
CLEANUP_VALUE(struct psql_command, psql_command_clear)

#endif
