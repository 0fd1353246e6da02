/* SPDX-License-Identifier: PostgreSQL */
/*
 * The table of commands. Parsing, --help, the manual page and the shells' completion all come from these
 * records: one file per command (cmd_<name>.c) with its record and its function, one array of them in main.c.
 *
 *     static const struct option_spec options[] = {
 *         {.name = "to", .argument = "VERSION", .summary = "stop after VERSION"},
 *         {.name = "lock-timeout", .argument = "DURATION", .key = "lock_timeout"},
 *         {0},
 *     };
 *     const struct command cmd_apply = {.name = "apply", .aliases = "up migrate", .options = options, …};
 *
 * Rules the parser relies on, held by a unit test: an option of one letter takes an argument in every command
 * that has it, or in none, and so does one of a long name unless it stands behind its command; own options do
 * not shadow common ones.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "common/config.h"
#include "common/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct option_spec {
    const char *name;     /* long name, without dashes; NULL ends a list */
    char letter;          /* short name, or 0 */
    const char *argument; /* "VERSION", "MS"; NULL for a flag */
    const char *key;      /* the config key it sets (a flag sets it to "yes"); NULL: kept under its name */
    const char *choices;  /* "auto always never", or NULL; with a key, the key's own choices when NULL */
    bool repeats;
    bool hidden;         /* not in --help and completion */
    const char *summary; /* one line; with a key, the key's own summary when NULL */
};

struct invocation;

struct command {
    const char *name;     /* "apply", "cluster start" */
    const char *aliases;  /* "up migrate", or NULL */
    const char *operands; /* "VERSION", "[DESCRIPTION...]", or NULL */
    size_t min_operands, max_operands;
    const char *summary; /* one line */
    const char *details; /* for --help and the manual: paragraphs between empty lines, filled anew; a line
                          * that begins with a blank stays as it is; or NULL */
    const struct option_spec *options; /* own options; common ones are added to every command; may be NULL */
    const char *group;                 /* heading in the overview: "Migrations", "Server" … */
    const char *finding;               /* what its exit status 3 means; NULL: "a check found something" */
    bool without_config; /* runs also where the configuration is missing or wrong; config is NULL */
    /* Results on stdout (text unless invocation->json); false with error filled. A success that is not exit 0
     * sets invocation->exit_code. */
    bool (*run)(struct invocation *invocation, struct error *error);
};

/* Options of every command, ended by a NULL name. */
extern const struct option_spec common_options[];

/* Option records several commands share: those on the history and the folder, on waiting for the run lock,
 * and on running scripts. */
#define OPTION_HISTORY_TABLE                                                                                 \
    {                                                                                                        \
        .name = "history-table", .argument = "[SCHEMA.]TABLE", .key = "history_table"                        \
    }
#define OPTIONS_FOLDER                                                                                       \
    {.name = "layout", .argument = "LAYOUT", .key = "layout"},                                               \
        {.name = "duplicate-versions", .argument = "ACTION", .key = "duplicate_versions"},                   \
        {.name = "rollback-required", .argument = "WHEN", .key = "rollback_required"},                       \
    {                                                                                                        \
        .name = "protected", .key = "protected", .summary = "take the environment as a protected one"        \
    }
#define OPTIONS_LOCK                                                                                         \
    {.name = "wait-lock", .argument = "SECONDS", .key = "wait_lock"},                                        \
        {.name = "role", .argument = "ROLE", .key = "role"},                                                 \
    {                                                                                                        \
        .name = "pooler", .argument = "MODE", .key = "pooler"                                                \
    }
#define OPTIONS_TIMEOUTS                                                                                     \
    {.name = "lock-timeout", .argument = "MS", .key = "lock_timeout"},                                       \
        {.name = "statement-timeout", .argument = "MS", .key = "statement_timeout"},                         \
    {                                                                                                        \
        .name = "max-wait", .argument = "SECONDS", .key = "max_wait"                                         \
    }
#define OPTION_SET                                                                                           \
    {                                                                                                        \
        .name = "set", .argument = "NAME=VALUE", .repeats = true,                                            \
        .summary = "value for scripts with \"variables\""                                                    \
    }

enum verbosity { VERBOSITY_QUIET, VERBOSITY_NORMAL, VERBOSITY_VERBOSE };

/* What the command line asks for. */
enum request {
    REQUEST_RUN,      /* run the command */
    REQUEST_HELP,     /* --help: of the command, of the group of commands, or the overview */
    REQUEST_VERSION,  /* --version */
    REQUEST_OVERVIEW, /* no command, or only a group's name: a usage error with the list of commands */
};

/* An option that was given, with all its values: "" for a flag. */
struct option_value {
    const struct option_spec *spec;
    struct text_list values;
};

struct invocation {
    const struct command *const *commands; /* the whole table, ended by NULL */
    enum request request;
    const struct command *command; /* NULL when none was named */
    char *group;                   /* "cluster" when only the first word of two was given, else NULL */
    char *unknown;                 /* the words that name no command, without passwords, else NULL */
    struct text_list operands;
    struct option_value *options;
    size_t option_count;
    struct config *config;
    bool json;
    bool yes;
    bool color;            /* stderr may be coloured (decided once: flag, NO_COLOR, terminal) */
    bool color_output;     /* stdout may */
    bool terminal;         /* stderr is a terminal: live progress */
    bool password_in_argv; /* a password was given in an argument (and has been overwritten there) */
    enum verbosity verbosity;
    int exit_code; /* what a successful command exits with; 0 unless the command says so */
    bool complete; /* "ok" is true although exit_code is not 0: done, with warnings */
    json_t
        *document; /* an object; with json, the command adds its fields; main adds the frame and prints it */
};

/*
 * Read the command line. Options may stand anywhere; "--" ends them. Errors are ERROR_USAGE and name the
 * nearest known word; what was understood until then stays in the invocation. Passwords in argv are
 * overwritten.
 */
MUST_CHECK bool command_parse(int argc, char **argv, const struct command *const commands[],
                              struct invocation *ret, struct error *error);

/* Load the configuration and put the options that have a key into it. */
MUST_CHECK bool command_configure(struct invocation *invocation, struct error *error);

void invocation_clear(struct invocation *invocation);
CLEANUP_VALUE(struct invocation, invocation_clear)

/* An own option's value: NULL when absent, "" for a flag that was given; the last one of several. */
const char *invocation_option(const struct invocation *invocation, const char *name);
bool invocation_flag(const struct invocation *invocation, const char *name);
/* All values of a repeatable option; the strings are borrowed. */
size_t invocation_options(const struct invocation *invocation, const char *name,
                          const char *const **ret_values);
/* A number, the default when absent; ERROR_USAGE unless within the bounds. */
MUST_CHECK bool invocation_number(const struct invocation *invocation, const char *name, int64_t minimum,
                                  int64_t maximum, int64_t *value, struct error *error);

/* ---- for help, manual and completion ---- */

/* By name or alias; NULL when there is none. */
const struct command *command_find(const struct command *const commands[], const char *name);
/* Whether two-word commands begin with this word. */
bool command_is_group(const struct command *const commands[], const char *word);
/* Whether word stands in a list of words separated by single blanks; the list may be NULL. */
bool command_has_word(const char *words, const char *word);
/* By long name; options may be NULL. */
const struct option_spec *option_find(const struct option_spec options[], const char *name);
/* Summary and choices, from the option or from its config key. Never NULL; choices are NULL where free. */
const char *option_summary(const struct option_spec *option);
const char *option_choices(const struct option_spec *option);

#endif
