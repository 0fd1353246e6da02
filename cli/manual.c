/* SPDX-License-Identifier: PostgreSQL */
#include "cli/manual.h"

#include "cli/help.h"
#include "migrator/rule.h"
#include <ctype.h>

static const char description[] =
    "*pgmigrate* applies the migrations of a folder to a PostgreSQL database, in order, and keeps a history "
    "of "
    "them in the database. A migration is an SQL script *NNN_description.sql*; beside it may stand the "
    "script "
    "that takes it back, *NNN_description_rollback.sql*, and one that checks it, "
    "*NNN_description_verify.sql*, "
    "which runs in the same transaction before COMMIT.\n"
    "\n"
    "Numbers are compared as numbers, then the letters behind them: 9 < 10, 025 < 025a < 025b < 026. "
    "VERSION is a file's stem (*042_add_orders*), its number (*042*, *42*, *025a*) or *latest*.\n"
    "\n"
    "Results go to standard output, everything else to standard error. With *--json* the result is one JSON "
    "document; it begins with the fields *schema*, *command*, *ok* and *exit_code*, and on failure has "
    "*error*. "
    "Times in it are UTC (RFC 3339), durations are milliseconds, sizes bytes.\n";

static const char directives[] =
    "Comments before the first statement of a script may hold directives, several to a line, separated by "
    "commas:\n"
    "\n"
    "```\n"
    "-- pgmigrate: no-transaction, lock_timeout=5s\n"
    "```\n"
    "\n"
    "*no-transaction*\n"
    "\tRun statement by statement outside a transaction, as CREATE INDEX CONCURRENTLY needs. What is done is "
    "recorded after each statement; a script that stopped half way is taken up again where it stopped.\n"
    "\n"
    "*lock_timeout=*_DURATION_, *statement_timeout=*_DURATION_\n"
    "\tLimits for this script.\n"
    "\n"
    "*role=*_ROLE_\n"
    "\tRun this script as another role.\n"
    "\n"
    "*irreversible*\n"
    "\tThere is no way back, and none is missed.\n"
    "\n"
    "*requires=*_VERSION_\n"
    "\tRun only where that version is applied.\n"
    "\n"
    "*variables*\n"
    "\tReplace :'name' and :\"name\" by the values of *--set*. Values are neither stored nor logged.\n";

static const char environment[] =
    "*PGMIGRATE_*_KEY_\n"
    "\tEvery key of the configuration, in upper case: *PGMIGRATE_LOCK_TIMEOUT=5s*. A flag goes before it, "
    "the "
    "configuration file after it. An empty variable is as good as none: to empty a key, give an empty flag, "
    "or "
    "\"key =\" in the file. *PGMIGRATE_ENVIRONMENT* chooses the environment.\n"
    "\n"
    "*DATABASE_URL*\n"
    "\tThe database, where no *--database* is given; it goes before the environment's entry.\n"
    "\n"
    "*PGHOST*, *PGPORT*, *PGUSER*, *PGPASSWORD*, *PGPASSFILE*, *PGSERVICE*, ...\n"
    "\tWhat libpq reads; the place for passwords.\n"
    "\n"
    "*NO_COLOR*\n"
    "\tWhen not empty, no colors.\n";

static const char files[] = "*pgmigrate.conf*\n"
                            "\tThe configuration, in the current folder or the nearest parent that has one.\n"
                            "\n"
                            "*.pgmigrate/cluster*\n"
                            "\tThe embedded server of *--database embedded:* and *pgmigrate cluster*.\n"
                            "\n"
                            "*~/.pgpass*, *~/.pg_service.conf*\n"
                            "\tPasswords and services, read by libpq.\n";

static const char examples[] = "Write the next migration and its rollback:\n"
                               "\n"
                               "```\n"
                               "pgmigrate new add orders\n"
                               "```\n"
                               "\n"
                               "See what would happen, then do it:\n"
                               "\n"
                               "```\n"
                               "pgmigrate plan -d service=staging\n"
                               "pgmigrate apply -d service=staging\n"
                               "```\n"
                               "\n"
                               "Go back one step; go back to a version, which stays:\n"
                               "\n"
                               "```\n"
                               "pgmigrate rollback -e production\n"
                               "pgmigrate rollback -e production --to 041\n"
                               "```\n"
                               "\n"
                               "Take over a database whose first 40 migrations were run by hand:\n"
                               "\n"
                               "```\n"
                               "pgmigrate baseline 040 -d service=legacy\n"
                               "```\n"
                               "\n"
                               "Fail a pipeline while migrations are pending:\n"
                               "\n"
                               "```\n"
                               "pgmigrate status --exit-code --json\n"
                               "```\n";

/* ---- scdoc ---- */

