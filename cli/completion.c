/* SPDX-License-Identifier: PostgreSQL */
#include "cli/completion.h"

enum value_kind { VALUE_FREE, VALUE_FILE, VALUE_FOLDER, VALUE_CHOICE };

static enum value_kind value_kind(const struct option_spec *option)
{
    if (option_choices(option))
        return VALUE_CHOICE;
    if (text_equal(option->argument, "FILE"))
        return VALUE_FILE;
    return text_equal(option->argument, "DIR") ? VALUE_FOLDER : VALUE_FREE;
}

/* The words a user may type first: names and aliases; a group's word once. */
static struct text_list first_words(const struct command *const commands[])
{
    struct text_list words = {0};

    for (size_t i = 0; commands[i]; i++) {
        OWNED char *first = text_copy_part(commands[i]->name, strcspn(commands[i]->name, " "));
        struct text_list aliases = text_list_split(commands[i]->aliases ? commands[i]->aliases : "", ' ');

        if (!text_list_contains(&words, first))
            text_list_add(&words, take(first));
        for (size_t j = 0; j < aliases.count; j++)
            if (!text_list_contains(&words, aliases.items[j]))
                text_list_add(&words, text_copy(aliases.items[j]));
        text_list_clear(&aliases);
    }
    return words;
}

/* The command's name and aliases as a pattern of case; a group's word ("backup", which is "backup create")
 * has a branch of its own. */
static char *names_pattern(const struct command *const commands[], const struct command *command)
{
    struct text_list names = text_list_split(command->aliases ? command->aliases : "", ' ');
    char *pattern = text_format("'%s'", command->name);

    for (size_t i = 0; i < names.count; i++) {
        OWNED char *before = NULL;

        if (command_is_group(commands, names.items[i]))
            continue;
        before = pattern;
        pattern = text_format("%s|%s", before, names.items[i]);
    }
    text_list_clear(&names);
    return pattern;
}

static struct text_list group_words(const struct command *const commands[], const char *word)
{
    struct text_list words = {0};
    size_t length = strlen(word);

    for (size_t i = 0; commands[i]; i++)
        if (text_starts_with(commands[i]->name, word) && commands[i]->name[length] == ' ')
            text_list_add(&words, text_copy(commands[i]->name + length + 1));
    return words;
}

/* Text between apostrophes, for every shell here. */
static void quoted(FILE *out, const char *text, const char *also)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fprintf(out, "%s%c", strchr(also, *text) ? "\\" : "", *text);
    }
}

/* ---- bash ---- */

static void bash_names(FILE *out, const struct option_spec options[], const char *before)
{
    for (size_t i = 0; options && options[i].name; i++) {
        if (options[i].hidden)
            continue;
        fprintf(out, "%s--%s", before, options[i].name);
        before = " ";
    }
}

static void bash_pattern(FILE *out, const struct option_spec *option)
{
    if (option->letter)
        fprintf(out, "-%c|", option->letter);
    fprintf(out, "--%s", option->name);
}

/* One branch per option that takes a value; the same name in several commands once. */
static void bash_values(FILE *out, const struct option_spec options[], struct text_list *done)
{
    for (size_t i = 0; options && options[i].name; i++) {
        const struct option_spec *option = &options[i];

        if (!option->argument || option->hidden || text_list_contains(done, option->name))
            continue;
        text_list_add(done, text_copy(option->name));
        fputs("        ", out);
        bash_pattern(out, option);
        fputs(") ", out);
        switch (value_kind(option)) {
        case VALUE_CHOICE:
            fprintf(out, "COMPREPLY=($(compgen -W '%s' -- \"$cur\")); ", option_choices(option));
            break;
        case VALUE_FILE:
            fputs("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); ", out);
            break;
        case VALUE_FOLDER:
            fputs("compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\")); ", out);
            break;
        case VALUE_FREE:
            break;
        }
        fputs("return ;;\n", out);
    }
}

static void bash_commands(FILE *out, const struct command *const commands[])
{
    struct text_list words = first_words(commands);

    fputs("    case $command in\n        '') [[ $cur == -* ]] || words='", out);
    for (size_t i = 0; i < words.count; i++)
        fprintf(out, "%s%s", i ? " " : "", words.items[i]);
    fputs("' ;;\n", out);
    for (size_t i = 0; i < words.count; i++) {
        struct text_list second = group_words(commands, words.items[i]);
        OWNED char *joined = text_list_join(&second, " ");

        const struct command *command = command_find(commands, words.items[i]);

        if (second.count) {
            fprintf(out, "        %s) words='", words.items[i]);
            bash_names(out, command ? command->options : NULL, "");
            fprintf(out, "'; [[ $cur == -* ]] || words='%s' ;;\n", joined);
        }
        text_list_clear(&second);
    }
    for (size_t i = 0; commands[i]; i++) {
        OWNED char *pattern = names_pattern(commands, commands[i]);

        fprintf(out, "        %s) words='", pattern);
        bash_names(out, commands[i]->options, "");
        fputs("' ;;\n", out);
    }
    fputs("    esac\n", out);
    text_list_clear(&words);
}

