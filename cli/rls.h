/* SPDX-License-Identifier: PostgreSQL */
/* What commands read before row-level security is verified: the section [rls], and what the command line
 * adds. */
#ifndef CLI_RLS_H
#define CLI_RLS_H

#include "cli/command.h"
#include "migrator/rls_settings.h"

/* Options that say what a tenant is; each has its key. */
#define OPTIONS_TENANT                                                                                       \
    {.name = "tenant-column", .argument = "NAMES", .key = "tenant_column"},                                  \
        {.name = "tenant-setting", .argument = "NAMES", .key = "tenant_setting"},                            \
        {.name = "tenant-role", .argument = "ROLE", .key = "tenant_role"},                                   \
        {.name = "schemas", .argument = "NAMES", .key = "schemas"},                                          \
        {.name = "exempt", .argument = "TABLES", .key = "exempt"},                                           \
        {.name = "tenants-query", .argument = "SQL", .key = "tenants_query"},                                \
        {.name = "through",                                                                                  \
         .argument = "TABLE=PARENT",                                                                         \
         .repeats = true,                                                                                    \
         .summary = "a table that reaches its tenant through a foreign key to this parent"},                 \
    {                                                                                                        \
        .name = "tenant-set", .argument = "NAME=TEMPLATE", .repeats = true,                                  \
        .summary = "a setting that says who the tenant is, with {tenant} in its value"                       \
    }

/* The configuration, with every --role of the command line in the place of its roles. The history's tables
 * are exempt. */
MUST_CHECK bool rls_read_settings(const struct invocation *invocation, struct rls_settings *ret,
                                  struct error *error);

/* Whether the configuration says anything about row-level security: then the gate of apply is on. */
bool rls_is_configured(const struct config *config);

#endif
