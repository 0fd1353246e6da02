/* SPDX-License-Identifier: PostgreSQL */
#include "cli/inputs.h"

#include "cli/connect.h"
#include "cli/report.h"
#include <pthread.h>
#include <signal.h>

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

bool inputs_folder(const struct invocation *invocation, struct folder **ret_folder, struct error *error)
{
    AUTO(inputs_folder_options_clear)
    struct folder_options options = inputs_folder_options(invocation->config);

    if (folder_read(&options, ret_folder, error))
        return true;
    tell_others(invocation, *ret_folder, error);
    return false;
}

/* ---- folder and history, side by side ---- */

struct reading {
    struct folder_options options;
    struct folder *folder;
    struct error error;
    bool ok;
    bool started;
    pthread_t thread;
};

static void *read_on(void *argument)
{
    struct reading *reading = argument;

    reading->ok = folder_read(&reading->options, &reading->folder, &reading->error);
    return NULL;
}

/* Signals are for the thread that waits for the server. */
static void reading_start(const struct invocation *invocation, struct reading *ret)
{
    sigset_t all, before;

    *ret = (struct reading){.options = inputs_folder_options(invocation->config)};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ret->started = pthread_create(&ret->thread, NULL, read_on, ret) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool reading_finish(const struct invocation *invocation, struct reading *reading,
                           struct folder **ret_folder, struct error *error)
{
    if (reading->started)
        pthread_join(reading->thread, NULL);
    else
        read_on(reading);
    inputs_folder_options_clear(&reading->options);
    *ret_folder = reading->folder;
    if (reading->ok)
        return true;
    error_move(error, &reading->error);
    tell_others(invocation, *ret_folder, error);
    return false;
}

bool inputs_read(const struct invocation *invocation,
                 bool (*open)(struct postgres *postgres, const char *name, struct history **ret,
                              struct error *error),
                 struct inputs *ret, struct error *error)
{
    AUTO(error_clear) struct error failure = {0};
    struct reading reading;
    bool ok;

    *ret = (struct inputs){0};
    reading_start(invocation, &reading);
    ok = connect_database(invocation, &ret->postgres, &failure) &&
         connect_role(invocation, ret->postgres, &failure) &&
         open(ret->postgres, config_text(invocation->config, "history_table"), &ret->history, &failure);
    if (!reading_finish(invocation, &reading, &ret->folder, error))
        return false;
    if (!ok)
        error_move(error, &failure);
    return ok;
}

void inputs_clear(struct inputs *inputs)
{
    folder_free(take(inputs->folder));
    history_free(take(inputs->history));
    postgres_free(take(inputs->postgres));
}
