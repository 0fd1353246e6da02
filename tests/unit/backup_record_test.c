/* SPDX-License-Identifier: PostgreSQL */
#include "tests/unit/backup_scene.h"

static struct record *make_record(struct manifest **ret_manifest)
{
    return scene_archive("x.tar", &(struct scene_backup){.tag = "before 3"}, ret_manifest);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(record_free) struct record *record = make_record(NULL);
    AUTO(record_free) struct record *back = NULL;
    size_t size, again_size;

    record->kept = true;
    record->kept_reason = text_copy("the year's end");
    record->verified_at = text_copy("2026-11-24T00:00:00.000000Z");
    record->verified_how = text_copy("decode");
    record->tested_at = text_copy("2026-11-25T00:00:00.000000Z");
    record->tested_ms = 1234;
    OWNED char *text = record_write(record, &size);
    scene_must(record_read(text, size, &back, &error), &error);
    OWNED char *again = record_write(back, &again_size);
    assert_string_equal(text, again);
    assert_string_equal(back->archive, "20261123T032109Z-shop-7f3a9c.tar");
    assert_int_equal(back->rows, 11);
    assert_int_equal(back->skipped, 1);
    assert_int_equal(back->warnings, 1);
    assert_int_equal(back->migrations.count, 2);
    assert_string_equal(back->last_migration, "002_second");
    assert_true(back->kept);
    assert_int_equal(back->tested_ms, 1234);
}

static void a_record_matches_its_manifest(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = NULL;
    AUTO(record_free) struct record *record = make_record(&manifest);

    scene_must(record_matches(record, manifest, &error), &error);
}

static void replace(char **text, const char *value)
{
    free(*text);
    *text = text_copy(value);
}

/* One field at a time of what the manifest says too, forged with a digest of its own. */
static const char *forge(struct record *record, int field)
{
    switch (field) {
    case 0:
        return replace(&record->database, "other"), "database";
    case 1:
        return replace(&record->system_identifier, "1"), "system_identifier";
    case 2:
        return replace(&record->server_version, "16.1"), "server_version";
    case 3:
        return replace(&record->pg_dump_version, "16.1"), "pg_dump_version";
    case 4:
        return replace(&record->tool_version, "9"), "tool_version";
    case 5:
        return replace(&record->taken_at, "2026-11-24T03:21:09.123456Z"), "taken_at";
    case 6:
        return replace(&record->lsn, NULL), "lsn";
    case 7:
        return replace(&record->tag, "after 3"), "tag";
    case 8:
        return replace(&record->last_migration, "001_first"), "last_migration";
    case 9:
        return replace(&record->migrations.items[0], "000_zero"), "migrations";
    case 10:
        return record->raw_bytes++, "raw_bytes";
    case 11:
        return record->tables++, "tables";
    case 12:
        return record->rows--, "rows";
    case 13:
        return record->skipped = 0, "skipped";
    case 14:
        return record->warnings = 0, "warnings";
    case 15:
        replace(&record->id, "20261123T032109Z-shop-000000");
        return replace(&record->archive, "20261123T032109Z-shop-000000.tar"), "id";
    default:
        return NULL;
    }
}

static void every_forged_field_is_named(void **state)
{
    (void)state;
    const char *name = "";

    for (int field = 0; name; field++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(manifest_free) struct manifest *manifest = NULL;
        AUTO(record_free) struct record *record = make_record(&manifest);
        AUTO(record_free) struct record *back = NULL;
        size_t size;
        name = forge(record, field);
        OWNED char *text = record_write(record, &size);
        scene_must(record_read(text, size, &back, &error), &error);
        assert_true(record_matches(back, manifest, &error) == !name);
        if (name) {
            OWNED char *expected = text_format("record and manifest differ in \"%s\"", name);
            assert_int_equal(error.code, ERROR_BACKUP);
            assert_string_equal(error.message, expected);
        }
        assert_int_equal(unlink("x.tar"), 0);
    }
}

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    AUTO(record_free) struct record *record = make_record(NULL);
    size_t size;
    OWNED char *text = record_write(record, &size);

    for (size_t bit = 0; bit < size * 8; bit++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(record_free) struct record *back = NULL;
        char before = text[bit / 8];
        text[bit / 8] = (char)(before ^ 1 << bit % 8);
        /* White space between fields is the only thing that says nothing. */
        bool blank = before == ' ' || before == '\n';
        if (record_read(text, size, &back, &error) && !blank)
            fail_msg("bit %zu of byte %zu ('%c') passes", bit % 8, bit / 8, before);
        text[bit / 8] = before;
    }
}

static const struct {
    const char *from, *to, *expected;
} damages[] = {
    {"\"format\": 1", "\"format\": 2", "the record has format 2"},
    {"\"archive\": \"2026", "\"archive\": \"../2026", "\"archive\" is not \"2026"},
    {"\"id\": \"2026", "\"id\": \"/2026", "\"id\" is not a backup's id"},
    {"\"bytes\": ", "\"bytes\": -", "\"bytes\" is -"},
    {"\"sha256\": \"", "\"sha256\": \"x", "\"sha256\" is not a SHA-256"},
    {"\"jobs\": 2", "\"jobs\": 2.0", "\"jobs\" is not a whole number"},
    {"\"verified_how\": null", "\"verified_how\": \"by eye\"", "\"verified_how\" is \"by eye\""},
    {"\"tested_at\": null", "\"tested_at\": \"today\"", "\"tested_at\" is not a time"},
    {"\"kept\": false", "\"kept\": \"no\"", "\"kept\" is neither true nor false"},
    {"\"kept\": false", "\"kept\": true", "\"record_sha256\" is not the digest"},
    {"\"jobs\": 2", "\"jobs\": 3", "\"record_sha256\" is not the digest"},
    {"\"command\"", "\"database\"", "duplicate object key"},
};

static void every_damage_names_the_field(void **state)
{
    (void)state;
    AUTO(record_free) struct record *record = make_record(NULL);
    size_t size;
    OWNED char *good = record_write(record, &size);

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(record_free) struct record *back = NULL;
        const char *at = strstr(good, damages[i].from);
        assert_non_null(at);
        OWNED char *bad =
            text_format("%.*s%s%s", (int)(at - good), good, damages[i].to, at + strlen(damages[i].from));
        assert_false(record_read(bad, strlen(bad), &back, &error));
        assert_int_equal(error.code, ERROR_BACKUP);
        if (!strstr(error.message, damages[i].expected))
            fail_msg("%s: %s", damages[i].to, error.message);
    }
}

static void ids_sort_by_time_and_are_harmless(void **state)
{
    (void)state;
    OWNED char *id = record_new_id(1795404069, "shop"), *other = record_new_id(1795404069, "shop");
    OWNED char *strange = record_new_id(0, "../ö \"x\n*\\");
    OWNED char *longest = record_new_id(0, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg");

    assert_true(text_starts_with(id, "20261123T032109Z-shop-"));
    assert_int_equal(strlen(id), strlen("20261123T032109Z-shop-7f3a9c"));
    assert_string_not_equal(id, other);
    assert_true(record_id_is_valid(id));
    assert_true(record_id_is_valid(strange));
    assert_true(record_id_is_valid(longest));
    assert_true(text_starts_with(strange, "19700101T000000Z-"));
    const char *const bad[] = {"", "-x", "a/b", "a.b", "..", "a b", "ä", "a\nb"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(record_id_is_valid(bad[i]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),      TEST(a_record_matches_its_manifest),
        TEST(every_forged_field_is_named),  TEST(every_flipped_bit_is_found),
        TEST(every_damage_names_the_field), TEST(ids_sort_by_time_and_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
