/* SPDX-License-Identifier: PostgreSQL */
/*
 * What is in a backup: the member "manifest.json" of its archive, as a struct and as JSON. It names every
 * member with its place, sizes and digest, and every table with its rows, so that nothing is believed of an
 * archive that the manifest does not say.
 *
 * All texts are owned by the manifest. Reading checks everything that the program would otherwise have to
 * trust: types, signs, that members lie within the archive and do not overlap, that names are unique, that
 * parts exist, that rows add up from parts to chunks to tables (but for binary COPY, whose parts may end
 * within a row). Texts may hold bytes that are no UTF-8; see json.h. A manifest from a newer format is
 * ERROR_BACKUP naming the version that reads it.
 */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include "backup/archive.h"
#include "backup/fingerprint.h"
#include "common/text.h"

#define MANIFEST_FORMAT 1

struct manifest_member {
    char *name; /* "schema.dump", "data/000001.zst", "tables/000012/0003.000001.zst" */
    struct archive_place place;
    int64_t raw_size; /* before compression; equal to place.size where it is stored as it is */
    int64_t rows;     /* of a table's part, else 0 */
};

/* A range of a table's rows that is one COPY: members[first_member .. first_member + members - 1], in order.
 * Ranges without rows are left out. */
struct manifest_chunk {
    size_t first_member, members;
    int64_t rows;
};

enum table_source {
    TABLE_COPY,    /* its rows are in chunks */
    TABLE_DUMP,    /* its rows are in pg_dump's data */
    TABLE_SKIPPED, /* its rows are not in this backup; reason says why */
};

struct manifest_table {
    char *schema, *name;
    char *columns; /* quoted by the server, for COPY: "id", "Full Name"; "" for none */
    char *root;    /* quoted name of the partitioned table through which pg_dump's data load its rows, because
                    * which partition a row belongs to depends on the server (hash of an enum's OID); else
                    * NULL. Only the sums over all tables of one root can be compared after a restore; their
                    * columns are in the root's order. */
    enum table_source source;
    char *reason;       /* of TABLE_SKIPPED, else NULL */
    bool binary;        /* COPY's binary format: a row is too large for text */
    bool ordered;       /* its physical order matters: one stream restores it, in order */
    bool fingerprinted; /* fingerprint.sum is known */
    struct fingerprint fingerprint;
    struct manifest_chunk *chunks;
    size_t chunk_count;
};

struct manifest_migration {
    char *version;    /* stem, or what an adopted table holds */
    char *applied_at; /* RFC 3339, or NULL */
    char *state;      /* "applied", "baseline", "failed" … as the history says */
};

struct manifest_extension {
    char *name, *version, *schema;
};

struct manifest {
    int format;
    char *id;
    char *tool_version;
    char *taken_at; /* of the snapshot: RFC 3339, UTC, microseconds */
    char *lsn;      /* pg_current_wal_lsn() or the replayed one on a standby; NULL unknown */
    char *snapshot; /* pg_current_snapshot() */
    bool standby;

    /* Where from. */
    char *database, *system_identifier, *server_version; /* "15.20" */
    int server_version_number;                           /* 150020 */
    char *encoding;
    char *pg_dump_version; /* "15.20" */
    char *role;            /* whom the server took us for */
    char *tag;             /* or NULL */

    struct text_list create; /* database.sql: statements with :"database" for its name; CREATE DATABASE … */
    struct text_list properties; /* … and what follows once the data are in: settings, grants, comment */
    struct text_list roles;      /* roles that its objects name: owners, grantees, policies' */
    struct text_list
        policy_roles; /* those of policies and user mappings; none in backups of before they were listed */
    struct text_list named_roles;  /* those that more than ownership names … */
    bool tells_named_roles;        /* … where it says which: older backups do not */
    struct text_list settings;     /* of the sessions that read: "DateStyle=ISO" … */
    struct text_list not_included; /* slots, subscriptions' state …: sentences for the report */
    struct text_list warnings;

    struct manifest_extension *extensions;
    size_t extension_count;
    struct manifest_migration *migrations; /* the history as it is in the snapshot, in order */
    size_t migration_count;
    struct text_list rolled_back;    /* versions that were applied once, and are not in it any more */
    struct text_list before;         /* versions that it was taken right before the applying of */
    char *history_table;             /* or NULL where there is none */
    struct manifest_member *members; /* without manifest and footer; a chunk's stand together */
    size_t member_count;
    struct manifest_table *tables; /* every table that has rows of its own, whichever source */
    size_t table_count;
    int64_t large_objects;
};

void manifest_free(struct manifest *manifest);
CLEANUP_POINTER(struct manifest *, manifest_free)

/* The JSON text; never fails. */
char *manifest_write(const struct manifest *manifest, size_t *ret_size);
/* archive_size bounds every place. */
MUST_CHECK bool manifest_read(const char *text, size_t size, int64_t archive_size, struct manifest **ret,
                              struct error *error);

/* By name; NULL when there is none. */
const struct manifest_member *manifest_member(const struct manifest *manifest, const char *name);
const struct manifest_table *manifest_table(const struct manifest *manifest, const char *schema,
                                            const char *name);
/* Sums over tables and members. */
int64_t manifest_rows(const struct manifest *manifest);
int64_t manifest_raw_bytes(const struct manifest *manifest);
/* The newest applied migration's version, or NULL. */
const char *manifest_last_migration(const struct manifest *manifest);

#endif
