/* SPDX-License-Identifier: PostgreSQL */
/*
 * Settings: pgmigrate.conf (INI, read with inih), PGMIGRATE_* variables and command-line flags, from one
 * table of keys. Precedence: flag, environment variable, the chosen [environment NAME] section, the general
 * section, the default. Any key may stand in an environment section; elsewhere it must stand in its own
 * section.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <stdbool.h>
#include <stdint.h>

enum config_type {
    CONFIG_TEXT,
    CONFIG_BOOL,
    CONFIG_DURATION,
    CONFIG_CHOICE,
    CONFIG_PATHS,
    CONFIG_PATH,
    CONFIG_INTEGER
};

struct config_key {
    const char *section; /* "migrations", "environment" ... */
    const char *name;    /* unique across sections */
    enum config_type type;
    const char *choices;       /* "auto native updown", for CONFIG_CHOICE */
    const char *default_value; /* NULL: unset */
    const char *flag;          /* long option that sets it, without dashes */
    const char *summary;       /* one line for the manual */
};

/* The one table, ended by a NULL name. */
extern const struct config_key config_keys[];
const struct config_key *config_key(const char *name);

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

/* A flag's value, checked by type. For CONFIG_PATHS a second call adds. */
MUST_CHECK bool config_set_flag(struct config *config, const char *key, const char *value,
                                struct error *error);

const char *config_text(const struct config *config, const char *key); /* NULL when unset; owned by config */
bool config_is_set(const struct config *config, const char *key);      /* by anything but the default */
bool config_bool(const struct config *config, const char *key);
int64_t config_duration(const struct config *config, const char *key); /* ms; -1 when unset */
int64_t config_integer(const struct config *config, const char *key);
/* Paths made absolute: against the configuration file's folder if set there, else the current folder. */
struct text_list config_paths(const struct config *config, const char *key);
char *config_path(const struct config *config, const char *key);

const char *config_file(const struct config *config);        /* the file that was read, or NULL */
const char *config_environment(const struct config *config); /* the chosen section's name, or NULL */
/* Where a value comes from, for messages: "pgmigrate.conf:12", "PGMIGRATE_ROLE", "--role", "default". */
char *config_origin(const struct config *config, const char *key);

/*
 * The database to use: key "database", where "env:NAME" stands for that variable's value; an -d flag first,
 * then DATABASE_URL, then the environment's entry; NULL leaves it to libpq's PG* variables. "embedded:" is
 * returned as it is.
 */
MUST_CHECK bool config_database(const struct config *config, char **ret, struct error *error);

#endif
