/* SPDX-License-Identifier: PostgreSQL */
/*
 * What can be found out about migrations without a database. Every file is looked at and every finding comes
 * out, those of folder_read among them; the rules are those of migrator/rule.
 */
#ifndef MIGRATOR_CHECK_H
#define MIGRATOR_CHECK_H

#include "migrator/folder.h"

/* Adds to findings; large texts are loaded and forgotten again, one at a time. */
void check_folder(const struct folder *folder, struct findings *findings);

/* Order by file and place; what is about no place comes first. */
void check_sort(struct findings *findings);

#endif
