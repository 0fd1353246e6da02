/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/folder.h"
#include "migrator/rule.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

/* One or two folders of files, removed with the test. */
struct scene {
    char *path;
    struct folder_options options;
    struct folder *folder;
    struct error error;
};

static void must(bool done, struct error *error)
{
    if (!done)
        fail_msg("%s", error->message);
}

static int scene_begin(void **state)
{
    struct scene *scene = memory_allocate(1, sizeof *scene);
    must(file_make_temporary("pgmigrate-folder", &scene->path, &scene->error), &scene->error);
    text_list_add(&scene->options.directories, text_copy(scene->path));
    scene->options.rollback_required = ROLLBACK_NO;
    *state = scene;
    return 0;
}

static int scene_end(void **state)
{
    struct scene *scene = *state;
    error_clear(&scene->error);
    must(file_remove_tree(scene->path, &scene->error), &scene->error);
    text_list_clear(&scene->options.directories);
    folder_free(scene->folder);
    free(scene->path);
    free(scene);
    return 0;
}

static void write_bytes(struct scene *scene, const char *name, const char *data, size_t size)
{
    OWNED char *path = file_join(scene->path, name);
    must(file_write_new(path, data, size, 0644, &scene->error), &scene->error);
}

static void write_file(struct scene *scene, const char *name, const char *text)
{
    write_bytes(scene, name, text, strlen(text));
}

/* A folder inside the first, read after it. */
static void second_folder(struct scene *scene, const char *name)
{
    OWNED char *path = file_join(scene->path, name);
    must(file_make_folder(path, 0755, &scene->error), &scene->error);
    text_list_add(&scene->options.directories, text_copy(path));
}

static void reads(struct scene *scene)
{
    if (!folder_read(&scene->options, &scene->folder, &scene->error))
        fail_msg("%s: %s", scene->error.file, scene->error.message);
}

static void fails(struct scene *scene, const char *file, const char *message)
{
    assert_false(folder_read(&scene->options, &scene->folder, &scene->error));
    assert_int_equal(scene->error.code, ERROR_USAGE);
    if (!strstr(scene->error.message, message))
        fail_msg("unexpected message: %s", scene->error.message);
    assert_true(text_ends_with(scene->error.file, file));
}

static const struct finding *found(const struct scene *scene, const char *rule)
{
    for (size_t i = 0; i < scene->folder->findings.count; i++)
        if (text_equal(scene->folder->findings.items[i].rule, rule))
            return &scene->folder->findings.items[i];
    fail_msg("no finding of rule %s", rule);
    return NULL;
}

static void order_is(const struct scene *scene, const char *expected)
{
    struct text_list stems = {0};
    for (size_t i = 0; i < scene->folder->count; i++)
        text_list_add(&stems, text_copy(scene->folder->items[i]->version.stem));
    OWNED char *order = text_list_join(&stems, " ");
    text_list_clear(&stems);
    assert_string_equal(order, expected);
}

static void files_come_in_the_order_of_their_numbers(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "10_a.sql", "SELECT 1;");
    write_file(scene, "9_b.sql", "SELECT 1;");
    write_file(scene, "025a_d.sql", "SELECT 1;");
    write_file(scene, "025_z.sql", "SELECT 1;");
    write_file(scene, "README.md", "not SQL");
    reads(scene);
    order_is(scene, "9_b 10_a 025_z 025a_d");
}

static void rollback_and_verify_join_their_forward_file(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "-- pgmigrate: lock_timeout=1s\nSELECT 1;");
    write_file(scene, "1_a_rollback.sql", "-- pgmigrate: no-transaction\nSELECT 2;");
    write_file(scene, "1_a_verify.sql", "SELECT 3;");
    write_file(scene, "2_b.sql", "SELECT 4;");
    reads(scene);
    order_is(scene, "1_a 2_b");
    const struct migration *a = folder_stem(scene->folder, "1_a");
    assert_true(migration_has_rollback(a) && migration_has_verify(a));
    assert_string_equal(a->rollback.text, "-- pgmigrate: no-transaction\nSELECT 2;");
    assert_string_equal(a->verify.text, "SELECT 3;");
    assert_int_equal(a->directives.lock_timeout_ms, 1000);
    assert_false(a->directives.no_transaction);
    assert_true(a->rollback_directives.no_transaction);
    assert_int_equal(a->rollback_directives.lock_timeout_ms, -1);
    const struct migration *b = folder_stem(scene->folder, "2_b");
    assert_false(migration_has_rollback(b) || migration_has_verify(b));
    assert_int_equal(b->rollback_directives.lock_timeout_ms, -1);
    assert_null(folder_stem(scene->folder, "3_c"));
}

