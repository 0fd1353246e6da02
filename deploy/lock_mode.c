/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/lock_mode.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *words;
} modes[] = {
    [LOCK_NONE] = {"", ""},
    [LOCK_ACCESS_SHARE] = {"AccessShareLock", "ACCESS SHARE"},
    [LOCK_ROW_SHARE] = {"RowShareLock", "ROW SHARE"},
    [LOCK_ROW_EXCLUSIVE] = {"RowExclusiveLock", "ROW EXCLUSIVE"},
    [LOCK_SHARE_UPDATE_EXCLUSIVE] = {"ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"},
    [LOCK_SHARE] = {"ShareLock", "SHARE"},
    [LOCK_SHARE_ROW_EXCLUSIVE] = {"ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"},
    [LOCK_EXCLUSIVE] = {"ExclusiveLock", "EXCLUSIVE"},
    [LOCK_ACCESS_EXCLUSIVE] = {"AccessExclusiveLock", "ACCESS EXCLUSIVE"},
};
#define MODES (sizeof modes / sizeof *modes)

const char *lock_mode_name(enum lock_mode mode)
{
    return modes[mode].name;
}

enum lock_mode lock_mode_of(const char *name)
{
    for (size_t i = 1; i < MODES; i++)
        if (strcmp(modes[i].name, name) == 0)
            return (enum lock_mode)i;
    return LOCK_NONE;
}

const char *lock_mode_words(enum lock_mode mode)
{
    return modes[mode].words;
}
