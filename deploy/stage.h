/* SPDX-License-Identifier: PostgreSQL */
/*
 * The database that a rehearsal runs in: a scratch copy on the staging server, made from the staging database
 * (file by file, or, while others use it, through an interim backup) or from a backup; a database of a
 * throwaway cluster, empty or from a backup; or the staging database itself.
 */
#ifndef DEPLOY_STAGE_H
#define DEPLOY_STAGE_H

#include "backup/restore.h"
#include "common/postgres.h"
#include "deploy/rehearsal.h"
#include "migrator/apply.h"

struct stage_options {
    struct postgres *staging; /* a connection to the staging database, NULL where there is none; taken over,
                               * because nobody may be connected to what is copied */
    bool in_place;            /* in the staging database itself */
    const char *archive;      /* fill it from this backup, or NULL */
    const struct record *record; /* of the backup */
    int jobs;                    /* that restore it */
    const struct restore_listener *listener;
    const char *settings; /* for postgres_connect_with */
    int major;            /* of the throwaway cluster, 0: the newest */
};

struct stage;
MUST_CHECK bool stage_open(const struct stage_options *options, struct stage **ret, struct error *error);
struct postgres *stage_postgres(struct stage *stage);
enum rehearsal_place stage_place(const struct stage *stage);
/* "host:port/database" of the staging database, also where a copy of it is used; or "embedded". */
const char *stage_server(const struct stage *stage);

/* What the user should know of how it was made, a sentence; or NULL. */
const char *stage_note(const struct stage *stage);

/* Let the scratch database outlive stage_free; *ret_database is its name, the caller's to free. ERROR_USAGE
 * where there is none. */
MUST_CHECK bool stage_keep(struct stage *stage, char **ret_database, struct error *error);

/* Whatever was made for the rehearsal is removed. */
void stage_free(struct stage *stage);
CLEANUP_POINTER(struct stage *, stage_free)

/* Bring an empty stage to where the target is: apply, unmeasured, those files of the folder that the target's
 * history has. */
MUST_CHECK bool stage_catch_up(struct stage *stage, const struct folder *folder, const struct history *target,
                               const struct run_options *options, const char *history_table,
                               struct error *error);

#endif