/* Find the command among the words before the cursor: the first one that is neither option nor value. */
static void bash_find_command(FILE *out, const struct command *const commands[])
{
    struct text_list groups = {0};
    OWNED char *pattern = NULL;
    const char *before = "";

    fputs("    for ((i = 1; i < COMP_CWORD; i++)); do\n        case ${COMP_WORDS[i]} in\n            ", out);
    for (size_t i = 0; common_options[i].name; i++) {
        if (!common_options[i].argument)
            continue;
        fputs(before, out);
        bash_pattern(out, &common_options[i]);
        before = "|";
    }
    text_list_add(&groups, text_copy("''"));
    for (size_t i = 0; commands[i]; i++) {
        OWNED char *word = text_copy_part(commands[i]->name, strcspn(commands[i]->name, " "));

        if (strchr(commands[i]->name, ' ') && !text_list_contains(&groups, word))
            text_list_add(&groups, take(word));
    }
    pattern = text_list_join(&groups, "|");
    text_list_clear(&groups);
    fprintf(out,
            ") [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;\n"
            "            -*|=) ;;\n"
            "            *)\n"
            "                command=${command:+$command }${COMP_WORDS[i]}\n"
            "                case $command in\n"
            "                    %s) ;;\n"
            "                    *) break ;;\n"
            "                esac ;;\n"
            "        esac\n"
            "    done\n",
            pattern);
}

void completion_bash(FILE *out, const struct command *const commands[])
{
    struct text_list done = {0};

    fputs("# bash completion for pgmigrate; printed by: pgmigrate help --completion=bash\n"
          "_pgmigrate()\n"
          "{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
          "    COMPREPLY=()\n"
          "    # \"--option=value\" arrives as three words.\n"
          "    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    [[ $cur == = ]] && cur=\n"
          "    case $prev in\n",
          out);
    bash_values(out, common_options, &done);
    for (size_t i = 0; commands[i]; i++)
        bash_values(out, commands[i]->options, &done);
    text_list_clear(&done);
    fputs("    esac\n", out);
    bash_find_command(out, commands);
    bash_commands(out, commands);
    bash_names(out, common_options, "    words+=' ");
    fputs("'\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "}\n"
          "complete -F _pgmigrate pgmigrate\n",
          out);
}

/* ---- zsh ---- */

#define ZSH_SPECIAL "[]:\\"

static void zsh_option(FILE *out, const struct option_spec *option, const char *indent)
{
    fprintf(out, "%s", indent);
    if (option->letter)
        fprintf(out, "%s{-%c%s,--%s%s}'[", option->repeats ? "'*'" : "", option->letter,
                option->argument ? "+" : "", option->name, option->argument ? "=" : "");
    else
        fprintf(out, "'%s--%s%s[", option->repeats ? "*" : "", option->name, option->argument ? "=" : "");
    quoted(out, option_summary(option), ZSH_SPECIAL);
    fputc(']', out);
    if (option->argument) {
        fputc(':', out);
        quoted(out, option->argument, ZSH_SPECIAL);
        fputc(':', out);
        switch (value_kind(option)) {
        case VALUE_CHOICE:
            fprintf(out, "(%s)", option_choices(option));
            break;
        case VALUE_FILE:
            fputs("_files", out);
            break;
        case VALUE_FOLDER:
            fputs("_files -/", out);
            break;
        case VALUE_FREE:
            break;
        }
    }
    fputs("'\n", out);
}

static void zsh_options(FILE *out, const struct option_spec options[], const char *indent)
{
    for (size_t i = 0; options && options[i].name; i++)
        if (!options[i].hidden)
            zsh_option(out, &options[i], indent);
}

static void zsh_described(FILE *out, const char *name, const char *summary, const char *indent)
{
    fprintf(out, "%s'%s:", indent, name);
    quoted(out, summary, ":\\");
    fputs("'\n", out);
}

/* The list of a group's commands, or, with word NULL, of all first words. */
static void zsh_list(FILE *out, const struct command *const commands[], const char *word)
{
    size_t length = word ? strlen(word) : 0;
    struct text_list done = {0};

    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        OWNED char *first = text_copy_part(name, strcspn(name, " "));

        if (word && text_starts_with(name, word) && name[length] == ' ')
            zsh_described(out, name + length + 1, commands[i]->summary, "        ");
        else if (!word && !text_list_contains(&done, first)) {
            zsh_described(out, first, strchr(name, ' ') ? "more commands" : commands[i]->summary, "        ");
            text_list_add(&done, take(first));
        }
    }
    text_list_clear(&done);
}

static void zsh_command(FILE *out, const struct command *command)
{
    struct text_list aliases = text_list_split(command->aliases ? command->aliases : "", ' ');
    OWNED char *joined = text_list_join(&aliases, "|");

    fprintf(out, "        '%s'%s%s) options=(\n", command->name, *joined ? "|" : "", joined);
    zsh_options(out, command->options, "            ");
    fputs("            ) ;;\n", out);
    text_list_clear(&aliases);
}

