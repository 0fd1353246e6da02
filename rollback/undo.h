/* SPDX-License-Identifier: PostgreSQL */
/*
 * Going back: newest applied first, by the history, not by the folder. The rollback text stored when the
 * migration was applied is what runs, so it works after the folder went back to an older release; use_file
 * takes the file's.
 *
 * Before anything runs, all scripts of the run are tried in one transaction that is undone, to find out what
 * data would be lost. After each rollback the verify script of the migration that is the newest again must
 * hold.
 */
#ifndef ROLLBACK_UNDO_H
#define ROLLBACK_UNDO_H

#include "migrator/apply.h"
#include "rollback/dataloss.h"

struct undo_options {
    struct run_options run;
    const char *to; /* this version stays; "0": none does; NULL: use steps */
    size_t steps;
    bool dry_run;
    bool accept_data_loss;
    bool use_file;
    bool no_verify;
};

/*
 * Whether there is nothing to go back from. An empty history is no answer while another run is at work, which
 * may be about to record its first migration.
 */
MUST_CHECK bool undo_is_idle(const struct history *history, bool *ret_idle, struct error *error);

/*
 * folder may be empty. ret_losses is what would disappear, filled also when the run is refused because of it
 * (ERROR_REFUSED). No rollback text and irreversible migrations are ERROR_REFUSED before anything runs. A dry
 * run ends after the trial.
 */
MUST_CHECK bool undo_run(struct postgres *postgres, struct history *history, const struct folder *folder,
                         const struct undo_options *options, const struct run_listener *listener,
                         struct data_losses *ret_losses, struct run_result *ret_result, struct error *error);

#endif
