/* SPDX-License-Identifier: PostgreSQL */
/*
 * Setup and teardown of tests that each stand in an empty folder of their own; *state is its path.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "common/file.h"
#include <unistd.h>

static inline int scratch_enter(void **state)
{
    AUTO(error_clear) struct error error = {0};
    char *folder = NULL;

    if (!file_make_temporary("pgmigrate-test", &folder, &error) || chdir(folder) != 0)
        return -1;
    *state = folder;
    return 0;
}

static inline int scratch_leave(void **state)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = *state;

    return chdir("/") == 0 && file_remove_tree(folder, &error) ? 0 : -1;
}

#endif
