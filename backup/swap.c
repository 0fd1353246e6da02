/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restore.h"

#include "backup/ledger.h"

#include "common/interrupt.h"
#include "common/test_point.h"
#include "sql.h"
#include <time.h>

#define NAME_MAX_BYTES   63
#define STAMP_LENGTH     15 /* 20261123_032109 */
#define END_SESSIONS_MS  15000
#define BETWEEN_TRIES_MS 100

struct swap {
    struct postgres *server;
    const char *restored, *name;
    char *previous; /* NULL where there is no such database */
    bool superuser;
};

/* A name must not be longer than 63 bytes; what is cut off is the old name's end, at a character's. */
char *restore_name(const char *database, const char *suffix)
{
    time_t now = time(NULL);
    struct tm utc;
    char stamp[32];
    size_t length = strlen(database), room;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &utc);
    room = NAME_MAX_BYTES - strlen(suffix) - strlen(stamp) - 2;
    if (length > room)
        length = room;
    while (length && length < strlen(database) && ((unsigned char)database[length] & 0xc0) == 0x80)
        length--;
    return text_format("%.*s_%s_%s", (int)length, database, suffix, stamp);
}

char *restore_prefix(const char *database)
{
    char *name = restore_name(database, "restore");

    name[strlen(name) - STAMP_LENGTH] = '\0';
    return name;
}

static bool allow_connections(const struct swap *swap, const char *database, bool allow, struct error *error)
{
    OWNED char *sql = postgres_bind(
        sql_restore_allow_connections,
        (struct postgres_name[]){{"database", database}, {"allow", allow ? "true" : "false"}, {0}});

    return postgres_execute(swap->server, sql, error);
}

static bool rename_database(const struct swap *swap, const char *from, const char *to, struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_restore_rename, (struct postgres_name[]){{"database", from}, {"new", to}, {0}});

    return postgres_execute(swap->server, sql, error);
}

static bool unmark(const struct swap *swap, struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_restore_unmark, (struct postgres_name[]){{"database", swap->restored}, {0}});

    return !swap->superuser || postgres_execute(swap->server, sql, error);
}

/* Terminating is a request: until nobody is there any more. */
static bool end_sessions(const struct swap *swap, const char *database, struct error *error)
{
    int64_t deadline = clock_ms() + END_SESSIONS_MS;

    for (;;) {
        AUTO(rows_free) struct rows *rows = NULL;

        if (!postgres_query(swap->server, sql_restore_end_sessions, 1, &database, &rows, error))
            return false;
        if (!rows_integer(rows, 0, "sessions"))
            return true;
        if (clock_ms() >= deadline)
            return error_set(error, ERROR_LOCKED, "sessions in database \"%s\" do not end", database);
        if (!interrupt_sleep(BETWEEN_TRIES_MS))
            return interrupt_error(error);
    }
}

/* Both names, the new one's mark and who may connect, or nothing of it. That the old one takes no connections
 * may also be the work of an earlier swap that was killed. */
static bool rename_both(const struct swap *swap, struct error *error)
{
    return postgres_execute(swap->server, sql_begin, error) && unmark(swap, error) &&
           allow_connections(swap, swap->restored, true, error) &&
           (!swap->previous || (allow_connections(swap, swap->name, true, error) &&
                                rename_database(swap, swap->name, swap->previous, error))) &&
           rename_database(swap, swap->restored, swap->name, error) &&
           postgres_execute(swap->server, sql_commit, error);
}

static bool exchange(const struct swap *swap, struct error *error)
{
    if ((swap->previous && !allow_connections(swap, swap->name, false, error)) ||
        !allow_connections(swap, swap->restored, false, error))
        return false;
    test_point("swap-closed");
    return (!swap->previous || end_sessions(swap, swap->name, error)) &&
           end_sessions(swap, swap->restored, error) && rename_both(swap, error);
}

