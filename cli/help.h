/* SPDX-License-Identifier: PostgreSQL */
/* --help, from the table of commands: at most 80 columns, on the stream it is given. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"
#include <stdio.h>

/* All commands under their headings, the common options, exit statuses. */
void help_overview(FILE *out, const struct command *const commands[]);
/* The commands whose names begin with this word ("cluster"). */
void help_group(FILE *out, const struct command *const commands[], const char *word);
void help_command(FILE *out, const struct command *command);

/* "pgmigrate apply [OPTION...]": how a command is called, for help and manual. The caller frees it. */
char *help_synopsis(const struct command *command);

/*
 * Print a text filled to width, every line indented. Paragraphs are separated by empty lines; a line that
 * begins with a blank stays as it is.
 */
void help_fill(FILE *out, const char *text, size_t indent, size_t width);

#endif
