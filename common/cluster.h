/* SPDX-License-Identifier: PostgreSQL */
/*
 * A private PostgreSQL server: one folder holds data, socket and log; nothing listens on TCP. Used by the
 * target "embedded:", rehearsals, restore tests, the demo and the test suite.
 *
 * PostgreSQL refuses to run as root. Started by root, everything runs as an unprivileged user (the package's
 * "postgres" if it exists, else "nobody") who is given the folder; any other user runs it as himself. Access
 * is by the Unix socket in a folder of mode 0700 or, under root, one only root and that user may enter; the
 * database superuser is "postgres".
 */
#ifndef COMMON_CLUSTER_H
#define COMMON_CLUSTER_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>

enum cluster_state { CLUSTER_ABSENT, CLUSTER_STOPPED, CLUSTER_RUNNING };

struct cluster_status {
    enum cluster_state state;
    int pid;       /* of the postmaster, 0 when not running */
    char *version; /* "15.20", of the program that would run or runs it; NULL when none is installed */
    char *folder;  /* absolute */
    char *url;     /* postgresql://postgres@/postgres?host=… ; usable while running */
};
void cluster_status_clear(struct cluster_status *status);
CLEANUP_VALUE(struct cluster_status, cluster_status_clear)

/*
 * Start the cluster in folder, with initdb on first use; a running one is fine. Two starts at once are
 * ordered by a lock file. The newest installed server is used on first use; later the one of the data's major
 * version. PGMIGRATE_PG_BINDIR chooses another folder of server programs.
 */
MUST_CHECK bool cluster_start(const char *folder, struct error *error);
/* Fast shutdown, waited for; a stopped or absent one is fine. */
MUST_CHECK bool cluster_stop(const char *folder, struct error *error);
MUST_CHECK bool cluster_status(const char *folder, struct cluster_status *ret, struct error *error);
/* Stop and remove everything. */
MUST_CHECK bool cluster_destroy(const char *folder, struct error *error);

#endif
