/* SPDX-License-Identifier: PostgreSQL */
/* The git work tree a folder stands in, read from its files: no program is started for every run. */
#ifndef CLI_WORKTREE_H
#define CLI_WORKTREE_H

/* The checked-out commit's hash; NULL outside a work tree or where it cannot be read. The caller frees it. */
char *worktree_commit(const char *folder);

#endif
