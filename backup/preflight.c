/* SPDX-License-Identifier: PostgreSQL */
#include "backup/preflight.h"

#include "sql.h"
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#define NAMED_AT_MOST   20       /* tables in one message */
#define SLOWEST_RATE    20000000 /* bytes a second: for how long a snapshot may be needed */
#define BEST_RATIO      50       /* no backup is smaller than its tables by more */
#define USUAL_RATIO     3        /* and many are not by so much */
#define MANY_OBJECTS    100000   /* large objects, each an entry of its own for pg_dump before 17 */
#define LOCKS_PER_TABLE 3        /* ours, and those of two pg_dump */

void preflight_clear(struct preflight *preflight)
{
    dump_programs_clear(&preflight->programs);
    text_list_clear(&preflight->warnings);
}

static bool check_pooler(const struct postgres *control, const struct rows *limits, bool pooler_session,
                         struct error *error)
{
    int64_t pid = rows_integer(limits, 0, "pid");
    if (pooler_session || pid == postgres_backend_pid(control))
        return true;
    error_set(error, ERROR_CONNECTION, "the connection to %s goes through a pooler",
              postgres_address(control));
    error_detail(error, "The pooler gave the process number %d, the server says %lld.",
                 postgres_backend_pid(control), (long long)pid);
    return error_hint(error,
                      "Use the server's own address, or --pooler=session if the pooler keeps one server "
                      "connection per session. A transaction pooler would lose snapshot and settings.");
}

/* All of them at once: who grants privileges wants the whole list. */
static bool check_rights(struct postgres *control, const char *role, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(control, sql_backup_rights, 0, NULL, &rows, error))
        return false;
    size_t count = rows_count(rows), shown = count < NAMED_AT_MOST ? count : NAMED_AT_MOST;
    if (count == 0)
        return true;
    AUTO(text_list_clear) struct text_list lines = {0};
    for (size_t i = 0; i < shown; i++)
        text_list_add(&lines, text_format("%s: lacks %s.", rows_text(rows, i, "object"),
                                          rows_text(rows, i, "missing")));
    if (shown < count)
        text_list_add(&lines, text_format("And %zu more.", count - shown));
    OWNED char *detail = text_list_join(&lines, "\n");
    error_set(error, ERROR_REFUSED, "role \"%s\" cannot read all of database \"%s\"",
              role != NULL ? role : postgres_user(control), postgres_database(control));
    error_detail(error, "%s", detail);
    return error_hint(
        error,
        "Grant what is missing (role pg_read_all_data has all of SELECT and USAGE, but "
        "for large objects; row-level security wants the attribute BYPASSRLS), or take the backup as a "
        "superuser.");
}

static bool check_snapshots(const struct rows *limits, int64_t bytes, struct error *error)
{
    int64_t minutes = rows_integer(limits, 0, "snapshot_minutes");
    if (minutes < 0 || bytes / SLOWEST_RATE < minutes * 60)
        return true;
    error_set(error, ERROR_REFUSED, "old_snapshot_threshold is %lld min, and the backup may take longer",
              (long long)minutes);
    return error_hint(error,
                      "Set it to -1 (the server has to be restarted), or take the backup on a standby.");
}

/* pg_dump locks all tables for as long as it runs, and would fail when much of the work is done. */
static bool check_locks(const struct rows *limits, struct error *error)
{
    int64_t tables = rows_integer(limits, 0, "tables");
    if (tables <= rows_integer(limits, 0, "most_locks"))
        return true;
    error_set(error, ERROR_REFUSED,
              "the server has %lld locks, and pg_dump needs one for each of %lld tables",
              (long long)rows_integer(limits, 0, "locks"), (long long)tables);
    return error_hint(error, "Raise max_locks_per_transaction (the server has to be restarted).");
}

static bool check_room(const char *folder, int64_t bytes, struct preflight *ret, struct error *error)
{
    struct statvfs place;
    if (statvfs(folder, &place) != 0)
        return error_set(error, ERROR_FAILED, "could not look at folder \"%s\": %s", folder, strerror(errno));
    int64_t room = (int64_t)place.f_bavail * (int64_t)place.f_frsize;
    OWNED char *there = text_size(room), *needed = text_size(bytes);
    if (room < bytes / BEST_RATIO) {
        error_set(error, ERROR_FAILED, "\"%s\" has only %s of room", folder, there);
        error_detail(error, "The tables take %s.", needed);
        return error_hint(error, "Free some, or name another place with --repository.");
    }
    if (room < bytes / USUAL_RATIO)
        text_list_add(&ret->warnings,
                      text_format("\"%s\" has only %s of room for tables of %s", folder, there, needed));
    return true;
}

static void judge_limits(const struct rows *limits, const struct postgres *control, struct preflight *ret)
{
    int64_t tables = rows_integer(limits, 0, "tables"), locks = rows_integer(limits, 0, "locks");
    const char *hooked = rows_text(limits, 0, "hooked");
    ret->hooked = hooked != NULL;
    if (ret->hooked)
        text_list_add(&ret->warnings,
                      text_format("extension %s keeps rows in a way of its own: pg_dump copies "
                                  "all tables, on one connection",
                                  hooked));
    ret->few_locks = tables * LOCKS_PER_TABLE > locks;
    if (ret->few_locks)
        text_list_add(&ret->warnings,
                      text_format("the server has %lld locks for %lld tables: only large tables are locked "
                                  "beforehand, and pg_dump runs twice, one after the other; raise "
                                  "max_locks_per_transaction",
                                  (long long)locks, (long long)tables));
    if (ret->programs.newer)
        text_list_add(&ret->warnings,
                      text_format("pg_dump %s is newer than the server: restoring into a server of the old "
                                  "version may need help",
                                  ret->programs.version));
    if (rows_integer(limits, 0, "large_objects") > MANY_OBJECTS && postgres_server_version(control) < 170000)
        text_list_add(&ret->warnings, text_format("%lld large objects: pg_dump takes long for so many",
                                                  (long long)rows_integer(limits, 0, "large_objects")));
}

bool preflight_run(struct postgres *control, const char *folder, const struct backup_options *options,
                   struct preflight *ret, struct error *error)
{
    AUTO(rows_free) struct rows *limits = NULL;
    if (!postgres_query(control, sql_backup_limits, 0, NULL, &limits, error))
        return false;
    int64_t bytes = rows_integer(limits, 0, "bytes");
    if (!check_pooler(control, limits, options->pooler_session, error) ||
        !dump_find(postgres_server_version(control), &ret->programs, error) ||
        !check_rights(control, options->role, error) || !check_snapshots(limits, bytes, error) ||
        !check_locks(limits, error) || !check_room(folder, bytes, ret, error))
        return false;
    judge_limits(limits, control, ret);
    return true;
}
