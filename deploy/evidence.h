/* SPDX-License-Identifier: PostgreSQL */
/*
 * The evidence: what rehearsals found, kept in an SQLite file (common/store), and what the same files took
 * when they were applied. Asked by the checksums of all files of a migration: a script, its rollback or its
 * verify script that was changed has not been rehearsed, and the newest rehearsal of these files is the one
 * that counts.
 */
#ifndef DEPLOY_EVIDENCE_H
#define DEPLOY_EVIDENCE_H

#include "deploy/rehearsal.h"
#include "migrator/migration.h"

struct evidence;

/* path NULL keeps all of it in memory, until it is closed. With create false, *ret is NULL where there is no
 * file; nobody gets one who did not rehearse. */
MUST_CHECK bool evidence_open(const char *path, bool create, struct evidence **ret, struct error *error);
void evidence_close(struct evidence *evidence);
CLEANUP_POINTER(struct evidence *, evidence_close)

/* document: the whole as JSON, or NULL. One that is kept already stays as it is. Migrations without a
 * checksum are left out. The documents of the newest 50 are kept. */
MUST_CHECK bool evidence_put(struct evidence *evidence, const struct rehearsal *rehearsal,
                             const char *document, struct error *error);

enum evidence_state {
    EVIDENCE_NONE,    /* never rehearsed */
    EVIDENCE_CHANGED, /* only before a file of it was changed */
    EVIDENCE_FAILED,
    EVIDENCE_PASSED,
};
const char *evidence_state_name(enum evidence_state state); /* as in JSON: "none", "changed", … */

struct evidence_found {
    enum evidence_state state; /* EVIDENCE_NONE: nothing below is known */
    char *rehearsal, *at;
    int64_t age_ms;       /* 0 when it is of the future */
    char *where;          /* the environment, or else the server */
    char *round_trip;     /* as round_trip_name() has it */
    int64_t execution_ms; /* there */
    int64_t low_ms, high_ms;
    double correction;
    char *lock_relation, *lock_mode; /* the worst (advice_worst_lock), or NULL */
    int64_t lock_ms;
    char *failure; /* its message, or NULL */
};
void evidence_found_clear(struct evidence_found *found);
CLEANUP_VALUE(struct evidence_found, evidence_found_clear)

/* evidence may be NULL: nothing was ever rehearsed. */
MUST_CHECK bool evidence_find(struct evidence *evidence, const struct migration *migration,
                              struct evidence_found *ret, struct error *error);

/* What to expect at the target: the middle of the estimate, or what it took where it was rehearsed; -1. */
int64_t evidence_expected_ms(const struct evidence_found *found);

/* A migration was applied, and found is what was known of it before. Without an estimate nothing is kept. */
struct evidence_actual {
    const char *run_id;
    const char *version;
    const char *server; /* as in struct rehearsal */
    const char *database;
    int64_t execution_ms;
};
MUST_CHECK bool evidence_applied(struct evidence *evidence, const struct evidence_actual *actual,
                                 const struct evidence_found *found, struct error *error);

/*
 * What applies to this database took, against what was estimated for them: the median of actual / estimated;
 * 0 while it is not known. For struct estimate_options; give it to rehearsal->correction, too, so that it is
 * not counted twice.
 */
MUST_CHECK bool evidence_correction(struct evidence *evidence, const char *database, double *ret,
                                    struct error *error);

#endif
