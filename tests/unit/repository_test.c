/* SPDX-License-Identifier: PostgreSQL */
#include "common/store.h"
#include "sql.h"
#include "tests/unit/backup_scene.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct repository *open_repository(void)
{
    AUTO(error_clear) struct error error = {0};
    struct repository *repository = NULL;

    scene_must(repository_open("backups", true, &repository, &error), &error);
    return repository;
}

static void take_backup(struct repository *repository, const struct scene_backup *backup)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *part = repository_part_path(repository, backup->id);
    AUTO(record_free) struct record *record = scene_archive(part, backup, NULL);

    scene_must(repository_commit(repository, record, &error), &error);
}

#define FIRST  "20261101T000000Z-shop-000001"
#define SECOND "20261102T000000Z-shop-000002"
#define OTHER  "20261103T000000Z-other-000003"

/* Two of "shop", one of "other". The clock went back between the two: the older id was taken later. */
static struct repository *with_three(void)
{
    struct repository *repository = open_repository();

    take_backup(repository, &(struct scene_backup){.id = FIRST,
                                                   .taken_at = "2026-11-01T00:00:00Z",
                                                   .migrations = "001_first 041_x 042a_y"});
    take_backup(repository, &(struct scene_backup){.id = SECOND,
                                                   .taken_at = "2026-11-02T00:00:00Z",
                                                   .migrations = "001_first 041_x 042_orders"});
    take_backup(repository,
                &(struct scene_backup){
                    .id = OTHER, .database = "other", .taken_at = "2026-10-03T00:00:00Z", .migrations = ""});
    return repository;
}

static char *listed(struct repository *repository, char **ret_problems)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(records_clear) struct records records = {0};
    AUTO(text_list_clear) struct text_list ids = {0}, problems = {0};

    scene_must(repository_list(repository, &records, &problems, &error), &error);
    for (size_t i = 0; i < records.count; i++)
        text_list_add(&ids, text_copy(records.items[i]->id));
    if (ret_problems)
        *ret_problems = text_list_join(&problems, "\n");
    return text_list_join(&ids, " ");
}

