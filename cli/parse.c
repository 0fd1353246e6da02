/* SPDX-License-Identifier: PostgreSQL */
#include "cli/command.h"
#include "cli/secret.h"
#include <getopt.h>

/* ---- all options of all commands, as getopt_long wants them ---- */

#define FIRST_LONG 256

struct parser {
    const struct option_spec **specs;
    struct option *longs;
    size_t count;
    char *letters;
};

static void parser_add(struct parser *parser, const struct option_spec options[], FILE *letters)
{
    for (size_t i = 0; options && options[i].name; i++) {
        bool known = false;

        for (size_t j = 0; j < parser->count; j++)
            known |= text_equal(parser->specs[j]->name, options[i].name);
        if (known)
            continue;
        parser->specs = memory_grow(parser->specs, parser->count, sizeof *parser->specs);
        parser->longs = memory_grow(parser->longs, parser->count, sizeof *parser->longs);
        parser->specs[parser->count] = &options[i];
        parser->longs[parser->count] =
            (struct option){options[i].name, options[i].argument ? required_argument : no_argument, NULL,
                            FIRST_LONG + (int)parser->count};
        parser->count++;
        if (options[i].letter)
            fprintf(letters, "%c%s", options[i].letter, options[i].argument ? ":" : "");
    }
}

/* The command that the words name, before anything is understood of the options between them. */
static const struct command *guess(int argc, char **argv, const struct command *const commands[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        OWNED char *pair = i + 1 < argc ? text_format("%s %s", argv[i], argv[i + 1]) : NULL;
        const struct command *command = pair ? command_find(commands, pair) : NULL;
        if (!command)
            command = command_find(commands, argv[i]);
        if (command)
            return command;
    }
    return NULL;
}

static void parser_init(struct parser *parser, const struct command *command,
                        const struct command *const commands[])
{
    size_t size;
    FILE *letters = open_memstream(&parser->letters, &size);

    fputs("-:", letters); /* operands in place, as option 1; a missing argument is ':' */
    parser_add(parser, common_options, letters);
    if (command) /* its own --confirm may take no argument, and another's does */
        parser_add(parser, command->options, letters);
    for (size_t i = 0; commands[i]; i++)
        parser_add(parser, commands[i]->options, letters);
    fclose(letters);
    parser->longs = memory_grow(parser->longs, parser->count, sizeof *parser->longs);
    parser->longs[parser->count] = (struct option){0};
}

static void parser_clear(struct parser *parser)
{
    free(parser->specs);
    free(parser->longs);
    free(parser->letters);
}
CLEANUP_VALUE(struct parser, parser_clear)

static const struct option_spec *parser_spec(const struct parser *parser, int code)
{
    if (code >= FIRST_LONG)
        return parser->specs[code - FIRST_LONG];
    for (size_t i = 0; i < parser->count; i++)
        if (code && parser->specs[i]->letter == code)
            return parser->specs[i];
    return NULL;
}

/* ---- errors ---- */

/* The first mistake is the one that is told. */
static void mistake(struct error *first, struct error *error)
{
    if (first->code == ERROR_NONE)
        error_move(first, error);
    else
        error_clear(error);
}

static const char *nearest_option(const struct parser *parser, const struct command *command,
                                  const char *name)
{
    OWNED const char **names = NULL;
    size_t count = 0;

    for (size_t i = 0; i < parser->count; i++) {
        const struct option_spec *spec = parser->specs[i];

        if (spec->hidden || (command && !option_find(command->options, spec->name) &&
                             !option_find(common_options, spec->name)))
            continue;
        names = memory_grow(names, count, sizeof *names);
        names[count++] = spec->name;
    }
    names = memory_grow(names, count, sizeof *names);
    names[count] = NULL;
    return text_nearest(name, names);
}

static void unknown_option(const struct parser *parser, const struct command *command, const char *word,
                           struct error *error)
{
    OWNED char *name = text_copy_part(word, strcspn(word, "="));
    const char *bare = name + strspn(name, "-");
    const char *nearest = nearest_option(parser, command, bare);

    if (command)
        error_set(error, ERROR_USAGE, "\"%s\" is not an option of \"%s\"", name, command->name);
    else
        error_set(error, ERROR_USAGE, "unknown option \"%s\"", name);
    if (nearest && !text_equal(nearest, bare))
        error_hint(error, "Did you mean \"--%s\"?", nearest);
    else
        error_hint(error, "Run \"pgmigrate %s%s--help\" for the list of options.",
                   command ? command->name : "", command ? " " : "");
}

