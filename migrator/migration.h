/* SPDX-License-Identifier: PostgreSQL */
/*
 * One migration as its files say it: name, texts, directives, checksums. Nothing here touches a database.
 *
 * The version is the file's stem ("042_add_orders"): it is what the history stores. Its order is that of the
 * number (any count of digits, compared as a number, leading zeros ignored), then the letter suffix, then the
 * description: 9 < 10, 025 < 025a < 025b < 026.
 */
#ifndef MIGRATOR_MIGRATION_H
#define MIGRATOR_MIGRATION_H

#include "common/digest.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <stdbool.h>
#include <stdint.h>

enum layout { LAYOUT_AUTO, LAYOUT_NATIVE, LAYOUT_UPDOWN, LAYOUT_SECTIONS, LAYOUT_FLYWAY };

/* The text of one script: a whole file, or the up or down section of one. */
struct source {
    char *path;        /* as given by the user's folder and the file's name; for messages */
    size_t first_line; /* the line of the file on which text begins, 1-based */
    char *text;  /* without BOM, line ends as they are, NUL-terminated; NULL when not kept, see source_load */
    size_t size; /* bytes of text */
    char checksum[DIGEST_HEX_SIZE]; /* SHA-256 over the text with line ends normalised to \n */
};

/*
 * Texts up to 64 kB are kept from discovery; larger ones are read again when needed, and a checksum that
 * differs then is an error (the file was changed meanwhile). After source_load, text is there.
 */
MUST_CHECK bool source_load(struct source *source, struct error *error);
void source_clear(struct source *source);

/* Checksum of a text as stored in the history: "\r\n" and "\r" count as "\n", a BOM is ignored. */
void source_checksum(const char *text, size_t size, char ret_hex[DIGEST_HEX_SIZE]);
#define CHECKSUM_VERSION 1

/* What the leading comment block says: "-- pgmigrate: no-transaction, lock_timeout=5s". */
struct directives {
    bool no_transaction;
    bool irreversible;
    bool variables;
    int64_t lock_timeout_ms;      /* -1 when not given */
    int64_t statement_timeout_ms; /* -1 when not given */
    char *role;                   /* NULL when not given */
    struct text_list requires;    /* versions as written */
};
/* Read the comment block that opens text (comments, blank lines and psql's backslash lines, up to the first
 * statement). Errors carry file, line, column, and the nearest known directive. */
MUST_CHECK bool directives_read(const struct source *source, struct directives *ret, struct error *error);
void directives_clear(struct directives *directives);

struct version {
    char *stem;   /* "042a_add_orders" */
    char *number; /* "42": without leading zeros ("0" for zero); Flyway's dotted versions keep their dots */
    char *digits; /* "042": as written */
    char *suffix; /* "a", or "" */
    char *description; /* "add_orders" */
};

struct migration {
    struct version version;
    struct source forward;
    struct source rollback;                /* path NULL when there is none */
    struct source verify;                  /* path NULL when there is none */
    struct directives directives;          /* of the forward script */
    struct directives rollback_directives; /* no_transaction and timeouts apply to the rollback script */
};
bool migration_has_rollback(const struct migration *migration);
bool migration_has_verify(const struct migration *migration);
void migration_free(struct migration *migration);
CLEANUP_POINTER(struct migration *, migration_free)

/* Order of two versions: number, suffix, description. Equal only for the same stem. */
int version_compare(const struct version *a, const struct version *b);
/* Order by number and suffix only: 0 means "one number used twice". */
int version_compare_number(const struct version *a, const struct version *b);
/* Take a stem apart ("042a_add_orders", "V7__x"); false when it has no leading number. */
bool version_parse(const char *stem, struct version *ret);
void version_clear(struct version *version);

/* Whether the user's word names this version: its stem, or its number with or without leading zeros and
 * suffix. */
bool version_matches(const struct version *version, const char *word);

enum file_role { ROLE_STRAY, ROLE_FORWARD, ROLE_ROLLBACK, ROLE_VERIFY, ROLE_SECTIONS };
/*
 * What a file's name means. For anything but ROLE_STRAY, *ret_stem is the version's stem (the caller's to
 * free) and *ret_layout the layout the name belongs to (native for plain NNN_x.sql).
 */
enum file_role migration_file_role(const char *name, enum layout layout, char **ret_stem,
                                   enum layout *ret_layout);

#endif
