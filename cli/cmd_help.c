/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/document.h"
#include "cli/help.h"
#include "cli/manual.h"

static void print_completion(FILE *out, const struct invocation *invocation)
{
    const char *shell = invocation_option(invocation, "completion");

    if (text_equal(shell, "bash"))
        completion_bash(out, invocation->commands);
    else if (text_equal(shell, "zsh"))
        completion_zsh(out, invocation->commands);
    else
        completion_fish(out, invocation->commands);
}

static bool print(FILE *out, const struct invocation *invocation, struct error *error)
{
    const struct text_list *words = &invocation->operands;
    OWNED char *name = text_list_join(words, " ");
    const struct command *command = command_find(invocation->commands, name);

    if (invocation_flag(invocation, "man"))
        manual_page(out, invocation->commands);
    else if (invocation_flag(invocation, "configuration"))
        manual_configuration(out);
    else if (invocation_flag(invocation, "completion"))
        print_completion(out, invocation);
    else if (!words->count)
        help_overview(out, invocation->commands);
    else if (command)
        help_command(out, command);
    else if (command_is_group(invocation->commands, name))
        help_group(out, invocation->commands, name);
    else {
        error_set(error, ERROR_USAGE, "unknown command \"%s\"", name);
        return error_hint(error, "Run \"pgmigrate --help\" for the list of commands.");
    }
    return true;
}

static bool run(struct invocation *invocation, struct error *error)
{
    OWNED char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok = print(out, invocation, error);

    fclose(out);
    if (ok && invocation->json)
        document_text(invocation->document, "text", text);
    else if (ok)
        fputs(text, stdout);
    return ok;
}

static const struct option_spec options[] = {
    {.name = "man", .hidden = true, .summary = "print the manual page as scdoc source"},
    {.name = "completion",
     .argument = "SHELL",
     .choices = "bash zsh fish",
     .hidden = true,
     .summary = "print the completion for a shell"},
    {.name = "configuration", .hidden = true, .summary = "print pgmigrate.conf with every key"},
    {0},
};

const struct command cmd_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .max_operands = 2,
    .summary = "print the help of a command",
    .options = options,
    .group = "Help",
    .without_config = true,
    .run = run,
};
