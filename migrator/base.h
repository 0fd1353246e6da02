/* SPDX-License-Identifier: PostgreSQL */
/*
 * Migrations beside those of another branch: what this one adds, numbers that the other gave away meanwhile,
 * and migrations the other has, which may be applied somewhere, that were edited, renamed or deleted here.
 *
 * What is compared is the files as they stand in the folder (committed or not) with the commit where the
 * branches parted, and with what the other branch has gained since: a squash merge or a cherry-pick brings it
 * files that this branch has, too. A file as the other branch had it at any time since is no finding, nor is
 * one that this branch never had. A folder that was moved is compared with what the base has where it was, if
 * git recognises one of its files.
 */
#ifndef MIGRATOR_BASE_H
#define MIGRATOR_BASE_H

#include "migrator/folder.h"

struct base_request {
    const struct folder_options *options;
    const struct folder *folder; /* read with them */
    const char *base;            /* "origin/main": whatever git understands */
};

/* Adds to findings; *ret_added are the versions this branch adds, in order. */
MUST_CHECK bool base_check(const struct base_request *request, struct findings *findings,
                           struct text_list *ret_added, struct error *error);

#endif
