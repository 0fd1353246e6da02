/* SPDX-License-Identifier: PostgreSQL */
/* What is probed besides relations: foreign keys whose actions reach into another tenant (D10), and the ways
 * out of a role and a tenant (D11). */
#ifndef MIGRATOR_RLS_SUBJECT_H
#define MIGRATOR_RLS_SUBJECT_H

#include "migrator/rls_attempt.h"

/* Once rows are made and aims are taken. */
MUST_CHECK bool rls_subjects_probe(struct rls_run *run, struct error *error);

#endif
