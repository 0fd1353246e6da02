/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restore_test.h"

#include "backup/column_order.h"
#include "backup/member.h"
#include "backup/pgrestore.h"
#include "common/throwaway.h"
#include <ctype.h>
#include <string.h>

#define DATABASE  "restored"
#define LINE_MAX_ 200

/* Jobs of pg_cron do not run even if somebody preloads it. The rest is what a server of some size has. */
static const char settings[] = "listen_addresses = ''\n"
                               "shared_preload_libraries = ''\n"
                               "cron.launch_active_jobs = off\n"
                               "max_logical_replication_workers = 0\n"
                               "autovacuum = off\n"
                               "max_wal_size = 4GB\n"
                               "shared_buffers = 128MB\n"
                               "max_locks_per_transaction = 1024\n";

struct test {
    const char *path;
    const struct record *record;
    int jobs;
    struct throwaway cluster;
    struct archive_reader *archive;
    struct manifest *manifest;
    struct postgres *server;
};

static void test_clear(struct test *test)
{
    postgres_free(test->server);
    archive_reader_free(test->archive);
    manifest_free(test->manifest);
    throwaway_end(&test->cluster);
}
CLEANUP_VALUE(struct test, test_clear)

void restore_test_result_clear(struct restore_test_result *result)
{
    text_list_clear(&result->notes);
    *result = (struct restore_test_result){0};
}

/* ---- the cluster ---- */

static bool open_archive(struct test *test, struct error *error)
{
    OWNED char *text = NULL;
    size_t size;

    return archive_reader_open(test->path, &test->archive, error) &&
           archive_reader_manifest(test->archive, &text, &size, error) &&
           manifest_read(text, size, archive_reader_bytes(test->archive), &test->manifest, error);
}

/* Of the backup's own version, else of the newest there is. */
static bool start(struct test *test, struct error *error)
{
    struct cluster_options options = {
        .major = test->manifest->server_version_number / 10000, .settings = settings, .no_network = true};

    return throwaway_start("pgmigrate-restore-test", &options, &test->cluster, error) &&
           postgres_connect(test->cluster.url, "pgmigrate backup test", &test->server, error);
}

/* ---- the schema ---- */

/* The roles of a policy, as "a, b, c", come in the order that pg_authid has them, which is the cluster's own.
 */
static bool is_same_policy(const char *a, const char *b, size_t size)
{
    static const char begin[] = "CREATE POLICY ";
    size_t first = 0, last = size;
    long counts[256] = {0};

    if (strncmp(a, begin, strlen(begin)) != 0)
        return false;
    while (first < size && a[first] == b[first])
        first++;
    while (last > first && a[last - 1] == b[last - 1])
        last--;
    for (size_t i = first; i < last; i++) {
        counts[(unsigned char)a[i]]++;
        counts[(unsigned char)b[i]]--;
    }
    for (size_t i = 0; i < 256; i++)
        if (counts[i] != 0)
            return false;
    return memmem(a, first, " TO ", 4) && !memmem(a, first, " USING (", 8) &&
           !memmem(a, first, " WITH CHECK (", 13) && memmem(a + first, last - first, ", ", 2) &&
           !memmem(a + first, last - first, " USING (", 8);
}

/* A text that is left of what stands in parentheses or casts something: where it is, and whether it ends. */
static char next_but_casts(const char **at, const char *end)
{
    for (;;) {
        while (*at < end && strchr("() ", **at) != NULL)
            ++*at;
        if (end - *at < 2 || (*at)[0] != ':' || (*at)[1] != ':')
            return *at < end ? *(*at)++ : '\0';
        for (*at += 2; *at < end && (isalnum((unsigned char)**at) || strchr(" _.[]\"", **at) != NULL);)
            ++*at;
    }
}

/* (ARRAY['a'::varchar])::text[] comes back as ARRAY[('a'::varchar)::text]: a check "IN ('a', 'b')" is written
 * in another way once it was read. Such lines may differ in casts and parentheses. */
static bool is_same_array(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const char *a_end = a + a_size, *b_end = b + b_size;

    if (!memmem(a, a_size, "ARRAY[", 6) || !memmem(b, b_size, "ARRAY[", 6))
        return false;
    for (;;) {
        char left = next_but_casts(&a, a_end), right = next_but_casts(&b, b_end);
        if (left != right)
            return false;
        if (left == '\0')
            return true;
    }
}

static char *first_difference(const char *expected, const char *found)
{
    size_t line = 1;

    for (;;) {
        size_t left = strcspn(expected, "\n"), right = strcspn(found, "\n");

        if ((left != right ||
             (strncmp(expected, found, left) != 0 && !is_same_policy(expected, found, left))) &&
            !is_same_array(expected, left, found, right))
            return text_format("line %zu: \"%.*s\" instead of \"%.*s\"", line,
                               (int)(right < LINE_MAX_ ? right : LINE_MAX_), found,
                               (int)(left < LINE_MAX_ ? left : LINE_MAX_), expected);
        if (!expected[left] && !found[right])
            return NULL;
        expected += left + (expected[left] != '\0');
        found += right + (found[right] != '\0');
        line++;
    }
}

