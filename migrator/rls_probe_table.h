/* SPDX-License-Identifier: PostgreSQL */
/*
 * The table of probes: what each tries, what proves that it worked, and what shows that it could have worked.
 *
 * An attack is a statement as tenant A at rows of tenant B. It worked (a finding), or was denied (0 rows,
 * SQLSTATE 42501), or is inconclusive: any other error. Where it was denied, its control, the same on A's own
 * rows, must work.
 */
#ifndef MIGRATOR_RLS_PROBE_TABLE_H
#define MIGRATOR_RLS_PROBE_TABLE_H

#include "migrator/rls_finding.h"

enum rls_proof {
    RLS_PROOF_COUNT,    /* it answers how many foreign rows it saw, and whose: more than 0 */
    RLS_PROOF_AFFECTED, /* it is about foreign rows only: more than 0 were affected */
    RLS_PROOF_CHANGED,  /* afterwards B has more rows, or fewer */
    RLS_PROOF_EXCEEDED, /* more rows were affected than A should see */
    RLS_PROOF_SUCCESS,  /* it does not fail */
    RLS_PROOF_NOTICE,   /* a notice that begins with "pgmigrate: " */
    RLS_PROOF_STATE,    /* only the SQLSTATE "found" */
};

/* Who makes the attack. */
enum rls_session {
    RLS_SESSION_TENANT,
    RLS_SESSION_UNSET,     /* nobody ever set who the tenant is */
    RLS_SESSION_EMPTY,     /* the settings are '', as after SET LOCAL and COMMIT */
    RLS_SESSION_BLANK,     /* their templates are filled with '' */
    RLS_SESSION_MALFORMED, /* they are no tenant */
    RLS_SESSION_UNKNOWN,   /* they are a tenant that there is not */
};

struct rls_probe {
    const char *id;
    enum rls_severity severity;
    const char *what; /* behind "tenant 1 " in the message */
    const char *sql;
    const char *control; /* NULL: it takes none */
    enum rls_proof proof;
    const char *needs; /* rights of sql/rls/probe/rights.sql: without them there is nothing to probe */
    const char *kinds; /* of relations, as in pg_class */
    enum rls_session session;
    const char *found;     /* an SQLSTATE that proves that it worked but for something else, or NULL */
    const char *denied;    /* another SQLSTATE that denies, and needs no control: 42501 is one then, too */
    bool error_denies;     /* any error of the statement does */
    bool reads;            /* later probes with after_read say nothing new where this worked */
    bool after_read;       /* see reads */
    bool copies;           /* it is a COPY FROM STDIN */
    bool trapped;          /* a trigger keeps the rows as they are, and tells of foreign ones */
    bool denial_is_enough; /* a denial needs no control */
    int since;             /* major version of the server */
};

/* Ended by a NULL id, in the order in which they are tried. */
extern const struct rls_probe rls_probes[];

/* What one can do about it. The caller frees it. */
char *rls_probe_remedy(const char *id, const char *object);

#endif
