/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/session.h"

#include "common/interrupt.h"
#include "sql.h"
#include <stdio.h>
#include <string.h>

#define OLDEST_SERVER    130000
#define POLL_FIRST_MS    50
#define POLL_LONGEST_MS  1000
#define TELL_INTERVAL_MS 1000

static bool version_check(struct postgres *postgres, struct error *error)
{
    int version = postgres_server_version(postgres);
    if (version >= OLDEST_SERVER)
        return true;
    error_set(error, ERROR_CONNECTION, "server version %d.%d is not supported", version / 10000,
              version % 10000);
    return error_hint(error, "pgmigrate works with PostgreSQL 13 and later.");
}

static bool writable_check(struct postgres *postgres, const struct rows *rows, struct error *error)
{
    if (rows_bool(rows, 0, "in_recovery")) {
        error_set(error, ERROR_CONNECTION, "server %s is a standby", postgres_address(postgres));
        return error_hint(
            error, "Connect to the primary, or list all hosts and add target_session_attrs=read-write.");
    }
    if (rows_bool(rows, 0, "read_only")) {
        error_set(error, ERROR_CONNECTION, "database \"%s\" on %s is read-only for user \"%s\"",
                  postgres_database(postgres), postgres_address(postgres), postgres_user(postgres));
        return error_hint(error,
                          "default_transaction_read_only is on for the server, the database or the role.");
    }
    return true;
}

static bool pooler_check(struct postgres *postgres, const struct rows *rows, struct error *error)
{
    int64_t pid = rows_integer(rows, 0, "pid");
    if (pid == postgres_backend_pid(postgres))
        return true;
    error_set(error, ERROR_CONNECTION, "the connection to %s goes through a pooler",
              postgres_address(postgres));
    error_detail(error, "The pooler gave the process number %d, the server says %lld.",
                 postgres_backend_pid(postgres), (long long)pid);
    return error_hint(error,
                      "Use the server's own address, or --pooler=session if the pooler keeps one server "
                      "connection per session. A transaction pooler would lose the run lock and settings.");
}

bool session_check(struct postgres *postgres, bool read_only, bool pooler_session, struct error *error)
{
    if (!version_check(postgres, error))
        return false;
    if (read_only)
        return true;
    AUTO(rows_free) struct rows *rows = NULL;
    return postgres_query(postgres, sql_session_look, 0, NULL, &rows, error) &&
           writable_check(postgres, rows, error) && (pooler_session || pooler_check(postgres, rows, error));
}

size_t session_settings(const struct postgres *postgres, const char *ret_statements[SESSION_SETTINGS_MAX])
{
    size_t count = 0;
    int version = postgres_server_version(postgres);
    ret_statements[count++] = sql_set_idle_transaction;
    if (version >= 140000) {
        ret_statements[count++] = sql_set_idle_session;
        ret_statements[count++] = sql_set_connection_check;
    }
    if (version >= 170000)
        ret_statements[count++] = sql_set_transaction_timeout;
    return count;
}

char *session_role(const struct run_options *options)
{
    if (options->role == NULL)
        return text_copy(sql_reset_role);
    return postgres_bind(sql_set_role, (struct postgres_name[]){{"role", options->role}, {0}});
}

/* All in one message, so that it costs one round trip. */
bool session_reset(struct postgres *postgres, const struct run_options *options, struct error *error)
{
    const char *statements[SESSION_SETTINGS_MAX];
    size_t count = session_settings(postgres, statements), size = 0;
    OWNED char *role = session_role(options);
    OWNED char *text = NULL;
    FILE *stream = open_memstream(&text, &size);
    fprintf(stream, "%s;%s;", sql_reset_all, sql_reset_authorization);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s;", statements[i]);
    fputs(role, stream);
    fclose(stream);
    return postgres_execute(postgres, text, error);
}

/* ---- the run lock ---- */

static char *lock_key_text(const struct history *history)
{
    return text_format("%lld", (long long)history->lock_key);
}

bool session_lock_holder(struct postgres *postgres, const struct history *history, char **ret_holder,
                         struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *key = lock_key_text(history);
    if (!postgres_query(postgres, sql_lock_holder, 1, (const char *const[]){key}, &rows, error))
        return false;
    *ret_holder = NULL;
    if (rows_count(rows) == 0)
        return true;
    const char *application = rows_text(rows, 0, "application");
    const char *user = rows_text(rows, 0, "user");
    const char *address = rows_text(rows, 0, "address");
    const char *query = rows_text(rows, 0, "query");
    OWNED char *since = rows_age(rows, 0, ", connected ");
    *ret_holder = text_format(
        "pid %s (%s, user %s%s%s%s%s%s)", rows_text(rows, 0, "pid"), application == NULL ? "?" : application,
        user == NULL ? "?" : user, address == NULL ? "" : " from ", address == NULL ? "" : address, since,
        query == NULL || *query == '\0' ? "" : ", running: ", query == NULL ? "" : query);
    return true;
}

static bool try_lock(struct postgres *postgres, const char *key, bool *ret_locked, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(postgres, sql_lock_try, 1, (const char *const[]){key}, &rows, error))
        return false;
    *ret_locked = rows_bool(rows, 0, "locked");
    return true;
}

static bool lock_busy(const char *holder, int64_t waited_ms, struct error *error)
{
    OWNED char *waited = text_duration(waited_ms);
    error_set(error, ERROR_LOCKED, "another run holds the run lock");
    error_detail(error, "After %s it is still held by %s.", waited, holder == NULL ? "somebody" : holder);
    return error_hint(
        error, "Wait for it to end, or give --wait-lock more seconds; ending that session frees the lock.");
}