static void layouts_may_be_mixed(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.up.sql", "SELECT 1;");
    write_file(scene, "1_a.down.sql", "SELECT 2;");
    write_file(scene, "V2__b.sql", "SELECT 3;");
    write_file(scene, "U2__undo b.sql", "SELECT 4;");
    write_file(scene, "3_c.sql", "-- migrate:up\nSELECT 5;\n-- migrate:down\nSELECT 6;\n");
    write_file(scene, "4_d_rollback.sql", "-- migrate:up\nSELECT 7;\n");
    reads(scene);
    order_is(scene, "1_a V2__b 3_c 4_d_rollback");
    assert_string_equal(scene->folder->items[0]->rollback.text, "SELECT 2;");
    assert_string_equal(scene->folder->items[1]->rollback.text, "SELECT 4;");
    assert_string_equal(scene->folder->items[2]->forward.text, "-- migrate:up\nSELECT 5;\n");
    assert_int_equal(scene->folder->items[2]->forward.size, strlen("-- migrate:up\nSELECT 5;\n"));
    assert_string_equal(scene->folder->items[2]->rollback.text, "-- migrate:down\nSELECT 6;\n");
    assert_int_equal(scene->folder->items[2]->rollback.first_line, 3);
    assert_string_equal(scene->folder->items[2]->rollback.path, scene->folder->items[2]->forward.path);
    assert_int_equal(scene->folder->items[3]->layout, LAYOUT_SECTIONS);
}

static void one_number_twice_is_an_error_naming_both(void **state)
{
    struct scene *scene = *state;
    second_folder(scene, "pack");
    write_file(scene, "007_a.sql", "SELECT 1;");
    write_file(scene, "pack/7_b.sql", "SELECT 1;");
    fails(scene, "/pack/7_b.sql", "number \"7\" is used by");
    assert_non_null(strstr(scene->error.message, "/007_a.sql\""));
    assert_string_equal(found(scene, RULE_DUPLICATE_VERSION)->message, scene->error.message);
}

static void one_number_twice_is_ordered_by_name_where_allowed(void **state)
{
    struct scene *scene = *state;
    scene->options.allow_duplicates = true;
    write_file(scene, "7_b.sql", "SELECT 1;");
    write_file(scene, "007_a.sql", "SELECT 1;");
    reads(scene);
    order_is(scene, "007_a 7_b");
}

static void one_name_twice_is_always_an_error(void **state)
{
    struct scene *scene = *state;
    scene->options.allow_duplicates = true;
    second_folder(scene, "pack");
    write_file(scene, "7_a.sql", "SELECT 1;");
    write_file(scene, "pack/7_a.sql", "SELECT 1;");
    fails(scene, "/pack/7_a.sql", "version \"7_a\" is used by");
}

static void a_folder_given_twice_is_read_once(void **state)
{
    struct scene *scene = *state;
    second_folder(scene, ".");
    write_file(scene, "7_a.sql", "SELECT 1;");
    reads(scene);
    order_is(scene, "7_a");
}

