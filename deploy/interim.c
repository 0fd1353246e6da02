/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/interim.h"

#include "backup/create.h"

#define SPLIT_LARGER_THAN (64LL << 20)
#define WAIT_MS           60000

void interim_clear(struct interim *interim)
{
    AUTO(error_clear) struct error ignored = {0};

    if (interim->folder != NULL && !file_remove_tree(interim->folder, &ignored))
        error_clear(&ignored); /* it is a temporary folder */
    free(interim->folder);
    free(interim->archive);
    record_free(interim->record);
    *interim = (struct interim){0};
}

bool interim_take(struct postgres *server, const char *database, int jobs, struct interim *ret,
                  struct error *error)
{
    /* Level 1: it is read once, at once. */
    const struct backup_options options = {.jobs = jobs,
                                           .level = 1,
                                           .split_larger_than = SPLIT_LARGER_THAN,
                                           .lock_wait_timeout_ms = WAIT_MS,
                                           .max_block_ms = WAIT_MS,
                                           .command = "rehearse"};
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(postgres_free) struct postgres *control = NULL;

    if (!file_make_temporary("pgmigrate-copy", &ret->folder, error) ||
        !repository_open(ret->folder, true, &repository, error) ||
        !repository_lock(repository, 0, "rehearse", error) ||
        !postgres_connect_database(server, database, &control, error) ||
        !backup_create(control, repository, &options, NULL, &ret->record, error))
        return false;
    ret->archive = file_join(ret->folder, ret->record->archive);
    return true;
}
