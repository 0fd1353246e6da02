/* SPDX-License-Identifier: PostgreSQL */
/* One attempt: become a role's tenant, run one statement, look at what it did, undo it. And the run that
 * attempts belong to. */
#ifndef MIGRATOR_RLS_ATTEMPT_H
#define MIGRATOR_RLS_ATTEMPT_H

#include "migrator/rls_aim.h"
#include "migrator/rls_probe.h"
#include "migrator/rls_tenant.h"

struct rls_run {
    struct postgres *postgres;
    const struct rls_settings *settings;
    const struct rls_probe_options *options;
    struct rls_targets targets;
    struct rls_roles roles;
    struct rls_tenants tenants;
    struct rls_seed *seeds; /* two for each target */
    struct rls_aim *aims;   /* two for each target */
    struct rls_probe_result *result;
    char *notice; /* the first one of a leaky function's, in the attempt that goes on */
};

struct rls_attempt {
    /* Given. */
    const struct rls_role *role;
    const char *session; /* SQL of rls_tenant */
    const char *sql;
    const char *data;   /* of a COPY FROM STDIN, or NULL */
    const char *setup;  /* SQL for who we are, run before; or NULL */
    bool keep;          /* the answer's rows are few and wanted: number, whose */
    const char *verify; /* a query for who we are, run after the statement: "theirs"; or NULL */

    /* Found. */
    bool good;
    int64_t affected; /* -1: the statement's tag has no number */
    int64_t number;   /* the answer's first column, 0 without rows */
    char *whose;      /* the second one, or NULL; or of the notice */
    int64_t theirs;   /* -1: not verified */
    bool noticed;
    struct error problem; /* where it is not good */
};

/* False only when the connection is of no more use. */
MUST_CHECK bool rls_attempt_make(struct rls_run *run, struct rls_attempt *attempt, struct error *error);
void rls_attempt_clear(struct rls_attempt *attempt);
CLEANUP_VALUE(struct rls_attempt, rls_attempt_clear)

enum rls_verdict { RLS_PASSED, RLS_FOUND, RLS_NOT_GRANTED, RLS_INCONCLUSIVE };
void rls_run_count(struct rls_run *run, const char *id, enum rls_verdict verdict);

/* What is to be told about an attempt's subject. */
struct rls_report {
    const char *id;
    enum rls_severity severity;
    const char *object;
    const char *role;   /* or NULL */
    const char *tenant; /* who did it, or NULL */
    const char *what;   /* "reads rows of other tenants" */
    const char *detail; /* behind it: "3 of tenant 2"; or NULL */
    char *evidence;     /* taken over; or NULL */
    bool inconclusive;
};
/* One finding for each check, object and role: further ones are added to its message. */
void rls_run_report(struct rls_run *run, const struct rls_report *report);

#endif
