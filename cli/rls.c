/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls.h"

#include <string.h>

static struct text_list names(const struct config *config, const char *key)
{
    const char *value = config_text(config, key);

    return value == NULL ? (struct text_list){0} : text_list_split(value, ',');
}

/* Those of the configuration, and NAME=VALUE of every such option. */
static bool read_pairs(const struct invocation *invocation, const char *prefix, const char *option,
                       struct rls_pairs *pairs, struct error *error)
{
    AUTO(text_list_clear) struct text_list list = config_names(invocation->config, prefix);
    const char *const *values = NULL;
    size_t count = invocation_options(invocation, option, &values);

    for (size_t i = 0; i < list.count; i++) {
        OWNED char *key = text_format("%s%s", prefix, list.items[i]);
        rls_pairs_add(pairs, list.items[i], config_text(invocation->config, key));
    }
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(values[i], '=');
        if (equals == NULL || equals == values[i] || equals[1] == '\0')
            return error_set(error, ERROR_USAGE, "\"--%s\" wants NAME=VALUE, not \"%s\"", option, values[i]);
        OWNED char *name = text_copy_part(values[i], (size_t)(equals - values[i]));
        rls_pairs_add(pairs, name, equals + 1);
    }
    return true;
}

static void read_roles(const struct invocation *invocation, struct rls_settings *settings)
{
    const char *const *values = NULL;
    size_t count = invocation_options(invocation, "role", &values);

    if (count == 0)
        settings->roles = names(invocation->config, "roles");
    for (size_t i = 0; i < count; i++)
        text_list_add(&settings->roles, text_copy(values[i]));
}

static void read_tenants(const struct config *config, struct rls_settings *settings)
{
    AUTO(text_list_clear) struct text_list set = names(config, "tenant_setting");

    for (size_t i = 0; i < set.count; i++)
        rls_pairs_add(&settings->set, set.items[i], "{tenant}");
    settings->tenant_role = text_copy(config_text(config, "tenant_role"));
    settings->tenants_query = text_copy(config_text(config, "tenants_query"));
    settings->make_tenants = text_equal(config_text(config, "tenants"), "make");
    if (!settings->make_tenants)
        settings->tenants = names(config, "tenants");
}

bool rls_read_settings(const struct invocation *invocation, struct rls_settings *ret, struct error *error)
{
    const struct config *config = invocation->config;
    const char *history = config_text(config, "history_table");

    ret->schemas = names(config, "schemas");
    ret->tenant_columns = names(config, "tenant_column");
    ret->exempt = names(config, "exempt");
    text_list_add(&ret->exempt, text_copy(history));
    text_list_add(&ret->exempt, text_format("%s_log", history));
    read_roles(invocation, ret);
    read_tenants(config, ret);
    return read_pairs(invocation, "through.", "through", &ret->through, error) &&
           read_pairs(invocation, "tenant_set.", "tenant-set", &ret->set, error);
}

bool rls_is_configured(const struct config *config)
{
    static const char *const keys[] = {"schemas", "tenant_column",  "exempt",
                                       "roles",   "tenant_setting", "tenant_role",
                                       "tenants", "fail_on",        "tenants_query"};
    AUTO(text_list_clear) struct text_list set = config_names(config, "tenant_set.");
    AUTO(text_list_clear) struct text_list through = config_names(config, "through.");
    bool configured = set.count + through.count > 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        configured = configured || config_is_set(config, keys[i]);
    return configured;
}
