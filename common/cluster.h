/* SPDX-License-Identifier: PostgreSQL */
/*
 * A private PostgreSQL server: one folder holds data, socket and log; nothing listens on TCP. Used by the
 * target "embedded:", rehearsals, restore tests, the demo and the test suite.
 *
 * PostgreSQL refuses to run as root. Started by root, everything runs as an unprivileged user (the package's
 * "postgres" if it exists, else "nobody"; the owner of the data once there are any); any other user runs it
 * as himself. Whoever reaches the socket is superuser "postgres" without a password, so data, log and socket
 * are in a folder of mode 0700 that belongs to that user. In the cluster's folder are
 *
 *     lock      orders those who start and stop it
 *     server    data, log and socket; a link into /var/tmp where the unprivileged user cannot reach the
 * folder (root's home), because PostgreSQL needs its files under a path it may walk server/socket  only where
 * the path is too long for a socket (107 bytes): a link to a short one in /tmp
 *
 * PGMIGRATE_CLUSTER_FSYNC=off in the environment of a start makes it faster and, after a power failure,
 * worthless.
 */
#ifndef COMMON_CLUSTER_H
#define COMMON_CLUSTER_H

#include "common/config.h"
#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>

/* ".pgmigrate/cluster" beside the configuration file, or in the current folder. The caller frees it. */
char *cluster_folder(const struct config *config);

enum cluster_state { CLUSTER_ABSENT, CLUSTER_STOPPED, CLUSTER_RUNNING };

struct cluster_status {
    enum cluster_state state;
    int pid;       /* of the postmaster, 0 when not running */
    char *version; /* "15.20", of the program that would run or runs it; NULL when none is installed */
    char *folder;  /* absolute */
    char *url;     /* postgresql://postgres@/postgres?host=… while it is running, else NULL */
};
void cluster_status_clear(struct cluster_status *status);
CLEANUP_VALUE(struct cluster_status, cluster_status_clear)

/*
 * Start the cluster in folder, with initdb on first use; a running one is fine. Two starts at once are
 * ordered by a lock file. The newest installed server is used on first use; later the one of the data's major
 * version. PGMIGRATE_PG_BINDIR chooses another folder of server programs. What a killed server left behind is
 * cleared away, after the last of its processes is gone.
 */
MUST_CHECK bool cluster_start(const char *folder, struct error *error);
/* The same with more wishes. */
struct cluster_options {
    int major;            /* of the programs, for a new cluster; 0: the newest */
    const char *settings; /* lines of postgresql.conf that override the usual ones, or NULL */
    bool no_network;      /* its processes reach nobody, where the system lets us say so */
};
MUST_CHECK bool cluster_start_with(const char *folder, const struct cluster_options *options,
                                   struct error *error);
/* Fast shutdown, waited for; a stopped or absent one is fine. */
MUST_CHECK bool cluster_stop(const char *folder, struct error *error);
/* Takes no lock and changes nothing. */
MUST_CHECK bool cluster_status(const char *folder, struct cluster_status *ret, struct error *error);
/* Stop, and remove everything that starts have made; the folder, too, unless it holds something else. */
MUST_CHECK bool cluster_destroy(const char *folder, struct error *error);

#endif
