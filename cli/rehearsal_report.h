/* SPDX-License-Identifier: PostgreSQL */
/*
 * A rehearsal for a terminal, to be read in ten seconds: one line for each migration, with a bar for its time
 * and its worst lock in plain words; what failed, what a rollback did not bring back, what an application
 * will notice, what to write otherwise; the verdict last.
 */
#ifndef CLI_REHEARSAL_REPORT_H
#define CLI_REHEARSAL_REPORT_H

#include "deploy/rehearsal.h"
#include <stdio.h>

void rehearsal_print(FILE *out, bool color, const struct rehearsal *rehearsal);

#endif