/* Its commands come second; an option in their place belongs to the command that the word alone stands for.
 */
static void zsh_group(FILE *out, const struct command *const commands[], const char *word)
{
    fprintf(out,
            "        %s)\n        if [[ $words[2] != -* ]]; then\n        if (( CURRENT == 2 )); then\n      "
            "  commands=(\n",
            word);
    zsh_list(out, commands, word);
    fputs("        )\n        _describe command commands\n        return\n        fi\n"
          "        name+=\" $words[2]\"\n        shift words\n        (( CURRENT-- ))\n        fi ;;\n",
          out);
}

void completion_zsh(FILE *out, const struct command *const commands[])
{
    struct text_list words = first_words(commands);

    fputs("#compdef pgmigrate\n"
          "# zsh completion for pgmigrate; printed by: pgmigrate help --completion=zsh\n"
          "_pgmigrate() {\n"
          "    local state line name\n"
          "    local -a common commands options\n"
          "    common=(\n",
          out);
    zsh_options(out, common_options, "        ");
    fputs("    )\n"
          "    _arguments -C $common '1:command:->command' '*::argument:->argument' && return\n"
          "    if [[ $state == command ]]; then\n"
          "        commands=(\n",
          out);
    zsh_list(out, commands, NULL);
    fputs("        )\n        _describe command commands\n        return\n    fi\n    name=$words[1]\n"
          "    case $name in\n",
          out);
    for (size_t i = 0; i < words.count; i++)
        if (command_is_group(commands, words.items[i]))
            zsh_group(out, commands, words.items[i]);
    fputs("    esac\n    case $name in\n", out);
    for (size_t i = 0; commands[i]; i++)
        zsh_command(out, commands[i]);
    fputs("    esac\n"
          "    _arguments $common $options '*:argument:_default'\n"
          "}\n"
          "_pgmigrate \"$@\"\n",
          out);
    text_list_clear(&words);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const struct option_spec *option, const char *condition)
{
    fputs("complete -c pgmigrate", out);
    if (condition)
        fprintf(out, " -n '%s'", condition);
    if (option->letter)
        fprintf(out, " -s %c", option->letter);
    fprintf(out, " -l %s", option->name);
    if (option->argument) /* -x: a value, and no files are offered for it */
        fputs(value_kind(option) == VALUE_FILE ? " -r" : " -x", out);
    switch (option->argument ? value_kind(option) : VALUE_FREE) {
    case VALUE_CHOICE:
        fprintf(out, " -a '%s'", option_choices(option));
        break;
    case VALUE_FILE:
        fputs(" -F", out);
        break;
    case VALUE_FOLDER:
        fputs(" -a '(__fish_complete_directories)'", out);
        break;
    case VALUE_FREE:
        break;
    }
    fputs(" -d '", out);
    for (const char *at = option_summary(option); *at; at++)
        fprintf(out, "%s%c", strchr("'\\", *at) ? "\\" : "", *at);
    fputs("'\n", out);
}

/* "__fish_seen_subcommand_from apply up migrate" */
static char *fish_condition(const struct command *command)
{
    const char *space = strchr(command->name, ' ');

    if (space)
        return text_format("__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s",
                           (int)(space - command->name), command->name, space + 1);
    return text_format("__fish_seen_subcommand_from %s%s%s", command->name, command->aliases ? " " : "",
                       command->aliases ? command->aliases : "");
}

static void fish_words(FILE *out, const struct command *const commands[])
{
    struct text_list done = {0};

    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        OWNED char *first = text_copy_part(name, strcspn(name, " "));
        const char *space = strchr(name, ' ');

        if (!text_list_contains(&done, first)) {
            fprintf(out, "complete -c pgmigrate -f -n __fish_use_subcommand -a %s -d '", first);
            quoted(out, space ? "more commands" : commands[i]->summary, "");
            fputs("'\n", out);
        }
        if (space) {
            fprintf(out, "complete -c pgmigrate -f -n '__fish_seen_subcommand_from %s' -a %s -d '", first,
                    space + 1);
            quoted(out, commands[i]->summary, "");
            fputs("'\n", out);
        }
        text_list_add(&done, take(first));
    }
    text_list_clear(&done);
}

void completion_fish(FILE *out, const struct command *const commands[])
{
    fputs("# fish completion for pgmigrate; printed by: pgmigrate help --completion=fish\n", out);
    fish_words(out, commands);
    for (size_t i = 0; common_options[i].name; i++)
        fish_option(out, &common_options[i], NULL);
    for (size_t i = 0; commands[i]; i++) {
        OWNED char *condition = fish_condition(commands[i]);

        for (size_t j = 0; commands[i]->options && commands[i]->options[j].name; j++)
            if (!commands[i]->options[j].hidden)
                fish_option(out, &commands[i]->options[j], condition);
    }
}
