/* SPDX-License-Identifier: PostgreSQL */
/*
 * Backups as commands take them: the settings of the configuration, the migrations that the snapshot holds,
 * and the look at the result. The only place where backups and migrations meet.
 */
#ifndef CLI_BACKUPS_H
#define CLI_BACKUPS_H

#include "backup/repository.h"
#include "cli/command.h"
#include "common/postgres.h"

struct backups_request {
    const char *command;            /* for the record: "backup create" */
    const struct text_list *before; /* versions that are applied right after it; or NULL */
    const char *tag;                /* or NULL */
    const char *role;               /* or NULL */
    bool role_passwords;
    bool verify;
    int64_t wait_ms; /* for another run that writes into the repository */
};

/* "jobs" of the configuration: from 1 to 64, or a wrong use. */
MUST_CHECK bool backups_jobs(const struct config *config, int *ret, struct error *error);

/*
 * Take one, and verify it where asked for. postgres is any connection to the database; who calls holds the
 * run lock. Options of the invocation: attach. A backup that fails its verification is ERROR_BACKUP, and
 * stays for inspection.
 */
MUST_CHECK bool backups_take(const struct invocation *invocation, struct postgres *postgres,
                             const struct backups_request *request, struct record **ret, struct error *error);

/* The repository of the configuration. */
MUST_CHECK bool backups_repository(const struct invocation *invocation, bool create, struct repository **ret,
                                   struct error *error);

/* The system identifier of the server that a connection goes to, as records have it: databases of one name on
 * several servers are told apart by it. NULL where the role may not know it. The caller frees it. */
char *backups_server(struct postgres *postgres);

/* The backup that a word names: an id, a path or "latest". In a repository of several databases "latest" is
 * the newest of this one (NULL: not known), or an error that names them. What it passes over is warned of. */
MUST_CHECK bool backups_find(const struct invocation *invocation, struct repository *repository,
                             const char *word, const char *database, struct record **ret, char **ret_archive,
                             struct error *error);

/* Note in the repository what came of verifying: "digest", "decode" or "damaged". Of an archive that lies
 * elsewhere, or without a record (NULL), nothing is noted; that it could not be is a warning. */
void backups_mark_verified(const struct invocation *invocation, struct repository *repository,
                           struct record *record, const char *archive, const char *how);

/* Warn of what was passed over in looking for a backup that was not named. */
void backups_warn(const struct invocation *invocation, const struct repository *repository);

/* "20261123T…-shop: 12 tables, 1234 rows, 1.2 GB in 300 MB, 4.2 s". The caller frees it. */
char *backups_summary(const struct record *record);

#endif
