/* SPDX-License-Identifier: PostgreSQL */
#include "common/config_key.h"
#include <ctype.h>
#include <string.h>

const struct config_key config_keys[] = {
    {"migrations", "directory", CONFIG_PATHS, NULL, "migrations", "migrations",
     "folders of migrations; several form one ordered sequence"},
    {"migrations", "history_table", CONFIG_TEXT, NULL, "public.schema_migrations", "history-table",
     "where the database keeps what was applied, as schema.table"},
    {"migrations", "layout", CONFIG_CHOICE, "auto native updown sections flyway", "auto", "layout",
     "how files are named and where rollbacks stand; auto looks at each file"},
    {"migrations", "duplicate_versions", CONFIG_CHOICE, "refuse allow", "refuse", "duplicate-versions",
     "whether two files may have one number; allowed ones are ordered by name"},
    {"migrations", "rollback_required", CONFIG_CHOICE, "yes warn no", NULL, "rollback-required",
     "what a migration without rollback is; unset: yes in protected environments, else warn"},
    {"migrations", "lock_timeout", CONFIG_DURATION, NULL, "2s", "lock-timeout",
     "how long one attempt waits for a table lock; 0 waits without end"},
    {"migrations", "statement_timeout", CONFIG_DURATION, NULL, "0", "statement-timeout",
     "how long one statement may run; 0 sets no limit"},
    {"migrations", "max_wait", CONFIG_SECONDS, NULL, "10min", "max-wait",
     "how long a migration is tried again for its table locks; a bare number is seconds"},
    {"migrations", "wait_lock", CONFIG_SECONDS, NULL, "60s", "wait-lock",
     "how long to wait for another run to end; a bare number is seconds"},
    {"migrations", "role", CONFIG_TEXT, NULL, NULL, "role", "role that migrations run as (SET ROLE)"},
    {"migrations", "batch", CONFIG_INTEGER, NULL, "1", "batch",
     "how many migrations may be in flight at once; each still has its own transaction"},
    {"migrations", "pooler", CONFIG_CHOICE, "none session", "none", "pooler",
     "what stands between us and the server: session is a pooler that keeps one server connection per "
     "client"},
    {"migrations", "new_version", CONFIG_CHOICE, "sequence timestamp auto", "auto", "numbering",
     "how a new migration is numbered; auto does as the folder does"},
    {"backup", "repository", CONFIG_PATH, NULL, ".pgmigrate/backups", "repository",
     "folder of the backups; it is made when the first one is taken"},
    {"backup", "jobs", CONFIG_INTEGER, NULL, "2", "jobs", "connections that copy at the same time"},
    {"backup", "level", CONFIG_INTEGER, NULL, "2", "level",
     "how hard zstd compresses, from 1 (fast) to 19 (small)"},
    {"backup", "split_larger_than", CONFIG_SIZE, NULL, "64MB", "split-larger-than",
     "tables larger than this are copied by several connections at once"},
    {"backup", "lock_wait_timeout", CONFIG_SECONDS, NULL, "60s", "lock-wait-timeout",
     "how long a backup waits for its table locks; a bare number is seconds"},
    {"backup", "max_block", CONFIG_SECONDS, NULL, "60s", "max-block",
     "how long a backup may make others wait for a lock before it gives up; 0 only warns"},
    {"backup", "keep_last", CONFIG_INTEGER, NULL, "0", "keep-last", "keep the newest N backups"},
    {"backup", "keep_daily", CONFIG_INTEGER, NULL, "0", "keep-daily",
     "keep the newest backup of each of the last N days that have one"},
    {"backup", "keep_weekly", CONFIG_INTEGER, NULL, "0", "keep-weekly",
     "keep the newest backup of each of the last N weeks that have one"},
    {"backup", "keep_monthly", CONFIG_INTEGER, NULL, "0", "keep-monthly",
     "keep the newest backup of each of the last N months that have one"},
    {"backup", "keep_within", CONFIG_AGE, NULL, NULL, "keep-within",
     "keep every backup that is at most so much older than the newest, such as 7d"},
    {"backup", "max_age", CONFIG_AGE, NULL, NULL, "max-age",
     "doctor finds it wrong when the newest backup is older, such as 26h, or none was ever restored in a "
     "test"},
    {"backup", "attach.", CONFIG_TEXT, NULL, NULL, "attach",
     "attach.NAME = COMMAND: what the command prints becomes the attachment NAME of every backup"},
    {"rehearsal", "window_lock", CONFIG_DURATION, NULL, "1s", "window-lock",
     "a maintenance window is advised where ACCESS EXCLUSIVE is held longer than this"},
    {"rehearsal", "window_table", CONFIG_SIZE, NULL, "10MB", "window-table", "on tables larger than this"},
    {"rehearsal", "window_time", CONFIG_DURATION, NULL, "60s", "window-time",
     "and where all migrations together are expected to take longer than this"},
    {"rls", "schemas", CONFIG_TEXT, NULL, NULL, "schemas",
     "schemas whose tables are verified, separated by commas; unset: all but the system's. In every list of "
     "names * stands for anything"},
    {"rls", "tenant_column", CONFIG_TEXT, NULL, "tenant_id", "tenant-column",
     "columns that say whose a row is"},
    {"rls", "exempt", CONFIG_TEXT, NULL, NULL, "exempt",
     "tables that are everybody's although they have such a column"},
    {"rls", "through.", CONFIG_TEXT, NULL, NULL, "through",
     "through.TABLE = PARENT: the table reaches its tenant through a foreign key to this one"},
    {"rls", "roles", CONFIG_TEXT, NULL, NULL, "role",
     "roles that the application works as; unset: found by what they were granted"},
    {"rls", "tenant_setting", CONFIG_TEXT, NULL, NULL, "tenant-setting",
     "settings of the server that say who the tenant is, such as app.current_tenant_id"},
    {"rls", "tenant_set.", CONFIG_TEXT, NULL, NULL, "tenant-set",
     "tenant_set.NAME = TEMPLATE: a setting with more in it than the tenant, which is {tenant}: "
     "tenant_set.request.jwt.claims = {\"tenant_id\": \"{tenant}\"}"},
    {"rls", "tenant_role", CONFIG_TEXT, NULL, NULL, "tenant-role",
     "the role of a tenant where each has its own, such as tenant_{tenant}"},
    {"rls", "tenants", CONFIG_TEXT, NULL, NULL, "tenants",
     "two tenants to probe with, separated by a comma, or make; unset: two that are in the tables"},
    {"rls", "tenants_query", CONFIG_TEXT, NULL, NULL, "tenants-query", "a query that answers two of them"},
    {"rls", "baseline", CONFIG_PATH, NULL, NULL, "baseline",
     "file of findings that are accepted, each with a reason and the day until which it is"},
    {"rls", "fail_on", CONFIG_CHOICE, "info low medium high", "medium", "fail-on",
     "the least severe finding that makes rls exit with 3, and that the gate of apply refuses"},
    {"rls", "rls_gate", CONFIG_CHOICE, "off new all", NULL, "rls-gate",
     "what apply rolls back: new findings, all, or off; unset: new where this section is in use"},
    {"environment", "database", CONFIG_TEXT, NULL, NULL, "database",
     "the database: URI or keywords of libpq, service=NAME, embedded:, or env:NAME for the value of a "
     "variable"},
    {"environment", "protected", CONFIG_BOOL, NULL, "no", "protected",
     "changes must be confirmed (--yes, or at a terminal), and every migration needs a rollback"},
    {"environment", "backup", CONFIG_CHOICE, "before-migrate no", "no", "backup",
     "before-migrate takes and verifies a backup before apply runs anything"},
    {"environment", "rehearsal_max_age", CONFIG_AGE, NULL, NULL, "rehearsal-max-age",
     "apply wants a rehearsal of every file that is not older; unset: 7d in protected environments; empty: "
     "none is wanted"},
    {NULL, NULL, CONFIG_TEXT, NULL, NULL, NULL, NULL},
};