static void names_nobody_can_type_are_errors(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a\033[31m.sql", "SELECT 1;");
    write_file(scene, "2_a\xff.sql", "SELECT 1;");
    write_file(scene, "3_a\nb_rollback.sql", "SELECT 1;");
    write_file(scene,
               "4_gr\xc3\xb6\xc3\x9f"
               "e.sql",
               "SELECT 1;");
    write_file(scene, "stray\t.sql", "SELECT 1;");
    fails(scene, "/1_a?[31m.sql", "the file name is not valid UTF-8 or holds control characters");
    assert_int_equal(findings_count(&scene->folder->findings, SEVERITY_ERROR), 3);
    assert_true(text_ends_with(found(scene, RULE_STRAY_FILE)->file, "/stray?.sql"));
    order_is(scene, "4_gr\xc3\xb6\xc3\x9f"
                    "e");
}

static void gaps_are_one_notice(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "042_a.sql", "SELECT 1;");
    write_file(scene, "044_b.sql", "SELECT 1;");
    write_file(scene, "048_c.sql", "SELECT 1;");
    write_file(scene, "048a_d.sql", "SELECT 1;");
    write_file(scene, "20261123120000_e.sql", "SELECT 1;");
    reads(scene);
    const struct finding *gap = found(scene, RULE_VERSION_GAP);
    assert_string_equal(gap->message, "numbers 43, 45-47 are not used");
    assert_int_equal(gap->severity, SEVERITY_NOTICE);
    assert_int_equal(scene->folder->findings.count, 1);
}

static void a_long_list_of_gaps_is_cut(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 20; i++) {
        OWNED char *name = text_format("%d_x.sql", 10 * i);
        write_file(scene, name, "SELECT 1;");
    }
    reads(scene);
    assert_true(text_ends_with(found(scene, RULE_VERSION_GAP)->message, "111-119, … are not used"));
}

static void a_stray_file_is_a_warning(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "042.sql", "SELECT 1;");
    reads(scene);
    const struct finding *stray = found(scene, RULE_STRAY_FILE);
    assert_int_equal(stray->severity, SEVERITY_WARNING);
    assert_true(text_ends_with(stray->file, "/042.sql"));
}

static void a_rollback_without_its_forward_file_is_explained(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "012_fix_rollback.sql", "SELECT 1;");
    fails(scene, "/012_fix_rollback.sql",
          "a name that ends in \"_rollback\" is the rollback of \"012_fix.sql\", which is not there");
    assert_non_null(scene->error.hint);
}

static void other_orphans_are_errors_too(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.down.sql", "SELECT 1;");
    write_file(scene, "2_b_verify.sql", "SELECT 1;");
    write_file(scene, "U3__c.sql", "SELECT 1;");
    fails(scene, "/1_a.down.sql", "without its forward file \"1_a.up.sql\"");
    assert_string_equal(scene->error.detail, "2 more errors were found; \"pgmigrate check\" lists all.");
    assert_int_equal(findings_count(&scene->folder->findings, SEVERITY_ERROR), 3);
    assert_non_null(strstr(found(scene, RULE_VERIFY_WITHOUT_FORWARD)->message, "\"2_b.sql\""));
}

static void two_rollbacks_of_one_migration_are_an_error(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "SELECT 1;");
    write_file(scene, "1_a_rollback.sql", "SELECT 1;");
    write_file(scene, "1_a.down.sql", "SELECT 1;");
    fails(scene, "/1_a_rollback.sql", "a second rollback script for \"1_a\"");
}

static void missing_rollbacks_are_what_the_setting_says(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "SELECT 1;");
    write_file(scene, "2_b.sql", "-- pgmigrate: irreversible\nSELECT 1;");
    reads(scene);
    assert_int_equal(scene->folder->findings.count, 0);
    folder_free(take(scene->folder));
    scene->options.rollback_required = ROLLBACK_WARN;
    reads(scene);
    assert_int_equal(found(scene, RULE_ROLLBACK_MISSING)->severity, SEVERITY_WARNING);
    folder_free(take(scene->folder));
    scene->options.rollback_required = ROLLBACK_YES;
    reads(scene); /* it may be applied already */
    assert_int_equal(found(scene, RULE_ROLLBACK_MISSING)->severity, SEVERITY_ERROR);
    assert_int_equal(scene->folder->findings.count, 1);
}

