/* SPDX-License-Identifier: PostgreSQL */
/*
 * The table of commands. Parsing, --help, the manual page and the shells' completion all come from these records:
 * one file per command (cmd_<name>.c) with its record and its function, one array of them in main.c.
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
    const char *key;      /* the config key it sets; NULL: kept in the invocation under its name */
    const char *choices;  /* "auto always never", or NULL */
    bool repeats;
    const char *summary;
};

struct invocation;

struct command {
    const char *name;     /* "apply", "cluster start" */
    const char *aliases;  /* "up migrate", or NULL */
    const char *operands; /* "VERSION", "[DESCRIPTION...]", or NULL */
    size_t min_operands, max_operands;
    const char *summary;              /* one line */
    const char *details;              /* paragraphs for --help and the manual */
    const struct option_spec *options; /* own options; common ones are added to every command; may be NULL */
    const char *group; /* heading in the overview: "Migrations", "Server" … */
    /* Results on stdout (text unless invocation->json); false with error filled. A success that is not exit 0 sets
     * invocation->exit_code. */
    bool (*run)(struct invocation *invocation, struct error *error);
};

/* All commands in the order of the overview; ended by NULL. Defined in main.c. */
extern const struct command *const commands[];

enum verbosity { VERBOSITY_QUIET, VERBOSITY_NORMAL, VERBOSITY_VERBOSE };

struct invocation {
    const struct command *command;
    struct text_list operands;
    struct config *config;
    bool json;
    bool yes;
    bool color;    /* stdout and stderr may be coloured (decided once: flag, NO_COLOR, terminal) */
    bool terminal; /* stderr is a terminal: live progress */
    enum verbosity verbosity;
    int exit_code;      /* what a successful command exits with; 0 unless the command says so */
    json_t *document;   /* with json: fields are added here by the command; main adds the frame and prints it */
    void *options;      /* values of options without a key; see invocation_option */
};

/* An own option's value: NULL when absent, "" for a flag that was given; the last one of several. */
const char *invocation_option(const struct invocation *invocation, const char *name);
bool invocation_flag(const struct invocation *invocation, const char *name);
/* All values of a repeatable option; the strings are borrowed. */
size_t invocation_options(const struct invocation *invocation, const char *name, const char *const **ret_values);

#endif
