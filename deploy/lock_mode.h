/* SPDX-License-Identifier: PostgreSQL */
/*
 * The eight modes of table locks, by strength: 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE), 0 is none.
 */
#ifndef DEPLOY_LOCK_MODE_H
#define DEPLOY_LOCK_MODE_H

enum lock_mode {
    LOCK_NONE,
    LOCK_ACCESS_SHARE,
    LOCK_ROW_SHARE,
    LOCK_ROW_EXCLUSIVE, /* the strongest that applications take for reading and writing */
    LOCK_SHARE_UPDATE_EXCLUSIVE,
    LOCK_SHARE,
    LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE,
};

const char *lock_mode_name(enum lock_mode mode);  /* "AccessExclusiveLock", as pg_locks has it; "" for none */
enum lock_mode lock_mode_of(const char *name);    /* LOCK_NONE for anything else */
const char *lock_mode_words(enum lock_mode mode); /* "ACCESS EXCLUSIVE", as in SQL */

#endif