static void an_irreversible_migration_with_a_rollback_is_a_warning(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "-- pgmigrate: irreversible\nSELECT 1;");
    write_file(scene, "1_a_rollback.sql", "SELECT 1;");
    reads(scene);
    assert_int_equal(found(scene, RULE_ROLLBACK_IRREVERSIBLE)->severity, SEVERITY_WARNING);
}

static void bad_bytes_are_errors_at_their_place(void **state)
{
    struct scene *scene = *state;
    write_bytes(scene, "1_a.sql", "SELECT 1;\n-- \xC3\xA4 \xE4 Straße", 24);
    fails(scene, "/1_a.sql", "not valid UTF-8: byte 0xe4");
    assert_int_equal(scene->error.line, 2);
    assert_int_equal(scene->error.column, 6);
    assert_string_equal(scene->folder->findings.items[0].rule, RULE_INVALID_ENCODING);
}

static void a_nul_is_an_error_at_its_line(void **state)
{
    struct scene *scene = *state;
    write_bytes(scene, "1_a.sql", "SELECT\r\n\n1\0;", 12);
    fails(scene, "/1_a.sql", "holds a NUL byte");
    assert_int_equal(scene->error.line, 3);
    assert_string_equal(scene->folder->findings.items[0].rule, RULE_NUL_BYTE);
}

static void utf16_is_recognised(void **state)
{
    struct scene *scene = *state;
    write_bytes(scene, "1_a.sql", "\xFF\xFES\0E\0", 6);
    fails(scene, "/1_a.sql", "encoded in UTF-16");
    assert_non_null(strstr(scene->error.hint, "iconv -f UTF-16"));
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    struct scene *scene = *state;
    OWNED char *link = file_join(scene->path, "1_a.sql");
    assert_int_equal(symlink("nowhere", link), 0);
    fails(scene, "/1_a.sql", "No such file or directory");
    assert_string_equal(scene->folder->findings.items[0].rule, RULE_FILE_UNREADABLE);
}

static void a_file_that_cannot_be_read_leaves_no_gap_and_no_orphan(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "SELECT 1;");
    write_bytes(scene, "2_b.sql", "\xFF", 1);
    write_file(scene, "2_b_rollback.sql", "SELECT 1;");
    write_file(scene, "2_b_verify.sql", "SELECT 1;");
    write_file(scene, "3_c.sql", "SELECT 1;");
    fails(scene, "/2_b.sql", "not valid UTF-8");
    assert_int_equal(scene->folder->findings.count, 1);
}

static void a_pipe_is_not_read(void **state)
{
    struct scene *scene = *state;
    OWNED char *pipe = file_join(scene->path, "1_a.sql");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    fails(scene, "/1_a.sql", "not a regular file");
}

static void links_are_followed_and_subfolders_not_entered(void **state)
{
    struct scene *scene = *state;
    OWNED char *link = file_join(scene->path, "1_a.sql");
    OWNED char *inner = file_join(scene->path, "9_folder.sql");
    must(file_make_folder(inner, 0755, &scene->error), &scene->error);
    write_file(scene, "9_folder.sql/2_b.sql", "SELECT 2;");
    assert_int_equal(symlink("9_folder.sql/2_b.sql", link), 0);
    reads(scene);
    order_is(scene, "1_a");
    assert_string_equal(scene->folder->items[0]->forward.text, "SELECT 2;");
}

static void a_missing_folder_is_an_error_with_a_hint(void **state)
{
    struct scene *scene = *state;
    text_list_add(&scene->options.directories, file_join(scene->path, "nowhere"));
    fails(scene, "/nowhere", "could not open migrations folder");
    assert_non_null(strstr(scene->error.hint, "Create it"));
}

static void an_empty_folder_is_a_notice(void **state)
{
    struct scene *scene = *state;
    reads(scene);
    assert_int_equal(scene->folder->count, 0);
    assert_int_equal(found(scene, RULE_FOLDER_EMPTY)->severity, SEVERITY_NOTICE);
}

