/* SPDX-License-Identifier: PostgreSQL */
/*
 * Run another program: an argument vector, never a shell. The child dies with us (PR_SET_PDEATHSIG) unless it
 * is meant to outlive us, inherits no descriptor but the three standard ones and no ignored or blocked
 * signal, and is always waited for.
 *
 * Waited for is the program itself, not what it left running: when it has ended, what is in the pipes is
 * taken and the result is there, even where a grandchild holds them open. A program that outlives_us writes
 * to unlinked memory files instead, so that its daemon is never stopped by a closed pipe; what the program
 * said is still returned.
 *
 * A SIGINT or SIGTERM that comes meanwhile is given to the child as SIGTERM a moment later (a terminal has
 * told it already), after ten seconds as SIGKILL, and the call fails with ERROR_INTERRUPTED /
 * ERROR_TERMINATED. One that came before the call does not count: cleaning up after an interruption needs
 * children too.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process_request {
    const char *const *argv; /* argv[0] is searched in PATH; ends with NULL */
    const char *const
        *environment;   /* "NAME=value" sets, "NAME" unsets; ends with NULL; NULL changes nothing */
    const char *folder; /* working folder of the child, or NULL */
    const char *input;  /* what it reads on stdin, or NULL for /dev/null */
    size_t input_size;
    bool drop_user; /* run as user and group below, without our supplementary groups */
    uid_t user;
    gid_t group;
    bool inherits;    /* it writes to our own stdout and stderr; the result holds neither */
    bool outlives_us; /* a daemon starter such as pg_ctl: no PR_SET_PDEATHSIG */
};

struct process_result {
    char *output; /* stdout, NUL-terminated; more than 1 GB is an error */
    size_t output_size;
    char *errors; /* stderr, NUL-terminated, at most its last 64 KiB */
    int status;   /* exit status, or 128 + signal */
};

/* Runs to the end. Fails only when the program cannot be started or waited for: a non-zero status is a
 * result. */
MUST_CHECK bool process_run(const struct process_request *request, struct process_result *ret_result,
                            struct error *error);

/* As process_run, and a non-zero status is an error: message names the program, detail is its last stderr
 * lines. */
MUST_CHECK bool process_check(const struct process_request *request, struct process_result *ret_result,
                              struct error *error);

void process_result_clear(struct process_result *result);
CLEANUP_VALUE(struct process_result, process_result_clear)

/* Split a command as a shell splits words (quotes, backslash), without any expansion. No word at all, or a
 * quote that is not closed, is ERROR_USAGE. */
MUST_CHECK bool process_split(const char *command, struct text_list *ret_arguments, struct error *error);

#endif
