/* SPDX-License-Identifier: PostgreSQL */
/* Completion for the shells, printed from the table of commands. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/command.h"
#include <stdio.h>

void completion_bash(FILE *out, const struct command *const commands[]);
void completion_zsh(FILE *out, const struct command *const commands[]);
void completion_fish(FILE *out, const struct command *const commands[]);

#endif
