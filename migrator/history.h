/* SPDX-License-Identifier: PostgreSQL */
/*
 * The history table: what the database says was applied. And the log beside it, to which lines are only
 * added.
 *
 * The table is always addressed by schema and name and looked at before it is used:
 *
 *   absent      created under the run lock by the first apply, baseline or repair
 *   ours        has all our columns
 *   adoptable   was there first, with at least "version" and a time column: our columns are added in place
 *   foreign     another tool's shape: named, left alone; the remedy is another history_table, and baseline
 *   unusable    has the name but cannot be adopted or written; the reason is told, and its rows are read
 * where they can be
 *
 * Everything that changes the table is a struct history_statement: SQL and parameters to be sent in the
 * transaction it belongs to, so that the record and what it records commit together. The statements guard
 * themselves: they fail when the session no longer holds the run lock, when the table was replaced, or when
 * the transaction has taken rows of other migrations out of it (see history_explain).
 */
#ifndef MIGRATOR_HISTORY_H
#define MIGRATOR_HISTORY_H

#include "common/postgres.h"
#include "migrator/folder.h"

enum history_shape { HISTORY_ABSENT, HISTORY_OURS, HISTORY_ADOPTABLE, HISTORY_FOREIGN, HISTORY_UNUSABLE };

enum row_state {
    ROW_APPLIED,
    ROW_RUNNING,  /* a no-transaction script began; running now, or its client died */
    ROW_FAILED,   /* a no-transaction script stopped at a statement that failed */
    ROW_UNDOING,  /* a no-transaction rollback script began, and stopped half way unless it runs now */
    ROW_BASELINE, /* marked as applied without running */
    ROW_ARCHIVED, /* applied; that its file is gone was accepted by repair */
};

/* A row without the stored texts; those are fetched by history_texts when needed. */
struct history_row {
    char *version;     /* as stored: normally the stem; in adopted tables perhaps a bare number */
    char *description; /* NULL where the table has none, as all below */
    char *applied_at;  /* RFC 3339, UTC, "2026-11-23T03:21:09.123456Z" */
    char *applied_by;
    char *file_name;
    char *checksum;
    int64_t execution_ms; /* -1 unknown */
    bool transactional;
    enum row_state state;
    int64_t statements_done, statements_total; /* -1 unknown */
    int64_t statement_started; /* 0-based index of a bare statement that began and was not confirmed, or -1 */
    bool has_rollback;         /* a rollback text is stored */
    char *rollback_checksum;
    char *run_id;
    char *backup_id;
    bool out_of_order;
    int64_t sequence; /* order of application: 1 is the oldest */
};

/* As it stands in the table. */
const char *history_state_name(enum row_state state);
/* Marked as failed by whoever kept the table before: what it did, and whether it was undone, nobody has told.
 */
bool history_row_is_foreign_failure(const struct history_row *row);
/* A script that runs, or has stopped half way: neither applied nor undone. */
bool history_row_is_half_run(const struct history_row *row);

/* What the role may do, as of the look. */
struct history_rights {
    bool create;         /* tables in the schema, or the schema */
    bool alter;          /* the table is its own */
    bool insert, change; /* rows of the table */
    bool log;
};

struct history {
    struct postgres *postgres;  /* borrowed */
    char *schema, *table, *log; /* unquoted names; log is table + "_log" */
    enum history_shape shape;
    char *tool;                     /* for HISTORY_FOREIGN: "golang-migrate" */
    char *reason;                   /* for HISTORY_UNUSABLE and HISTORY_ADOPTABLE: one sentence */
    char *other_tool, *other_table; /* another tool's table found elsewhere while ours is absent, or NULL */
    char *oid;                      /* of the table, for the guard; NULL when absent */
    int64_t lock_key;
    struct history_row *rows; /* in order of version */
    size_t count;
    size_t half_run; /* of these, which history_row_is_half_run */

    /* For history and plan: what rows[i].version is made of; stem NULL, at the end, for versions without a
     * number. */
    struct version *keys;
    bool has_log, has_schema;
    char *role; /* whom the server took us for when the table was looked at; for messages */
    struct history_rights may;
};

/*
 * Look at the table and read its rows; changes nothing, takes no lock. name is "schema.table" or "table"
 * (schema public); double quotes are understood. A table that is foreign or unusable is not an error here.
 */
MUST_CHECK bool history_open(struct postgres *postgres, const char *name, struct history **ret,
                             struct error *error);