char *restore_test_difference(const char *expected, const char *found)
{
    OWNED char *plain = first_difference(expected, found), *left = NULL, *right = NULL;

    if (!plain)
        return NULL;
    left = column_order_forget(expected);
    right = column_order_forget(found);
    return first_difference(left, right);
}

static bool dump_copy(const struct test *test, const struct pgrestore *programs, const char *path,
                      struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(text_list_clear) struct text_list environment = {0};
    OWNED char *program = file_join(programs->folder, "pg_dump");
    OWNED char *file = text_format("--file=%s", path);
    /* As the backup was made: names in UTF-8, whatever the database sets for its clients. */
    bool raw = text_equal(test->manifest->encoding, "SQL_ASCII");
    const char *const argv[] = {program,
                                "--format=custom",
                                "--section=pre-data",
                                "--section=post-data",
                                "--no-password",
                                raw ? "--encoding=SQL_ASCII" : "--encoding=UTF8",
                                file,
                                NULL};

    postgres_environment(test->server, DATABASE, "-c lc_monetary=C", &environment);
    text_list_add(&environment, NULL);
    return process_check(
        &(struct process_request){.argv = argv, .environment = (const char *const *)environment.items},
        &result, error);
}

static bool write_scripts(const struct test *test, const struct pgrestore *programs, char **ret_expected,
                          char **ret_found, struct error *error)
{
    const struct manifest_member *member = manifest_member(test->manifest, "schema.dump");
    OWNED char *expected = file_join(test->cluster.folder, "expected.dump"),
               *found = file_join(test->cluster.folder, "found.dump");
    struct pgrestore_job job = {.no_subscriptions = true, .no_tablespaces = true};

    if (!member)
        return error_set(error, ERROR_BACKUP, "the backup has no member \"schema.dump\"");
    if (!member_extract(test->archive, member, expected, error) || !dump_copy(test, programs, found, error))
        return false;
    job.archive = expected;
    if (!pgrestore_script(programs, &job, ret_expected, error))
        return false;
    job.archive = found;
    return pgrestore_script(programs, &job, ret_found, error);
}

/* Another version of pg_dump, or of the server, writes the same things differently. */
static bool compare_schema(const struct test *test, struct restore_test_result *result, struct error *error)
{
    AUTO(pgrestore_clear) struct pgrestore programs = {0};
    OWNED char *expected = NULL, *found = NULL, *difference = NULL;
    int major = postgres_server_version(test->server) / 10000;
    int made_by = (int)strtol(test->manifest->pg_dump_version, NULL, 10);

    if (!pgrestore_choose(made_by, major, &programs, error))
        return false;
    if (test->manifest->server_version_number / 10000 != major || programs.major != made_by) {
        text_list_add(&result->notes,
                      text_format("The schema was not compared: the backup is of PostgreSQL %s, the test's "
                                  "server is %d, and each version writes it in its own way.",
                                  test->manifest->server_version, major));
        return true;
    }
    if (!write_scripts(test, &programs, &expected, &found, error))
        return false;
    difference = restore_test_difference(expected, found);
    if (!difference)
        return true;
    error_set(error, ERROR_BACKUP, "the restored schema differs from the backup's");
    return error_detail(error, "pg_dump of the restored copy, %s.", difference);
}

/* ---- all of it ---- */

static bool restore(struct test *test, const struct restore_listener *listener,
                    struct restore_test_result *result, struct error *error)
{
    AUTO(restore_result_clear) struct restore_result restored = {0};
    struct restore_options options = {
        .to = DATABASE, .jobs = test->jobs, .create_missing_roles = true, .no_subscriptions = true};

    if (!restore_run(test->server, test->path, test->record, &options, listener, &restored, error)) {
        result->damaged = restored.damaged;
        if (error->code == ERROR_PARTIAL || error->code == ERROR_FAILED) /* the cluster goes away */
            error->code = restored.wants_search_path ? ERROR_FAILED : ERROR_BACKUP;
        return false;
    }
    result->tables = restored.tables;
    result->rows = restored.rows;
    result->milliseconds = restored.milliseconds;
    return true;
}

bool restore_test_run(const char *archive_path, const struct record *record, int jobs,
                      const struct restore_listener *listener, struct restore_test_result *ret,
                      struct error *error)
{
    AUTO(test_clear) struct test test = {.path = archive_path, .record = record, .jobs = jobs};

    return open_archive(&test, error) && start(&test, error) && restore(&test, listener, ret, error) &&
           compare_schema(&test, ret, error);
}
