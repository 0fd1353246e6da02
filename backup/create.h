/* SPDX-License-Identifier: PostgreSQL */
/*
 * Take a backup: preflight, snapshot, pg_dump (schema; small tables and large objects) and our COPY streams
 * side by side into one archive, proof of completeness from pg_dump's own table of contents, manifest,
 * commit.
 *
 * Everything in the way is found before anything is copied: a missing or unfit pg_dump, tables the role
 * cannot read whole, too few locks, too little disk, a pooler. Nothing is left when it fails.
 */
#ifndef BACKUP_CREATE_H
#define BACKUP_CREATE_H

#include "backup/repository.h"
#include "common/postgres.h"

struct attachment {
    const char *name;
    const char *command; /* split as a shell splits words; no shell */
};

/* What migrations are applied, asked on a connection inside the snapshot: fills history_table and migrations
 * of the manifest. backup/ knows nothing of migrations. */
typedef bool backup_migrations(void *context, struct postgres *postgres, struct manifest *manifest,
                               struct error *error);

enum backup_event_kind {
    BACKUP_WAITING,  /* for locks: message tells for whom */
    BACKUP_BEGUN,    /* the snapshot is there; total is an estimate of raw bytes */
    BACKUP_PROGRESS, /* about ten times a second */
    BACKUP_BLOCKING, /* somebody waits for us: message */
    BACKUP_WARNING,  /* message; counted in the record */
    BACKUP_CLOSING,  /* proof, manifest, fsync */
};
struct backup_event {
    enum backup_event_kind kind;
    const char *message;
    int64_t done, total; /* raw bytes */
    int64_t written;     /* bytes of the archive */
    size_t streams;
    const char *const *current; /* what each stream copies, or NULL where it has ended */
};
struct backup_listener {
    void (*event)(void *context, const struct backup_event *event); /* from the calling thread only */
    void *context;
};

struct backup_options {
    int jobs, level;
    int64_t split_larger_than;
    int64_t lock_wait_timeout_ms;
    int64_t max_block_ms;           /* somebody waits for us that long: give up (0: only warn) */
    const char *tag;                /* or NULL */
    const char *role;               /* or NULL */
    const char *command;            /* for the record */
    const struct text_list *before; /* versions that are applied right after it; may be NULL */
    bool pooler_session;            /* the pooler in between keeps sessions */
    bool role_passwords;            /* globals.sql with the roles' password hashes */
    const struct attachment *attachments;
    size_t attachment_count;
    backup_migrations *migrations; /* may be NULL */
    void *migrations_context;
};

/* The repository must be locked by the caller. */
MUST_CHECK bool backup_create(struct postgres *control, struct repository *repository,
                              const struct backup_options *options, const struct backup_listener *listener,
                              struct record **ret, struct error *error);

#endif