/* Text that shall read as it stands. */
static void escaped(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++)
        fprintf(out, "%s%c", strchr("\\*_<>`~", *at) || (at == text && strchr("#-.[]|;", *at)) ? "\\" : "",
                *at);
}

static void option_heading(FILE *out, const struct option_spec *option)
{
    if (option->letter)
        fprintf(out, "*-%c*, ", option->letter);
    fputs("*\\--", out);
    escaped(out, option->name);
    fputc('*', out);
    if (option->argument) {
        fputs(" _", out);
        for (const char *at = option->argument; *at; at++)
            fprintf(out, "%s%c", *at == '_' ? "\\" : "", *at);
        fputc('_', out);
    }
    fputc('\n', out);
}

static void print_choices(FILE *out, const char *choices)
{
    struct text_list list = text_list_split(choices, ' ');
    OWNED char *joined = text_list_join(&list, ", ");

    fputs(" One of ", out);
    escaped(out, joined);
    fputc('.', out);
    text_list_clear(&list);
}

/* A summary as a sentence: capital letter, full stop. */
static void sentence(FILE *out, const char *summary)
{
    OWNED char *text = text_copy(summary);

    if (islower((unsigned char)text[0]))
        text[0] = (char)toupper((unsigned char)text[0]);
    escaped(out, text);
    fputs(text_ends_with(text, ".") ? "" : ".", out);
}

static void print_option(FILE *out, const struct option_spec *option)
{
    const struct config_key *key = option->key ? config_key(option->key) : NULL;

    option_heading(out, option);
    fputc('\t', out);
    sentence(out, option_summary(option));
    if (option->argument && option_choices(option))
        print_choices(out, option_choices(option));
    if (option->argument && key && key->default_value && *key->default_value) {
        fputs(" Default: ", out);
        escaped(out, key->default_value);
        fputc('.', out);
    }
    if (option->repeats)
        fputs(" May be given more than once.", out);
    fputs("\n\n", out);
}

static void print_options(FILE *out, const struct option_spec options[])
{
    for (size_t i = 0; options && options[i].name; i++)
        if (!options[i].hidden)
            print_option(out, &options[i]);
}

/* The paragraphs of a command's details; lines that begin with a blank become literal blocks. */
static void print_details(FILE *out, const char *text)
{
    bool literal = false;

    while (*text) {
        size_t length = strcspn(text, "\n");
        OWNED char *line = text_copy_part(text, length);
        bool verbatim = *line == ' ';

        if (literal != verbatim)
            fputs(verbatim ? "\n```\n" : "```\n\n", out);
        literal = verbatim;
        if (verbatim)
            fputs(line + strspn(line, " "), out);
        else
            escaped(out, line);
        fputc('\n', out);
        text += length + (text[length] == '\n');
    }
    if (literal)
        fputs("```\n", out);
    fputc('\n', out);
}

static void print_command(FILE *out, const struct command *command)
{
    fprintf(out, "## %s\n\n*pgmigrate %s* [_OPTION_...]", command->name, command->name);
    if (command->operands) {
        fputc(' ', out);
        escaped(out, command->operands);
    }
    fputs("\n\n", out);
    sentence(out, command->summary);
    if (command->aliases) {
        struct text_list aliases = text_list_split(command->aliases, ' ');
        OWNED char *joined = text_list_join(&aliases, "*, *");

        fprintf(out, " Also called *%s*.", joined);
        text_list_clear(&aliases);
    }
    fputs("\n\n", out);
    if (command->details)
        print_details(out, command->details);
    print_options(out, command->options);
}

static void print_key(FILE *out, const struct config_key *key)
{
    OWNED char *variable = text_format("PGMIGRATE_%s", key->name);

    for (char *at = variable; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    fputc('*', out);
    escaped(out, key->name);
    fputs(text_ends_with(key->name, ".") ? "*_NAME_\n\t" : "*\n\t", out);
    sentence(out, key->summary ? key->summary : "");
    if (key->choices)
        print_choices(out, key->choices);
    if (key->default_value && *key->default_value) {
        fputs(" Default: ", out);
        escaped(out, key->default_value);
        fputc('.', out);
    }
    if (key->flag)
        fprintf(out, " Flag: *\\--%s*.", key->flag);
    fputs("\n\n", out);
}

static void print_configuration(FILE *out)
{
    const char *section = NULL;

    fputs("*pgmigrate.conf* is an INI file. Every key has one flag and one environment variable, "
          "*PGMIGRATE_*_KEY_. A section *[environment* _NAME_*]* may hold any key and is chosen by "
          "*\\--environment* _NAME_. Precedence: flag, environment variable, the environment's section, the "
          "general section, the default. Lists are separated by commas, comments begin with a semicolon, "
          "relative paths are relative to the file. Durations are *500ms*, *2s*, *10min*, *1h*, *7d*. An "
          "unknown key is an error.\n\n",
          out);
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (!text_equal(section, key->section))
            fprintf(out, "## [%s%s]\n\n", key->section,
                    text_equal(key->section, "environment") ? " NAME" : "");
        section = key->section;
        print_key(out, key);
    }
}