/*
 * The same for a run that may have nothing to do: a table with our columns is read at once, because the look
 * costs a new session as much as connecting does. Until history_refresh, under the run lock, nothing is known
 * but the rows.
 */
MUST_CHECK bool history_open_quickly(struct postgres *postgres, const char *name, struct history **ret,
                                     struct error *error);
/* The same without asking the server anything: enough for the run lock, which needs no rights. */
MUST_CHECK bool history_named(struct postgres *postgres, const char *name, struct history **ret,
                              struct error *error);
MUST_CHECK bool history_refresh(struct history *history, struct error *error);
/*
 * The same as questions that travel together with others: history_ask adds HISTORY_QUESTIONS of them to
 * queries, whose texts the result keeps; history_answer reads what has come.
 */
#define HISTORY_QUESTIONS 3
struct history_asked;
struct history_asked *history_ask(const struct history *history, struct queries *queries);
MUST_CHECK bool history_answer(struct history *history, const struct history_asked *asked,
                               struct queries *queries, struct error *error);
void history_asked_free(struct history_asked *asked);
CLEANUP_POINTER(struct history_asked *, history_asked_free)
void history_free(struct history *history);
CLEANUP_POINTER(struct history *, history_free)

/*
 * Make the table ours: create it and the log, or adopt it. Under the run lock. The ones another session made
 * meanwhile are accepted. Foreign and unusable tables are ERROR_CONFLICT with the remedy. Refreshes history.
 */
MUST_CHECK bool history_prepare(struct history *history, struct error *error);

/* ERROR_CONFLICT for a foreign or unusable table: what it is, and the remedy. Returns false. */
bool history_refuse(const struct history *history, struct error *error);

/*
 * ERROR_FAILED where the role lacks a right without which history_prepare or the first record would fail, in
 * the server's words and with the grant. A role that may not add a row to a table that is there only looks,
 * and is not told what it lacks for more.
 */
MUST_CHECK bool history_check_rights(const struct history *history, struct error *error);

/* The row of a migration: by stem, or by number where only one row and one file have it; NULL when there is
 * none. */
struct history_row *history_find(const struct history *history, const struct folder *folder,
                                 const struct migration *migration);
/* The file of a row, by the same rule. */
struct migration *history_file(const struct history *history, const struct folder *folder,
                               const struct history_row *row);
/* The row a user's word names (stem, number, "latest" = last applied); errors as folder_find. */
MUST_CHECK bool history_word(const struct history *history, const char *word, struct history_row **ret,
                             struct error *error);

/* The stored scripts of a row; NULL where none is stored. */
struct history_texts {
    char *forward;
    char *rollback;
};
MUST_CHECK bool history_texts(const struct history *history, const char *version, struct history_texts *ret,
                              struct error *error);
void history_texts_clear(struct history_texts *texts);
CLEANUP_VALUE(struct history_texts, history_texts_clear)

/* The hashes of a half-run script's statements, in order. */
MUST_CHECK bool history_hashes(const struct history *history, const char *version, struct text_list *ret,
                               struct error *error);

/* ---- statements that change it ---- */

struct history_statement {
    /*
     * Statements of one name have the same SQL for one history, so a session may prepare it under this name
     * and run it again with other values; planning takes the server longer than running. A constant.
     */
    const char *name;
    const char *sql;     /* owned by the statement */
    const char **values; /* the array is owned; the texts of migration and identity are borrowed */
    size_t count;
    char **owned; /* values made for this statement, and sql; ends with NULL */
};
void history_statement_free(struct history_statement *statement);
CLEANUP_POINTER(struct history_statement *, history_statement_free)

/* Who runs: the same for a whole run. Texts are borrowed. */
struct run_identity {
    const char *run_id; /* a UUID */
    const char *tool_version;
    const char *git_commit; /* of the folder's repository, or NULL */
    const char *backup_id;  /* or NULL */
    const char *reason;     /* or NULL */
};

/*
 * Record a transactional migration, in its own transaction, as its last statement. A row the migration wrote
 * itself (by stem or by bare number) is completed, not doubled. One row comes back: xid text, execution_ms
 * bigint. The forward and rollback sources must be loaded (source_load): both texts are stored.
 */
struct history_statement *history_record(const struct history *history, const struct run_identity *identity,
                                         const struct migration *migration, bool out_of_order);

/* A no-transaction script: row with state running and the statements' hashes; or the same row taken up again.
 */