/* Polling in autocommit: no snapshot is held and nothing is queued in the server while we wait. */
static bool wait_for_lock(const struct history *history, const struct run_options *options,
                          const struct run_listener *listener, struct error *error)
{
    struct postgres *postgres = history->postgres;
    OWNED char *key = lock_key_text(history);
    int64_t began = clock_ms(), told = began - TELL_INTERVAL_MS, pause = POLL_FIRST_MS;
    OWNED char *holder = NULL;
    for (bool locked = false; !locked;) {
        int64_t now = clock_ms();
        if (now - told >= TELL_INTERVAL_MS) {
            free(take(holder));
            if (!session_lock_holder(postgres, history, &holder, error))
                return false;
            run_emit(listener, &(struct run_event){.type = RUN_LOCK_WAIT, .text = holder, .ms = now - began});
            told = now;
        }
        if (now - began >= options->wait_lock_ms)
            return lock_busy(holder, now - began, error);
        if (!interrupt_sleep(pause))
            return interrupt_error(error);
        pause = pause * 3 / 2 > POLL_LONGEST_MS ? POLL_LONGEST_MS : pause * 3 / 2;
        if (!try_lock(postgres, key, &locked, error))
            return false;
    }
    return true;
}

/* ---- opening ---- */

/* The first of these that failed. */
static bool all_good(struct queries *queries, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (queries->items[i].rows == NULL) {
            error_move(error, &queries->items[i].error);
            return false;
        }
    return true;
}

/* When a session began is told to the user who logged in, not to the role it works as. */
static bool look(struct postgres *postgres, const struct run_options *options, struct session *session,
                 struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *role = session_role(options);
    if (options->role != NULL)
        queries_add(&queries, sql_reset_role, 0, NULL);
    queries_add(&queries, sql_session_look, 0, NULL);
    if (options->role != NULL)
        queries_add(&queries, role, 0, NULL);
    if (!postgres_query_all(postgres, &queries, error) || !all_good(&queries, queries.count, error))
        return false;
    const struct rows *rows = queries.items[options->role != NULL ? 1 : 0].rows;
    session->pid = (int)rows_integer(rows, 0, "pid");
    session->began = text_copy(rows_text(rows, 0, "backend_start"));
    return writable_check(postgres, rows, error) &&
           (options->pooler_session || pooler_check(postgres, rows, error));
}

/* The settings and the first attempt at the lock, with room for the history's questions behind them. */
static void add_settling(const struct history *history, const char *role, const char *const key[],
                         struct queries *queries)
{
    const char *statements[SESSION_SETTINGS_MAX];
    size_t count = session_settings(history->postgres, statements);
    for (size_t i = 0; i < count; i++)
        queries_add(queries, statements[i], 0, NULL);
    queries_add(queries, role, 0, NULL);
    queries_add(queries, sql_lock_try, 1, key);
}

bool session_lock(const struct history *history, const struct run_options *options,
                  const struct run_listener *listener, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *role = session_role(options), *key = lock_key_text(history);
    add_settling(history, role, (const char *const[]){key}, &queries);
    return postgres_query_all(history->postgres, &queries, error) &&
           all_good(&queries, queries.count, error) &&
           (rows_bool(queries.items[queries.count - 1].rows, 0, "locked") ||
            wait_for_lock(history, options, listener, error));
}

/* What is read behind the lock in the same round trip is read under it, if it was had. ret_locked tells of
 * the lock on failure, too. */
static bool lock_and_look(struct history *history, const struct run_options *options,
                          const struct run_listener *listener, bool *ret_locked, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *role = session_role(options), *key = lock_key_text(history);
    const char *const values[] = {key};
    add_settling(history, role, values, &queries);
    size_t count = queries.count;
    AUTO(history_asked_free) struct history_asked *asked = history_ask(history, &queries);
    if (!postgres_query_all(history->postgres, &queries, error) || !all_good(&queries, count, error))
        return false;
    *ret_locked = rows_bool(queries.items[count - 1].rows, 0, "locked");
    if (*ret_locked)
        return history_answer(history, asked, &queries, error);
    *ret_locked = wait_for_lock(history, options, listener, error);
    return *ret_locked && history_refresh(history, error);
}

bool session_open(struct history *history, const struct run_options *options,
                  const struct run_listener *listener, struct session *ret, struct error *error)
{
    struct postgres *postgres = history->postgres;
    AUTO(session_clear) struct session session = {0};
    bool locked = false;
    if (!version_check(postgres, error) || !look(postgres, options, &session, error))
        return false;
    if (!lock_and_look(history, options, listener, &locked, error)) {
        if (locked)
            session_unlock(postgres, history);
        return false;
    }
    *ret = session;
    session = (struct session){0};
    return true;
}

bool session_send_unlock(struct postgres *postgres, const struct history *history, struct error *error)
{
    OWNED char *key = lock_key_text(history);
    return postgres_send(postgres, sql_lock_release, 1, (const char *const[]){key}, error);
}

void session_clear(struct session *session)
{
    free(take(session->began));
}

void session_unlock(struct postgres *postgres, const struct history *history)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *key = lock_key_text(history);
    postgres_shield(postgres, true);
    if (!postgres_is_lost(postgres) &&
        !postgres_query(postgres, sql_lock_release, 1, (const char *const[]){key}, NULL, &ignored))
        return; /* the lock ends with the session, which is about to end */
    postgres_shield(postgres, false);
}
