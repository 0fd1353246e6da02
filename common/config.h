/* SPDX-License-Identifier: PostgreSQL */
/*
 * Settings: pgmigrate.conf (INI, read with inih), PGMIGRATE_* variables and command-line flags, from one
 * table of keys. Precedence: flag, environment variable, the chosen [environment NAME] section, the general
 * section, the default. Any key may stand in an environment section; elsewhere it must stand in its own
 * section.
 *
 * In the file, lines are "key = value" and may be indented; ";" or "#" begins a comment line, and ";" after a
 * blank a comment behind a value. A value ends with its line. Lists are separated by commas. An empty value
 * unsets a key that has no default ("role =" in an environment takes away the general role); an empty
 * environment variable is as good as none.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/config_key.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <stdbool.h>
#include <stdint.h>

struct config;

/*
 * file NULL searches pgmigrate.conf in the current folder and its parents; none found is fine. environment
 * NULL chooses no section (PGMIGRATE_ENVIRONMENT is looked at too); an unknown one is an error listing those
 * there are. Unknown sections and keys are errors with file:line and the nearest known name; values are
 * checked by type.
 */
MUST_CHECK bool config_load(const char *file, const char *environment, struct config **ret,
                            struct error *error);
void config_free(struct config *config);
CLEANUP_POINTER(struct config *, config_free)

/* A flag's value, checked by type; errors call it "--flag". For CONFIG_PATHS a second call adds. */
MUST_CHECK bool config_set_flag(struct config *config, const char *key, const char *value,
                                struct error *error);

const char *config_text(const struct config *config, const char *key); /* NULL when unset; owned by config */
bool config_is_set(const struct config *config, const char *key);      /* by anything but the default */
bool config_is_emptied(const struct config *config, const char *key);  /* by "key =", or an empty flag */
bool config_bool(const struct config *config, const char *key);
int64_t config_duration(const struct config *config, const char *key); /* ms; -1 when unset */
int64_t config_integer(const struct config *config, const char *key);
int64_t config_size(const struct config *config, const char *key); /* bytes; -1 when unset */
/* What is set of a key that stands for many: "deployment.yaml" where "attach.deployment.yaml" has a value
 * (config_text), in the file's order. */
struct text_list config_names(const struct config *config, const char *prefix);
/* Paths made absolute: those set in the configuration file against its folder, as are defaults where there is
 * a file, so that the place one stands in does not matter; all others against the current folder. */
struct text_list config_paths(const struct config *config, const char *key);
char *config_path(const struct config *config, const char *key); /* NULL when unset */

const char *config_file(const struct config *config); /* the file that was read, or NULL */
/* The path nearest to where one stands at which the file could not be looked for, past which the search went
 * on: a folder on the way may not be searched. NULL: there is none. */
const char *config_unsearched(const struct config *config);
const char *config_environment(const struct config *config); /* the chosen section's name, or NULL */
/* The names of all sections [environment NAME] of the file; owned by config. */
const struct text_list *config_environments(const struct config *config);
/* Where a value comes from, for messages: "pgmigrate.conf:12", "PGMIGRATE_ROLE", "--role", "default". */
char *config_origin(const struct config *config, const char *key);

/*
 * The database to use. In this order: the flag (-d), PGMIGRATE_DATABASE, DATABASE_URL, the entry "database"
 * of the environment that was chosen (-e, PGMIGRATE_ENVIRONMENT); NULL leaves it to libpq's PG* variables.
 *
 * A value "env:NAME" stands for that variable's value, which must be set. "embedded:" is returned as it is.
 */
MUST_CHECK bool config_database(const struct config *config, char **ret, struct error *error);

/* What the section of an environment itself says, whatever flags, variables and DATABASE_URL say: its
 * database (NULL where it names none), and whether it is protected. */
MUST_CHECK bool config_database_of(const struct config *config, const char *environment, char **ret,
                                   struct error *error);
bool config_protected_of(const struct config *config, const char *environment);

/* DATABASE_URL, which may linger in a shell, hides another database that the chosen environment names. */
bool config_database_hidden(const struct config *config);

#endif