/* As it was before; also when a signal came, and where the old connection is gone. */
static void undo(struct swap *swap)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(postgres_free) struct postgres *again = NULL;

    if (postgres_is_lost(swap->server)) {
        if (!postgres_connect_again(swap->server, &again, &ignored))
            return;
        swap->server = again;
    }
    postgres_shield(swap->server, true);
    if (postgres_transaction(swap->server) != POSTGRES_IDLE &&
        !postgres_execute(swap->server, sql_rollback, &ignored))
        return;
    if (swap->previous && !allow_connections(swap, swap->name, true, &ignored))
        error_clear(&ignored);
    if (!allow_connections(swap, swap->restored, true, &ignored))
        error_clear(&ignored);
    postgres_shield(swap->server, false);
}

/* Where one of this second is there already, the next second's. */
static bool name_previous(struct swap *swap, struct error *error)
{
    for (;;) {
        AUTO(rows_free) struct rows *rows = NULL;
        OWNED char *name = restore_name(swap->name, "before_restore");
        const char *wanted = name;

        if (!postgres_query(swap->server, sql_restore_database, 1, &wanted, &rows, error))
            return false;
        if (rows_count(rows) == 0) {
            swap->previous = take(name);
            return true;
        }
        if (!interrupt_sleep(BETWEEN_TRIES_MS))
            return interrupt_error(error);
    }
}

static bool prepare(struct swap *swap, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(rows_free) struct rows *role = NULL;

    if (!postgres_query(swap->server, sql_restore_role, 0, NULL, &role, error) ||
        !postgres_query(swap->server, sql_restore_database, 1, &swap->name, &rows, error))
        return false;
    swap->superuser = rows_bool(role, 0, "superuser");
    if (!rows_count(rows))
        return true;
    if (rows_integer(rows, 0, "prepared")) {
        error_set(error, ERROR_PARTIAL, "database \"%s\" has prepared transactions", swap->name);
        return error_detail(error, "No database that has some can be renamed: commit or roll them back "
                                   "(pg_prepared_xacts).");
    }
    return name_previous(swap, error);
}

/* The database that the connection is to cannot be renamed. */
static bool connect_elsewhere(struct postgres *server, const struct swap *swap, struct postgres **ret,
                              struct error *error)
{
    static const char *const databases[] = {"postgres", "template1"};
    const char *present = postgres_database(server);

    if (!text_equal(present, swap->name) && !text_equal(present, swap->restored))
        return true;
    for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
        if (!text_equal(databases[i], swap->name) &&
            postgres_connect_database(server, databases[i], ret, error))
            return true;
    return false;
}

/* It was kept by a role that could not mark the database. What cannot be dropped is in nobody's way. */
static void drop_ledger(const struct swap *swap)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(ledger_clear) struct ledger ledger = {0};
    bool present = false;

    if (swap->superuser || !postgres_connect_database(swap->server, swap->name, &postgres, &ignored))
        return;
    if (!ledger_read(postgres, &present, &ledger, &ignored) ||
        (present && !ledger_drop(postgres, false, &ignored)))
        error_clear(&ignored);
}

bool restore_swap(struct postgres *server, const char *restored, const char *name, char **ret_previous,
                  struct error *error)
{
    struct swap swap = {.server = server, .restored = restored, .name = name};
    AUTO(postgres_free) struct postgres *elsewhere = NULL;
    bool ok;

    if (!connect_elsewhere(server, &swap, &elsewhere, error))
        return false;
    if (elsewhere)
        swap.server = elsewhere;
    if (!prepare(&swap, error))
        return false;
    ok = exchange(&swap, error);
    if (!ok) {
        undo(&swap);
        free(swap.previous);
        return error_prefix(error, "could not put \"%s\" in the place of \"%s\"", restored, name);
    }
    *ret_previous = swap.previous;
    drop_ledger(&swap);
    return true;
}

bool restore_swap_notes(struct postgres *server, const char *restored, const char *name,
                        struct text_list *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {name, restored};

    if (!postgres_query(server, sql_restore_left_behind, 2, values, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(ret, text_copy(rows_text(rows, i, "note")));
    return true;
}