static bool is_prefix(const struct config_key *key)
{
    return text_ends_with(key->name, ".");
}

const struct config_key *config_key(const char *name)
{
    for (const struct config_key *key = config_keys; key->name != NULL; key++)
        if (is_prefix(key) ? text_starts_with(name, key->name) && strlen(name) > strlen(key->name)
                           : strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

char *config_key_variable(const struct config_key *key)
{
    char *name = text_format("PGMIGRATE_%s", key->name);

    for (char *c = name; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return name;
}

static bool is_one_of(const char *value, const char *choices)
{
    AUTO(text_list_clear) struct text_list list = text_list_split(choices, ' ');

    return text_list_contains(&list, value);
}

static bool parse_duration(const struct config_key *key, const char *value, int64_t *ret_ms)
{
    bool bare = value[strspn(value, "0123456789")] == '\0';

    if (key->type == CONFIG_AGE && bare && strspn(value, "0") < strlen(value))
        return false;
    OWNED char *with_unit = text_format(key->type == CONFIG_SECONDS && bare ? "%ss" : "%s", value);

    return text_parse_duration(with_unit, ret_ms);
}

static bool is_of_type(const struct config_key *key, const char *value)
{
    int64_t number;

    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        return true;
    case CONFIG_PATHS:
        return strspn(value, ", \t") < strlen(value);
    case CONFIG_BOOL:
        return is_one_of(value, "yes no true false on off 1 0");
    case CONFIG_DURATION:
    case CONFIG_SECONDS:
    case CONFIG_AGE:
        return parse_duration(key, value, &number);
    case CONFIG_CHOICE:
        return is_one_of(value, key->choices);
    case CONFIG_INTEGER:
        return text_parse_integer(value, 0, INT32_MAX, &number);
    case CONFIG_SIZE:
        return text_parse_size(value, &number);
    }
    return false;
}

static const char *wanted(enum config_type type)
{
    switch (type) {
    case CONFIG_BOOL:
        return "\"yes\" or \"no\"";
    case CONFIG_DURATION:
    case CONFIG_SECONDS:
        return "a duration such as 500ms, 2s, 10min or 1h";
    case CONFIG_AGE:
        return "an age with its unit such as 90min, 26h or 7d";
    case CONFIG_PATHS:
        return "one or more paths separated by commas";
    case CONFIG_PATH:
        return "a path";
    case CONFIG_INTEGER:
        return "a whole number";
    case CONFIG_SIZE:
        return "a size such as 64MB or 1GB";
    case CONFIG_TEXT:
    case CONFIG_CHOICE:
        break;
    }
    return "a value";
}

static bool refuse_choice(const struct config_key *key, const char *name, const char *value,
                          struct error *error)
{
    AUTO(text_list_clear) struct text_list choices = text_list_split(key->choices, ' ');
    OWNED char *listed = text_list_join(&choices, ", ");

    text_list_add(&choices, NULL);
    OWNED const char **candidates = memory_allocate(choices.count, sizeof *candidates);
    memcpy(candidates, choices.items, choices.count * sizeof *candidates);
    const char *nearest = text_nearest(value, candidates);

    error_set(error, ERROR_USAGE, "\"%s\" must be one of %s, not \"%s\"", name, listed, value);
    return nearest == NULL ? false : error_hint(error, "Did you mean \"%s\"?", nearest);
}

bool config_key_check(const struct config_key *key, const char *name, const char *value, struct error *error)
{
    if (*value == '\0') {
        if (key->default_value == NULL)
            return true;
        return error_set(error, ERROR_USAGE, "\"%s\" wants a value", name);
    }
    if (is_of_type(key, value))
        return true;
    if (key->type == CONFIG_CHOICE)
        return refuse_choice(key, name, value, error);
    return error_set(error, ERROR_USAGE, "\"%s\" wants %s, not \"%s\"", name, wanted(key->type), value);
}

int64_t config_key_duration(const struct config_key *key, const char *value)
{
    int64_t ms = -1;

    return parse_duration(key, value, &ms) ? ms : -1;
}

bool config_key_bool(const char *value)
{
    return is_one_of(value, "yes true on 1");
}

bool config_key_hint(const char *name, struct error *error)
{
    const char *names[sizeof config_keys / sizeof *config_keys];
    size_t count = 0;

    do
        names[count] = config_keys[count].name;
    while (config_keys[count++].name != NULL);
    const char *nearest = text_nearest(name, names);
    return nearest == NULL ? false : error_hint(error, "Did you mean \"%s\"?", nearest);
}
