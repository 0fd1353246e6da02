/* SPDX-License-Identifier: PostgreSQL */
/* A table of damages, in the manner of PostgreSQL's tests of pg_verifybackup. */
#include "backup/footer.h"
#include "backup/verify.h"
#include "tests/unit/backup_scene.h"

struct scene {
    struct record *record;
    struct manifest *manifest;
    char *bytes; /* of the good archive */
    size_t size;
};

static void scene_clear(struct scene *scene)
{
    record_free(scene->record);
    manifest_free(scene->manifest);
    free(scene->bytes);
}
CLEANUP_VALUE(struct scene, scene_clear)

static struct scene make_scene(void)
{
    AUTO(error_clear) struct error error = {0};
    struct scene scene = {0};

    scene.record = scene_archive("x.tar", &(struct scene_backup){0}, &scene.manifest);
    scene_must(file_read("x.tar", &scene.bytes, &scene.size, &error), &error);
    return scene;
}

static void write_archive(const char *bytes, size_t size)
{
    AUTO(error_clear) struct error error = {0};

    scene_must(file_write_atomic("x.tar", bytes, size, 0600, &error), &error);
}

/* "member: problem" lines, sorted as they were found. */
static char *problems_of(const struct record *record, bool decode, int jobs)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(verify_result_clear) struct verify_result result = {0};
    AUTO(text_list_clear) struct text_list lines = {0};
    struct verify_options options = {.decode = decode, .jobs = jobs};

    scene_must(verify_run("x.tar", record, &options, &result, &error), &error);
    for (size_t i = 0; i < result.count; i++)
        text_list_add(&lines, text_format("%s: %s", result.problems[i].member, result.problems[i].problem));
    return text_list_join(&lines, "\n");
}

static void a_good_backup_has_no_problem(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();

    for (int jobs = 1; jobs <= 3; jobs++) {
        OWNED char *digests = problems_of(scene.record, false, jobs);
        OWNED char *decoded = problems_of(scene.record, true, jobs);
        assert_string_equal(digests, "");
        assert_string_equal(decoded, "");
    }
}

static void a_missing_record_is_a_problem(void **state)
{
    AUTO(scene_clear) struct scene scene = make_scene();
    OWNED char *problems = problems_of(NULL, true, 2);

    (void)state;
    (void)scene;

    assert_string_equal(problems, "record: is not beside the archive");
}

static void assert_named(const char *problems, const char *member, const char *what)
{
    OWNED char *first = text_format("%s: ", member), *later = text_format("\n%s: ", member);

    if (!text_starts_with(problems, first) && !strstr(problems, later))
        fail_msg("%s: \"%s\" is not named in:\n%s", what, member, problems);
}

/* Whose bytes these are: the member whose header, content or padding it is. */
static const char *owner(const struct scene *scene, int64_t offset)
{
    const struct manifest_member *nearest = NULL;

    if (offset >= (int64_t)scene->size - FOOTER_TAIL_SIZE)
        return ".footer";
    for (size_t i = 0; i < scene->manifest->member_count; i++) {
        const struct manifest_member *member = &scene->manifest->members[i];
        int64_t end = member->place.offset + member->place.size;
        if (offset < end + (-end & 511) && (!nearest || member->place.offset < nearest->place.offset))
            nearest = member;
    }
    return nearest ? nearest->name : "manifest.json";
}

static void a_flipped_bit_anywhere_names_the_member(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();

    for (size_t byte = 0; byte < scene.size; byte += byte % 512 < 20 ? 1 : 7) {
        OWNED char *what = text_format("byte %zu", byte);
        char before = scene.bytes[byte];
        scene.bytes[byte] = (char)(before ^ 1 << byte % 8);
        write_archive(scene.bytes, scene.size);
        OWNED char *problems = problems_of(scene.record, false, 1 + (int)(byte % 2));
        const char *name = owner(&scene, (int64_t)byte);
        /* The manifest's padding belongs to the file only; where manifest and footer contradict each other,
         * either may be the damaged one. */
        if (strcmp(name, "manifest.json") == 0 && before == '\0')
            name = "archive";
        else if (strcmp(name, FOOTER_NAME) == 0 &&
                 text_starts_with(problems, "manifest.json: the manifest of"))
            name = "manifest.json";
        assert_named(problems, name, what);
        scene.bytes[byte] = before;
    }
}

/* There is nothing to hash then, and nothing to compare with. */
static void a_damaged_manifest_is_named_without_a_record(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();
    char *text = memmem(scene.bytes, scene.size, "\"members\"", 9);

    assert_non_null(text);
    text[1] ^= 1;
    write_archive(scene.bytes, scene.size);
    OWNED char *problems = problems_of(NULL, true, 2);
    assert_named(problems, "manifest.json", "a damaged manifest");
}

static void every_truncation_is_named(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();

    for (size_t size = 0; size < scene.size; size += 97) {
        write_archive(scene.bytes, size);
        OWNED char *problems = problems_of(scene.record, true, 2);
        assert_named(problems, "archive", "truncation");
    }
}

