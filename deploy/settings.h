/* SPDX-License-Identifier: PostgreSQL */
/*
 * The settings that decide what a migration does and how long it takes (TimeZone, search_path,
 * maintenance_work_mem, what ALTER ROLE and ALTER DATABASE have set …): read from one session, given to
 * another as options of its connection, and compared.
 */
#ifndef DEPLOY_SETTINGS_H
#define DEPLOY_SETTINGS_H

#include "common/postgres.h"

/*
 * model is a session as the migrations will have it in production; NULL: there is none, and stage, a session
 * of the database that is copied, is the model itself. ret_options is for postgres_connect_with;
 * ret_differing are sentences, "TimeZone is UTC here and Europe/Vienna at the target", of what stage has by
 * itself.
 */
MUST_CHECK bool settings_read(struct postgres *model, struct postgres *stage, char **ret_options,
                              struct text_list *ret_differing, struct error *error);

/* "-c name=value" with blanks and backslashes escaped. The caller frees it. */
char *settings_option(const char *name, const char *value);

#endif
