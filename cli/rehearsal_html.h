/* SPDX-License-Identifier: PostgreSQL */
/*
 * A rehearsal as one page that needs nothing else: no network, no script; its style stands in it. For phones,
 * dark screens and paper, too. With a timeline of statements and of the locks that others would feel.
 */
#ifndef CLI_REHEARSAL_HTML_H
#define CLI_REHEARSAL_HTML_H

#include "deploy/rehearsal.h"

/* The caller frees it. */
char *rehearsal_html(const struct rehearsal *rehearsal);

#endif