static void appended_bytes_are_named(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();
    OWNED char *longer = memory_allocate(scene.size + 10240, 1);

    memcpy(longer, scene.bytes, scene.size);
    write_archive(longer, scene.size + 10240);
    OWNED char *zeros = problems_of(scene.record, false, 2);
    assert_named(zeros, "archive", "zeros");
    write_archive(longer, scene.size + 1);
    OWNED char *one = problems_of(scene.record, false, 2);
    assert_named(one, "archive", "one byte");
}

/* ---- an archive that was written anew, its footer and the record's size and digest with it ---- */

struct forgery {
    const char *name;     /* for messages */
    const char *expected; /* the member that must be named */
    bool decode;          /* only --decode finds it */
    void (*forge)(struct manifest *manifest);
};

static void rows_of_table(struct manifest *manifest)
{
    manifest->tables[2].fingerprint.rows++;
}
static void fingerprint_of_table(struct manifest *manifest)
{
    manifest->tables[0].fingerprint.sum ^= 1;
}
static void bytes_of_table(struct manifest *manifest)
{
    manifest->tables[0].fingerprint.bytes++;
}
static void rows_of_parts(struct manifest *manifest)
{
    manifest->members[3].rows--;
    manifest->members[4].rows++;
}
static void raw_sizes(struct manifest *manifest)
{
    manifest->members[3].raw_size--;
    manifest->members[4].raw_size++;
}
static void digest_of_member(struct manifest *manifest)
{
    digest_sha256("x", 1, manifest->members[1].place.sha256);
}
static void place_of_member(struct manifest *manifest)
{
    manifest->members[1].place.size--;
    manifest->members[1].raw_size--;
    manifest->members[0].raw_size++;
}
static void swapped_members(struct manifest *manifest)
{
    struct archive_place place = manifest->members[0].place;
    manifest->members[0].place = manifest->members[1].place;
    manifest->members[1].place = place;
}
static void removed_member(struct manifest *manifest)
{
    free(manifest->members[1].name);
    manifest->members[0].raw_size += manifest->members[1].raw_size;
    memmove(&manifest->members[1], &manifest->members[2], 4 * sizeof *manifest->members);
    manifest->member_count--;
    manifest->tables[0].chunks[0].first_member--;
    manifest->tables[0].chunks[1].first_member--;
}
static void added_member(struct manifest *manifest)
{
    struct manifest_member *member = scene_next_member(manifest, "globals.sql");
    /* where the manifest itself is */
    member->place = (struct archive_place){.offset = manifest->members[5].place.offset + 1024};
    digest_sha256("", 0, member->place.sha256);
}
static void migrations(struct manifest *manifest)
{
    free(manifest->migrations[0].version);
    manifest->migrations[0].version = text_copy("009_other");
}

static const struct forgery forgeries[] = {
    {"rows of a table", "record", false, rows_of_table},
    {"digest of a member", "schema.dump", false, digest_of_member},
    {"size of a member", "schema.dump", false, place_of_member},
    {"swapped members", "README.txt", false, swapped_members},
    {"swapped members", "schema.dump", false, swapped_members},
    {"removed member", "schema.dump", false, removed_member},
    {"added member", "globals.sql", false, added_member},
    {"migrations", "record", false, migrations},
    {"fingerprint of a table", "manifest.json", true, fingerprint_of_table},
    {"bytes of a table", "manifest.json", true, bytes_of_table},
    {"rows of parts", "tables/000001/0001.000001.zst", true, rows_of_parts},
    {"rows of parts", "tables/000001/0001.000002.zst", true, rows_of_parts},
    {"raw sizes", "tables/000001/0001.000001.zst", true, raw_sizes},
};

/* The same members, then this manifest, then a footer that belongs to it. */
static void rewrite(const struct scene *scene, struct manifest *manifest, struct record *record)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = NULL;
    size_t size;
    OWNED char *text = manifest_write(manifest, &size);

    unlink("x.tar");
    scene_must(archive_writer_open("x.tar", 1795404069, &writer, &error), &error);
    for (size_t i = 0; i < scene->manifest->member_count; i++) {
        const struct manifest_member *member = &scene->manifest->members[i];
        struct archive_place place;
        scene_must(archive_writer_add(writer, member->name, scene->bytes + member->place.offset,
                                      (size_t)member->place.size, &place, &error),
                   &error);
        assert_int_equal(place.offset, member->place.offset);
    }
    scene_must(archive_writer_finish(writer, text, size, &record->whole, &error), &error);
}

static void a_forged_manifest_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        AUTO(scene_clear) struct scene scene = make_scene();
        AUTO(scene_clear) struct scene other = {0};
        assert_int_equal(unlink("x.tar"), 0);
        other = make_scene();
        forgeries[i].forge(other.manifest);
        rewrite(&scene, other.manifest, other.record);
        OWNED char *digests = problems_of(other.record, false, 1);
        OWNED char *decoded = problems_of(other.record, true, 2);
        assert_named(decoded, forgeries[i].expected, forgeries[i].name);
        if (forgeries[i].decode)
            assert_string_equal(digests, "");
        else
            assert_named(digests, forgeries[i].expected, forgeries[i].name);
        assert_int_equal(unlink("x.tar"), 0);
    }
}