static void a_bad_directive_does_not_hide_other_files(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "-- pgmigrate: nope\nSELECT 1;");
    write_file(scene, "2_b.sql", "-- pgmigrate: nope\nSELECT 1;");
    fails(scene, "/1_a.sql", "unknown directive \"nope\"");
    assert_int_equal(findings_count(&scene->folder->findings, SEVERITY_ERROR), 2);
    assert_int_equal(scene->folder->count, 2);
}

static void checksums_do_not_depend_on_line_ends_or_bom(void **state)
{
    (void)state;
    char unix_ends[DIGEST_HEX_SIZE], windows[DIGEST_HEX_SIZE], old_mac[DIGEST_HEX_SIZE],
        other[DIGEST_HEX_SIZE];
    source_checksum("a\nb\n\nc", 6, unix_ends);
    source_checksum("\xEF\xBB\xBF"
                    "a\r\nb\r\n\r\nc",
                    12, windows);
    source_checksum("a\rb\r\rc", 6, old_mac);
    source_checksum("a\nb\nc", 5, other);
    assert_string_equal(unix_ends, windows);
    assert_string_equal(unix_ends, old_mac);
    assert_string_not_equal(unix_ends, other);
    source_checksum("", 0, other);
    assert_string_equal(other, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    source_checksum("x\r", 2, windows);
    source_checksum("x\n", 2, unix_ends);
    assert_string_equal(unix_ends, windows);
}

static void a_bom_is_taken_off(void **state)
{
    struct scene *scene = *state;
    write_file(scene, "1_a.sql", "\xEF\xBB\xBF-- pgmigrate: no-transaction\nSELECT 1;");
    reads(scene);
    assert_true(scene->folder->items[0]->directives.no_transaction);
    assert_true(text_starts_with(scene->folder->items[0]->forward.text, "-- "));
}

/* Both halves of the file are too large to be kept. */
static char *large_text(size_t *ret_down)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fputs("-- migrate:up\n", out);
    for (size_t i = 0; i < SOURCE_KEEP / 8; i++)
        fputs("SELECT 1;\r\n", out);
    fflush(out);
    *ret_down = size;
    fputs("-- migrate:down\n", out);
    for (size_t i = 0; i < SOURCE_KEEP / 8; i++)
        fputs("SELECT 2;\r\n", out);
    fclose(out);
    return text;
}

static void large_texts_are_read_again_when_needed(void **state)
{
    struct scene *scene = *state;
    size_t down = 0;
    OWNED char *text = large_text(&down);
    write_file(scene, "1_a.sql", text);
    reads(scene);
    struct migration *migration = scene->folder->items[0];
    assert_null(migration->forward.text);
    assert_null(migration->rollback.text);
    assert_int_equal(migration->forward.size, down);
    must(source_load(&migration->forward, &scene->error), &scene->error);
    must(source_load(&migration->rollback, &scene->error), &scene->error);
    assert_memory_equal(migration->forward.text, text, down);
    assert_int_equal(strlen(migration->forward.text), down);
    assert_string_equal(migration->rollback.text, text + down);
    source_unload(&migration->forward);
    assert_null(migration->forward.text);
}

static void a_text_that_changed_meanwhile_is_an_error(void **state)
{
    struct scene *scene = *state;
    size_t down = 0;
    OWNED char *text = large_text(&down);
    OWNED char *path = file_join(scene->path, "1_a.sql");
    write_file(scene, "1_a.sql", text);
    reads(scene);
    text[20]++;
    must(file_write_atomic(path, text, strlen(text), 0644, &scene->error), &scene->error);
    assert_false(source_load(&scene->folder->items[0]->forward, &scene->error));
    assert_non_null(strstr(scene->error.message, "was changed while"));
}