static void backups_are_listed_by_the_time_of_their_snapshot(void **state)
{
    (void)state;
    AUTO(repository_free) struct repository *repository = with_three();
    OWNED char *problems = NULL;
    OWNED char *ids = listed(repository, &problems);
    struct stat status;

    assert_string_equal(ids, SECOND " " FIRST " " OTHER);
    assert_string_equal(problems, "");
    assert_int_equal(stat("backups", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat("backups/" FIRST ".json", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(stat("backups/" FIRST ".tar.sha256", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_false(file_exists("backups/" FIRST ".tar.part"));
}

static void a_missing_folder_is_an_empty_repository(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;

    scene_must(repository_open("nowhere", false, &repository, &error), &error);
    OWNED char *ids = listed(repository, NULL);
    assert_string_equal(ids, "");
    assert_false(repository_find(repository, "latest", "shop", &record, &archive, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_string_equal(error.message, "there is no backup of database \"shop\"");
    assert_false(file_exists("nowhere"));
}

static void damage(const char *path, long place, const char *bytes)
{
    FILE *file = fopen(path, "r+");

    assert_non_null(file);
    assert_int_equal(fseek(file, place, place < 0 ? SEEK_END : SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
    assert_int_equal(fclose(file), 0);
}

static void what_is_not_whole_is_told_and_not_listed(void **state)
{
    (void)state;
    static const struct {
        const char *expected;
        int how;
    } damages[] = {
        {"could not open", 0},      {"its archive has ", 1},      {"is not a whole backup archive", 2},
        {"it is the record of", 3}, {"the record is damaged", 4}, {"the record is damaged", 5},
    };

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(repository_free) struct repository *repository = with_three();
        OWNED char *problems = NULL;
        switch (damages[i].how) {
        case 0:
            assert_int_equal(unlink("backups/" FIRST ".tar"), 0);
            break;
        case 1: { /* another whole archive of another size */
            AUTO(record_free) struct record *other = NULL;
            unlink("backups/" FIRST ".tar");
            other = scene_archive("backups/" FIRST ".tar",
                                  &(struct scene_backup){.migrations = "1 2 3 4 5 6 7 8 9 10"}, NULL);
            break;
        }
        case 2:
            assert_int_equal(truncate("backups/" FIRST ".tar", 5000), 0);
            break;
        case 3:
            assert_int_equal(rename("backups/" SECOND ".json", "backups/" FIRST ".json"), 0);
            assert_int_equal(rename("backups/" OTHER ".json", "backups/" SECOND ".json"), 0);
            break;
        case 4:
            damage("backups/" FIRST ".json", 0, "[");
            break;
        case 5:
            assert_int_equal(truncate("backups/" FIRST ".json", 0), 0);
            break;
        }
        OWNED char *ids = listed(repository, &problems);
        assert_null(strstr(ids, FIRST));
        if (!strstr(problems, damages[i].expected) || !text_starts_with(problems, FIRST ".json: "))
            fail_msg("%zu: %s", i, problems);
        scene_must(file_remove_tree("backups", &error), &error);
    }
}

/* ---- the catalog ---- */

static void the_catalog_answers_what_the_records_say(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(store_close) struct store *store = NULL;
    AUTO(store_rows_free) struct store_rows *rows = NULL;
    const char *const scripts[] = {sql_store_catalog_create, NULL};
    OWNED char *first = listed(repository, NULL), *second = listed(repository, NULL);

    assert_string_equal(first, second);
    scene_must(store_open("backups/catalog.sqlite", scripts, &store, &error), &error);
    scene_must(store_run(store, "SELECT id FROM record ORDER BY taken_at", 0, NULL, &rows, &error), &error);
    assert_int_equal(store_rows_count(rows), 3);
    assert_string_equal(store_rows_text(rows, 0, "id"), OTHER);
}

static void a_damaged_or_forged_catalog_hides_and_invents_nothing(void **state)
{
    (void)state;
    static const char *const forgeries[] = {
        "UPDATE record SET content = '{}'",
        "UPDATE record SET content = replace(content, 'shop', 'sale')",
        "DELETE FROM record",
        "DROP TABLE record",
        "INSERT INTO record SELECT '20270101T000000Z-shop-00000a.json', stamp, id, database, taken_at, "
        "bytes, "
        "content FROM record WHERE id LIKE '%1'",
        NULL, /* no SQLite at all */
    };

    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(repository_free) struct repository *repository = with_three();
        OWNED char *before = listed(repository, NULL), *problems = NULL;
        if (forgeries[i]) {
            AUTO(store_close) struct store *store = NULL;
            const char *const scripts[] = {sql_store_catalog_create, NULL};
            scene_must(store_open("backups/catalog.sqlite", scripts, &store, &error), &error);
            scene_must(store_run(store, forgeries[i], 0, NULL, NULL, &error), &error);
        } else {
            damage("backups/catalog.sqlite", 0, "this is no catalog at all");
        }
        OWNED char *after = listed(repository, &problems), *again = listed(repository, NULL);
        assert_string_equal(before, after);
        assert_string_equal(before, again);
        assert_string_equal(problems, "");
        size_t count;
        scene_must(repository_reindex(repository, &count, &error), &error);
        assert_int_equal(count, 3);
        scene_must(file_remove_tree("backups", &error), &error);
    }
}

/* ---- finding ---- */

static void assert_found(struct repository *repository, const char *word, const char *database,
                         const char *expected)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;
    OWNED char *expected_archive = text_format("backups/%s.tar", expected);

    scene_must(repository_find(repository, word, database, &record, &archive, &error), &error);
    assert_string_equal(record->id, expected);
    assert_string_equal(archive, expected_archive);
}

static void a_backup_is_found_by_what_users_call_it(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;

    assert_found(repository, FIRST, NULL, FIRST);
    assert_found(repository, "20261102", NULL, SECOND);
    assert_found(repository, "latest", NULL, SECOND);
    assert_found(repository, "latest", "other", OTHER);
    assert_found(repository, "backups/" FIRST ".tar", "other", FIRST);

    assert_false(repository_find(repository, "202611", NULL, &record, &archive, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_string_equal(error.message, "\"202611\" is the beginning of more than one backup's id");
    assert_false(
        repository_find(repository, "20261101T000000Z-shop-000011", NULL, &record, &archive, &error));
    assert_string_equal(error.hint, "Did you mean \"" FIRST "\"?");
    assert_false(repository_find(repository, "", NULL, &record, &archive, &error));
    assert_false(repository_find(repository, "./gone.tar", NULL, &record, &archive, &error));
    assert_string_equal(error.message, "there is no archive \"./gone.tar\"");
}

static void an_archive_may_come_without_its_record(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;

    assert_int_equal(rename("backups/" FIRST ".tar", "copy.tar"), 0);
    scene_must(repository_find(repository, "copy.tar", NULL, &record, &archive, &error), &error);
    assert_null(record);
    assert_string_equal(archive, "copy.tar");
}

static void assert_before(struct repository *repository, const char *version, const char *expected)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;
    bool known = false;
    bool found = repository_find_before(repository, version, "shop", &record, &archive, &known, &error);

    if (!expected) {
        assert_false(found);
        assert_int_equal(error.code, ERROR_BACKUP);
        return;
    }
    scene_must(found, &error);
    assert_string_equal(record->id, expected);
}

static void a_backup_from_before_a_migration_is_found(void **state)
{
    (void)state;
    AUTO(repository_free) struct repository *repository = with_three();

    assert_before(repository, "042_orders", FIRST);
    assert_before(repository, "042", FIRST);
    assert_before(repository, "42", FIRST);
    assert_before(repository, "42a", NULL); /* the newer one was taken after it was rolled back */
    assert_before(repository, "043_next", SECOND);
    assert_before(repository, "042_others", SECOND); /* a stem means only itself */
    assert_before(repository, "41", NULL);
    assert_before(repository, "1", NULL);
}

static void a_backup_from_before_a_time_is_found(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;

    scene_must(repository_find_before_time(repository, "2026-11-02T01:00:00+02:00", "shop", &record, &archive,
                                           &error),
               &error);
    assert_string_equal(record->id, FIRST);
    record_free(take(record));
    free(take(archive));
    scene_must(
        repository_find_before_time(repository, "2026-11-02T00:00:00Z", "shop", &record, &archive, &error),
        &error);
    assert_string_equal(record->id, SECOND);
    record_free(take(record));
    free(take(archive));
    assert_false(
        repository_find_before_time(repository, "2026-10-31T00:00:00Z", "shop", &record, &archive, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_false(repository_find_before_time(repository, "yesterday", "shop", &record, &archive, &error));
    assert_int_equal(error.code, ERROR_USAGE);
}

static void this_servers_backups_come_first(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(record_free) struct record *own = NULL, *any = NULL, *named = NULL;
    OWNED char *a = NULL, *b = NULL, *c = NULL;

    take_backup(repository, &(struct scene_backup){.id = "20261105T000000Z-shop-000005",
                                                   .system_identifier = "4711",
                                                   .taken_at = "2026-11-05T00:00:00Z",
                                                   .migrations = ""});
    repository_prefer(repository, "4711");
    scene_must(repository_find(repository, "latest", "shop", &own, &a, &error), &error);
    assert_string_equal(own->id, "20261105T000000Z-shop-000005");
    assert_before(repository, "042_orders", "20261105T000000Z-shop-000005");
    /* What has a name is found all the same; and where there is none of its own, any will do. */
    scene_must(repository_find(repository, FIRST, "shop", &named, &b, &error), &error);
    repository_prefer(repository, "4712");
    scene_must(repository_find(repository, "latest", "other", &any, &c, &error), &error);
    assert_string_equal(any->id, OTHER);
}

static void a_backup_from_before_the_next_attempt_counts(void **state)
{
    (void)state;
    AUTO(repository_free) struct repository *repository = with_three();

    take_backup(repository, &(struct scene_backup){.id = "20261104T000000Z-shop-000004",
                                                   .taken_at = "2026-11-04T00:00:00Z",
                                                   .migrations = "001_first 041_x",
                                                   .before = "042_orders"});
    assert_before(repository, "042_orders", "20261104T000000Z-shop-000004");
    assert_before(repository, "041_x", NULL);
}

/* ---- changing ---- */

static void a_second_writer_is_told_who_holds_the_lock(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = open_repository();
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        AUTO(repository_free) struct repository *other = open_repository();
        bool mine = repository_lock(other, 0, "backup create", &error);
        (void)!write(ready[1], mine ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_false(repository_lock(repository, 0, "backup prune", &error));
    assert_int_equal(error.code, ERROR_LOCKED);
    OWNED char *expected = text_format("Process %d (backup create) holds its lock.", (int)child);
    assert_string_equal(error.detail, expected);
    kill(child, SIGKILL); /* the lock dies with its process */
    waitpid(child, NULL, 0);
    scene_must(repository_lock(repository, 5000, "backup prune", &error), &error);
}

static void an_archive_that_is_not_the_records_is_not_committed(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = open_repository();
    OWNED char *part = repository_part_path(repository, FIRST);
    AUTO(record_free) struct record *record = scene_archive(part, &(struct scene_backup){.id = FIRST}, NULL);

    record->rows++;
    assert_false(repository_commit(repository, record, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    AUTO(text_list_clear) struct text_list left = {0};
    assert_true(file_list("backups", &left, &error));
    assert_int_equal(left.count, 0);
}

static void marks_of_two_commands_do_not_undo_each_other(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(record_free) struct record *verified = NULL, *kept = NULL, *now = NULL;
    OWNED char *a = NULL, *b = NULL, *c = NULL;

    scene_must(repository_find(repository, FIRST, NULL, &verified, &a, &error), &error);
    scene_must(repository_find(repository, FIRST, NULL, &kept, &b, &error), &error);
    kept->kept = true;
    kept->kept_reason = text_copy("audit");
    scene_must(repository_mark(repository, kept, MARK_KEPT, &error), &error);
    verified->verified_at = text_copy("2026-11-05T00:00:00.000000Z");
    verified->verified_how = text_copy("digest");
    scene_must(repository_mark(repository, verified, MARK_VERIFIED, &error), &error);
    scene_must(repository_find(repository, FIRST, NULL, &now, &c, &error), &error);
    assert_true(now->kept);
    assert_string_equal(now->kept_reason, "audit");
    assert_string_equal(now->verified_how, "digest");

    scene_must(repository_remove(repository, now, &error), &error);
    assert_false(repository_mark(repository, now, MARK_KEPT, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_false(file_exists("backups/" FIRST ".json"));
}

static void one_in_use_is_not_removed(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(record_free) struct record *record = NULL;
    OWNED char *archive = NULL;
    int reader, second;

    scene_must(repository_find(repository, FIRST, NULL, &record, &archive, &error), &error);
    scene_must(repository_hold(archive, &reader, &error), &error);
    scene_must(repository_hold(archive, &second, &error), &error);
    close(second);
    assert_false(repository_remove(repository, record, &error));
    assert_int_equal(error.code, ERROR_LOCKED);
    OWNED char *ids = listed(repository, NULL);
    assert_non_null(strstr(ids, FIRST));
    close(reader);
    scene_must(repository_remove(repository, record, &error), &error);
    assert_false(file_exists("backups/" FIRST ".tar"));
    assert_false(file_exists("backups/" FIRST ".tar.sha256"));
    assert_false(repository_hold(archive, &reader, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
}

static void only_debris_of_ours_is_removed(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(text_list_clear) struct text_list found = {0}, removed = {0}, kept = {0}, left = {0};
    const char *const debris[] = {"20261104T000000Z-shop-000004.tar.part", "20261104T000000Z-shop-000005.tar",
                                  "20261104T000000Z-shop-000005.tar.sha256", FIRST ".json.123-0.tmp",
                                  FIRST ".schema.part"};
    const char *const others[] = {"notes.txt", "shop.tar", "20261104T000000Z-shop-00000x.tar", "a.tar.part"};
    int64_t bytes;

    for (size_t i = 0; i < sizeof debris / sizeof *debris; i++) {
        OWNED char *path = file_join("backups", debris[i]);
        scene_must(file_write_new(path, "1234567", 7, 0600, &error), &error);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        OWNED char *path = file_join("backups", others[i]);
        scene_must(file_write_new(path, "1", 1, 0600, &error), &error);
    }
    /* An archive whose record cannot be read is no debris: it may be all there is. */
    damage("backups/" SECOND ".json", 0, "[");
    scene_must(repository_debris(repository, false, &found, &bytes, &kept, &error), &error);
    assert_int_equal(found.count, 5);
    assert_int_equal(bytes, 35);
    scene_must(repository_debris(repository, true, &removed, &bytes, &kept, &error), &error);
    assert_int_equal(removed.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_false(file_exists(removed.items[i]));
    assert_int_equal(kept.count, 0);
    assert_true(file_list("backups", &left, &error));
    assert_int_equal(left.count, 3 * 3 + 4);
}

static void a_failed_run_is_remembered_until_one_succeeds(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(repository_free) struct repository *repository = with_three();
    AUTO(records_clear) struct records records = {0};

    scene_must(repository_list(repository, &records, NULL, &error), &error);
    assert_null(repository_failure(repository, &records));
    repository_note_failure(repository, "20261001T000000Z-shop-000009", "shop",
                            "older than the last good one");
    assert_null(repository_failure(repository, &records));
    repository_note_failure(repository, "20261105T000000Z-shop-000010", "shop", "disk full");
    OWNED char *failure = repository_failure(repository, &records);
    assert_string_equal(failure,
                        "The last backup of database \"shop\" (20261105T000000Z-shop-000010) failed: "
                        "disk full.");
    assert_false(file_exists("backups/20261001T000000Z-shop-000009.failed"));
    take_backup(repository, &(struct scene_backup){.id = "20261106T000000Z-shop-000011",
                                                   .taken_at = "2026-11-06T00:00:00Z"});
    assert_null(repository_failure(repository, &records));
    /* This machine's clock is an hour behind the server's: the ids are of the one, the snapshot of the other.
     */
    AUTO(records_clear) struct records now = {0};
    take_backup(repository, &(struct scene_backup){.id = "20261106T230000Z-shop-000013",
                                                   .taken_at = "2026-11-07T00:00:00Z"});
    repository_note_failure(repository, "20261106T233000Z-shop-000014", "shop", "disk full");
    scene_must(repository_list(repository, &now, NULL, &error), &error);
    OWNED char *behind = repository_failure(repository, &now);
    assert_non_null(behind);
    scene_must(file_write_new("backups/20261107T000000Z-shop-000012.tar.part", "", 0, 0600, &error), &error);
    OWNED char *killed = repository_failure(repository, &records);
    assert_string_equal(killed, "The run 20261107T000000Z-shop-000012 ended without a result.");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        TEST(backups_are_listed_by_the_time_of_their_snapshot),
        TEST(a_missing_folder_is_an_empty_repository),
        TEST(what_is_not_whole_is_told_and_not_listed),
        TEST(the_catalog_answers_what_the_records_say),
        TEST(a_damaged_or_forged_catalog_hides_and_invents_nothing),
        TEST(a_backup_is_found_by_what_users_call_it),
        TEST(an_archive_may_come_without_its_record),
        TEST(a_backup_from_before_a_migration_is_found),
        TEST(a_backup_from_before_a_time_is_found),
        TEST(this_servers_backups_come_first),
        TEST(a_backup_from_before_the_next_attempt_counts),
        TEST(a_second_writer_is_told_who_holds_the_lock),
        TEST(an_archive_that_is_not_the_records_is_not_committed),
        TEST(marks_of_two_commands_do_not_undo_each_other),
        TEST(one_in_use_is_not_removed),
        TEST(only_debris_of_ours_is_removed),
        TEST(a_failed_run_is_remembered_until_one_succeeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
