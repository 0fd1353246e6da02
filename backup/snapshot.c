/* SPDX-License-Identifier: PostgreSQL */
#include "backup/snapshot.h"

#include "common/interrupt.h"
#include "common/test_point.h"
#include "sql.h"
#include <string.h>

#define ONE_ATTEMPT_MS   1000
#define PAUSE_FIRST_MS   100
#define PAUSE_LONGEST_MS 2000
#define NAME_MAX_SIZE    63 /* NAMEDATALEN - 1: application_name is cut to it */

bool snapshot_settings(struct postgres *postgres, bool writing, struct text_list *ret_settings,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {writing ? "true" : "false"};
    if (!postgres_query(postgres, sql_backup_settings, 1, values, &rows, error))
        return false;
    for (size_t i = 0; ret_settings != NULL && i < rows_count(rows); i++)
        text_list_add(ret_settings,
                      text_format("%s=%s", rows_text(rows, i, "name"), rows_text(rows, i, "value")));
    return true;
}

bool snapshot_role(struct postgres *postgres, const char *role, struct error *error)
{
    if (role == NULL)
        return true;
    OWNED char *sql = postgres_bind(sql_set_role, (struct postgres_name[]){{"role", role}, {0}});
    return postgres_execute(postgres, sql, error);
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        postgres_free(snapshot->connections[i]);
    free(snapshot->connections);
    free(snapshot->name);
    free(snapshot->taken_at);
    free(snapshot->lsn);
    free(snapshot->visible);
    free(snapshot->application_name);
    text_list_clear(&snapshot->settings);
    tables_clear(&snapshot->tables);
    free(snapshot);
}

/* ---- connections ---- */

static bool prepare_session(struct postgres *postgres, const struct snapshot *snapshot, const char *role,
                            struct text_list *ret_settings, struct error *error)
{
    OWNED char *named = postgres_bind(sql_set_application_name,
                                      (struct postgres_name[]){{"name", snapshot->application_name}, {0}});
    return postgres_execute(postgres, named, error) &&
           snapshot_settings(postgres, false, ret_settings, error) && snapshot_role(postgres, role, error);
}

static bool connect_all(const struct postgres *control, const struct snapshot_options *options,
                        struct snapshot *snapshot, struct error *error)
{
    snapshot->connections = memory_allocate(options->streams, sizeof(struct postgres *));
    for (; snapshot->count < options->streams; snapshot->count++) {
        struct postgres *postgres = NULL;
        if (!postgres_connect_again(control, &postgres, error))
            return false;
        snapshot->connections[snapshot->count] = postgres;
        struct text_list *settings = snapshot->count == 0 ? &snapshot->settings : NULL;
        if (!prepare_session(postgres, snapshot, options->role, settings, error)) {
            snapshot->count++;
            return false;
        }
    }
    return true;
}

/* ---- one attempt ---- */

/* A lock that is not there within a second means that somebody changes tables, and others queue behind him
 * and us. Within a transaction, until it ends. */
static bool limit_waiting(struct postgres *postgres, int milliseconds, struct error *error)
{
    OWNED char *value = text_format("%d", milliseconds);
    OWNED char *sql = postgres_bind(sql_set_lock_timeout, (struct postgres_name[]){{"value", value}, {0}});
    return postgres_execute(postgres, sql, error);
}

static bool take_moment(struct postgres *leader, struct snapshot *snapshot, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(leader, sql_backup_moment, 0, NULL, &rows, error))
        return false;
    free(snapshot->name);
    free(snapshot->taken_at);
    free(snapshot->lsn);
    free(snapshot->visible);
    snapshot->name = text_copy(rows_text(rows, 0, "name"));
    snapshot->taken_at = text_copy(rows_text(rows, 0, "taken_at"));
    snapshot->lsn = text_copy(rows_text(rows, 0, "lsn"));
    snapshot->visible = text_copy(rows_text(rows, 0, "visible"));
    snapshot->standby = rows_bool(rows, 0, "standby");
    return true;
}

/* The leader's part; *ret_changed tells what is not as it was when the locks were asked for. Asking for a
 * table's size needs its lock, too. */
static bool lead(const struct snapshot_options *options, struct snapshot *snapshot, char **ret_changed,
                 struct error *error)
{
    struct postgres *leader = snapshot->connections[0];
    AUTO(tables_clear) struct tables before = {0};
    OWNED char *value = text_format("%d", ONE_ATTEMPT_MS);
    OWNED char *limit =
        postgres_bind(sql_set_session_lock_timeout, (struct postgres_name[]){{"value", value}, {0}});
    if (!postgres_execute(leader, limit, error) || !tables_read(leader, &options->tables, &before, error))
        return false;
    test_point("backup-listed");
    if (!postgres_execute(leader, sql_backup_begin, error) ||
        !tables_lock(leader, &before, snapshot->few_locks, error) || !take_moment(leader, snapshot, error))
        return false;
    tables_clear(&snapshot->tables);
    if (!tables_read(leader, &options->tables, &snapshot->tables, error))
        return false;
    *ret_changed = tables_difference(&before, &snapshot->tables);
    return limit_waiting(leader, 0, error);
}

