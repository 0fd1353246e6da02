/* SPDX-License-Identifier: PostgreSQL */
#include "cli/command.h"

const struct option_spec common_options[] = {
    {.name = "database",
     .letter = 'd',
     .argument = "CONNINFO",
     .key = "database",
     .summary = "database: URI, keywords, service=NAME or embedded:"},
    {.name = "environment",
     .letter = 'e',
     .argument = "NAME",
     .summary = "section [environment NAME] of the configuration"},
    {.name = "config",
     .letter = 'c',
     .argument = "FILE",
     .summary = "configuration, else pgmigrate.conf here or above"},
    {.name = "migrations",
     .letter = 'm',
     .argument = "DIR",
     .key = "directory",
     .repeats = true,
     .summary = "folder of migrations"},
    {.name = "json", .summary = "print one JSON document on stdout"},
    {.name = "quiet", .letter = 'q', .summary = "print nothing but errors on stderr"},
    {.name = "verbose", .letter = 'v', .summary = "print more on stderr"},
    {.name = "color",
     .argument = "WHEN",
     .choices = "auto always never",
     .summary = "colors; NO_COLOR is honored"},
    {.name = "yes", .letter = 'y', .summary = "confirm what a protected environment asks"},
    {.name = "help", .letter = 'h', .summary = "print help and exit"},
    {.name = "version", .summary = "print the version and exit"},
    {0},
};

/* ---- the table ---- */

bool command_has_word(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = words; at && *at && length;) {
        size_t part = strcspn(at, " ");

        if (part == length && memcmp(at, word, part) == 0)
            return true;
        at += part + (at[part] == ' ');
    }
    return false;
}

const struct command *command_find(const struct command *const commands[], const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (text_equal(commands[i]->name, name) || command_has_word(commands[i]->aliases, name))
            return commands[i];
    return NULL;
}

bool command_is_group(const struct command *const commands[], const char *word)
{
    size_t length = strlen(word);

    for (size_t i = 0; commands[i]; i++)
        if (length && text_starts_with(commands[i]->name, word) && commands[i]->name[length] == ' ')
            return true;
    return false;
}

const struct option_spec *option_find(const struct option_spec options[], const char *name)
{
    for (size_t i = 0; options && options[i].name; i++)
        if (text_equal(options[i].name, name))
            return &options[i];
    return NULL;
}

const char *option_summary(const struct option_spec *option)
{
    const struct config_key *key = option->summary || !option->key ? NULL : config_key(option->key);

    if (option->summary)
        return option->summary;
    return key && key->summary ? key->summary : "";
}

const char *option_choices(const struct option_spec *option)
{
    const struct config_key *key = option->choices || !option->key ? NULL : config_key(option->key);

    return key ? key->choices : option->choices;
}

bool command_configure(struct invocation *invocation, struct error *error)
{
    if (!config_load(invocation_option(invocation, "config"), invocation_option(invocation, "environment"),
                     &invocation->config, error))
        return false;
    for (size_t i = 0; i < invocation->option_count; i++) {
        const struct option_value *option = &invocation->options[i];
        size_t first = option->spec->repeats ? 0 : option->values.count - 1;

        for (size_t j = first; option->spec->key && j < option->values.count; j++)
            if (!config_set_flag(invocation->config, option->spec->key,
                                 option->spec->argument ? option->values.items[j] : "yes", error))
                return false;
    }
    return true;
}

/* ---- what was given ---- */

void invocation_clear(struct invocation *invocation)
{
    for (size_t i = 0; i < invocation->option_count; i++)
        text_list_clear(&invocation->options[i].values);
    free(invocation->options);
    free(invocation->group);
    free(invocation->unknown);
    text_list_clear(&invocation->operands);
    config_free(invocation->config);
    json_decref(invocation->document);
    *invocation = (struct invocation){0};
}

size_t invocation_options(const struct invocation *invocation, const char *name,
                          const char *const **ret_values)
{
    for (size_t i = 0; i < invocation->option_count; i++) {
        const struct option_value *option = &invocation->options[i];

        if (text_equal(option->spec->name, name)) {
            *ret_values = (const char *const *)option->values.items;
            return option->values.count;
        }
    }
    return 0;
}

const char *invocation_option(const struct invocation *invocation, const char *name)
{
    const char *const *values = NULL;
    size_t count = invocation_options(invocation, name, &values);

    return count ? values[count - 1] : NULL;
}

bool invocation_flag(const struct invocation *invocation, const char *name)
{
    return invocation_option(invocation, name) != NULL;
}

bool invocation_number(const struct invocation *invocation, const char *name, int64_t minimum,
                       int64_t maximum, int64_t *value, struct error *error)
{
    const char *given = invocation_option(invocation, name);

    if (!given || text_parse_integer(given, minimum, maximum, value))
        return true;
    error_set(error, ERROR_USAGE, "invalid value \"%s\" for \"--%s\"", given, name);
    return error_hint(error, "It is a whole number, at least %lld.", (long long)minimum);
}
