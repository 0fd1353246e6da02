/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a statement was, by what has changed: the class it gets, the relations it read, wrote and locked. A
 * part of deploy/trace.
 */
#ifndef DEPLOY_TRACE_STATEMENT_H
#define DEPLOY_TRACE_STATEMENT_H

#include "deploy/rehearsal.h"
#include "deploy/trace_relation.h"

/*
 * tag is the command tag that the server answered. Locks are those of relations that were there before the
 * migration; held_us is left to the caller. Scans count where a table was read under a lock that stops
 * writers or other DDL: those of a SELECT or an UPDATE do not.
 */
void trace_statement_fill(const struct trace_relations *relations, const struct trace_changes *changes,
                          const char *tag, struct rehearsed_statement *statement);

/* What stands in the file on one line, shortened to what a terminal shows. */
char *trace_statement_text(const char *text, size_t length);

#endif
