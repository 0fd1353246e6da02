/* SPDX-License-Identifier: PostgreSQL */
/*
 * A cluster that is made for one purpose and removed afterwards, in a temporary folder ($TMPDIR; run by root,
 * in /var/tmp, where the server's user can reach it): for restore tests and rehearsals. Nothing of it can
 * reach anybody: no TCP, and no network where the system allows that.
 */
#ifndef COMMON_THROWAWAY_H
#define COMMON_THROWAWAY_H

#include "common/cluster.h"

struct throwaway {
    char *folder; /* others may put files there */
    char *cluster;
    char *url; /* of its database postgres, as superuser */
};

/*
 * prefix is the folder's. options->major is tried first, then the newest that is installed. What was begun is
 * in ret on failure, too.
 */
MUST_CHECK bool throwaway_start(const char *prefix, const struct cluster_options *options,
                                struct throwaway *ret, struct error *error);

/* Stop and remove it, also after a signal, which ends the waiting for the server's end: then it is killed. */
void throwaway_end(struct throwaway *throwaway);
CLEANUP_VALUE(struct throwaway, throwaway_end)

#endif
