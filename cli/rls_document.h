/* SPDX-License-Identifier: PostgreSQL */
/* Row-level security as JSON, and for those who read other forms: SARIF for code hosts, JUnit for CI. */
#ifndef CLI_RLS_DOCUMENT_H
#define CLI_RLS_DOCUMENT_H

#include "cli/rls_result.h"
#include <jansson.h>

/* findings, inconclusive and accepted: [{check, severity, object, role, message, hint, evidence}], accepted
 * ones with their reason; checked: {tables, roles, probes}; checks: [{check, title, result, found,
 * inconclusive, accepted}]. */
void rls_document_fill(json_t *document, const struct rls_result *result);

/* Set a field to a list of findings, each as above. */
void rls_document_put(json_t *document, const char *name, const struct rls_findings *findings);

#endif
