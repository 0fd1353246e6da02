/* SPDX-License-Identifier: PostgreSQL */
/*
 * How long what was measured here will take at the target, as a range: by class of statement, from the sizes
 * of the tables it read and wrote, here and there. Each estimate says what it rests on, and where nothing
 * honest can be said, it is "not estimable" (-1) with the reason in basis.
 *
 *   class        grows with                          high is
 *   metadata     nothing                             the same; waiting for locks comes on top
 *   scan         bytes of the tables read            1.5 times; 2.5 where they outgrow shared_buffers
 *   index build  bytes of the table, times the       1.5 times; 3 where the index outgrows
 *                ratio of the logarithms of its rows maintenance_work_mem
 *   rewrite      bytes of table and indexes          1.5 times
 *   dml          rows of the tables read and written 4 times
 *
 * Measured from 9 MB to 868 MB, cost per row grows 1.1 to 3.7 times where a table no longer fits into memory,
 * the most for DML. Not estimable: less than 10 000 rows here while there are at least twice as many there,
 * or more than 100 times as much there as here; a table that is not there. Rewrites keep the old files until
 * COMMIT, so disk and WAL are given, too.
 */
#ifndef DEPLOY_ESTIMATE_H
#define DEPLOY_ESTIMATE_H

#include "deploy/rehearsal.h"
#include "deploy/server_facts.h"

struct estimate_options {
    const struct server_facts *here;   /* before the first migration was applied */
    const struct server_facts *target; /* NULL: nothing is known, nothing is estimated */
    /* What earlier applies took there, against what was estimated for them (actual / estimated, the median);
     * 0: not known. */
    double correction;
};

/* Fill estimates and bases of the statements and of the migration. */
void estimate_fill(struct rehearsed *rehearsed, const struct estimate_options *options);

#endif
