/* SPDX-License-Identifier: PostgreSQL */
/*
 * The commit record of a backup: "<id>.json" beside its archive, written last. A backup exists if and only if
 * its record does and the archive's size and footer match. It is clear text and holds no names of tables.
 *
 * The record also holds the marks that are set on a backup later: kept, verified, tested. A mark rewrites the
 * record atomically.
 *
 * Its last field is a SHA-256 of all others, so that damage shows also where nothing else says the same.
 */
#ifndef BACKUP_RECORD_H
#define BACKUP_RECORD_H

#include "backup/manifest.h"

struct record {
    char *id;      /* 20261123T032109Z-shop-7f3a9c: sorts by time; letters, digits, "-", "_" */
    char *archive; /* file name, no folder */
    char *database, *system_identifier;
    char *server_version, *pg_dump_version, *tool_version;
    char *taken_at, *finished_at; /* RFC 3339, UTC */
    char *lsn;                    /* or NULL */
    struct archive_whole whole;   /* the archive; a record need not have the outline's digest: "" */
    int64_t raw_bytes;            /* of its contents before compression */
    int64_t milliseconds;         /* how long it took */
    int64_t tables, rows;
    int jobs, level;
    char *command;                /* "backup create", "apply --backup" */
    char *tag;                    /* or NULL */
    struct text_list migrations;  /* versions in the history, half-run ones too, in order */
    struct text_list rolled_back; /* versions that were applied once, and are not in it any more */
    struct text_list before;      /* versions that it was taken right before the applying of */
    char *last_migration;         /* the newest one that is applied, or NULL */
    int64_t skipped;              /* tables whose rows are not in it */
    int64_t warnings;

    bool kept;
    char *kept_reason;
    char *verified_at, *verified_how; /* "digest", "decode", or what came of it, "damaged"; NULL: never */
    char *tested_at;
    int64_t tested_ms; /* how long the restore of the test took: the measured recovery time */

    /* Not in the file: */
    bool incomplete; /* it was just taken, and something is not in it */
    bool ahead;      /* its time has not come yet: some clock is wrong, or was */
    char *problem;   /* of its archive, where the repository sees one; NULL: none */
};

/* taken_at as microseconds since 1970. */
int64_t record_taken_us(const struct record *record);
/* For qsort of pointers: newest first by taken_at, then id; those that are ahead come last, as nobody knows
 * how new they are. */
int record_newest_first(const void *a, const void *b);

/* Whether a version of a history is meant by what a user asks for: a stem means only itself, a bare number
 * every version that has it. */
bool record_is_version(const char *held, const char *asked);
bool record_lists(const struct text_list *versions, const char *version); /* of a record's three lists */
/* It is there, was, or is about to be applied. */
bool record_has_seen(const struct record *record, const char *version);
/* Whether it tells of any: of a database without a history it does not. */
bool record_tells_migrations(const struct record *record);

/* Verifying has found it damaged, or the repository does: it is none that anybody should count on. */
bool record_is_damaged(const struct record *record);

void record_free(struct record *record);
CLEANUP_POINTER(struct record *, record_free)

/* A record with everything that the manifest says; the rest is for the caller to fill in. */
struct record *record_new(const struct manifest *manifest);

char *record_write(const struct record *record, size_t *ret_size);
MUST_CHECK bool record_read(const char *text, size_t size, struct record **ret, struct error *error);
/* What the record says must be what the manifest says: ERROR_BACKUP naming the field that differs. */
MUST_CHECK bool record_matches(const struct record *record, const struct manifest *manifest,
                               struct error *error);

/* A new id from the time (seconds since 1970), the database's name and chance. */
char *record_new_id(int64_t taken_at, const char *database);
bool record_id_is_valid(const char *id);

#endif
