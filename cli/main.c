/* SPDX-License-Identifier: PostgreSQL */
/* The array of commands; the only place that prints an error and chooses the exit status. */
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/help.h"
#include "cli/report.h"
#include "common/interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

/* In the order of the overview; one a line, so that two new ones do not meet. */
/* clang-format off */
static const struct command *const commands[] = {
    &cmd_new,
    &cmd_check,
    &cmd_status,
    &cmd_plan,
    &cmd_apply,
    &cmd_rollback,
    &cmd_rehearse,
    &cmd_rls,
    &cmd_history,
    &cmd_baseline,
    &cmd_repair,
    &cmd_backup_create,
    &cmd_backup_list,
    &cmd_backup_show,
    &cmd_backup_verify,
    &cmd_backup_test,
    &cmd_backup_keep,
    &cmd_backup_unkeep,
    &cmd_backup_prune,
    &cmd_backup_gc,
    &cmd_backup_reindex,
    &cmd_restore,
    &cmd_doctor,
    &cmd_cluster_start,
    &cmd_cluster_stop,
    &cmd_cluster_status,
    &cmd_cluster_url,
    &cmd_demo,
    &cmd_help,
    NULL,
};
/* clang-format on */

/* Help that was asked for goes to stdout; help instead of a missing command to stderr. */
static void print_help(FILE *out, const struct invocation *invocation)
{
    if (invocation->command)
        help_command(out, invocation->command);
    else if (invocation->group)
        help_group(out, commands, invocation->group);
    else
        help_overview(out, commands);
}

static bool run(struct invocation *invocation, struct error *error)
{
    const struct command *command = invocation->command;

    if (invocation->password_in_argv)
        report_warning(invocation,
                       "a password on the command line can be read by every user of this machine\n"
                       "hint: Use PGPASSWORD, a password file (~/.pgpass), a service, or env:NAME in "
                       "pgmigrate.conf.");
    if (!command->without_config && !command_configure(invocation, error))
        return false;
    const char *unsearched = invocation->config ? config_unsearched(invocation->config) : NULL;
    if (unsearched)
        report_warning(invocation,
                       "\"%s\" could not be looked for: %s\n"
                       "hint: If the configuration is there, name it with --config where it can be read.",
                       unsearched, strerror(EACCES));
    return command->run(invocation, error);
}

static bool answer(struct invocation *invocation, struct error *error)
{
    switch (invocation->request) {
    case REQUEST_VERSION:
        printf("pgmigrate %s\n", PGMIGRATE_VERSION);
        return true;
    case REQUEST_HELP:
        print_help(stdout, invocation);
        return true;
    case REQUEST_OVERVIEW:
        if (!invocation->json)
            print_help(stderr, invocation);
        return error_set(error, ERROR_USAGE, "no command was given");
    case REQUEST_RUN:
        break;
    }
    return run(invocation, error);
}

/* A reader that went away (head) is nobody's mistake. */
static bool reader_is_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&output, 1, 0) == 1 && output.revents & POLLERR;
}

/* A full disk must not look like success. What an earlier flush failed with is not known any more. */
static bool close_output(struct error *error)
{
    bool failed = ferror(stdout) != 0, gone = failed && reader_is_gone();

    errno = 0;
    if ((fclose(stdout) == 0 && !failed) || gone || errno == EPIPE)
        return true;
    return error_set(error, ERROR_FAILED, "could not write to standard output%s%s", errno ? ": " : "",
                     errno ? strerror(errno) : "");
}

/*
 * A standard descriptor that came closed would be the next socket's number, and messages would go to the
 * server in the middle of its protocol. Opened the wrong way round, writing to it still fails.
 */
static void open_standard_descriptors(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Errors are told in the document alone. */
static bool in_document(const struct invocation *invocation)
{
    return invocation->json && invocation->verbosity == VERBOSITY_QUIET;
}

static void tell(const struct invocation *invocation, const struct error *error)
{
    bool helped = invocation->request == REQUEST_OVERVIEW && error->code == ERROR_USAGE && !invocation->json;

    if (!helped && !in_document(invocation))
        report_error(stderr, invocation->color, error);
}

int main(int argc, char **argv)
{
    AUTO(invocation_clear) struct invocation invocation = {0};
    AUTO(error_clear) struct error error = {0};
    AUTO(error_clear) struct error unwritten = {0};
    bool ok;
    int exit_code;

    open_standard_descriptors();
    interrupt_install();
    ok = command_parse(argc, argv, commands, &invocation, &error);
    if (!ok)
        invocation.request = REQUEST_RUN;
    else
        ok = answer(&invocation, &error);
    exit_code = ok ? invocation.exit_code : (int)error.code;
    if (!ok)
        tell(&invocation, &error);
    if (invocation.json && invocation.request != REQUEST_HELP && invocation.request != REQUEST_VERSION)
        document_print(stdout, &invocation, exit_code, ok ? NULL : &error);
    if (!close_output(&unwritten)) {
        if (ok && invocation.request == REQUEST_RUN)
            error_detail(&unwritten, "What the command was to do is done; only its output is missing.");
        if (!ok && in_document(&invocation))
            report_error(stderr, invocation.color, &error);
        report_error(stderr, invocation.color, &unwritten);
        return ok ? (int)unwritten.code : exit_code;
    }
    return exit_code;
}
