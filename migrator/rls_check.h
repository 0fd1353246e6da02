/* SPDX-License-Identifier: PostgreSQL */
/*
 * The catalog checks: one statement of sql/rls/ each, and the table of them.
 *
 * They read catalogs only and run in whatever transaction there is; search_path must be pg_catalog, so that
 * the server writes every name in an expression with its schema (rls_check_begin sees to that).
 */
#ifndef MIGRATOR_RLS_CHECK_H
#define MIGRATOR_RLS_CHECK_H

#include "migrator/rls_finding.h"
#include "migrator/rls_settings.h"

/* What a check is about. Where there are no roles of the application, checks about them say nothing. */
enum rls_check_about {
    RLS_OF_TABLES,
    RLS_OF_ROLES,
    RLS_AS_ROLE, /* asked as each role, not as who is connected */
};

struct rls_check {
    const char *id;
    const char *title; /* what is true where it passes: "tables of tenants have row-level security" */
    const char *sql;   /* begins with "WITH :scope" or "WITH RECURSIVE :scope" */
    /* Where the server answers an expression for the program to judge (expression, and about, whatever else
     * is to be known): whether a row is a finding. Or NULL. */
    bool (*judge)(const struct rows *rows, size_t row);
    enum rls_check_about about;
};

/* Ended by a NULL id. */
extern const struct rls_check rls_checks[];

/* Whether a migration may be allowed what this check finds: S1 and on, and the gate's own M1, M2, M5, M7. */
bool rls_check_is_of_gate(const char *id);

/* Settings of this transaction that the checks rely on. */
MUST_CHECK bool rls_check_begin(struct postgres *postgres, const struct rls_settings *settings,
                                struct error *error);

/* A statement that begins with "WITH :scope"; its rows. */
MUST_CHECK bool rls_check_query(struct postgres *postgres, const char *sql, struct rows **ret,
                                struct error *error);

/* The same for a statement that the session plans once and keeps under this name. */
MUST_CHECK bool rls_check_query_kept(struct postgres *postgres, const char *name, const char *sql,
                                     struct rows **ret, struct error *error);

/* Adds what all of them find. Within a transaction, for a role is become within a savepoint; a role that
 * cannot be become is inconclusive. catalogs_only leaves out what is asked as a role. */
MUST_CHECK bool rls_check_all(struct postgres *postgres, bool catalogs_only, struct rls_findings *findings,
                              struct error *error);
/* The same of the catalogs only, for who looks often, each time at a few relations (see narrow.sql). */
MUST_CHECK bool rls_check_narrow(struct postgres *postgres, struct rls_findings *findings,
                                 struct error *error);

#endif
