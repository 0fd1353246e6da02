/* SPDX-License-Identifier: PostgreSQL */
/*
 * Where PostgreSQL's programs are installed: those of the server (initdb, pg_ctl, postgres) and of clients
 * (pg_dump, pg_restore). PGMIGRATE_PG_BINDIR names their folder; otherwise the places where packages put them
 * are searched, and PATH.
 */
#ifndef COMMON_PROGRAMS_H
#define COMMON_PROGRAMS_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * The folder with the programs of the given major version, or with the newest there are for major 0.
 * ERROR_FAILED with a remedy when there is none.
 */
MUST_CHECK bool programs_find(int major, char **ret_folder, struct error *error);

/* "15.20", "17beta2": what the postgres in this folder says it is. */
MUST_CHECK bool programs_version(const char *folder, char **ret_version, struct error *error);

/* A client program as it is installed, maybe in several versions. */
struct program {
    char *folder;
    char *version; /* "15.20" */
    int major;
};
struct program_list {
    struct program *items; /* one of each major version, the oldest first */
    size_t count;
};
/* Those that run; none is no error. Each has to be started to know its version, so the search ends where
 * major is found; 0 searches everywhere. */
void programs_list(const char *name, int major, struct program_list *ret);
void program_list_clear(struct program_list *list);
CLEANUP_VALUE(struct program_list, program_list_clear)

#endif
