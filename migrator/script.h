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
 * Without the directive they are an error too, since psql would put a value there or the server would fail.
 *  - A quote, comment or parenthesis that is never closed is an error at the place where it was opened.
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

/* A variable that was replaced by its value. */
struct substitution {
    size_t offset, length; /* of the variable, in the source's text */
    size_t sent_length;    /* of the value, quoted, in the sent text */
};

struct statement {
    enum statement_kind kind;
    size_t offset, length; /* in the source's text, without comments in front and without the semicolon */
    size_t line, column;   /* of its first character, in the file */
    size_t data_offset, data_length; /* COPY data, without the "\." line; only for STATEMENT_COPY_IN */
    char *text;                      /* what is sent: NUL-terminated, variables replaced */
    bool substituted;                /* text differs from the source */
    bool sets_lock_timeout;          /* or all settings: ours has to be set again after it */
    struct substitution *substitutions;
    size_t substitution_count;
    const char *what;           /* for STATEMENT_OUTSIDE: "CREATE INDEX CONCURRENTLY"; a constant */
    char hash[DIGEST_HEX_SIZE]; /* SHA-256 of the source's text and data; only for no-transaction scripts */
};

/* A stretch of statements that succeeds or fails as one: for no-transaction scripts only. */
struct statement_group {
    size_t first, count; /* BEGIN and COMMIT of a written block are inside the stretch */
    bool bare;           /* one statement in autocommit: STATEMENT_OUTSIDE or STATEMENT_MAY_COMMIT */
    bool block;          /* a BEGIN … COMMIT block as written */
};

/* What \echo, \qecho or \warn prints, in front of the statement items[before] (count: after the last). */
struct script_echo {
    size_t before;
    size_t line;
    char *text;
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
    size_t *settings; /* the statements that make settings for the session, for no-transaction scripts only */
    size_t setting_count;
    bool substituted;   /* a statement is */
    unsigned leaves;    /* what its words say that it may leave in the session: enum leftover */
    bool changes_begin; /* it may change how the session's transactions begin */
    struct script_echo *echoes;
    size_t echo_count;
    struct findings notices; /* that its own BEGIN … COMMIT is replaced, and the like */
};

struct script_options {
    bool no_transaction;
    bool variables;
    const char *database;             /* for \connect: the name it must give; NULL accepts any (offline) */
    bool escapes;                     /* the session's standard_conforming_strings is off */
    const struct text_list *settings; /* "name=value", for variables; the last counts; may be NULL */
};

/* The source must be loaded. Errors are ERROR_USAGE with file, line and column. */
MUST_CHECK bool script_prepare(const struct source *source, const struct script_options *options,
                               struct script **ret_script, struct error *error);
void script_free(struct script *script);
CLEANUP_POINTER(struct script *, script_free)

/* The place in the file of a 1-based character position in the sent text; 0: where the statement begins. */
struct text_position script_position(const struct script *script, const struct statement *statement,
                                     size_t character);

/*
 * Whether two texts differ in comments and white space only, statement by statement (parse_same_tokens); COPY
 * data and backslash commands compare by byte, and directives are no comments.
 */
bool script_same_tokens(const char *a, const char *b);

#endif
