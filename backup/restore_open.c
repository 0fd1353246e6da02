/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restoring.h"

#include "backup/snapshot.h"
#include "backup/target.h"
#include "common/interrupt.h"
#include "common/test_point.h"
#include "sql.h"
#include <errno.h>
#include <signal.h>
#include <sys/statvfs.h>

#define LOCK_WAIT_MS     10000
#define BETWEEN_TRIES_MS 200

bool restore_preflight(struct postgres *server, const struct manifest *manifest,
                       const struct restore_options *options, struct text_list *ret_problems,
                       struct error *error)
{
    AUTO(target_state_clear) struct target_state state = {0};

    if (!target_problems(server, manifest, options, ret_problems, error) ||
        !target_look(server, options->to, &state, error))
        return false;
    if (state.present && !options->resume && (state.objects || state.ledger))
        text_list_add(ret_problems, text_format("database \"%s\" exists and is not empty", options->to));
    if (options->resume && !state.present)
        text_list_add(ret_problems, text_format("there is no database \"%s\" to go on with", options->to));
    return true;
}

/* A container's socket may be here, a pooler's too, and folders of the same name: its process is not. */
static bool is_here(const struct postgres *server)
{
    return *postgres_address(server) == '/' && (kill(postgres_backend_pid(server), 0) == 0 || errno == EPERM);
}

int64_t restore_room(struct postgres *server)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error ignored = {0};
    struct statvfs place;

    if (!is_here(server) || !postgres_query(server, sql_restore_folder, 0, NULL, &rows, &ignored) ||
        !rows_count(rows) || statvfs(rows_text(rows, 0, "folder"), &place) != 0)
        return -1;
    return (int64_t)place.f_bavail * (int64_t)place.f_frsize;
}

/* ---- the database ---- */

/* What decides whether a continuation continues the same thing. */
static char *options_text(const struct restore_options *options)
{
    OWNED char *tables = options->tables ? text_list_join(options->tables, "\n") : text_copy("");

    return text_format("%d%d%d%d\n%s", options->schema_only, options->no_owner, options->no_privileges,
                       options->no_subscriptions, tables);
}

static bool take_lock(struct restoring *restoring, struct error *error)
{
    int64_t deadline = clock_ms() + LOCK_WAIT_MS;

    for (;;) {
        AUTO(rows_free) struct rows *rows = NULL;

        if (!postgres_query(restoring->target, sql_restore_lock, 0, NULL, &rows, error))
            return false;
        if (rows_bool(rows, 0, "locked"))
            return true;
        if (clock_ms() >= deadline)
            return error_set(error, ERROR_LOCKED, "another restore into database \"%s\" is running",
                             restoring->options->to);
        if (!interrupt_sleep(BETWEEN_TRIES_MS))
            return interrupt_error(error);
    }
}

static bool connect_target(struct restoring *restoring, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_connect_database(restoring->server, restoring->options->to, &restoring->target, error) ||
        !snapshot_settings(restoring->target, true, NULL, error) ||
        !postgres_query(restoring->target, sql_restore_role, 0, NULL, &rows, error))
        return false;
    restoring->superuser = rows_bool(rows, 0, "superuser");
    return take_lock(restoring, error);
}

static bool create(struct restoring *restoring, struct error *error)
{
    if (!target_create(restoring->server, restoring->manifest, restoring->options, error))
        return false;
    restoring->created = true;
    test_point("restore-created");
    return connect_target(restoring, error);
}

static bool begin_ledger(struct restoring *restoring, struct error *error)
{
    OWNED char *options = options_text(restoring->options);
    struct ledger ledger = {
        .backup = restoring->manifest->id, .options = options, .created = restoring->created};

    return ledger_create(restoring->target, &ledger, error);
}

static bool is_the_same(const struct restoring *restoring, const struct ledger *ledger, struct error *error)
{
    OWNED char *options = options_text(restoring->options);

    if (!text_equal(ledger->backup, restoring->manifest->id))
        return error_set(error, ERROR_CONFLICT, "database \"%s\" holds a restore of backup %s, not of %s",
                         restoring->options->to, ledger->backup, restoring->manifest->id);
    if (text_equal(ledger->options, options))
        return true;
    error_set(error, ERROR_CONFLICT, "the restore into \"%s\" was begun with other options",
              restoring->options->to);
    return error_hint(error, "Give the same ones again (--table, --schema-only, --no-owner, "
                             "--no-privileges), or drop the database.");
}

/* Before its objects are complete there is nothing to go on with: anew, if it is ours to drop. */
static bool begin_again(struct restoring *restoring, bool ours, struct error *error)
{
    postgres_free(take(restoring->target));
    if (!ours) {
        error_set(error, ERROR_CONFLICT, "the restore into \"%s\" stopped before its tables were there",
                  restoring->options->to);
        return error_hint(error, "Drop the database, which was there before the restore, and make it anew.");
    }
    return target_drop(restoring->server, restoring->options->to, error) && create(restoring, error) &&
           begin_ledger(restoring, error);
}

bool restoring_end_others(struct restoring *restoring, struct error *error)
{
    int64_t deadline = clock_ms() + LOCK_WAIT_MS;
    const char *name = restoring->options->to;

    for (;;) {
        AUTO(rows_free) struct rows *rows = NULL;

        if (!postgres_query(restoring->target, sql_restore_end_sessions, 1, &name, &rows, error))
            return false;
        if (!rows_integer(rows, 0, "sessions") || clock_ms() >= deadline)
            return true;
        if (!interrupt_sleep(BETWEEN_TRIES_MS))
            return interrupt_error(error);
    }
}

static bool resume(struct restoring *restoring, struct error *error)
{
    bool present = false;

    if (!connect_target(restoring, error) || !restoring_end_others(restoring, error) ||
        !ledger_read(restoring->target, &present, &restoring->ledger, error))
        return false;
    if (!present)
        return error_set(error, ERROR_CONFLICT, "the ledger in database \"%s\" is empty",
                         restoring->options->to);
    if (!is_the_same(restoring, &restoring->ledger, error))
        return false;
    if (!*restoring->ledger.step)
        return begin_again(restoring, restoring->ledger.created, error);
    restoring->created = restoring->ledger.created;
    restoring->resumed = true;
    return true;
}

static bool refuse_existing(const struct restoring *restoring, const struct target_state *state,
                            struct error *error)
{
    error_set(error, ERROR_REFUSED, "database \"%s\" exists and is not empty", restoring->options->to);
    if (state->ledger)
        return error_hint(error, "It holds a restore that was not finished: go on with it (--resume), or "
                                 "drop it.");
    return error_hint(error,
                      "Restore under another name (--to); --swap puts it in the place of the old one.");
}

bool restoring_open(struct restoring *restoring, struct error *error)
{
    const struct restore_options *options = restoring->options;
    AUTO(target_state_clear) struct target_state state = {0};

    if (!target_look(restoring->server, options->to, &state, error))
        return false;
    if (state.ledger && options->resume)
        return resume(restoring, error);
    if (state.ledger || state.objects)
        return refuse_existing(restoring, &state, error);
    if (state.present && options->any_locale)
        text_list_add(
            &restoring->result->notes,
            text_format("Database \"%s\" was there, and keeps the locale that it had.", options->to));
    if (state.present)
        return connect_target(restoring, error) && begin_ledger(restoring, error);
    if (options->resume)
        return error_set(error, ERROR_CONFLICT, "there is no database \"%s\" to go on with", options->to);
    return create(restoring, error) && begin_ledger(restoring, error);
}
