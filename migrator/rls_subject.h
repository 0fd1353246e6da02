/* SPDX-License-Identifier: PostgreSQL */
/* What is probed besides relations: functions that run as their owner (D8), foreign keys whose actions reach
 * into another tenant (D10), and the ways out of a role and a tenant (D11). */
#ifndef MIGRATOR_RLS_SUBJECT_H
#define MIGRATOR_RLS_SUBJECT_H

#include "migrator/rls_attempt.h"

/* While the catalogs can be asked. */
MUST_CHECK bool rls_subjects_find(struct rls_run *run, struct error *error);
MUST_CHECK bool rls_subjects_probe(struct rls_run *run, struct error *error);

#endif
