/* SPDX-License-Identifier: PostgreSQL */
/*
 * psql's variables in a script with the "variables" directive: :'name' becomes a string literal, :"name" an
 * identifier. Values are sent to the server and nowhere else: no message carries one.
 */
#ifndef MIGRATOR_VARIABLE_H
#define MIGRATOR_VARIABLE_H

#include "migrator/script.h"
#include "migrator/split.h"

struct variable_input {
    const struct source *source;
    const struct split *split;
    const struct script_options *options;
};

/*
 * Fill text, substituted and substitutions of a statement from its piece. Errors, at the variable's place: no
 * directive but a :'name', an unset variable, a set one written as bare :name, which psql would paste
 * unquoted.
 */
MUST_CHECK bool variable_substitute(const struct variable_input *input, const struct piece *piece,
                                    struct statement *ret, struct error *error);

/* "name=x" for all that a script asks for, where the values are not known: that they are all given is the
 * run's affair. */
struct text_list variable_stand_ins(const struct source *source, const struct split *split);

/*
 * text without the values that the script's :'name' stand for: each is written as the variable again. NULL
 * when there is none in it. What :"name" stands for are names in the database, no secrets; values of less
 * than four bytes are left, since they would be found everywhere.
 */
char *variable_hide(const struct script *script, const char *text);
/* The text that is sent, without the values that were put into it; NULL when there are none. */
char *variable_hide_own(const struct script *script, const struct statement *statement);

#endif
