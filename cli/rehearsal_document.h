/* SPDX-License-Identifier: PostgreSQL */
/*
 * A rehearsal as JSON: the fields of "rehearse --json", and the evidence, a document of its own that can be
 * handed on ("rehearse --evidence FILE") and read where the migrations are applied.
 */
#ifndef CLI_REHEARSAL_DOCUMENT_H
#define CLI_REHEARSAL_DOCUMENT_H

#include "cli/command.h"
#include "deploy/rehearsal.h"

/* id, began_at, …, migrations: [{version, execution_ms, rollback, statements, …}], advice. */
void rehearsal_fill(json_t *document, const struct rehearsal *rehearsal);

/*
 * The same fields with who signs it off, when, and the SHA-256 of all of it: the text of an evidence file. It
 * shows that a file is whole and as it was written; it does not stop somebody who wants to forge one. The
 * caller frees it.
 */
char *rehearsal_evidence(const struct rehearsal *rehearsal);

/*
 * An evidence file's text, back: what deploy/evidence keeps, with the locks, without the rest. ERROR_USAGE,
 * naming the file, for what is no evidence, was changed, or is of a newer program.
 */
MUST_CHECK bool rehearsal_evidence_read(const char *name, const char *text, size_t size,
                                        struct rehearsal *ret, struct error *error);

#endif