static void a_word_finds_its_migration(void **state)
{
    struct scene *scene = *state;
    struct migration *migration = NULL;
    scene->options.allow_duplicates = true;
    write_file(scene, "041_add_users.sql", "SELECT 1;");
    write_file(scene, "042_add_orders.sql", "SELECT 1;");
    write_file(scene, "42_twin.sql", "SELECT 1;");
    reads(scene);
    must(folder_find(scene->folder, "41", &migration, &scene->error), &scene->error);
    assert_string_equal(migration->version.stem, "041_add_users");
    must(folder_find(scene->folder, "latest", &migration, &scene->error), &scene->error);
    assert_string_equal(migration->version.stem, "42_twin");
    must(folder_find(scene->folder, "042_add_orders", &migration, &scene->error), &scene->error);
    assert_false(folder_find(scene->folder, "42", &migration, &scene->error));
    assert_string_equal(scene->error.detail, "They are \"042_add_orders\", \"42_twin\".");
    assert_false(folder_find(scene->folder, "042_add_order", &migration, &scene->error));
    assert_string_equal(scene->error.hint, "Did you mean \"042_add_orders\"?");
    assert_false(folder_find(scene->folder, "7", &migration, &scene->error));
    assert_string_equal(scene->error.hint, "The migrations go from \"041_add_users\" to \"42_twin\".");
}

static void *read_again(void *argument)
{
    const struct scene *scene = argument;
    AUTO(error_clear) struct error error = {0};
    AUTO(folder_free) struct folder *folder = NULL;
    bool good = folder_read(&scene->options, &folder, &error);
    return good && folder->count == 50 ? argument : NULL;
}

/* The commands read it beside what they ask the database; `make tsan` looks at this. */
static void it_may_be_read_by_several_threads(void **state)
{
    struct scene *scene = *state;
    pthread_t threads[2];
    for (int i = 1; i <= 50; i++) {
        OWNED char *name = text_format("%03d_x.sql", i);
        write_file(scene, name, "-- pgmigrate: no-transaction, lock_timeout=1s\nSELECT 1;\r\n");
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_again, scene), 0);
    for (size_t i = 0; i < 2; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, scene);
    }
}

static void nothing_is_found_in_an_empty_folder(void **state)
{
    struct scene *scene = *state;
    struct migration *migration = NULL;
    reads(scene);
    assert_false(folder_find(scene->folder, "latest", &migration, &scene->error));
    assert_string_equal(scene->error.hint, "The migrations folder is empty.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_come_in_the_order_of_their_numbers),
        TEST(rollback_and_verify_join_their_forward_file),
        TEST(layouts_may_be_mixed),
        TEST(one_number_twice_is_an_error_naming_both),
        TEST(one_number_twice_is_ordered_by_name_where_allowed),
        TEST(one_name_twice_is_always_an_error),
        TEST(a_folder_given_twice_is_read_once),
        TEST(names_nobody_can_type_are_errors),
        TEST(gaps_are_one_notice),
        TEST(a_long_list_of_gaps_is_cut),
        TEST(a_stray_file_is_a_warning),
        TEST(a_rollback_without_its_forward_file_is_explained),
        TEST(other_orphans_are_errors_too),
        TEST(two_rollbacks_of_one_migration_are_an_error),
        TEST(missing_rollbacks_are_what_the_setting_says),
        TEST(an_irreversible_migration_with_a_rollback_is_a_warning),
        TEST(bad_bytes_are_errors_at_their_place),
        TEST(a_nul_is_an_error_at_its_line),
        TEST(utf16_is_recognised),
        TEST(a_file_that_cannot_be_read_is_an_error),
        TEST(a_file_that_cannot_be_read_leaves_no_gap_and_no_orphan),
        TEST(a_pipe_is_not_read),
        TEST(links_are_followed_and_subfolders_not_entered),
        TEST(a_missing_folder_is_an_error_with_a_hint),
        TEST(an_empty_folder_is_a_notice),
        TEST(a_bad_directive_does_not_hide_other_files),
        TEST(checksums_do_not_depend_on_line_ends_or_bom),
        TEST(a_bom_is_taken_off),
        TEST(large_texts_are_read_again_when_needed),
        TEST(a_text_that_changed_meanwhile_is_an_error),
        TEST(a_word_finds_its_migration),
        TEST(nothing_is_found_in_an_empty_folder),
        TEST(it_may_be_read_by_several_threads),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
