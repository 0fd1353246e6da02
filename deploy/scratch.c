/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/scratch.h"

#include "common/test_point.h"
#include "migrator/run.h"
#include "sql.h"

struct scratch {
    struct postgres *server; /* owned; holds the lock */
    char *name;
    bool kept;
};

static bool run_on(struct postgres *server, const char *sql, const char *scratch, const char *source,
                   struct error *error)
{
    const struct postgres_name names[] = {{"scratch", scratch}, {"source", source}, {0}};
    OWNED char *statement = postgres_bind(sql, names);

    return postgres_execute(server, statement, error);
}

static bool lock(struct postgres *server, const char *name, bool *ret_locked, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(server, sql_scratch_lock, 1, (const char *[]){name}, &rows, error))
        return false;
    *ret_locked = rows_bool(rows, 0, "locked");
    return true;
}

/* One that cannot be dropped, because a session of it still runs or belongs to another role, stays. */
static bool drop_leftovers(struct postgres *server, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(server, sql_scratch_leftovers, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++) {
        AUTO(error_clear) struct error ignored = {0};
        const char *name = rows_text(rows, i, "name");
        bool locked = false;

        if (!lock(server, name, &locked, error))
            return false;
        if (!locked)
            continue;
        if (!run_on(server, sql_scratch_drop_unused, name, NULL, &ignored) && postgres_is_lost(server)) {
            error_move(error, &ignored);
            return false;
        }
        if (!postgres_query(server, sql_scratch_unlock, 1, (const char *[]){name}, NULL, error))
            return false;
    }
    return true;
}

static char *new_name(void)
{
    char id[37], digits[33];
    size_t count = 0;

    run_new_id(id);
    for (const char *c = id; *c; c++)
        if (*c != '-')
            digits[count++] = *c;
    digits[count] = '\0';
    return text_format("pgmigrate_rehearsal_%s", digits);
}

bool scratch_new(struct postgres *server, struct scratch **ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *owned = server;
    OWNED char *name = new_name();
    bool locked = false;

    if (!drop_leftovers(server, error) || !lock(server, name, &locked, error))
        return error_prefix(error, "could not make a scratch database");
    *ret = memory_allocate(1, sizeof **ret);
    **ret = (struct scratch){.server = take(owned), .name = take(name)};
    return true;
}

const char *scratch_name(const struct scratch *scratch)
{
    return scratch->name;
}

struct postgres *scratch_server(struct scratch *scratch)
{
    return scratch->server;
}

/* ---- copying ---- */

/* Who is connected by now; those who have gone meanwhile are not known. */
static bool find_users(struct scratch *scratch, const char *source, char **ret_users, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(text_list_clear) struct text_list users = {0};

    if (!postgres_query(scratch->server, sql_scratch_users, 1, (const char *[]){source}, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(&users, text_format("pid %s (%s, user %s)", rows_text(rows, i, "pid"),
                                          rows_text(rows, i, "application"), rows_text(rows, i, "user")));
    *ret_users = text_list_join(&users, ", ");
    return true;
}

bool scratch_copy(struct scratch *scratch, const char *source, char **ret_users, struct error *error)
{
    AUTO(error_clear) struct error failed = {0};

    if (run_on(scratch->server, sql_scratch_create, scratch->name, source, &failed)) {
        test_point("scratch-copied");
        return true;
    }
    if (text_equal(failed.sqlstate, "55006"))
        return find_users(scratch, source, ret_users, error);
    error_move(error, &failed);
    return false;
}

bool scratch_keep(struct scratch *scratch, struct error *error)
{
    scratch->kept = run_on(scratch->server, sql_scratch_keep, scratch->name, NULL, error);
    return scratch->kept;
}

void scratch_free(struct scratch *scratch)
{
    AUTO(error_clear) struct error ignored = {0};

    if (!scratch)
        return;
    postgres_shield(scratch->server, true);
    if (!scratch->kept && !postgres_is_lost(scratch->server) &&
        !run_on(scratch->server, sql_scratch_drop, scratch->name, NULL, &ignored))
        error_clear(&ignored);
    postgres_free(scratch->server);
    free(scratch->name);
    free(scratch);
}
