/* SPDX-License-Identifier: PostgreSQL */
/*
 * Two tenants to probe with, and how to become one as a role of the application: as the login itself where
 * the connection may say so (SET SESSION AUTHORIZATION of a superuser, with the settings of ALTER ROLE …
 * SET), so that session_user, RESET ROLE and SET ROLE are those of a real session, and the rows that were
 * made for probing are in sight; else by SET ROLE.
 */
#ifndef MIGRATOR_RLS_TENANT_H
#define MIGRATOR_RLS_TENANT_H

#include "migrator/rls_target.h"

struct rls_tenants {
    char *names[2];
    char *unknown; /* well-formed, and nobody's */
    bool made;     /* nobody has rows of theirs yet */
};
/*
 * The settings' own two; else those that tenants_query answers; else two that have rows in a target; else
 * made ones. Rows are looked for with row_security off. ERROR_USAGE where the settings name less than two.
 */
MUST_CHECK bool rls_tenants_find(struct postgres *postgres, const struct rls_settings *settings,
                                 const struct rls_targets *targets, struct rls_tenants *ret,
                                 struct error *error);
void rls_tenants_clear(struct rls_tenants *tenants);
CLEANUP_VALUE(struct rls_tenants, rls_tenants_clear)

struct rls_role {
    char *name;
    char *quoted;
    bool login;    /* it can be worked as by SESSION AUTHORIZATION */
    bool can;      /* or at least by SET ROLE */
    char *session; /* SQL: the settings that its sessions begin with */
};
struct rls_roles {
    struct rls_role *items;
    size_t count;
};
MUST_CHECK bool rls_roles_read(struct postgres *postgres, struct rls_roles *ret, struct error *error);
void rls_roles_clear(struct rls_roles *roles);
CLEANUP_VALUE(struct rls_roles, rls_roles_clear)

/* SQL that makes the session that of the tenant: its settings, and its role. NULL: that of nobody. */
char *rls_tenant_session(const struct rls_settings *settings, const char *tenant);
/* SQL that gives every setting the same value. */
char *rls_tenant_settings(const struct rls_settings *settings, const char *value);

/* Begin a savepoint as the role, with such SQL; end it, back as who we were. Between them, "return" goes back
 * to who we were with what the role did still there. */
MUST_CHECK bool rls_tenant_become(struct postgres *postgres, const struct rls_role *role, const char *session,
                                  struct error *error);
MUST_CHECK bool rls_tenant_return(struct postgres *postgres, struct error *error);
MUST_CHECK bool rls_tenant_back(struct postgres *postgres, struct error *error);
/* How a person does the same, for evidence: "BEGIN; SET LOCAL ROLE app; …; statement; ROLLBACK". */
char *rls_tenant_statement(const struct rls_role *role, const char *session, const char *statement);

/* Whether nothing more can be done with the connection, or shall be. */
bool rls_is_over(const struct postgres *postgres, const struct error *error);

#endif
