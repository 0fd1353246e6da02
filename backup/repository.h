/* SPDX-License-Identifier: PostgreSQL */
/*
 * A folder of backups (mode 0700, files 0600):
 *
 *     <id>.tar         the archive
 *     <id>.json        its commit record, written last
 *     <id>.tar.sha256  for "sha256sum -c"
 *     <id>.failed      why the last run for a database failed; the next good one removes it
 *     <id>.json.part   the record while its archive becomes a backup, or is removed
 *     <id>.*           without <id>.json, and *.part and *.tmp in any case: what a crashed run left. It is
 *                      debris, never listed, counted or restored
 *     catalog.sqlite   a cache of the records; "backup reindex" rebuilds it
 *     lock             flock: one writer at a time (create, prune, gc, reindex); dies with the process
 *
 * Who reads an archive holds a shared flock on it; prune skips what it cannot lock. The records are the
 * truth: the catalog only answers faster (catalog.h).
 */
#ifndef BACKUP_REPOSITORY_H
#define BACKUP_REPOSITORY_H

#include "backup/record.h"

struct repository;

/* Open, creating the folder where create is set; else a missing folder is an empty repository. Whether
 * it may be reached shows when it is looked into: an archive's path does without it. */
MUST_CHECK bool repository_open(const char *folder, bool create, struct repository **ret,
                                struct error *error);
void repository_free(struct repository *repository);
CLEANUP_POINTER(struct repository *, repository_free)
const char *repository_folder(const struct repository *repository);
/* Whether there is a folder; one that may not be reached is an error. */
MUST_CHECK bool repository_look(const struct repository *repository, bool *ret_there, struct error *error);

/* The writer's lock, polled for up to wait_ms: ERROR_LOCKED names the holder (pid and command, written into
 * the lock file). Released by repository_free. */
MUST_CHECK bool repository_lock(struct repository *repository, int64_t wait_ms, const char *command,
                                struct error *error);

/* ---- what is there ---- */

struct records {
    struct record **items; /* as record_newest_first has them */
    size_t count;
};
void records_clear(struct records *records);
CLEANUP_VALUE(struct records, records_clear)

/* Every backup that exists. Records that cannot be read, or whose archive is missing or has another size, are
 * not listed but told in ret_problems ("<id>.json: …"; may be NULL). */
MUST_CHECK bool repository_list(struct repository *repository, struct records *ret,
                                struct text_list *ret_problems, struct error *error);

/* The same with those whose archive is not what they say (record_is_damaged): ret_problems are only records
 * that cannot be read. */
MUST_CHECK bool repository_list_all(struct repository *repository, struct records *ret,
                                    struct text_list *ret_problems, struct error *error);

/* Of databases that several servers have, "latest" and what was before something are looked for among the
 * backups of this server, where it has any. */
void repository_prefer(struct repository *repository, const char *system_identifier);

/* What a user names: an id or its unambiguous beginning, "latest", a path of an archive (its record is looked
 * for beside it). database (may be NULL) limits "latest", which is never a damaged one. ERROR_BACKUP when
 * there is none, naming near ones. */
MUST_CHECK bool repository_find(struct repository *repository, const char *word, const char *database,
                                struct record **ret, char **ret_archive_path, struct error *error);
/* The newest backup of database whose migrations do not hold this one: version is a stem or a number.
 * One taken after it was rolled back is passed over, unless a later one holds it again, and so is one that
 * cannot tell; of the newest of these repository_passed_over tells. ret_known: another one does hold it, or
 * did; where none does, it may be misspelt. Damaged ones are never found this way, nor as latest. */
MUST_CHECK bool repository_find_before(struct repository *repository, const char *version,
                                       const char *database, struct record **ret, char **ret_archive_path,
                                       bool *ret_known, struct error *error);
/* The newest one that verifying has not found damaged yet: what is to be verified. */
MUST_CHECK bool repository_find_unverified(struct repository *repository, struct record **ret,
                                           char **ret_archive_path, struct error *error);
/* What the last one that was found and not named is older than, though it cannot be used: a sentence for
 * people each. The repository's. */
const struct text_list *repository_passed_over(const struct repository *repository);
/* The newest backup taken at or before an RFC 3339 time. */
MUST_CHECK bool repository_find_before_time(struct repository *repository, const char *time,
                                            const char *database, struct record **ret,
                                            char **ret_archive_path, struct error *error);

/* A shared lock on an archive against prune, held until the descriptor is closed. */
MUST_CHECK bool repository_hold(const char *archive_path, int *ret_descriptor, struct error *error);

/* ---- changing it ---- */

/* The path at which a new archive is written, ".part". */
char *repository_part_path(const struct repository *repository, const char *id);
/* The finished .part becomes a backup: rename, fsync of the folder, footer read back, sidecar, record,
 * catalog. */
MUST_CHECK bool repository_commit(struct repository *repository, const struct record *record,
                                  struct error *error);
/* Write one kind of a record's marks into the record as it is by now, so that two commands that mark a backup
 * at the same time lose nothing. ERROR_BACKUP when the backup is gone. */
enum record_mark { MARK_KEPT, MARK_VERIFIED, MARK_TESTED };
MUST_CHECK bool repository_mark(struct repository *repository, const struct record *record,
                                enum record_mark mark, struct error *error);
/* Remove a backup: record first, so that a crash leaves debris and no half backup. ERROR_LOCKED when in use.
 */
MUST_CHECK bool repository_remove(struct repository *repository, const struct record *record,
                                  struct error *error);
/* Leave a note that a run for a database failed; prune will not remove anything then. Best effort: where
 * nothing can be written, the backup's failure is what matters. */
void repository_note_failure(struct repository *repository, const char *id, const char *database,
                             const char *message);
/* The newest run that failed, or was killed, after the last good backup of its database: a sentence for
 * people, or NULL. Only for who holds the writer's lock: else a ".part" may be alive. */
char *repository_failure(struct repository *repository, const struct records *records);
/* Debris: paths and bytes; removed where remove is set. Only names that this program makes. A whole archive
 * that lacks its record, and no run of ours has left so, is none of it: its path is in ret_kept. */
MUST_CHECK bool repository_debris(struct repository *repository, bool remove, struct text_list *ret_paths,
                                  int64_t *ret_bytes, struct text_list *ret_kept, struct error *error);
MUST_CHECK bool repository_reindex(struct repository *repository, size_t *ret_count, struct error *error);

#endif