struct history_statement *history_begin(const struct history *history, const struct run_identity *identity,
                                        const struct migration *migration, bool out_of_order,
                                        const struct text_list *hashes);
/* Statement number `started` (0-based) is about to run by itself, outside any transaction. */
struct history_statement *history_started(const struct history *history, const char *version, size_t started);
/* The first `done` statements are done; execution_ms so far. */
struct history_statement *history_advance(const struct history *history, const char *version, size_t done,
                                          int64_t execution_ms);
/* All are done: state applied; written to the log. */
struct history_statement *history_finish(const struct history *history, const struct run_identity *identity,
                                         const char *version, int64_t execution_ms);
/* It stopped: state failed (the row of a transactional one does not exist, then only the log is written). */
struct history_statement *history_fail(const struct history *history, const struct run_identity *identity,
                                       const char *version, const char *message);
/* A rollback stopped: its row stays what it was. */
struct history_statement *history_undo_fail(const struct history *history,
                                            const struct run_identity *identity, const char *version,
                                            const char *message);
/* The same for what has lost its connection, and the run lock with it: only the log is written. */
struct history_statement *history_lost(const struct history *history, const struct run_identity *identity,
                                       const char *version, const char *message, bool backwards);
/* How far a no-transaction rollback script came: state undoing, with the script's statements in place of the
 * forward one's, of which the first `done` are done and number `started` is about to run, or -1. */
struct history_statement *history_undo(const struct history *history, const char *version,
                                       const struct text_list *hashes, size_t done, int64_t started);
/* It did nothing: the row says again what it said before, with the forward script's hashes. */
struct history_statement *history_put_back(const struct history *history, const struct history_row *row,
                                           const struct text_list *hashes);
/* Rolled back: the row goes, the log keeps it whole. One row: xid text, execution_ms bigint. taken: how many
 * rows the run has taken away before; the others must be there still. execution_ms: -1 for the transaction's
 * own time. */
struct history_statement *history_forget(const struct history *history, const struct run_identity *identity,
                                         const char *version, size_t taken, int64_t execution_ms);

/*
 * baseline and repair; each writes the log with identity->reason. baseline and mark_applied differ in the log
 * only; they need both sources loaded, leave a row alone that is applied, and turn a half-run one into an
 * applied one. mark_rolled_back takes a row away, half-run or applied, without running anything.
 * accept_checksum takes over the migration's texts and, where the file was renamed, its version.
 */
struct history_statement *history_baseline(const struct history *history, const struct run_identity *identity,
                                           const struct migration *migration);
struct history_statement *history_mark_applied(const struct history *history,
                                               const struct run_identity *identity,
                                               const struct migration *migration);
struct history_statement *history_mark_rolled_back(const struct history *history,
                                                   const struct run_identity *identity, const char *version);
struct history_statement *history_accept_checksum(const struct history *history,
                                                  const struct run_identity *identity, const char *version,
                                                  const struct migration *migration);
struct history_statement *history_archive(const struct history *history, const struct run_identity *identity,
                                          const char *version);

/* Versions that the log says were applied once and that the history does not have any more. */
MUST_CHECK bool history_rolled_back(const struct history *history, struct text_list *ret,
                                    struct error *error);

/* One line of the log, newest first; limit 0 is all. Columns: at, who, action, version, run_id, execution_ms,
 * reason, detail, tool_version. Empty when there is no log yet. */
MUST_CHECK bool history_log(const struct history *history, size_t limit, struct rows **ret,
                            struct error *error);

/* Turn the server's error from one of the statements above into what it means to the user (run lock lost,
 * history table dropped or replaced by the migration, no privilege); other errors are left alone. */
void history_explain(const struct history *history, struct error *error);
/* The same for reading, and for what changes rows or the table itself: ERROR_LOCKED, with who holds it, where
 * history or log are locked. Returns false. */
bool history_unreadable(const struct history *history, struct error *error);
bool history_unchangeable(const struct history *history, struct error *error);

/* How long the next query waits for a locked table. The limit is for one transaction: behind a pooler the
 * next statement may have another session. */
void history_add_patience(struct queries *queries);

/*
 * Run one of the statements above in a transaction of its own. A locked table is waited for, some seconds at
 * least, and until wait_ms are over; a signal ends that where the connection is not shielded.
 */
MUST_CHECK bool history_write(const struct history *history, const struct history_statement *statement,
                              int64_t wait_ms, struct error *error);

#endif
