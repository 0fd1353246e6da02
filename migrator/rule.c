/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rule.h"
#include <string.h>

const struct rule rules[] = {
    {RULE_FOLDER_MISSING, SEVERITY_ERROR, "a migrations folder is not there or cannot be read"},
    {RULE_FOLDER_EMPTY, SEVERITY_NOTICE, "a migrations folder holds no migrations"},
    {RULE_STRAY_FILE, SEVERITY_WARNING,
     "a file ends in .sql but has no migration's name, so it is never run"},
    {RULE_DUPLICATE_VERSION, SEVERITY_ERROR, "two files have one number, or one name"},
    {RULE_VERSION_GAP, SEVERITY_NOTICE, "the sequence leaves numbers out"},
    {RULE_ROLLBACK_MISSING, SEVERITY_WARNING,
     "a migration has no rollback script; an error with rollback_required = yes"},
    {RULE_ROLLBACK_WITHOUT_FORWARD, SEVERITY_ERROR, "a rollback script belongs to no migration"},
    {RULE_VERIFY_WITHOUT_FORWARD, SEVERITY_ERROR, "a verify script belongs to no migration"},
    {RULE_ROLLBACK_IRREVERSIBLE, SEVERITY_WARNING, "an irreversible migration has a rollback script"},
    {RULE_FILE_NAME, SEVERITY_ERROR, "a migration's name is not valid UTF-8 or holds control characters"},
    {RULE_FILE_UNREADABLE, SEVERITY_ERROR, "a script cannot be read"},
    {RULE_INVALID_ENCODING, SEVERITY_ERROR, "a script is not valid UTF-8"},
    {RULE_NUL_BYTE, SEVERITY_ERROR, "a script holds a NUL byte"},
    {RULE_DIRECTIVE, SEVERITY_ERROR, "a directive is unknown or malformed"},
    {RULE_DIRECTIVE_TOO_LATE, SEVERITY_ERROR,
     "a directive stands after the first statement, where it has no effect"},
    {RULE_REQUIRES, SEVERITY_ERROR, "a required version does not come before the migration that requires it"},
    {RULE_SECTIONS, SEVERITY_ERROR,
     "the marks of the up and down sections are missing, misspelt or out of place"},
    {RULE_FOREIGN_SECTIONS, SEVERITY_ERROR,
     "a file is divided in a way that is not read (goose, sql-migrate, tern, node-pg-migrate and others)"},
    {RULE_EMPTY_SCRIPT, SEVERITY_WARNING, "a script holds no statement"},
    {RULE_UNTERMINATED, SEVERITY_ERROR, "a quote, comment, parenthesis or body is never closed"},
    {RULE_NEEDS_NO_TRANSACTION, SEVERITY_ERROR, "a statement cannot run in a transaction"},
    {RULE_TRANSACTION_CONTROL, SEVERITY_ERROR,
     "a script begins or ends transactions in a way that cannot be followed"},
    {RULE_PSQL_UNSUPPORTED, SEVERITY_ERROR, "a command of psql that is not supported"},
    {RULE_PSQL_COMMAND, SEVERITY_NOTICE, "a command of psql that is done differently or not needed"},
    {RULE_PSQL_VARIABLE, SEVERITY_ERROR,
     "a variable of psql without the directive variables, or without quotes"},
    {RULE_COPY_TO_STDOUT, SEVERITY_ERROR, "COPY TO STDOUT, whose rows would go nowhere"},
    {RULE_OWN_TRANSACTION, SEVERITY_NOTICE, "a script's own BEGIN and COMMIT are replaced"},
    {RULE_LOCK_TIMEOUT, SEVERITY_NOTICE, "a script sets lock_timeout, which the run does itself"},
    {RULE_ENUM_VALUE_USED, SEVERITY_WARNING,
     "a new enum value seems to be used in the transaction that adds it"},
    {RULE_VERIFY_NO_TRANSACTION, SEVERITY_ERROR, "a no-transaction migration has a verify script"},
    {RULE_NO_TRANSACTION_UNNEEDED, SEVERITY_NOTICE,
     "a no-transaction script would run in a transaction, too"},
    {RULE_CONCURRENTLY_IF_NOT_EXISTS, SEVERITY_WARNING,
     "CREATE INDEX CONCURRENTLY IF NOT EXISTS keeps an INVALID index that an earlier attempt left"},
    {RULE_RLS_WINDOW, SEVERITY_WARNING,
     "row security or a policy is taken away in one transaction and brought back in a later one"},
    {RULE_BASE_ADDED, SEVERITY_NOTICE, "with --base: a migration the branch adds"},
    {RULE_BASE_COLLISION, SEVERITY_ERROR,
     "with --base: a new migration has a number that the base gave away meanwhile"},
    {RULE_BASE_OUT_OF_ORDER, SEVERITY_WARNING,
     "with --base: a new migration comes before one the base has already"},
    {RULE_BASE_EDITED, SEVERITY_ERROR, "with --base: a migration the base has was edited"},
    {RULE_BASE_REFORMATTED, SEVERITY_WARNING,
     "with --base: comments or white space of a migration were edited"},
    {RULE_BASE_SCRIPT_EDITED, SEVERITY_WARNING,
     "with --base: a rollback or verify script the base has was edited"},
    {RULE_BASE_DELETED, SEVERITY_ERROR, "with --base: a migration the base has was deleted"},
    {RULE_BASE_RENAMED, SEVERITY_ERROR, "with --base: a migration the base has was renamed"},
    {NULL, SEVERITY_NOTICE, NULL},
};

const struct rule *rule_named(const char *name)
{
    for (const struct rule *rule = rules; rule->name; rule++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    return NULL;
}
