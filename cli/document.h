/* SPDX-License-Identifier: PostgreSQL */
/* The one JSON document of --json: the frame around a command's fields, and values shared by commands. */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include "cli/command.h"
#include "common/finding.h"
#include <stdio.h>

/*
 * Print {"schema":1,"command":…,"ok":…,"exit_code":…, "error":{…}, fields…}. error is what the command failed
 * with, or NULL. With ERROR_FINDINGS it is made here.
 */
void document_print(FILE *out, const struct invocation *invocation, int exit_code, const struct error *error);

/* Set a field; a NULL or unknown value leaves it out. */
json_t *document_string(const char *value); /* bytes that are no UTF-8 become "?" */
void document_text(json_t *object, const char *name, const char *value);
void document_integer(json_t *object, const char *name, int64_t value);
void document_known(json_t *object, const char *name, int64_t value); /* left out when negative */
void document_bool(json_t *object, const char *name, bool value);

/* {code, message, detail, hint, sqlstate, file, line, column} */
json_t *document_error(const struct error *error);

/* [{rule, severity, file, line, column, message, hint}] */
json_t *document_findings(const struct findings *findings);

#endif
