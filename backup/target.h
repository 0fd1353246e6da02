/* SPDX-License-Identifier: PostgreSQL */
/*
 * The database that a restore goes into: what is in the way of it, making it as the old one was, and what of
 * the old one's properties is applied when the data are in. The statements come from the backup, with
 * :"database" for the name.
 */
#ifndef BACKUP_TARGET_H
#define BACKUP_TARGET_H

#include "backup/restore.h"

/* What is there under the name. */
struct target_state {
    bool present;
    bool ledger;     /* it holds a restore that was not finished */
    int64_t objects; /* of its own; the ledger's are not counted */
    char *marked;    /* the backup it was completely restored from, waiting to be swapped in; or NULL */
    char *create;    /* the statement that would make it; NULL where it cannot be looked into */
};
void target_state_clear(struct target_state *state);
CLEANUP_VALUE(struct target_state, target_state_clear)

MUST_CHECK bool target_look(struct postgres *server, const char *name, struct target_state *ret,
                            struct error *error);

/* What is in the way: missing roles and extensions, a server that is too old, an empty database of another
 * encoding or locale, … One that is not empty is another matter (restoring_open). */
MUST_CHECK bool target_problems(struct postgres *server, const struct manifest *manifest,
                                const struct restore_options *options, struct text_list *ret_problems,
                                struct error *error);
/* What will be different, as sentences. */
MUST_CHECK bool target_notes(struct postgres *server, const struct manifest *manifest, struct text_list *ret,
                             struct error *error);

/* CREATE ROLE … NOLOGIN for those that are missing. */
MUST_CHECK bool target_create_roles(struct postgres *server, const struct manifest *manifest,
                                    const struct restore_options *options, struct text_list *ret_created,
                                    struct error *error);
MUST_CHECK bool target_create(struct postgres *server, const struct manifest *manifest,
                              const struct restore_options *options, struct error *error);
MUST_CHECK bool target_properties(struct postgres *server, const struct manifest *manifest,
                                  const struct restore_options *options, struct text_list *ret_notes,
                                  struct error *error);
MUST_CHECK bool target_drop(struct postgres *server, const char *name, struct error *error);

#endif
