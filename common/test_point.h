/* SPDX-License-Identifier: PostgreSQL */
/*
 * Points at which a test can have the program killed: in a build with -DPGMIGRATE_TEST_POINTS
 * ("make test-points") the one that the environment variable PGMIGRATE_TEST_STOP names ends the process with
 * SIGKILL. In any other build there is nothing of it.
 */
#ifndef COMMON_TEST_POINT_H
#define COMMON_TEST_POINT_H

#ifdef PGMIGRATE_TEST_POINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static inline void test_point(const char *name)
{
    const char *stop = getenv("PGMIGRATE_TEST_STOP");

    if (stop && strcmp(stop, name) == 0)
        raise(SIGKILL);
}
#else
#define test_point(name) ((void)0)
#endif

#endif
