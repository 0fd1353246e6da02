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
#include <stdatomic.h>
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
    bool no_network;  /* in a network namespace of its own, where the system lets us: nobody to talk to */
    bool inherits;    /* it writes to our own stdout and stderr; the result holds neither */
    bool outlives_us; /* a daemon starter such as pg_ctl: no PR_SET_PDEATHSIG */
    bool takes_along; /* a session of its own, without terminal: what it started is ended with it */
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

/*
 * The same in pieces, for a program whose input or output is a stream: pg_dump, pg_restore. Start it, write
 * or read, finish it. What it says on stderr is taken meanwhile, so that it never waits for us with that. Any
 * number may run at once, each used by one thread at a time. SIGPIPE must be ignored (interrupt_install).
 *
 * An interruption makes any of the calls fail, and stop (may be NULL), once it is set, with ERROR_FAILED
 * "stopped"; then process_free ends the program.
 *
 * PR_SET_PDEATHSIG follows the thread that starts the program: it must live until the program has ended.
 */
struct process;

/* takes_input: its stdin is what process_write writes (else request->input); gives_output: its stdout is what
 * process_read reads (else the result holds it). Not for a program that inherits our output or outlives us.
 */
MUST_CHECK bool process_start(const struct process_request *request, bool takes_input, bool gives_output,
                              struct process **ret, struct error *error);
/* Write all of it. ERROR_FAILED when the program has closed its input or ended: what it says on stderr is the
 * reason, and process_finish tells it. */
MUST_CHECK bool process_write(struct process *process, const char *data, size_t size, const atomic_bool *stop,
                              struct error *error);
/* Read up to size bytes; *ret_got is 0 at the end. */
MUST_CHECK bool process_read(struct process *process, char *buffer, size_t size, const atomic_bool *stop,
                             size_t *ret_got, struct error *error);
/* Close its input and wait for its end; a non-zero status is an error as in process_check. Consumes process.
 */
MUST_CHECK bool process_finish(struct process *process, const atomic_bool *stop,
                               struct process_result *ret_result, struct error *error);
/* One that still runs is ended: SIGTERM, after a second SIGKILL. */
void process_free(struct process *process);
CLEANUP_POINTER(struct process *, process_free)

void process_result_clear(struct process_result *result);
CLEANUP_VALUE(struct process_result, process_result_clear)

/* Split a command as a shell splits words (quotes, backslash), without any expansion. No word at all, or a
 * quote that is not closed, is ERROR_USAGE. */
MUST_CHECK bool process_split(const char *command, struct text_list *ret_arguments, struct error *error);

#endif