static void an_unlisted_member_is_named(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(scene_clear) struct scene scene = make_scene();
    AUTO(archive_writer_free) struct archive_writer *writer = NULL;
    struct archive_place place;
    size_t size;
    OWNED char *text = manifest_write(scene.manifest, &size);

    unlink("x.tar");
    scene_must(archive_writer_open("x.tar", 1795404069, &writer, &error), &error);
    for (size_t i = 0; i < scene.manifest->member_count; i++) {
        const struct manifest_member *member = &scene.manifest->members[i];
        scene_must(archive_writer_add(writer, member->name, scene.bytes + member->place.offset,
                                      (size_t)member->place.size, &place, &error),
                   &error);
    }
    scene_must(archive_writer_add(writer, "restore.sh", "rm -rf /\n", 9, &place, &error), &error);
    scene_must(archive_writer_finish(writer, text, size, &scene.record->whole, &error), &error);
    OWNED char *problems = problems_of(scene.record, false, 2);
    assert_named(problems, "restore.sh", "unlisted member");
}

/* What of the record proves the bytes: the outline's digest, or where it has none the archive's, which
 * --decode looks at in any case. */
static void either_digest_of_the_record_must_hold(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();
    struct archive_whole *whole = &scene.record->whole;
    const struct archive_whole good = *whole;

    digest_sha256("x", 1, whole->outline_sha256);
    OWNED char *outline = problems_of(scene.record, false, 2);
    assert_named(outline, "archive", "outline");
    *whole->outline_sha256 = '\0';
    OWNED char *none = problems_of(scene.record, false, 2);
    assert_string_equal(none, "");
    digest_sha256("x", 1, whole->sha256);
    OWNED char *old = problems_of(scene.record, false, 2);
    assert_named(old, "archive", "digest of a record without an outline");
    memcpy(whole->outline_sha256, good.outline_sha256, sizeof good.outline_sha256);
    OWNED char *decoded = problems_of(scene.record, true, 2);
    assert_named(decoded, "archive", "digest with --decode");
}

static void another_backups_record_or_sidecar_is_named(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(scene_clear) struct scene scene = make_scene();
    AUTO(record_free)
    struct record *other =
        scene_archive("y.tar", &(struct scene_backup){.id = "20261124T000000Z-shop-000001"}, NULL);

    OWNED char *problems = problems_of(other, false, 2);
    assert_named(problems, "record", "another record");
    assert_named(problems, "archive", "another record");
    OWNED char *line = text_format("%s  %s\n", other->whole.sha256, scene.record->archive);
    scene_must(file_write_new("x.tar.sha256", line, strlen(line), 0600, &error), &error);
    OWNED char *sidecar = problems_of(scene.record, false, 2);
    assert_string_equal(sidecar, "x.tar.sha256: is not the digest of the record");
}

static void all_problems_are_told(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();

    for (size_t i = 0; i < scene.manifest->member_count; i++)
        scene.bytes[scene.manifest->members[i].place.offset] ^= 1;
    write_archive(scene.bytes, scene.size);
    OWNED char *problems = problems_of(scene.record, true, 2);
    for (size_t i = 0; i < scene.manifest->member_count; i++)
        assert_named(problems, scene.manifest->members[i].name, "all");
    assert_named(problems, "archive", "all");
}

static void without_a_record_damage_is_still_found(void **state)
{
    (void)state;
    AUTO(scene_clear) struct scene scene = make_scene();

    for (size_t byte = 0; byte < scene.size - FOOTER_TAIL_SIZE; byte += 5) {
        const char *name = owner(&scene, (int64_t)byte);
        if (strcmp(name, "manifest.json") == 0)
            break; /* its padding is nobody's */
        scene.bytes[byte] = (char)(scene.bytes[byte] ^ 1);
        write_archive(scene.bytes, scene.size);
        OWNED char *problems = problems_of(NULL, false, 1);
        assert_named(problems, name, "without a record");
        scene.bytes[byte] = (char)(scene.bytes[byte] ^ 1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        TEST(a_good_backup_has_no_problem),
        TEST(a_missing_record_is_a_problem),
        TEST(a_flipped_bit_anywhere_names_the_member),
        TEST(a_damaged_manifest_is_named_without_a_record),
        TEST(every_truncation_is_named),
        TEST(appended_bytes_are_named),
        TEST(a_forged_manifest_is_found),
        TEST(an_unlisted_member_is_named),
        TEST(either_digest_of_the_record_must_hold),
        TEST(another_backups_record_or_sidecar_is_named),
        TEST(all_problems_are_told),
        TEST(without_a_record_damage_is_still_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