static bool unknown_command(struct invocation *invocation, const char *word, struct error *error)
{
    const struct command *const *commands = invocation->commands;
    OWNED const char **names = NULL;
    struct text_list words = {0};
    size_t count = 0;
    const char *nearest;

    for (size_t i = 0; commands[i]; i++) {
        struct text_list aliases = text_list_split(commands[i]->aliases ? commands[i]->aliases : "", ' ');

        text_list_add(&words, text_copy(commands[i]->name));
        for (size_t j = 0; j < aliases.count; j++)
            text_list_add(&words, text_copy(aliases.items[j]));
        text_list_clear(&aliases);
    }
    for (size_t i = 0; i < words.count; i++) {
        names = memory_grow(names, count, sizeof *names);
        names[count++] = words.items[i];
    }
    names = memory_grow(names, count, sizeof *names);
    names[count] = NULL;
    nearest = text_nearest(word, names);
    invocation->unknown = text_copy(word);
    secret_overwrite(invocation->unknown);
    error_set(error, ERROR_USAGE, "unknown command \"%s\"", invocation->unknown);
    if (nearest)
        error_hint(error, "Did you mean \"%s\"?", nearest);
    else
        error_hint(error, "Run \"pgmigrate --help\" for the list of commands.");
    text_list_clear(&words);
    return false;
}

/* ---- values ---- */

static bool check_choice(const struct option_spec *spec, const char *value, struct error *error)
{
    OWNED char *list = NULL;
    struct text_list choices = {0};

    if (!spec->choices || command_has_word(spec->choices, value))
        return true;
    choices = text_list_split(spec->choices, ' ');
    list = text_list_join(&choices, ", ");
    text_list_clear(&choices);
    error_set(error, ERROR_USAGE, "invalid value \"%s\" for \"--%s\"", value, spec->name);
    return error_hint(error, "It is one of: %s.", list);
}

static void store_value(struct invocation *invocation, const struct option_spec *spec, const char *value)
{
    struct option_value *option = NULL;

    for (size_t i = 0; i < invocation->option_count; i++)
        if (text_equal(invocation->options[i].spec->name, spec->name))
            option = &invocation->options[i];
    if (!option) {
        invocation->options =
            memory_grow(invocation->options, invocation->option_count, sizeof *invocation->options);
        option = &invocation->options[invocation->option_count++];
        *option = (struct option_value){.spec = spec};
    }
    text_list_add(&option->values, text_copy(value ? value : ""));
}

/* getopt_long takes any unambiguous beginning of a name; scripts would break with the next option, so we do
 * not. */
static bool is_abbreviated(const struct option_spec *spec, char **argv)
{
    const char *word = argv[optind - 1];

    if (optarg && optarg == word)
        word = argv[optind - 2];
    return word[0] == '-' && word[1] == '-' &&
           (strlen(spec->name) != strcspn(word + 2, "=") || !text_starts_with(word + 2, spec->name));
}

static bool missing_or_unknown(const struct parser *parser, int code, char **argv, struct error *error)
{
    const struct option_spec *spec = parser_spec(parser, optopt);
    const char *word = argv[optind - 1];

    if (code == ':')
        return error_set(error, ERROR_USAGE, "option \"--%s\" needs a value: %s", spec->name, spec->argument);
    if (spec && spec->name && optopt >= FIRST_LONG)
        return error_set(error, ERROR_USAGE, "option \"--%s\" takes no value", spec->name);
    if (optopt) {
        error_set(error, ERROR_USAGE, "unknown option \"-%c\"", optopt);
        return error_hint(error, "Run \"pgmigrate --help\" for the list of options.");
    }
    unknown_option(parser, NULL, word, error);
    return false;
}

static bool take_option(const struct parser *parser, int code, char **argv, struct invocation *invocation,
                        struct error *error)
{
    const struct option_spec *spec;

    if (code == ':' || code == '?')
        return missing_or_unknown(parser, code, argv, error);
    spec = parser_spec(parser, code);
    if (code >= FIRST_LONG && is_abbreviated(spec, argv)) {
        const char *word = optarg && optarg == argv[optind - 1] ? argv[optind - 2] : argv[optind - 1];

        unknown_option(parser, NULL, word, error);
        return error_hint(error, "Did you mean \"--%s\"? Option names are not abbreviated.", spec->name);
    }
    if (optarg && !check_choice(spec, optarg, error))
        return false;
    /* libpq takes it for its defaults: some database, but hardly the one that was meant. */
    if (text_equal(spec->argument, "CONNINFO") && *optarg == '\0') {
        error_set(error, ERROR_USAGE, "\"--%s\" names no database", spec->name);
        return error_hint(error, "Its value is empty, as where it comes from a variable that is not set.");
    }
    store_value(invocation, spec, optarg);
    if (text_equal(spec->argument, "NAME=VALUE") && strchr(optarg, '=')) /* may be a secret, too */
        memset(strchr(optarg, '=') + 1, 'x', strlen(strchr(optarg, '=') + 1));
    if (text_equal(spec->argument, "CONNINFO"))
        invocation->password_in_argv |= secret_overwrite(optarg);
    return true;
}

/* ---- the command and its operands ---- */

static bool take_command(const struct command *const commands[], struct text_list *words,
                         struct invocation *invocation, struct error *error)
{
    size_t used = 1;

