/* SPDX-License-Identifier: PostgreSQL */
#include "tests/unit/backup_scene.h"

/* The text of the scene's manifest, and its archive's size. */
static char *written(int64_t *ret_archive)
{
    AUTO(manifest_free) struct manifest *manifest = NULL;
    AUTO(record_free)
    struct record *record = scene_archive("x.tar", &(struct scene_backup){.tag = "before 3"}, &manifest);
    size_t size;

    *ret_archive = record->whole.bytes;
    return manifest_write(manifest, &size);
}

static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    if (!at)
        fail_msg("there is no %s in %s", from, text);
    return text_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = NULL;
    int64_t archive;
    OWNED char *text = written(&archive);
    size_t size = 0;

    scene_must(manifest_read(text, strlen(text), archive, &manifest, &error), &error);
    OWNED char *again = manifest_write(manifest, &size);
    assert_string_equal(again, text);
    assert_int_equal(size, strlen(text));
    assert_string_equal(manifest->tag, "before 3");
    assert_int_equal(manifest->member_count, 6);
    assert_int_equal(manifest->table_count, 4);
    assert_int_equal(manifest_rows(manifest), 11);
    assert_int_equal(manifest_raw_bytes(manifest), 10 + 6 + 13 + 12 + 8 + 7);
    assert_string_equal(manifest_last_migration(manifest), "002_second");
    assert_int_equal(manifest->tables[0].chunks[0].members, 2);
    assert_int_equal(manifest->tables[3].source, TABLE_SKIPPED);
    assert_string_equal(manifest->tables[3].reason, "it is unlogged");
    assert_ptr_equal(manifest_table(manifest, "public", "small"), &manifest->tables[2]);
    assert_null(manifest_table(manifest, "other", "small"));
    assert_ptr_equal(manifest_member(manifest, "schema.dump"), &manifest->members[1]);
    assert_null(manifest_member(manifest, "schema"));
}

static void nothing_optional_needs_to_be_there(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = scene_manifest(&(struct scene_backup){.migrations = ""});
    AUTO(manifest_free) struct manifest *back = NULL;
    size_t size;

    free(take(manifest->lsn));
    free(take(manifest->snapshot));
    free(take(manifest->history_table));
    OWNED char *text = manifest_write(manifest, &size);
    scene_must(manifest_read(text, size, 4096, &back, &error), &error);
    assert_null(back->lsn);
    assert_null(back->tag);
    assert_null(back->history_table);
    assert_null(manifest_last_migration(back));
}

static void half_run_migrations_are_not_the_last_applied(void **state)
{
    (void)state;
    AUTO(manifest_free) struct manifest *manifest = scene_manifest(&(struct scene_backup){0});

    free(manifest->migrations[1].state);
    manifest->migrations[1].state = text_copy("running");
    assert_string_equal(manifest_last_migration(manifest), "001_first");
}

static void names_of_any_bytes_come_back(void **state)
{
    (void)state;
    const char *const names[] = {"caf\xe9",       "\xff",
                                 "a\"b\\c\n\x01", "ä€𝄞",
                                 "\xee\xbe\x80",  "\xee\xbf\xbf\xbf\xee",
                                 "\xee\xbf",      "x\xee\xbe\x80y\xee\xbf\x81\xffz",
                                 "\xc3",          ""};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(manifest_free) struct manifest *manifest = scene_manifest(&(struct scene_backup){0});
        AUTO(manifest_free) struct manifest *back = NULL;
        size_t size;
        free(manifest->database);
        manifest->database = text_copy(names[i]);
        text_list_add(&manifest->warnings, text_copy(names[i]));
        OWNED char *text = manifest_write(manifest, &size);
        assert_true(text_is_utf8(text, size, &size));
        scene_must(manifest_read(text, strlen(text), 4096, &back, &error), &error);
        assert_string_equal(back->database, names[i]);
        assert_string_equal(back->warnings.items[1], names[i]);
    }
}

