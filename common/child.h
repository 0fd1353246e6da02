/* SPDX-License-Identifier: PostgreSQL */
/*
 * The inside of common/process: fork and exec, and what is at our ends of the program's three descriptors.
 * Nobody else includes it. Safe to call from several threads at once.
 */
#ifndef COMMON_CHILD_H
#define COMMON_CHILD_H

#include "common/process.h"

struct child {
    pid_t pid;
    int pidfd; /* -1: not to be had */
    /* Ours, not blocking; -1 where there is none. Of a program that outlives us, output and errors are memory
     * files, whose own offset is the writer's. */
    int input, output, errors;
};

/* takes_input: child.input is a pipe to its stdin, else it reads request->input. Nothing of request is needed
 * after this; descriptors and pid are the caller's. */
MUST_CHECK bool child_start(const struct process_request *request, bool takes_input, struct child *ret,
                            struct error *error);

#endif
