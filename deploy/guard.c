/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/guard.h"

#include "common/cluster.h"
#include "sql.h"

static bool is_same(const struct rows *ours, const struct rows *theirs)
{
    return text_equal(rows_text(ours, 0, "system_identifier"), rows_text(theirs, 0, "system_identifier")) &&
           text_equal(rows_text(ours, 0, "database"), rows_text(theirs, 0, "database")) &&
           (rows_bool(theirs, 0, "in_recovery") ||
            text_equal(rows_text(ours, 0, "began"), rows_text(theirs, 0, "began")));
}

static bool refuse(const char *environment, const struct postgres *postgres, struct error *error)
{
    error_set(error, ERROR_REFUSED, "database \"%s\" on %s is that of environment \"%s\", which is protected",
              postgres_database(postgres), postgres_address(postgres), environment);
    return error_hint(error, "Nothing was changed. Rehearse on a staging server (--on), or with --embedded "
                             "and --from-backup.");
}

/* NULL where it names none, or a private cluster that is not running. */
static bool find_database(const struct config *config, const char *environment, char **ret,
                          struct error *error)
{
    OWNED char *conninfo = NULL;

    if (!config_database_of(config, environment, &conninfo, error))
        return false;
    if (text_equal(conninfo, "embedded:")) {
        AUTO(cluster_status_clear) struct cluster_status status = {0};
        OWNED char *folder = cluster_folder(config);

        if (!cluster_status(folder, &status, error))
            return false;
        *ret = take(status.url);
        return true;
    }
    *ret = take(conninfo);
    return true;
}

static bool ask(const char *conninfo, struct rows **ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;

    return postgres_connect(conninfo, "pgmigrate", &postgres, error) &&
           postgres_query(postgres, sql_server_identity, 0, NULL, ret, error);
}

static bool check_one(const struct config *config, const char *environment, struct postgres *postgres,
                      const struct rows *ours, struct text_list *ret_notes, struct error *error)
{
    AUTO(rows_free) struct rows *theirs = NULL;
    AUTO(error_clear) struct error problem = {0};
    OWNED char *conninfo = NULL;

    if (!find_database(config, environment, &conninfo, &problem) ||
        (conninfo && !ask(conninfo, &theirs, &problem))) {
        if (problem.code == ERROR_INTERRUPTED || problem.code == ERROR_TERMINATED) {
            error_move(error, &problem);
            return false;
        }
        text_list_add(ret_notes, text_format("environment \"%s\" is protected and could not be asked whether "
                                             "it is another database than this one: %s",
                                             environment, problem.message));
        return true;
    }
    return !theirs || !is_same(ours, theirs) || refuse(environment, postgres, error);
}

bool guard_check(const struct config *config, struct postgres *postgres, struct text_list *ret_notes,
                 struct error *error)
{
    const struct text_list *environments = config_environments(config);
    AUTO(rows_free) struct rows *ours = NULL;

    if (!postgres_query(postgres, sql_server_identity, 0, NULL, &ours, error))
        return false;
    for (size_t i = 0; i < environments->count; i++)
        if (config_protected_of(config, environments->items[i]) &&
            !check_one(config, environments->items[i], postgres, ours, ret_notes, error))
            return false;
    return true;
}
