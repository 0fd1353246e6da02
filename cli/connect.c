/* SPDX-License-Identifier: PostgreSQL */
#include "cli/connect.h"

#include "backup/snapshot.h"
#include "cli/report.h"
#include "cli/secret.h"
#include "cli/worktree.h"
#include "common/cluster.h"
#include "migrator/session.h"

static bool embedded_url(const struct invocation *invocation, char **ret_url, struct error *error)
{
    AUTO(cluster_status_clear) struct cluster_status status = {0};
    OWNED char *folder = cluster_folder(invocation->config);

    if (!cluster_start(folder, error) || !cluster_status(folder, &status, error))
        return false;
    *ret_url = take(status.url);
    return true;
}

/* libpq repeats a URI that it cannot read, password and all. */
static bool explain(const char *conninfo, struct error *error)
{
    OWNED char *masked = text_copy(conninfo);
    const char *found =
        masked && secret_overwrite(masked) && error->message ? strstr(error->message, conninfo) : NULL;

    if (found) {
        OWNED char *message = text_format("%.*s%s%s", (int)(found - error->message), error->message, masked,
                                          found + strlen(conninfo));

        error_set(error, error->code, "%s", message);
    }
    if (!conninfo && !error->hint)
        error_hint(error,
                   "No database was named, so libpq's defaults and PG* variables count. Give --database, set "
                   "DATABASE_URL, or name it in pgmigrate.conf under [environment NAME].");
    return false;
}

static bool check_encoded(const char *conninfo, struct error *error)
{
    if (!conninfo || secret_is_encoded(conninfo))
        return true;
    error_set(error, ERROR_USAGE, "the password in the connection URI is not percent-encoded");
    return error_hint(error, "Write @ as %%40, / as %%2F and %% as %%25, or keep the password elsewhere: "
                             "PGPASSWORD, a password file (~/.pgpass) or a service.");
}

static bool is_embedded(const char *conninfo)
{
    return conninfo && text_equal(conninfo, "embedded:");
}

static void warn_hidden(const struct invocation *invocation)
{
    if (config_database_hidden(invocation->config))
        report_warning(invocation,
                       "DATABASE_URL is used, not the database of environment \"%s\"\n"
                       "hint: Unset DATABASE_URL to use the one of the configuration.",
                       config_environment(invocation->config));
}

bool connect_database(const struct invocation *invocation, struct postgres **ret, struct error *error)
{
    OWNED char *conninfo = NULL;

    if (!config_database(invocation->config, &conninfo, error))
        return false;
    warn_hidden(invocation);
    return connect_to(invocation, conninfo, ret, error);
}

bool connect_to(const struct invocation *invocation, const char *conninfo, struct postgres **ret,
                struct error *error)
{
    OWNED char *url = NULL;

    if (is_embedded(conninfo) && !embedded_url(invocation, &url, error))
        return false;
    if (!check_encoded(conninfo, error))
        return false;
    return postgres_connect(url ? url : conninfo, "pgmigrate", ret, error) || explain(conninfo, error);
}

bool connect_server(const struct invocation *invocation, struct postgres **ret, char **ret_database,
                    struct error *error)
{
    OWNED char *conninfo = NULL, *url = NULL;
    const char *target;

    if (!config_database(invocation->config, &conninfo, error))
        return false;
    warn_hidden(invocation);
    if (is_embedded(conninfo) && !embedded_url(invocation, &url, error))
        return false;
    target = url ? url : conninfo;
    return check_encoded(target, error) &&
           (postgres_connect_server(target, "pgmigrate", ret, ret_database, error) ||
            explain(target, error)) &&
           snapshot_settings(*ret, true, NULL, error) && session_check(*ret, false, true, error);
}

bool connect_role(const struct invocation *invocation, struct postgres *postgres, struct error *error)
{
    struct run_options options = {.role = config_text(invocation->config, "role")};
    OWNED char *role = NULL;

    if (!options.role)
        return true;
    role = session_role(&options);
    return postgres_execute(postgres, role, error);
}

bool connect_history(const struct invocation *invocation, struct postgres *postgres, struct history **ret,
                     struct error *error)
{
    return connect_role(invocation, postgres, error) &&
           history_open(postgres, config_text(invocation->config, "history_table"), ret, error);
}

char *connect_target(const struct postgres *postgres)
{
    const char *address = postgres_address(postgres);

    /* A socket's folder says less than it takes room; psql's prompt does it like this too. */
    return text_format("%s@%s/%s", postgres_user(postgres), *address == '/' ? "[local]" : address,
                       postgres_database(postgres));
}

static int64_t duration_or_zero(const struct config *config, const char *key)
{
    int64_t ms = config_duration(config, key);

    return ms < 0 ? 0 : ms;
}

bool connect_run_options(const struct invocation *invocation, struct connect_run *ret, struct error *error)
{
    const struct config *config = invocation->config;
    const char *const *values = NULL;
    size_t count = invocation_options(invocation, "set", &values);
    struct text_list folders;

    *ret = (struct connect_run){0};
    for (size_t i = 0; i < count; i++) {
        if (!strchr(values[i], '=') || values[i][0] == '=') {
            error_set(error, ERROR_USAGE, "\"--set\" needs NAME=VALUE");
            return error_hint(error, "A value that is empty is written as \"--set NAME=\".");
        }
        text_list_add(&ret->settings, text_copy(values[i]));
    }
    folders = config_paths(config, "directory");
    if (folders.count)
        ret->git_commit = worktree_commit(folders.items[0]);
    text_list_clear(&folders);
    ret->options = (struct run_options){
        .role = config_text(config, "role"),
        .lock_timeout_ms = duration_or_zero(config, "lock_timeout"),
        .statement_timeout_ms = duration_or_zero(config, "statement_timeout"),
        .max_wait_ms = duration_or_zero(config, "max_wait"),
        .wait_lock_ms = duration_or_zero(config, "wait_lock"),
        .pooler_session = text_equal(config_text(config, "pooler"), "session"),
        .settings = &ret->settings,
        .git_commit = ret->git_commit,
        .progress = invocation->verbosity != VERBOSITY_QUIET,
    };
    return true;
}

void connect_run_clear(struct connect_run *run)
{
    text_list_clear(&run->settings);
    free(run->git_commit);
    *run = (struct connect_run){0};
}
