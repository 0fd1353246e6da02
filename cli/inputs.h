/* SPDX-License-Identifier: PostgreSQL */
/* What several commands read before they begin: the migrations folders, as the configuration names them. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "cli/command.h"
#include "common/postgres.h"
#include "migrator/folder.h"

/* Keys directory, layout, duplicate_versions, rollback_required and protected. Paths are shown as short as
 * can be. */
struct folder_options inputs_folder_options(const struct config *config);
void inputs_folder_options_clear(struct folder_options *options);
CLEANUP_VALUE(struct folder_options, inputs_folder_options_clear)

/* folder_read with these options: false, with *ret_folder set, when the folder holds an error. */
MUST_CHECK bool inputs_folder(const struct invocation *invocation, struct folder **ret_folder,
                              struct error *error);

/* The same, while the connection to the configuration's database is made; a mistake in the folder comes
 * first. */
MUST_CHECK bool inputs_folder_and_database(const struct invocation *invocation, struct folder **ret_folder,
                                           struct postgres **ret_postgres, struct error *error);

#endif
