/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_settings.h"

#include <jansson.h>
#include <string.h>

#define PLACE "{tenant}"

void rls_pairs_add(struct rls_pairs *pairs, const char *name, const char *value)
{
    pairs->items = memory_grow(pairs->items, pairs->count, sizeof *pairs->items);
    pairs->items[pairs->count++] = (struct rls_pair){.name = text_copy(name), .value = text_copy(value)};
}

void rls_pairs_clear(struct rls_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct rls_pairs){0};
}

/* "*" is anything; what LIKE would take for more than itself is escaped. */
static char *like_pattern(const char *name)
{
    char *pattern = memory_allocate(2 * strlen(name) + 1, 1), *out = pattern;

    for (; *name != '\0'; name++) {
        if (strchr("\\%_", *name) != NULL)
            *out++ = '\\';
        *out++ = *name == '*' ? '%' : *name;
    }
    return pattern;
}

static void put_patterns(json_t *top, const char *name, const struct text_list *list)
{
    if (list->count == 0)
        return;
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        OWNED char *pattern = like_pattern(list->items[i]);
        json_array_append_new(array, json_string(pattern));
    }
    json_object_set_new(top, name, array);
}

char *rls_settings_scope(const struct rls_settings *settings)
{
    json_t *top = json_object(), *through = json_object();

    put_patterns(top, "schemas", &settings->schemas);
    put_patterns(top, "tenant_columns", &settings->tenant_columns);
    put_patterns(top, "exempt", &settings->exempt);
    put_patterns(top, "roles", &settings->roles);
    for (size_t i = 0; i < settings->through.count; i++)
        json_object_set_new(through, settings->through.items[i].name,
                            json_string(settings->through.items[i].value));
    json_object_set_new(top, "through", through);
    if (settings->tenant_role != NULL)
        json_object_set_new(top, "tenant_role", json_true());
    char *text = json_dumps(top, JSON_COMPACT);
    json_decref(top);
    return text;
}

char *rls_settings_fill(const char *template, const char *tenant)
{
    char *text = text_copy("");
    const char *place;

    for (; (place = strstr(template, PLACE)) != NULL; template = place + strlen(PLACE)) {
        char *longer = text_format("%s%.*s%s", text, (int)(place - template), template, tenant);
        free(text);
        text = longer;
    }
    char *whole = text_format("%s%s", text, template);
    free(text);
    return whole;
}

void rls_settings_clear(struct rls_settings *settings)
{
    text_list_clear(&settings->schemas);
    text_list_clear(&settings->tenant_columns);
    text_list_clear(&settings->exempt);
    text_list_clear(&settings->roles);
    rls_pairs_clear(&settings->through);
    rls_pairs_clear(&settings->set);
    free(settings->tenant_role);
    text_list_clear(&settings->tenants);
    free(settings->tenants_query);
    *settings = (struct rls_settings){0};
}
