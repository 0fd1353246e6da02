/* SPDX-License-Identifier: PostgreSQL */
/* Where "rehearse" runs, as its options say it: the staging database, the backup, the target. */
#ifndef CLI_REHEARSING_H
#define CLI_REHEARSING_H

#include "cli/command.h"
#include "deploy/server_facts.h"
#include "deploy/stage.h"

struct rehearsing {
    char *environment; /* whose database it is rehearsed in or copied from; NULL: none of the configuration */
    char *backup_id;   /* it was filled from, or NULL */
    struct postgres *target; /* of --against, while an empty stage is to be brought to where it is; or NULL */
    struct server_facts facts; /* of the target, by --against or --facts */
    bool facts_known;
    struct stage *stage;
    struct text_list differing; /* settings */
    struct text_list notes;     /* what could not be made sure */
};
void rehearsing_clear(struct rehearsing *rehearsing);
CLEANUP_VALUE(struct rehearsing, rehearsing_clear)

/* Connect, refuse protected environments, and make the place. */
MUST_CHECK bool rehearsing_open(const struct invocation *invocation, struct rehearsing *ret,
                                struct error *error);

/* --against alone, for --export-facts. */
MUST_CHECK bool rehearsing_target(const struct invocation *invocation, struct postgres **ret,
                                  struct error *error);

#endif
