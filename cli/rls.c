/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls.h"

#include "cli/document.h"

static struct text_list names(const struct config *config, const char *key)
{
    const char *value = config_text(config, key);

    return value == NULL ? (struct text_list){0} : text_list_split(value, ',');
}

static void read_pairs(const struct config *config, const char *prefix, struct rls_pairs *pairs)
{
    AUTO(text_list_clear) struct text_list list = config_names(config, prefix);

    for (size_t i = 0; i < list.count; i++) {
        OWNED char *key = text_format("%s%s", prefix, list.items[i]);
        rls_pairs_add(pairs, list.items[i], config_text(config, key));
    }
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
    read_pairs(config, "tenant_set.", &settings->set);
    settings->tenant_role = text_copy(config_text(config, "tenant_role"));
    settings->tenants_query = text_copy(config_text(config, "tenants_query"));
    settings->make_tenants = text_equal(config_text(config, "tenants"), "make");
    if (!settings->make_tenants)
        settings->tenants = names(config, "tenants");
}

void rls_read_settings(const struct invocation *invocation, struct rls_settings *ret)
{
    const struct config *config = invocation->config;
    const char *history = config_text(config, "history_table");

    ret->schemas = names(config, "schemas");
    ret->tenant_columns = names(config, "tenant_column");
    ret->exempt = names(config, "exempt");
    text_list_add(&ret->exempt, text_copy(history));
    text_list_add(&ret->exempt, text_format("%s_log", history));
    read_pairs(config, "through.", &ret->through);
    read_roles(invocation, ret);
    read_tenants(config, ret);
}

bool rls_is_configured(const struct config *config)
{
    static const char *const keys[] = {"schemas", "tenant_column",  "exempt",
                                       "roles",   "tenant_setting", "tenant_role",
                                       "tenants", "fail_on",        "tenants_query"};
    AUTO(text_list_clear) struct text_list set = config_names(config, "tenant_set.");
    bool configured = set.count > 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        configured = configured || config_is_set(config, keys[i]);
    return configured;
}

void rls_put_findings(json_t *document, const char *name, const struct rls_findings *findings)
{
    json_t *array = json_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct rls_finding *finding = &findings->items[i];
        json_t *object = json_object();
        document_text(object, "check", finding->check);
        document_text(object, "severity", rls_severity_name(finding->severity));
        document_text(object, "object", finding->object);
        document_text(object, "role", finding->role);
        document_text(object, "message", finding->message);
        document_text(object, "hint", finding->hint);
        document_text(object, "evidence", finding->evidence);
        document_text(object, "reason", finding->accepted);
        json_array_append_new(array, object);
    }
    json_object_set_new(document, name, array);
}
