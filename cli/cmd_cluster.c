/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/document.h"
#include "common/cluster.h"

#define OPTION_FOLDER                                                                                        \
    {                                                                                                        \
        .name = "folder", .argument = "DIR",                                                                 \
        .summary =                                                                                           \
            "the cluster's folder (default: .pgmigrate/cluster beside pgmigrate.conf or in this folder)"     \
    }

static const struct option_spec options[] = {OPTION_FOLDER, {0}};
static const struct option_spec stop_options[] = {
    OPTION_FOLDER,
    {.name = "remove", .summary = "remove the cluster with all its data"},
    {0},
};

static char *chosen_folder(const struct invocation *invocation)
{
    const char *given = invocation_option(invocation, "folder");
    return given ? text_copy(given) : cluster_folder(invocation->config);
}

static const char *state_name(enum cluster_state state)
{
    static const char *const names[] = {
        [CLUSTER_ABSENT] = "absent", [CLUSTER_STOPPED] = "stopped", [CLUSTER_RUNNING] = "running"};
    return names[state];
}

static void add_fields(json_t *document, const struct cluster_status *status)
{
    document_text(document, "state", state_name(status->state));
    if (status->pid)
        document_integer(document, "pid", status->pid);
    document_text(document, "version", status->version);
    document_text(document, "folder", status->folder);
    document_text(document, "url", status->url);
}

static void print_status(const struct cluster_status *status)
{
    const char *version = status->version ? status->version : "(not installed)";
    if (status->state == CLUSTER_RUNNING)
        printf("running   PostgreSQL %s, process %d\n", version, status->pid);
    else
        printf("%-8s  PostgreSQL %s\n", state_name(status->state), version);
    printf("folder    %s\n", status->folder);
    if (status->url)
        printf("url       %s\n", status->url);
}

/* Commands end by telling how things stand now. */
static bool tell(struct invocation *invocation, const char *folder, struct error *error)
{
    AUTO(cluster_status_clear) struct cluster_status status = {0};
    if (!cluster_status(folder, &status, error))
        return false;
    if (invocation->json)
        add_fields(invocation->document, &status);
    else
        print_status(&status);
    return true;
}

/* Who starts or stops it quietly did not ask how things stand. */
static bool tell_unless_quiet(struct invocation *invocation, const char *folder, struct error *error)
{
    return (invocation->verbosity == VERBOSITY_QUIET && !invocation->json) || tell(invocation, folder, error);
}

static bool run_start(struct invocation *invocation, struct error *error)
{
    OWNED char *folder = chosen_folder(invocation);
    return cluster_start(folder, error) && tell_unless_quiet(invocation, folder, error);
}

static bool run_stop(struct invocation *invocation, struct error *error)
{
    OWNED char *folder = chosen_folder(invocation);
    bool (*end)(const char *, struct error *) =
        invocation_flag(invocation, "remove") ? cluster_destroy : cluster_stop;
    return end(folder, error) && tell_unless_quiet(invocation, folder, error);
}

static bool run_status(struct invocation *invocation, struct error *error)
{
    OWNED char *folder = chosen_folder(invocation);
    return tell(invocation, folder, error);
}

static bool run_url(struct invocation *invocation, struct error *error)
{
    OWNED char *folder = chosen_folder(invocation);
    AUTO(cluster_status_clear) struct cluster_status status = {0};

    if (!cluster_status(folder, &status, error))
        return false;
    if (!status.url) {
        error_set(error, ERROR_CONNECTION, "the cluster in \"%s\" is not running", status.folder);
        return error_hint(error, "Start it with \"pgmigrate cluster start\".");
    }
    if (invocation->json)
        add_fields(invocation->document, &status);
    else
        printf("%s\n", status.url);
    return true;
}

const struct command cmd_cluster_start = {
    .name = "cluster start",
    .summary = "start a private throwaway PostgreSQL",
    .details = "The cluster is made on first use, by the newest PostgreSQL server that is installed. It has "
               "a Unix socket "
               "and no network port, and its superuser is \"postgres\", without a password; only the user "
               "who started it "
               "(and root) may enter its folder. Started by root, it runs as user \"postgres\" or "
               "\"nobody\", and its files "
               "are in /var/tmp where that user cannot reach the folder. The target \"-d embedded:\" starts "
               "and uses the "
               "same cluster.\n\n"
               "PGMIGRATE_PG_BINDIR chooses the folder of the server's programs. PGMIGRATE_CLUSTER_FSYNC=off "
               "makes the "
               "cluster faster and its data worthless after a power failure, which is right for tests.",
    .options = options,
    .group = "Server",
    .run = run_start,
};

const struct command cmd_cluster_stop = {
    .name = "cluster stop",
    .summary = "stop the private PostgreSQL",
    .details = "Its data stay for the next start, unless --remove is given.",
    .options = stop_options,
    .group = "Server",
    .run = run_stop,
};

const struct command cmd_cluster_status = {
    .name = "cluster status",
    .summary = "show whether the private PostgreSQL runs, and where",
    .options = options,
    .group = "Server",
    .run = run_status,
};

const struct command cmd_cluster_url = {
    .name = "cluster url",
    .summary = "print the connection URI of the private PostgreSQL",
    .details = "For other programs:\n\n    psql \"$(pgmigrate cluster url)\"",
    .options = options,
    .group = "Server",
    .run = run_url,
};
