/* SPDX-License-Identifier: PostgreSQL */
#include "cli/help.h"

#define WIDTH        80
#define NAME_COLUMNS 28 /* of an option with its argument; a longer one gets a line of its own */

static void blanks(FILE *out, size_t count)
{
    fprintf(out, "%*s", (int)count, "");
}

/* One paragraph line of the source: either filled, or printed as it is. Returns the column reached. */
static size_t fill_line(FILE *out, const char *line, size_t length, size_t indent, size_t width,
                        size_t column)
{
    while (length) {
        size_t word = strcspn(line, " \n");

        if (word > length)
            word = length;
        if (column && column + 1 + word > width) {
            fputc('\n', out);
            column = 0;
        }
        if (word) {
            blanks(out, column ? 1 : indent);
            column = (column ? column + 1 : indent) + word;
            fwrite(line, 1, word, out);
        }
        line += word;
        length -= word;
        while (length && *line == ' ') {
            line++;
            length--;
        }
    }
    return column;
}

void help_fill(FILE *out, const char *text, size_t indent, size_t width)
{
    size_t column = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");

        if (length && *text != ' ')
            column = fill_line(out, text, length, indent, width, column);
        else {
            if (column)
                fputc('\n', out);
            column = 0;
            blanks(out, length ? indent : 0);
            fprintf(out, "%.*s\n", (int)length, text);
        }
        text += length + (text[length] == '\n');
    }
    if (column)
        fputc('\n', out);
}

/* name in the left column, text filled in the right one. */
static void two_columns(FILE *out, const char *name, const char *text, size_t left)
{
    OWNED char *filled = NULL;
    size_t size;
    FILE *right = open_memstream(&filled, &size);

    help_fill(right, text, left, WIDTH);
    fclose(right);
    fputs(name, out);
    if (text_width(name) + 2 > left)
        fprintf(out, "\n%s", filled);
    else {
        blanks(out, left - text_width(name));
        fputs(filled + (strlen(filled) > left ? left : 0), out);
    }
}

static void print_option(FILE *out, const struct option_spec *option)
{
    const struct config_key *key = option->key ? config_key(option->key) : NULL;
    const char *choices = option_choices(option);
    OWNED char *letter = option->letter ? text_format("-%c, ", option->letter) : text_copy("    ");
    OWNED char *name = text_format("  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
                                   option->argument ? option->argument : "");
    OWNED char *text = NULL;
    size_t size;
    FILE *summary = open_memstream(&text, &size);

    fputs(option_summary(option), summary);
    if (choices && option->argument) {
        struct text_list list = text_list_split(choices, ' ');
        OWNED char *joined = text_list_join(&list, ", ");

        fprintf(summary, " (%s)", joined);
        text_list_clear(&list);
    }
    if (key && key->default_value && *key->default_value && option->argument)
        fprintf(summary, " [default: %s]", key->default_value);
    if (option->repeats)
        fputs("; repeatable", summary);
    fclose(summary);
    two_columns(out, name, text, NAME_COLUMNS);
}

static void print_options(FILE *out, const char *heading, const struct option_spec options[])
{
    if (!options || !options[0].name)
        return;
    fprintf(out, "\n%s:\n", heading);
    for (size_t i = 0; options[i].name; i++)
        if (!options[i].hidden)
            print_option(out, &options[i]);
}

static void print_commands(FILE *out, const struct command *const commands[], const char *group,
                           const char *word)
{
    for (size_t i = 0; commands[i]; i++) {
        OWNED char *name = NULL;

        if (group && !text_equal(commands[i]->group, group))
            continue;
        if (word && !(text_starts_with(commands[i]->name, word) && commands[i]->name[strlen(word)] == ' '))
            continue;
        name = commands[i]->operands ? text_format("  %s %s", commands[i]->name, commands[i]->operands)
                                     : text_format("  %s", commands[i]->name);
        two_columns(out, name, commands[i]->summary, 24);
    }
}

static bool is_first_of_group(const struct command *const commands[], size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (text_equal(commands[i]->group, commands[index]->group))
            return false;
    return commands[index]->group != NULL;
}

char *help_synopsis(const struct command *command)
{
    return text_format("pgmigrate %s [OPTION...]%s%s", command->name, command->operands ? " " : "",
                       command->operands ? command->operands : "");
}

void help_overview(FILE *out, const struct command *const commands[])
{
    fputs("pgmigrate - migrations for PostgreSQL\n\nUsage: pgmigrate COMMAND [OPTION...] [ARGUMENT...]\n",
          out);
    for (size_t i = 0; commands[i]; i++) {
        if (!is_first_of_group(commands, i))
            continue;
        fprintf(out, "\n%s:\n", commands[i]->group);
        print_commands(out, commands, commands[i]->group, NULL);
    }
    print_options(out, "Options of every command", common_options);
    fputs("\nExit status:\n", out);
    for (size_t i = 0; error_codes[i].name; i++) {
        OWNED char *code = text_format("  %3d  %s", error_codes[i].code, error_codes[i].name);

        two_columns(out, code, error_codes[i].meaning, 20);
    }
    fputs("\nRun \"pgmigrate COMMAND --help\" for the options of a command.\n", out);
}

void help_group(FILE *out, const struct command *const commands[], const char *word)
{
    fprintf(out, "Usage: pgmigrate %s COMMAND [OPTION...]\n\nCommands:\n", word);
    print_commands(out, commands, NULL, word);
    fprintf(out, "\nRun \"pgmigrate %s COMMAND --help\" for the options of a command.\n", word);
}

void help_command(FILE *out, const struct command *command)
{
    OWNED char *synopsis = help_synopsis(command);

    fprintf(out, "Usage: %s\n\n", synopsis);
    help_fill(out, command->summary, 0, WIDTH);
    if (command->aliases) {
        struct text_list aliases = text_list_split(command->aliases, ' ');
        OWNED char *joined = text_list_join(&aliases, ", ");

        fprintf(out, "Also called: %s\n", joined);
        text_list_clear(&aliases);
    }
    if (command->details) {
        fputc('\n', out);
        help_fill(out, command->details, 0, WIDTH);
    }
    print_options(out, "Options", command->options);
    print_options(out, "Options of every command", common_options);
}
