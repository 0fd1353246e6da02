/* SPDX-License-Identifier: PostgreSQL */
/*
 * Places at which a test kills the program, to see what a crash there leaves behind:
 *
 *     test_point("archive-renamed");
 *
 * The program of the target test-points (build/points/pgmigrate) dies of SIGKILL at the point that
 * PGMIGRATE_TEST_STOP names; "NAME:3" means the third time that it is reached. The program that users get has
 * none of it.
 */
#ifndef COMMON_TEST_POINT_H
#define COMMON_TEST_POINT_H

#ifdef PGMIGRATE_TEST_POINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static inline void test_point(const char *name)
{
    static atomic_int reached;
    const char *stop = getenv("PGMIGRATE_TEST_STOP");
    size_t length = strlen(name);

    if (stop == NULL || strncmp(stop, name, length) != 0 || (stop[length] != '\0' && stop[length] != ':'))
        return;
    if (stop[length] == '\0' || atomic_fetch_add(&reached, 1) + 1 >= strtol(stop + length + 1, NULL, 10))
        raise(SIGKILL);
}
#else
#define test_point(name) ((void)0)
#endif

#endif
