/* SPDX-License-Identifier: PostgreSQL */
/* A rehearsal in words, as the terminal and the page say them. The caller frees every text. */
#ifndef CLI_REHEARSAL_WORDS_H
#define CLI_REHEARSAL_WORDS_H

#include "deploy/evidence.h"
#include "deploy/rehearsal.h"

/* "3 migrations" */
char *rehearsal_count_words(const struct rehearsal *rehearsal);

/* "on staging, stage:5432/shop (scratch database)" */
char *rehearsal_where_words(const struct rehearsal *rehearsal);

/* "nobody reads or writes public.orders for 180 ms"; NULL where no lock would be felt. */
char *rehearsed_lock_words(const struct rehearsed *rehearsed);
/* The same for the worst of all migrations. */
char *rehearsal_lock_words(const struct rehearsal *rehearsal);

/* "1:10 to 2:05", "not estimable". */
char *rehearsed_estimate_words(int64_t low_ms, int64_t high_ms);

/* All statements of all migrations, ms; -1 where one of them is not estimable. */
void rehearsal_estimate(const struct rehearsal *rehearsal, int64_t *ret_low_ms, int64_t *ret_high_ms);
int64_t rehearsal_ms(const struct rehearsal *rehearsal);

/* For plan and status: "rehearsed 2 h ago on staging: 00:00:41, ACCESS EXCLUSIVE on orders 180 ms"; NULL
 * where there was none. */
char *evidence_words(const struct evidence_found *found);

#endif
