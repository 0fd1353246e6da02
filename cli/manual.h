/* SPDX-License-Identifier: PostgreSQL */
/* The manual page (scdoc source) and the documented configuration file, printed from the tables. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "cli/command.h"
#include <stdio.h>

void manual_page(FILE *out, const struct command *const commands[]);

/* pgmigrate.conf with every key, its summary, its values and its default, all commented out. */
void manual_configuration(FILE *out);

#endif
