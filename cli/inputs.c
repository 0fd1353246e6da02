/* SPDX-License-Identifier: PostgreSQL */
#include "cli/inputs.h"

#include "cli/connect.h"
#include "cli/report.h"

/* In a protected environment, what cannot be undone is an error unless the configuration says otherwise. */
static enum rollback_required rollback_required(const struct config *config)
{
    const char *value = config_text(config, "rollback_required");
    if (!value || !*value)
        return config_bool(config, "protected") ? ROLLBACK_YES : ROLLBACK_WARN;
    if (text_equal(value, "yes"))
        return ROLLBACK_YES;
    return text_equal(value, "no") ? ROLLBACK_NO : ROLLBACK_WARN;
}

struct folder_options inputs_folder_options(const struct config *config)
{
    struct folder_options options = {.rollback_required = rollback_required(config)};
    struct text_list directories = config_paths(config, "directory");
    for (size_t i = 0; i < directories.count; i++)
        text_list_add(&options.directories, report_path(directories.items[i]));
    text_list_clear(&directories);
    if (!layout_from_name(config_text(config, "layout"), &options.layout))
        options.layout = LAYOUT_AUTO;
    options.allow_duplicates = text_equal(config_text(config, "duplicate_versions"), "allow");
    return options;
}

void inputs_folder_options_clear(struct folder_options *options)
{
    text_list_clear(&options->directories);
}

/* The error is the first mistake in the folder; whoever mends it wants to see the others too. */
static void tell_others(const struct invocation *invocation, const struct folder *folder,
                        const struct error *error)
{
    for (size_t i = 0; folder && i < folder->findings.count; i++) {
        const struct finding *finding = &folder->findings.items[i];
        if (finding->severity == SEVERITY_ERROR && invocation->verbosity > VERBOSITY_QUIET &&
            !(text_equal(finding->message, error->message) && text_equal(finding->file, error->file)))
            report_finding(stderr, invocation->color, finding);
    }
}

static bool read_folder(const struct invocation *invocation, struct connecting *connecting,
                        struct folder **ret_folder, struct error *error)
{
    AUTO(inputs_folder_options_clear)
    struct folder_options options = inputs_folder_options(invocation->config);
    bool ok;

    if (connecting) {
        options.meanwhile = connect_step;
        options.context = connecting;
    }
    ok = folder_read(&options, ret_folder, error);
    if (!ok)
        tell_others(invocation, *ret_folder, error);
    return ok;
}

bool inputs_folder(const struct invocation *invocation, struct folder **ret_folder, struct error *error)
{
    return read_folder(invocation, NULL, ret_folder, error);
}

bool inputs_folder_and_database(const struct invocation *invocation, struct folder **ret_folder,
                                struct postgres **ret_postgres, struct error *error)
{
    AUTO(connecting_clear) struct connecting connecting;

    connect_start(invocation, &connecting);
    return read_folder(invocation, &connecting, ret_folder, error) &&
           connect_finish(invocation, &connecting, ret_postgres, error);
}