static void a_newer_format_names_who_reads_it(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = NULL;
    const char *text = "{\"format\": 2, \"tool_version\": \"3.4.5\"}";

    assert_false(manifest_read(text, strlen(text), 4096, &manifest, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_string_equal(error.message, "the backup has format 2; this pgmigrate reads up to 1");
    assert_non_null(strstr(error.hint, "3.4.5"));
}

/* Each change of the good text, and words of the error it must give. */
static const struct {
    const char *from, *to, *expected;
} damages[] = {
    {"\"format\": 1", "\"format\": 0", "\"format\" is 0"},
    {"\"format\": 1", "\"format\": \"1\"", "\"format\" is not a whole number"},
    {"\"format\": 1", "\"format\": 1.5", "\"format\" is not a whole number"},
    {"\"format\": 1,", "", "\"format\" is missing"},
    {"{", "[", "line"},
    {"\"id\": \"20261123", "\"id\": \"../../20261123", "\"id\" is not a backup's id"},
    {"\"id\": \"20261123", "\"id\": 5, \"x\": \"", "\"id\" is not a text"},
    {"\"id\"", "\"database\"", "duplicate object key"},
    {"\"taken_at\": \"2026", "\"taken_at\": \"late 2026", "\"taken_at\" is not a time"},
    {"\"standby\": false", "\"standby\": 0", "\"standby\" is neither true nor false"},
    {"\"roles\": [", "\"roles\": [1,", "\"roles\" has an element that is not a text"},
    {"\"roles\": [", "\"roles\": 7, \"x\": [", "\"roles\" is not a list"},
    {"\"large_objects\": 0", "\"large_objects\": -1", "\"large_objects\" is -1"},
    {"\"large_objects\": 0", "\"large_objects\": 99999999999999999999", "too big integer"},
    {"\"large_objects\": 0", "\"large_objects\": 9223372036854775807", "\"large_objects\" is"},
    {"\"server_version_number\": 150020", "\"server_version_number\": 4294967296", "server_version_number"},
    {"\"extensions\": [", "\"extensions\": [3,", "\"extensions\" has an element that is not an object"},
    {"\"name\":\"plpgsql\"", "\"nom\":\"plpgsql\"", "\"extensions[0].name\" is missing"},
    {"\"version\":\"002_second\"", "\"version\":null", "\"migrations[1].version\" is missing"},
    /* members */
    {"\"name\":\"schema.dump\"", "\"name\":\"/etc/passwd\"", "\"members[1].name\" is no name"},
    {"\"name\":\"schema.dump\"", "\"name\":\"a/../../b\"", "\"members[1].name\" is no name"},
    {"\"name\":\"schema.dump\"", "\"name\":\"\"", "\"members[1].name\" is no name"},
    {"\"name\":\"schema.dump\"", "\"name\":\"manifest.json\"", "\"members[1].name\" is no name"},
    {"\"name\":\"schema.dump\"", "\"name\":\".footer\"", "\"members[1].name\" is no name"},
    {"\"name\":\"schema.dump\"", "\"name\":\"README.txt\"", "\"members\" have the name \"README.txt\" twice"},
    {"\"name\":\"schema.dump\"", "\"name\":\"a\\u0000b\"", "\\u0000 is not allowed"},
    {"\"offset\":1536", "\"offset\":512", "\"members\" overlap: \"README.txt\" and \"schema.dump\""},
    {"\"offset\":1536", "\"offset\":1024", "\"members\" overlap"},
    {"\"offset\":1536", "\"offset\":1537", "\"members[1].offset\" is no place"},
    {"\"offset\":1536", "\"offset\":-512", "\"members[1].offset\" is -512"},
    {"\"offset\":1536", "\"offset\":1073741824", "\"members[1].offset\" is 1073741824"},
    {"\"offset\":1536,\"size\":6", "\"offset\":1536,\"size\":-6", "\"members[1].size\" is -6"},
    {"\"offset\":1536,\"size\":6", "\"offset\":1536,\"size\":9007199254740992", "is no place in an archive"},
    {"\"offset\":1536,\"size\":6", "\"offset\":1536,\"size\":4000", "\"members\" overlap"},
    {"\"raw_size\":6", "\"raw_size\":-6", "\"members[1].raw_size\" is -6"},
    {"\"rows\":2,\"sha256\":\"", "\"rows\":2,\"sha256\":\"A", "\"members[3].sha256\" is not a SHA-256"},
    /* tables */
    {"\"source\":\"copy\"", "\"source\":\"dreams\"", "\"tables[0].source\" is \"dreams\""},
    {"\"source\":\"copy\"", "\"source\":\"dump\"", "\"tables[0].chunks\" are not of a table that was copied"},
    {"\"source\":\"copy\"", "\"source\":\"skipped\"", "\"tables[0].reason\" must be there"},
    {"\"reason\":\"it is unlogged\"", "\"reason\":null", "\"tables[3].reason\" must be there"},
    {"\"reason\":null", "\"reason\":\"why not\"", "\"tables[0].reason\" must be there"},
    {"\"fingerprint\":\"", "\"fingerprint\":\"0", "\"tables[0].fingerprint\" is not a fingerprint"},
    {"\"rows\":4", "\"rows\":5", "\"tables[0].rows\" is 5, of the chunks 4"},
    {"\"rows\":4", "\"rows\":-4", "\"tables[0].rows\" is -4"},
    {"\"bytes\":27", "\"bytes\":-27", "\"tables[0].bytes\" is -27"},
    {"\"name\":\"empty\"", "\"name\":\"orders\"", "\"tables\" have \"public.orders\" twice"},
    {"\"first_member\":3", "\"first_member\":4", "\"tables[0].chunks\" have 3 rows, their members 2"},
    {"\"first_member\":5", "\"first_member\":6", "\"tables[0].chunks\" name members that are not there"},
    {"\"first_member\":5", "\"first_member\":4", "which another chunk has"},
    {"\"first_member\":5", "\"first_member\":9007199254740992", "name members that are not there"},
    {"\"first_member\":5,\"members\":1", "\"first_member\":5,\"members\":9007199254740992", "not there"},
    {"\"first_member\":5,\"members\":1", "\"first_member\":5,\"members\":-1", "\"tables[0].members\" is -1"},
    {"\"members\":1,\"rows\":1", "\"members\":1,\"rows\":2", "have 2 rows, their members 1"},
};

static void every_damage_names_the_field(void **state)
{
    (void)state;
    int64_t archive;
    OWNED char *good = written(&archive);

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(manifest_free) struct manifest *manifest = NULL;
        OWNED char *bad = replaced(good, damages[i].from, damages[i].to);
        if (manifest_read(bad, strlen(bad), archive, &manifest, &error))
            fail_msg("%s passes for %s", damages[i].to, damages[i].from);
        assert_int_equal(error.code, ERROR_BACKUP);
        if (!strstr(error.message, damages[i].expected))
            fail_msg("%s: %s", damages[i].to, error.message);
    }
}

static void no_truncation_is_read(void **state)
{
    (void)state;
    int64_t archive;
    OWNED char *good = written(&archive);

    for (size_t size = 0; size < strlen(good) - 2; size++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(manifest_free) struct manifest *manifest = NULL;
        assert_false(manifest_read(good, size, archive, &manifest, &error));
        assert_int_equal(error.code, ERROR_BACKUP);
    }
}

static void sums_do_not_overflow(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = scene_manifest(&(struct scene_backup){0});
    AUTO(manifest_free) struct manifest *back = NULL;
    size_t size;

    for (int i = 0; i < 1100; i++) {
        OWNED char *name = text_format("%d", i);
        struct manifest_member *member = scene_next_member(manifest, name);
        member->place.offset = 512 + i * 1024;
        member->raw_size = (int64_t)1 << 53;
        digest_sha256("", 0, member->place.sha256);
    }
    OWNED char *text = manifest_write(manifest, &size);
    assert_false(manifest_read(text, size, 1 << 30, &back, &error));
    assert_non_null(strstr(error.message, "\"members\" have more raw bytes than can be"));
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = NULL;
    OWNED char *text = memory_allocate(3000000, 1);

    memset(text, '[', 3000000);
    assert_false(manifest_read(text, 3000000, 4096, &manifest, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    error_clear(&error);
    for (size_t i = 0; i + 5 < 3000000; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    assert_false(manifest_read(text, 2999995, 4096, &manifest, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(nothing_optional_needs_to_be_there),
        TEST(half_run_migrations_are_not_the_last_applied),
        TEST(names_of_any_bytes_come_back),
        TEST(a_newer_format_names_who_reads_it),
        TEST(every_damage_names_the_field),
        TEST(no_truncation_is_read),
        TEST(sums_do_not_overflow),
        TEST(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
