/* SPDX-License-Identifier: PostgreSQL */
/* The folders of a private cluster, and the user they belong to: the part of common/cluster that knows the
 * disk. */
#ifndef COMMON_PLACE_H
#define COMMON_PLACE_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <sys/types.h>

/* Where everything is, and who runs it. */
struct place {
    char *folder; /* absolute */
    char *server; /* the real folder of data and log; NULL when absent */
    char *data;
    char *socket; /* folder of the socket */
    bool drop;    /* we are root: run the programs as user and group */
    uid_t user;
    gid_t group;
    bool no_network; /* as the cluster is asked to run */
};

void place_clear(struct place *place);
CLEANUP_VALUE(struct place, place_clear)

/* What is there; makes nothing. A cluster of another user is an error, except for root, who acts as that
 * user. */
MUST_CHECK bool place_find(const char *folder, struct place *ret, struct error *error);

/* The folder itself, before a lock file in it can be had. */
MUST_CHECK bool place_prepare(const char *folder, struct error *error);

/* The folders of server and socket, where place_find did not find them. */
MUST_CHECK bool place_make(struct place *place, struct error *error);

/* Whether there is a complete data folder, and its major version, or 0. */
bool place_has_data(const struct place *place);
int place_major(const struct place *place);

#endif
