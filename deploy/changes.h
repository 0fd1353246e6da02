/* SPDX-License-Identifier: PostgreSQL */
/*
 * What an application would notice, from two answers of sql/state_noticed: what is gone or has another name,
 * what became required, which protections were lost. A part of deploy/state.
 */
#ifndef DEPLOY_CHANGES_H
#define DEPLOY_CHANGES_H

#include "common/postgres.h"
#include "deploy/rehearsal.h"

void changes_find(const struct rows *before, const struct rows *after, struct rehearsed *ret);

#endif
