/* SPDX-License-Identifier: PostgreSQL */
#include "common/throwaway.h"

#include "common/interrupt.h"
#include "common/text.h"
#include <signal.h>
#include <time.h>

static bool start(const struct throwaway *throwaway, const struct cluster_options *options,
                  struct error *error)
{
    AUTO(error_clear) struct error other = {0};
    struct cluster_options newest = *options;

    if (cluster_start_with(throwaway->cluster, options, &other))
        return true;
    newest.major = 0;
    if (interrupt_signal())
        return interrupt_error(error);
    return cluster_start_with(throwaway->cluster, &newest, error);
}

bool throwaway_start(const char *prefix, const struct cluster_options *options, struct throwaway *ret,
                     struct error *error)
{
    AUTO(cluster_status_clear) struct cluster_status status = {0};

    if (!file_make_temporary(prefix, &ret->folder, error))
        return false;
    ret->cluster = file_join(ret->folder, "cluster");
    if (!start(ret, options, error) || !cluster_status(ret->cluster, &status, error))
        return false;
    ret->url = take(status.url);
    return true;
}

static void destroy(const struct throwaway *throwaway)
{
    AUTO(cluster_status_clear) struct cluster_status status = {0};
    AUTO(error_clear) struct error ignored = {0};

    if (!cluster_destroy(throwaway->cluster, &ignored) &&
        cluster_status(throwaway->cluster, &status, &ignored) && status.pid > 0)
        kill(status.pid, SIGQUIT);
    for (int tries = 0; tries < 100 && file_exists(throwaway->cluster); tries++) {
        const struct timespec pause = {.tv_nsec = 100000000};

        nanosleep(&pause, NULL);
        if (cluster_destroy(throwaway->cluster, &ignored))
            break;
    }
    if (!file_remove_tree(throwaway->folder, &ignored))
        error_clear(&ignored);
}

void throwaway_end(struct throwaway *throwaway)
{
    if (throwaway->folder)
        destroy(throwaway);
    free(throwaway->folder);
    free(throwaway->cluster);
    free(throwaway->url);
    *throwaway = (struct throwaway){0};
}
