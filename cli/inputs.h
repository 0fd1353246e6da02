/* SPDX-License-Identifier: PostgreSQL */
/* What several commands read before they begin: the migrations folders and the database's history, as the
 * configuration names them. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "cli/command.h"
#include "common/postgres.h"
#include "migrator/folder.h"
#include "migrator/history.h"

/* Keys directory, layout, duplicate_versions, rollback_required and protected. Paths are shown as short as
 * can be. */
struct folder_options inputs_folder_options(const struct config *config);
void inputs_folder_options_clear(struct folder_options *options);
CLEANUP_VALUE(struct folder_options, inputs_folder_options_clear)

/* folder_read with these options: false, with *ret_folder set, when the folder holds an error. */
MUST_CHECK bool inputs_folder(const struct invocation *invocation, struct folder **ret_folder,
                              struct error *error);

/*
 * The folders are read by a thread of their own while the connection is made and the history is read, by open
 * (history_open or history_open_quickly): of a thousand files either takes as long as the other. A mistake in
 * the folder comes first.
 */
struct inputs {
    struct folder *folder;
    struct postgres *postgres;
    struct history *history;
};
MUST_CHECK bool inputs_read(const struct invocation *invocation,
                            bool (*open)(struct postgres *postgres, const char *name, struct history **ret,
                                         struct error *error),
                            struct inputs *ret, struct error *error);
void inputs_clear(struct inputs *inputs);
CLEANUP_VALUE(struct inputs, inputs_clear)

#endif
