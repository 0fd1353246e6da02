/* SPDX-License-Identifier: PostgreSQL */
/*
 * A script made ready to run: split into statements exactly as psql does (migrator/split), each known by what
 * matters for running it, and checked as a whole, all before anything is sent.
 *
 *  - Transactional (the default): one BEGIN … COMMIT pair written for psql is taken out (a notice says so),
 * also when statements follow the COMMIT; its BEGIN's options are kept. Any other transaction control, and
 * any statement that cannot run in a transaction block, is an error at its line.
 *  - no-transaction: statements run one by one; BEGIN … COMMIT inside makes a group that runs as one
 * transaction.
 *  - psql's backslash commands: \restrict, \unrestrict, \set ON_ERROR_STOP, \echo and \connect to the same
 * database are accepted; any other is an error that names it.
 *  - :'x' and :"x" are substituted only with the "variables" directive; an unset variable is an error.
 */
#ifndef MIGRATOR_SCRIPT_H
#define MIGRATOR_SCRIPT_H

#include "common/finding.h"
#include "migrator/migration.h"

enum statement_kind {
    STATEMENT_PLAIN,      /* runs in a transaction or outside */
    STATEMENT_COPY_IN,    /* COPY … FROM STDIN with inline data */
    STATEMENT_OUTSIDE,    /* cannot run inside a transaction block */
    STATEMENT_MAY_COMMIT, /* CALL, DO: may end transactions itself when outside one */
    STATEMENT_BEGIN,      /* BEGIN, START TRANSACTION */
    STATEMENT_COMMIT,     /* COMMIT, END (not COMMIT PREPARED) */
    STATEMENT_ABORT,      /* ROLLBACK, ABORT (not ROLLBACK TO) */
    STATEMENT_CONTROL,    /* PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED, … AND CHAIN */
};

struct statement {
    enum statement_kind kind;
    size_t offset, length;           /* bytes of the source's text, without the semicolon */
    size_t line, column;             /* of its first character, in the file */
    size_t data_offset, data_length; /* COPY data, without the "\." line; only for STATEMENT_COPY_IN */
    char *text;                      /* what is sent: NUL-terminated, variables replaced */
    bool substituted;                /* text differs from the source */
    const char *what;                /* for STATEMENT_OUTSIDE: "CREATE INDEX CONCURRENTLY"; a constant */
    char hash[DIGEST_HEX_SIZE]; /* SHA-256 of the source's text and data; filled for no-transaction scripts
                                   only */
};

/* A stretch of statements that succeeds or fails as one: for no-transaction scripts only. */
struct statement_group {
    size_t first, count; /* BEGIN and COMMIT of a written block are inside the stretch */
    bool bare;           /* one statement in autocommit: STATEMENT_OUTSIDE or STATEMENT_MAY_COMMIT */
    bool block;          /* a BEGIN … COMMIT block as written */
};

struct script {
    const struct source *source; /* borrowed; must outlive the script */
    struct statement *items;
    size_t count;
    bool transactional;
    char *begin; /* "BEGIN", or the file's own "BEGIN ISOLATION LEVEL SERIALIZABLE" */
    bool has_copy;
    struct statement_group *groups; /* NULL when transactional */
    size_t group_count;
    struct findings
        notices; /* "its own BEGIN … COMMIT is replaced by pgmigrate's transaction" and the like */
};

struct script_options {
    bool no_transaction;
    bool variables;
    const char *database;             /* for \connect: the name it must give; NULL accepts any (offline) */
    const struct text_list *settings; /* "name=value", for variables; may be NULL */
};

/* The source must be loaded. Errors are ERROR_USAGE with file, line and column. */
MUST_CHECK bool script_prepare(const struct source *source, const struct script_options *options,
                               struct script **ret_script, struct error *error);
void script_free(struct script *script);
CLEANUP_POINTER(struct script *, script_free)

/* The place in the file of a 1-based character position in the statement's sent text (0: the statement's
 * begin). */
struct text_position script_position(const struct script *script, const struct statement *statement,
                                     size_t character);

/* Whether two texts differ in comments and white space only (tokens compare equal; quoted text by byte). */
bool script_same_tokens(const char *a, const char *b);

/*
 * The index that CREATE INDEX CONCURRENTLY or REINDEX INDEX CONCURRENTLY makes, the table or index a
 * statement names: schema NULL when unqualified, name NULL when the server chooses it. False when the
 * statement is something else.
 */
struct index_build {
    char *schema, *index;
    char *table_schema, *table;
    bool if_not_exists;
};
bool script_index_build(const char *statement, struct index_build *ret);
void index_build_clear(struct index_build *build);
CLEANUP_VALUE(struct index_build, index_build_clear)

#endif