static bool follow(struct postgres *worker, const struct snapshot *snapshot, struct error *error)
{
    OWNED char *import =
        postgres_bind(sql_backup_import, (struct postgres_name[]){{"snapshot", snapshot->name}, {0}});
    return postgres_execute(worker, sql_backup_begin, error) && postgres_execute(worker, import, error) &&
           limit_waiting(worker, ONE_ATTEMPT_MS, error) &&
           tables_lock(worker, &snapshot->tables, true, error) && limit_waiting(worker, 0, error) &&
           postgres_execute(worker, sql_savepoint, error);
}

static bool attempt(const struct snapshot_options *options, struct snapshot *snapshot, char **ret_changed,
                    struct error *error)
{
    if (!lead(options, snapshot, ret_changed, error))
        return false;
    if (*ret_changed != NULL)
        return true;
    for (size_t i = 1; i < snapshot->count; i++)
        if (!follow(snapshot->connections[i], snapshot, error))
            return false;
    return postgres_execute(snapshot->connections[0], sql_savepoint, error);
}

/* ---- again and again ---- */

static bool let_go(struct snapshot *snapshot, struct error *error)
{
    for (size_t i = 0; i < snapshot->count; i++)
        if (postgres_transaction(snapshot->connections[i]) != POSTGRES_IDLE &&
            !postgres_execute(snapshot->connections[i], sql_rollback, error))
            return false;
    return true;
}

/* Locked by others, or gone since it was listed. */
static bool is_passing(const struct error *error)
{
    return error->code == ERROR_LOCKED || strcmp(error->sqlstate, "40P01") == 0 ||
           strcmp(error->sqlstate, "42P01") == 0 || strcmp(error->sqlstate, "3F000") == 0;
}

static char *who_holds(struct postgres *postgres)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error ignored = {0};
    if (!postgres_query(postgres, sql_backup_holders, 0, NULL, &rows, &ignored) || rows_count(rows) == 0)
        return NULL;
    const char *query = rows_text(rows, 0, "query"), *application = rows_text(rows, 0, "application");
    const char *user = rows_text(rows, 0, "user");
    OWNED char *age = rows_age(rows, 0, ", transaction since ");
    return text_format("table \"%s\" is locked by pid %s (%s, user %s%s)%s%s", rows_text(rows, 0, "name"),
                       rows_text(rows, 0, "pid"),
                       application == NULL || *application == '\0' ? "?" : application,
                       user == NULL ? "?" : user, age,
                       query == NULL || *query == '\0' ? "" : ", running: ", query == NULL ? "" : query);
}

static bool give_up(const struct snapshot *snapshot, const char *why, int64_t waited_ms, struct error *error)
{
    OWNED char *waited = text_duration(waited_ms);
    error_set(error, ERROR_LOCKED, "could not lock the tables of database \"%s\"",
              postgres_database(snapshot->connections[0]));
    error_detail(error, "After %s: %s.", waited, why);
    return error_hint(error, "Wait for the other session to end, or give --lock-wait-timeout more seconds.");
}

/* A failed attempt: whether to try again, with why; else error is filled. */
static bool understand(struct snapshot *snapshot, struct error *failure, char **ret_why, struct error *error)
{
    struct postgres *leader = snapshot->connections[0];
    bool few_locks = strcmp(failure->sqlstate, "53200") == 0 && !snapshot->few_locks;
    if (!few_locks && !is_passing(failure)) {
        error_move(error, failure);
        return false;
    }
    if (!few_locks)
        *ret_why = who_holds(leader);
    if (*ret_why == NULL)
        *ret_why = text_copy(failure->message);
    snapshot->few_locks = snapshot->few_locks || few_locks;
    return true;
}

static bool try_until(const struct snapshot_options *options, struct snapshot *snapshot,
                      void (*told)(void *context, const char *why), void *context, struct error *error)
{
    int64_t began = clock_ms(), pause = PAUSE_FIRST_MS;
    for (;;) {
        AUTO(error_clear) struct error failure = {0};
        OWNED char *why = NULL;
        bool good = attempt(options, snapshot, &why, &failure);
        if (good && why == NULL)
            return true;
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        bool changed = good;
        if (!let_go(snapshot, error) || (!good && !understand(snapshot, &failure, &why, error)))
            return false;
        if (clock_ms() - began >= options->lock_wait_timeout_ms)
            return give_up(snapshot, why, clock_ms() - began, error);
        if (told != NULL)
            told(context, why);
        if (!changed && !interrupt_sleep(pause))
            return interrupt_error(error);
        pause = pause * 2 > PAUSE_LONGEST_MS ? PAUSE_LONGEST_MS : pause * 2;
    }
}

bool snapshot_take(const struct postgres *control, const struct snapshot_options *options,
                   void (*told)(void *context, const char *why), void *context, struct snapshot **ret,
                   struct error *error)
{
    AUTO(snapshot_free) struct snapshot *snapshot = memory_allocate(1, sizeof *snapshot);
    snapshot->application_name = text_format("pgmigrate backup %s", options->id);
    if (strlen(snapshot->application_name) > NAME_MAX_SIZE)
        snapshot->application_name[NAME_MAX_SIZE] = '\0';
    snapshot->few_locks = options->few_locks;
    if (!connect_all(control, options, snapshot, error) ||
        !try_until(options, snapshot, told, context, error))
        return false;
    *ret = take(snapshot);
    return true;
}

bool snapshot_blocked(struct postgres *control, const struct snapshot *snapshot, struct rows **ret,
                      struct error *error)
{
    return postgres_query(control, sql_backup_blocked, 1, (const char *const[]){snapshot->application_name},
                          ret, error);
}
