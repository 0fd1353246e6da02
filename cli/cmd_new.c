/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/inputs.h"
#include "migrator/new.h"

static const struct option_spec options[] = {
    {.name = "numbering", .argument = "STYLE", .key = "new_version"},
    {.name = "layout", .argument = "LAYOUT", .key = "layout"},
    {0},
};

static enum new_numbering numbering(const struct config *config)
{
    const char *value = config_text(config, "new_version");
    if (text_equal(value, "sequence"))
        return NEW_SEQUENCE;
    return text_equal(value, "timestamp") ? NEW_TIMESTAMP : NEW_AUTO;
}

/*
 * -m chooses the folder to write to; when it is one of the configured ones, they still form one sequence, and
 * the number must be new in all of them.
 */
static struct folder_options sequence_of(const struct invocation *invocation, const char *directory)
{
    AUTO(config_free) struct config *config = NULL;
    AUTO(error_clear) struct error error = {0};
    if (config_load(config_file(invocation->config), config_environment(invocation->config), &config,
                    &error)) {
        struct folder_options configured = inputs_folder_options(config);
        if (text_list_contains(&configured.directories, directory))
            return configured;
        inputs_folder_options_clear(&configured);
    }
    return inputs_folder_options(invocation->config);
}

/* Only names and numbers matter here: mistakes in files, or a folder yet to be made, do not stop the next
 * file. */
static struct folder *read_sequence(const struct invocation *invocation, const char *directory)
{
    AUTO(inputs_folder_options_clear) struct folder_options sequence = sequence_of(invocation, directory);
    AUTO(error_clear) struct error ignored = {0};
    struct folder *folder = NULL;
    if (!folder_read(&sequence, &folder, &ignored))
        return folder;
    return folder;
}

static char *description_of(const struct invocation *invocation)
{
    return text_list_join(&invocation->operands, " ");
}

static void tell(const struct invocation *invocation, const struct new_result *result)
{
    if (invocation->json) {
        json_t *files = json_array();
        for (size_t i = 0; i < result->files.count; i++)
            json_array_append_new(files, json_string(result->files.items[i]));
        document_text(invocation->document, "version", result->version);
        json_object_set_new(invocation->document, "files", files);
        return;
    }
    for (size_t i = 0; i < result->files.count; i++)
        printf("%s\n", result->files.items[i]);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(inputs_folder_options_clear) struct folder_options given = inputs_folder_options(invocation->config);
    if (given.directories.count == 0)
        return error_set(error, ERROR_USAGE, "no migrations folder is configured");
    const char *directory = given.directories.items[given.directories.count - 1];
    AUTO(folder_free) struct folder *folder = read_sequence(invocation, directory);
    AUTO(new_result_clear) struct new_result result = {0};
    OWNED char *description = description_of(invocation);
    const struct new_request request = {
        .folder = folder,
        .directory = directory,
        .description = description,
        .numbering = numbering(invocation->config),
        .layout = given.layout,
        .now = time(NULL),
    };
    if (!new_write(&request, &result, error))
        return false;
    tell(invocation, &result);
    return true;
}

const struct command cmd_new = {
    .name = "new",
    .operands = "DESCRIPTION...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .summary = "write the files of the next migration",
    .details =
        "Makes NNN_description.sql and NNN_description_rollback.sql, numbered as the folder numbers its "
        "files: the next number in the same width, or the time in UTC where the folder has timestamps. "
        "A folder of another layout gets files of that layout. Nothing is ever overwritten, and the paths "
        "are printed.\n\n"
        "With several folders the files go to the last of them, or to the one given with -m.",
    .options = options,
    .group = "Migrations",
    .run = run,
};
