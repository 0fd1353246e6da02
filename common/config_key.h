/* SPDX-License-Identifier: PostgreSQL */
/* The table of settings: what there is, where it may be set, and which values it takes. */
#ifndef COMMON_CONFIG_KEY_H
#define COMMON_CONFIG_KEY_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stdint.h>

enum config_type {
    CONFIG_TEXT,
    CONFIG_BOOL,     /* yes no true false on off 1 0 */
    CONFIG_DURATION, /* a bare number is milliseconds */
    CONFIG_AGE,      /* with a unit: nobody means milliseconds */
    CONFIG_SECONDS,  /* a duration too, but a bare number is seconds */
    CONFIG_CHOICE,
    CONFIG_PATHS, /* separated by commas */
    CONFIG_PATH,
    CONFIG_INTEGER, /* not negative */
    CONFIG_SIZE,    /* bytes, or with kB, MB, GB, TB */
};

struct config_key {
    const char *section; /* "migrations"; "environment": only in an [environment NAME] section */
    const char *name;    /* unique across sections; "attach." stands for every name that begins so */
    enum config_type type;
    const char *choices;       /* "auto native updown", for CONFIG_CHOICE */
    const char *default_value; /* NULL: unset */
    const char *flag;          /* long option that sets it, without dashes */
    const char *summary;       /* one line for the manual */
};

/* The one table, ended by a NULL name. */
extern const struct config_key config_keys[];

/* NULL when there is none of that name. A key whose name ends with a dot is found by the names that begin
 * with it; such a name has no environment variable. */
const struct config_key *config_key(const char *name);

/* The environment variable that sets it: "PGMIGRATE_LOCK_TIMEOUT". The caller frees it. */
char *config_key_variable(const struct config_key *key);

/*
 * Whether value is of the key's type; the error (ERROR_USAGE) says what is wanted and calls the key by the
 * name it was set with. An empty value unsets a key that has no default; any other key wants one.
 */
MUST_CHECK bool config_key_check(const struct config_key *key, const char *name, const char *value,
                                 struct error *error);

/* A value that was checked, as milliseconds. */
int64_t config_key_duration(const struct config_key *key, const char *value);
/* A value that was checked, as truth. */
bool config_key_bool(const char *value);

/* Add the hint "Did you mean …?" where a known key is near; returns false. */
bool config_key_hint(const char *name, struct error *error);

#endif
