/* SPDX-License-Identifier: PostgreSQL */
/*
 * Places at which a test kills or stops the program, to see what a crash there leaves behind, or to do
 * something meanwhile:
 *
 *     test_point("archive-renamed");
 *
 * The program of the target test-points (build/points/pgmigrate) dies of SIGKILL at the point that
 * PGMIGRATE_TEST_STOP names, and gets SIGSTOP at the one of PGMIGRATE_TEST_PAUSE; "NAME:3" means the third
 * time that it is reached. The program that users get has none of it.
 */
#ifndef COMMON_TEST_POINT_H
#define COMMON_TEST_POINT_H

#ifdef PGMIGRATE_TEST_POINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline bool test_point_is(const char *wanted, const char *name, atomic_int *reached)
{
    size_t length = strlen(name);

    if (wanted == NULL || strncmp(wanted, name, length) != 0 ||
        (wanted[length] != '\0' && wanted[length] != ':'))
        return false;
    int time = atomic_fetch_add(reached, 1) + 1;
    return time == (wanted[length] == '\0' ? 1 : (int)strtol(wanted + length + 1, NULL, 10));
}

static inline void test_point(const char *name)
{
    static atomic_int stopped, paused;

    if (test_point_is(getenv("PGMIGRATE_TEST_STOP"), name, &stopped))
        raise(SIGKILL);
    if (test_point_is(getenv("PGMIGRATE_TEST_PAUSE"), name, &paused))
        kill(getpid(), SIGSTOP);
}
#else
#define test_point(name) ((void)(name))
#endif

#endif
