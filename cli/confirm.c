/* SPDX-License-Identifier: PostgreSQL */
#include "cli/confirm.h"

#include "cli/report.h"
#include "common/interrupt.h"

char *confirm_protected(const struct invocation *invocation)
{
    const char *environment = config_environment(invocation->config);

    return environment ? text_format("environment \"%s\"", environment) : text_copy("the database");
}

bool confirm_needed(const struct invocation *invocation)
{
    return config_bool(invocation->config, "protected") && !invocation->yes;
}

static bool refuse(const struct invocation *invocation, const char *what, struct error *error)
{
    OWNED char *whose = confirm_protected(invocation);

    error_set(error, ERROR_REFUSED, "%s is protected, and nobody confirmed to %s", whose, what);
    return error_hint(error, "Nothing was changed. Give --yes, or answer \"yes\" at a terminal.");
}

/* The answer is a line of its own, so that an Enter too many confirms nothing. */
static bool is_answered_yes(void)
{
    OWNED char *line = NULL;
    size_t size = 0;
    ssize_t length = getline(&line, &size, stdin);

    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        line[--length] = '\0';
    return length > 0 && text_equal(line, "yes");
}

bool confirm(const struct invocation *invocation, const char *what, struct error *error)
{
    const char *environment = config_environment(invocation->config);

    if (!confirm_needed(invocation))
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return refuse(invocation, what, error);
    report_paint(stderr, invocation->color, PAINT_BOLD, environment ? environment : "protected");
    fprintf(stderr, ": %s? Type \"yes\" to go on: ", what);
    fflush(stderr);
    if (is_answered_yes())
        return true;
    if (interrupt_signal() != 0)
        return interrupt_error(error);
    return refuse(invocation, what, error);
}
