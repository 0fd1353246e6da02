/* SPDX-License-Identifier: PostgreSQL */
/* What git knows of a folder, asked from git itself as a child process. Nothing is ever changed. */
#ifndef MIGRATOR_GIT_H
#define MIGRATOR_GIT_H

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * The commits to compare a folder with: the one that a name stands for, and the last one that it and the
 * checked-out commit have in common. Errors are ERROR_USAGE: git is missing, the folder is in no repository,
 * the name is unknown, nothing is in common.
 */
struct git_base {
    char *tip;
    char *fork;
};
MUST_CHECK bool git_base_find(const char *folder, const char *name, struct git_base *ret,
                              struct error *error);
void git_base_clear(struct git_base *base);
CLEANUP_VALUE(struct git_base, git_base_clear)

/* The files of a folder, without its subfolders, in a commit; names and object ids at the same index. */
struct git_tree {
    struct text_list names;
    struct text_list ids;
};
MUST_CHECK bool git_tree_read(const char *folder, const char *commit, struct git_tree *ret,
                              struct error *error);
/* The same of a folder that the work tree need not have, by its path from the top; empty when it is not
 * there. */
MUST_CHECK bool git_tree_read_at(const char *folder, const char *commit, const char *path,
                                 struct git_tree *ret, struct error *error);
/* A file's object id; NULL when it is not there. */
const char *git_tree_id(const struct git_tree *tree, const char *name);
void git_tree_clear(struct git_tree *tree);
CLEANUP_VALUE(struct git_tree, git_tree_clear)

/* Every version of the folder's files that the commits from one to another brought; a name may come again. */
MUST_CHECK bool git_versions(const char *folder, const char *from, const char *to, struct git_tree *ret,
                             struct error *error);

/* The names of the folder's files that are not as they were in the commit: changed, or gone. */
MUST_CHECK bool git_changed(const char *folder, const char *commit, struct text_list *ret,
                            struct error *error);

/*
 * Where a folder's files were in the commit, when git recognises one of them with its name elsewhere: that
 * folder's path, also from the top of the work tree; NULL when it recognises none.
 */
struct git_origin {
    char *path;
    char *from_top;
};
MUST_CHECK bool git_origin_find(const char *folder, const char *commit, struct git_origin *ret,
                                struct error *error);
void git_origin_clear(struct git_origin *origin);
CLEANUP_VALUE(struct git_origin, git_origin_clear)

/* A file's content. */
MUST_CHECK bool git_blob(const char *folder, const char *id, char **ret_text, size_t *ret_size,
                         struct error *error);

#endif