    if (!words->count)
        return true;
    if (!command_is_group(commands, words->items[0]) || words->count == 1) {
        invocation->command = command_find(commands, words->items[0]);
    } else { /* also where the first word alone would be a command: "backup" is "backup create" */
        OWNED char *both = text_format("%s %s", words->items[0], words->items[1]);

        used = 2;
        invocation->command = command_find(commands, both);
        if (!invocation->command)
            return unknown_command(invocation, both, error);
    }
    if (!invocation->command && command_is_group(commands, words->items[0])) {
        invocation->group = text_copy(words->items[0]);
        return true;
    }
    if (!invocation->command)
        return unknown_command(invocation, words->items[0], error);
    for (size_t i = used; i < words->count; i++)
        text_list_add(&invocation->operands, text_copy(words->items[i]));
    return true;
}

static bool check_operands(const struct invocation *invocation, struct error *error)
{
    const struct command *command = invocation->command;
    size_t count = invocation->operands.count;

    if (count < command->min_operands) {
        error_set(error, ERROR_USAGE, "\"%s\" needs an argument: %s", command->name, command->operands);
        return error_hint(error, "Run \"pgmigrate %s --help\".", command->name);
    }
    if (count > command->max_operands) {
        OWNED char *extra = text_copy(invocation->operands.items[command->max_operands]);

        secret_overwrite(extra);
        error_set(error, ERROR_USAGE, "unexpected argument \"%s\"", extra);
        return error_hint(error, "Run \"pgmigrate %s --help\".", command->name);
    }
    return true;
}

/* Every option that was given belongs to the command or to all of them; the command's own record counts. */
static bool check_options(const struct parser *parser, struct invocation *invocation, struct error *error)
{
    for (size_t i = 0; i < invocation->option_count; i++) {
        struct option_value *option = &invocation->options[i];
        const struct option_spec *own = option_find(invocation->command->options, option->spec->name);

        if (own)
            option->spec = own;
        else if (!option_find(common_options, option->spec->name)) {
            OWNED char *word = text_format("--%s", option->spec->name);

            unknown_option(parser, invocation->command, word, error);
            return false;
        }
    }
    return true;
}

static void settle(struct invocation *invocation)
{
    const char *color = invocation_option(invocation, "color");
    bool always, plain;

    invocation->json = invocation_flag(invocation, "json");
    invocation->yes = invocation_flag(invocation, "yes");
    if (invocation_flag(invocation, "verbose"))
        invocation->verbosity = VERBOSITY_VERBOSE;
    if (invocation_flag(invocation, "quiet"))
        invocation->verbosity = VERBOSITY_QUIET;
    invocation->terminal = isatty(STDERR_FILENO) && !text_equal(getenv("TERM"), "dumb");
    plain = text_equal(color, "never") || text_equal(getenv("TERM"), "dumb") ||
            (getenv("NO_COLOR") && *getenv("NO_COLOR"));
    always = text_equal(color, "always");
    invocation->color = always || (!plain && isatty(STDERR_FILENO));
    invocation->color_output = always || (!plain && isatty(STDOUT_FILENO));
    if (invocation_flag(invocation, "version"))
        invocation->request = REQUEST_VERSION;
    else if (invocation_flag(invocation, "help"))
        invocation->request = REQUEST_HELP;
    else
        invocation->request = invocation->command ? REQUEST_RUN : REQUEST_OVERVIEW;
}

bool command_parse(int argc, char **argv, const struct command *const commands[], struct invocation *ret,
                   struct error *error)
{
    AUTO(parser_clear) struct parser parser = {0};
    AUTO(error_clear) struct error first = {0}, problem = {0};
    struct text_list words = {0};
    int code;

    *ret =
        (struct invocation){.commands = commands, .verbosity = VERBOSITY_NORMAL, .document = json_object()};
    parser_init(&parser, guess(argc, argv, commands), commands);
    opterr = 0;
    optind = 0; /* glibc: start afresh */
    while ((code = getopt_long(argc, argv, parser.letters, parser.longs, NULL)) != -1) {
        AUTO(error_clear) struct error one = {0};

        if (code == 1)
            text_list_add(&words, text_copy(optarg));
        else if (!take_option(&parser, code, argv, ret, &one))
            mistake(&first, &one);
    }
    for (int i = optind; i < argc; i++)
        text_list_add(&words, text_copy(argv[i]));
    if (!take_command(commands, &words, ret, &problem)) /* also after a mistake: documents name the command */
        mistake(&first, &problem);
    if (first.code == ERROR_NONE && ret->command)
        (void)(check_options(&parser, ret, &first) &&
               (invocation_flag(ret, "help") || invocation_flag(ret, "version") ||
                check_operands(ret, &first)));
    text_list_clear(&words);
    settle(ret);
    if (first.code == ERROR_NONE)
        return true;
    error_move(error, &first);
    return false;
}
