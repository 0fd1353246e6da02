/* SPDX-License-Identifier: PostgreSQL */
/* Numbers a sequence of migrations leaves out. */
#ifndef MIGRATOR_GAP_H
#define MIGRATOR_GAP_H

#include "migrator/folder.h"

/* Add one notice that lists them all ("43, 45-47"). Timestamps and dotted versions have no gaps. */
void gap_check(struct folder *folder);

#endif