static void print_rules(FILE *out)
{
    fputs("What *pgmigrate check* and other commands find in migration files, by the name of the rule and "
          "its usual "
          "severity:\n\n",
          out);
    for (const struct rule *rule = rules; rule->name; rule++) {
        fprintf(out, "*%s*, %s\n\t", rule->name, severity_name(rule->severity));
        sentence(out, rule->meaning);
        fputs("\n\n", out);
    }
}

void manual_page(FILE *out, const struct command *const commands[])
{
    fputs("PGMIGRATE(1) \"pgmigrate " PGMIGRATE_VERSION "\" \"User Commands\"\n\n"
          "# NAME\n\npgmigrate - migrations for PostgreSQL\n\n"
          "# SYNOPSIS\n\n*pgmigrate* _COMMAND_ [_OPTION_...] [_ARGUMENT_...]\n\n"
          "# DESCRIPTION\n\n",
          out);
    fputs(description, out);
    fputs("\n# COMMANDS\n\n", out);
    for (size_t i = 0; commands[i]; i++)
        print_command(out, commands[i]);
    fputs("# OPTIONS\n\nEvery command takes these, before or after its name.\n\n", out);
    print_options(out, common_options);
    fputs("# CONFIGURATION\n\n", out);
    print_configuration(out);
    fprintf(out, "# DIRECTIVES\n\n%s\n# FINDINGS\n\n", directives);
    print_rules(out);
    fprintf(out, "# ENVIRONMENT\n\n%s\n# EXIT STATUS\n\n", environment);
    for (size_t i = 0; error_codes[i].name; i++) {
        fprintf(out, "*%d* %s\n\t", error_codes[i].code, error_codes[i].name);
        sentence(out, error_codes[i].meaning);
        fputs("\n\n", out);
    }
    fprintf(out, "# FILES\n\n%s\n# EXAMPLES\n\n%s\n# SEE ALSO\n\npsql(1), pg_dump(1)\n", files, examples);
}

/* ---- pgmigrate.conf ---- */

static const char *type_text(enum config_type type)
{
    switch (type) {
    case CONFIG_BOOL:
        return "yes or no";
    case CONFIG_DURATION:
    case CONFIG_SECONDS:
        return "500ms, 2s, 10min, 1h, 7d";
    case CONFIG_AGE:
        return "90min, 26h, 7d";
    case CONFIG_PATHS:
        return "folders, separated by commas";
    case CONFIG_PATH:
        return "path";
    case CONFIG_INTEGER:
        return "number";
    case CONFIG_SIZE:
        return "64MB, 1GB";
    case CONFIG_TEXT:
    case CONFIG_CHOICE:
        break;
    }
    return NULL;
}

static void comment(FILE *out, const char *text)
{
    OWNED char *filled = NULL;
    size_t size;
    FILE *lines = open_memstream(&filled, &size);

    help_fill(lines, text, 0, 76);
    fclose(lines);
    for (const char *at = filled; *at;) {
        size_t length = strcspn(at, "\n");

        fprintf(out, "; %.*s\n", (int)length, at);
        at += length + (at[length] == '\n');
    }
}

static void configuration_key(FILE *out, const struct config_key *key)
{
    AUTO(text_list_clear) struct text_list choices = text_list_split(key->choices ? key->choices : "", ' ');
    OWNED char *listed = text_list_join(&choices, ", ");
    const char *values = key->choices ? listed : type_text(key->type);
    OWNED char *how = text_format("(--%s%s%s)", key->flag, values ? ": " : "", values ? values : "");

    comment(out, key->summary);
    comment(out, how);
    fprintf(out, ";%s%s =%s%s\n\n", key->name, text_ends_with(key->name, ".") ? "NAME" : "",
            key->default_value && *key->default_value ? " " : "",
            key->default_value ? key->default_value : "");
}

void manual_configuration(FILE *out)
{
    const char *section = NULL;

    fputs("; pgmigrate.conf: every key, with its default; printed by: pgmigrate help --configuration\n"
          ";\n"
          "; A flag goes before the variable PGMIGRATE_<KEY>, which goes before [environment NAME], which\n"
          "; goes before the general section. Any key may stand in an environment's section.\n\n",
          out);
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (!text_equal(section, key->section))
            fprintf(out, "%s[%s]\n\n", text_equal(key->section, "environment") ? ";" : "",
                    text_equal(key->section, "environment") ? "environment production" : key->section);
        section = key->section;
        configuration_key(out, key);
    }
}
