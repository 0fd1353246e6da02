/* SPDX-License-Identifier: PostgreSQL */
/*
 * The rules that findings about migration files name. The names are stable: scripts match them, and the table
 * is printed in the manual.
 */
#ifndef MIGRATOR_RULE_H
#define MIGRATOR_RULE_H

#include "common/finding.h"

#define RULE_FOLDER_MISSING             "folder-missing"
#define RULE_FOLDER_EMPTY               "folder-empty"
#define RULE_STRAY_FILE                 "stray-file"
#define RULE_DUPLICATE_VERSION          "duplicate-version"
#define RULE_VERSION_GAP                "version-gap"
#define RULE_ROLLBACK_MISSING           "rollback-missing"
#define RULE_ROLLBACK_WITHOUT_FORWARD   "rollback-without-forward"
#define RULE_VERIFY_WITHOUT_FORWARD     "verify-without-forward"
#define RULE_ROLLBACK_IRREVERSIBLE      "rollback-irreversible"
#define RULE_FILE_NAME                  "file-name"
#define RULE_FILE_UNREADABLE            "file-unreadable"
#define RULE_INVALID_ENCODING           "invalid-encoding"
#define RULE_NUL_BYTE                   "nul-byte"
#define RULE_DIRECTIVE                  "directive"
#define RULE_DIRECTIVE_TOO_LATE         "directive-too-late"
#define RULE_REQUIRES                   "requires"
#define RULE_SECTIONS                   "sections"
#define RULE_FOREIGN_SECTIONS           "foreign-sections"
#define RULE_EMPTY_SCRIPT               "empty-script"
#define RULE_UNTERMINATED               "unterminated"
#define RULE_NEEDS_NO_TRANSACTION       "needs-no-transaction"
#define RULE_TRANSACTION_CONTROL        "transaction-control"
#define RULE_PSQL_UNSUPPORTED           "psql-unsupported"
#define RULE_PSQL_COMMAND               "psql-command"
#define RULE_PSQL_VARIABLE              "psql-variable"
#define RULE_COPY_TO_STDOUT             "copy-to-stdout"
#define RULE_OWN_TRANSACTION            "own-transaction"
#define RULE_LOCK_TIMEOUT               "lock-timeout"
#define RULE_ENUM_VALUE_USED            "enum-value-used"
#define RULE_VERIFY_NO_TRANSACTION      "verify-no-transaction"
#define RULE_NO_TRANSACTION_UNNEEDED    "no-transaction-unneeded"
#define RULE_CONCURRENTLY_IF_NOT_EXISTS "concurrently-if-not-exists"
#define RULE_RLS_WINDOW                 "rls-window"
#define RULE_BASE_ADDED                 "base-added"
#define RULE_BASE_COLLISION             "base-collision"
#define RULE_BASE_OUT_OF_ORDER          "base-out-of-order"
#define RULE_BASE_EDITED                "base-edited"
#define RULE_BASE_REFORMATTED           "base-reformatted"
#define RULE_BASE_SCRIPT_EDITED         "base-script-edited"
#define RULE_BASE_DELETED               "base-deleted"
#define RULE_BASE_RENAMED               "base-renamed"

struct rule {
    const char *name;
    enum severity severity; /* the usual one */
    const char *meaning;
};

/* Ended by a NULL name. */
extern const struct rule rules[];
const struct rule *rule_named(const char *name); /* NULL when there is none */

#endif
