/* SPDX-License-Identifier: PostgreSQL */
/*
 * What the user says once about row-level security: the section [rls] of the configuration, read by cli/ and
 * given to the catalog checks, the probes and the gate.
 *
 * Names are patterns in which "*" stands for anything. Tables may be written with or without their schema.
 */
#ifndef MIGRATOR_RLS_SETTINGS_H
#define MIGRATOR_RLS_SETTINGS_H

#include "common/text.h"

/* name is a setting of the server or a table; value what belongs to it. */
struct rls_pair {
    char *name;
    char *value;
};
struct rls_pairs {
    struct rls_pair *items;
    size_t count;
};

struct rls_settings {
    struct text_list schemas; /* empty: all but the system's */
    struct text_list tenant_columns;
    struct text_list exempt;  /* tables that are everybody's */
    struct text_list roles;   /* of the application; empty: found by their grants */
    struct rls_pairs through; /* table -> the parent that knows its tenant */

    /* How to become tenant {tenant}: set these (value is a template), then SET ROLE tenant_role, if any. */
    struct rls_pairs set;
    char *tenant_role;        /* template such as "tenant_{tenant}"; or NULL: the application's role */
    struct text_list tenants; /* two to probe with; empty: found by tenants_query, or in the tables */
    char *tenants_query;      /* or NULL */
    bool make_tenants;        /* tenants = make */
};

void rls_pairs_add(struct rls_pairs *pairs, const char *name, const char *value);
void rls_pairs_clear(struct rls_pairs *pairs);
CLEANUP_VALUE(struct rls_pairs, rls_pairs_clear)

/* The settings as sql/rls/scope.sql wants them, in the server setting pgmigrate.rls: JSON, patterns of LIKE.
 */
char *rls_settings_scope(const struct rls_settings *settings);

/* template with every {tenant} replaced. The caller frees it. */
char *rls_settings_fill(const char *template, const char *tenant);

void rls_settings_clear(struct rls_settings *settings);
CLEANUP_VALUE(struct rls_settings, rls_settings_clear)

#endif
