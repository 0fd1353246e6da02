/* SPDX-License-Identifier: PostgreSQL */
#include "backup/archive.h"
#include "backup/footer.h"
#include "common/process.h"
#include "tests/unit/scratch.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s", error->message);
}

static struct archive_writer *open_writer(const char *path)
{
    AUTO(error_clear) struct error error = {0};
    struct archive_writer *writer = NULL;

    must(archive_writer_open(path, 1763868069, &writer, &error), &error);
    return writer;
}

static struct archive_reader *open_reader(const char *path)
{
    AUTO(error_clear) struct error error = {0};
    struct archive_reader *reader = NULL;

    must(archive_reader_open(path, &reader, &error), &error);
    return reader;
}

static char *shell_output(const char *const *argv)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};

    must(process_check(&(struct process_request){.argv = argv}, &result, &error), &error);
    return take(result.output);
}

#define OUTPUT(...) shell_output((const char *const[]){__VA_ARGS__, NULL})

static void assert_member(const struct archive_reader *reader, const struct archive_place *place,
                          const char *content)
{
    AUTO(error_clear) struct error error = {0};
    char buffer[4096], sha256[DIGEST_HEX_SIZE];

    assert_int_equal(place->size, strlen(content));
    must(archive_reader_read(reader, place->offset, buffer, strlen(content), &error), &error);
    assert_memory_equal(buffer, content, strlen(content));
    digest_sha256(content, strlen(content), sha256);
    assert_string_equal(sha256, place->sha256);
}

/* "a" and "b", a script and a file; the manifest is "{}". */
static void make_archive(const char *path, struct archive_place places[4])
{
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer(path);
    struct archive_whole whole;

    must(file_write_new("content", "of a file\n", 10, 0600, &error), &error);
    must(archive_writer_add(writer, "a", "first", 5, &places[0], &error), &error);
    must(archive_writer_add(writer, "folder/b", "", 0, &places[1], &error), &error);
    must(archive_writer_add_script(writer, "restore.sh", "#!/bin/sh\n", &places[2], &error), &error);
    must(archive_writer_add_file(writer, "schema.dump", "content", &places[3], &error), &error);
    must(archive_writer_finish(writer, "{}", 2, &whole, &error), &error);
    assert_int_equal(whole.bytes, archive_writer_bytes(writer));
}

static void places_are_where_the_content_is(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_place places[4];

    make_archive("x.tar", places);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    assert_member(reader, &places[0], "first");
    assert_member(reader, &places[1], "");
    assert_member(reader, &places[2], "#!/bin/sh\n");
    assert_member(reader, &places[3], "of a file\n");

    OWNED char *manifest = NULL;
    size_t size = 0;
    must(archive_reader_manifest(reader, &manifest, &size, &error), &error);
    assert_string_equal(manifest, "{}");
    assert_int_equal(size, 2);
}

static void tar_lists_and_extracts_it(void **state)
{
    (void)state;
    struct archive_place places[4];

    make_archive("x.tar", places);
    OWNED char *list = OUTPUT("tar", "tf", "x.tar");
    assert_string_equal(list, "a\nfolder/b\nrestore.sh\nschema.dump\nmanifest.json\n.footer\n");
    OWNED char *content = OUTPUT("tar", "xOf", "x.tar", "schema.dump");
    assert_string_equal(content, "of a file\n");
    OWNED char *details = OUTPUT("tar", "tvf", "x.tar", "--utc");
    assert_non_null(strstr(details, "-rwx------ 0/0"));
    assert_non_null(strstr(details, "-rw------- 0/0"));
    assert_non_null(strstr(details, "2025-11-23 03:21"));
}

static void the_file_is_private_and_its_digest_is_the_files(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer("x.tar");
    struct archive_place place;
    char read[DIGEST_HEX_SIZE];
    struct archive_whole whole;
    struct stat status;

    OWNED char *large = memory_allocate(20 << 20, 1);
    must(archive_writer_add(writer, "large", large, 20 << 20, &place, &error), &error);
    must(archive_writer_finish(writer, "{}", 2, &whole, &error), &error);
    assert_int_equal(stat("x.tar", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, whole.bytes);
    OWNED char *sum = OUTPUT("sha256sum", "x.tar");
    assert_memory_equal(sum, whole.sha256, 64);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    assert_int_equal(archive_reader_bytes(reader), whole.bytes);
    AUTO(digest_free) struct digest *all = digest_new();
    must(archive_reader_digest(reader, 0, whole.bytes, NULL, NULL, all, &error), &error);
    digest_finish(take(all), read);
    assert_string_equal(read, whole.sha256);

    /* The outline: what is before the content, its digest, what is behind it. */
    AUTO(digest_free) struct digest *outline = digest_new();
    int64_t end = place.offset + place.size;
    must(archive_reader_digest(reader, 0, place.offset, NULL, NULL, outline, &error), &error);
    digest_add(outline, place.sha256, strlen(place.sha256));
    must(archive_reader_digest(reader, end, whole.bytes - end, NULL, NULL, outline, &error), &error);
    digest_finish(take(outline), read);
    assert_string_equal(read, whole.outline_sha256);
}

static void an_existing_file_is_not_touched(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_writer *writer = NULL;

    must(file_write_new("x.tar", "mine", 4, 0600, &error), &error);
    assert_false(archive_writer_open("x.tar", 0, &writer, &error));
    assert_non_null(strstr(error.message, "could not create \"x.tar\": File exists"));
    assert_true(file_exists("x.tar"));
}

static void one_that_is_not_finished_leaves_nothing(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_writer *writer = open_writer("x.tar");
    struct archive_place place;

    must(archive_writer_add(writer, "a", "first", 5, &place, &error), &error);
    assert_true(file_exists("x.tar"));
    archive_writer_free(writer);
    assert_false(file_exists("x.tar"));
}

/* ---- several threads ---- */

struct thread {
    struct archive_writer *writer;
    int number;
    struct archive_place places[50];
};

static void *add_many(void *context)
{
    struct thread *thread = context;

    for (int i = 0; i < 50; i++) {
        AUTO(error_clear) struct error error = {0};
        OWNED char *name = text_format("%d/%d", thread->number, i);
        must(archive_writer_add(thread->writer, name, name, strlen(name), &thread->places[i], &error),
             &error);
    }
    return NULL;
}

static void several_threads_add_members(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer("x.tar");
    struct thread threads[4];
    pthread_t ids[4];
    struct archive_whole whole;

    for (int i = 0; i < 4; i++) {
        threads[i] = (struct thread){.writer = writer, .number = i};
        assert_int_equal(pthread_create(&ids[i], NULL, add_many, &threads[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
    must(archive_writer_finish(writer, "{}", 2, &whole, &error), &error);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    for (int i = 0; i < 200; i++) {
        OWNED char *name = text_format("%d/%d", i / 50, i % 50);
        assert_member(reader, &threads[i / 50].places[i % 50], name);
    }
}

/* ---- walking ---- */

struct seen {
    struct text_list names;
    int64_t offsets[16], sizes[16];
};

static bool see(void *context, const char *name, int64_t offset, int64_t size, struct error *error)
{
    struct seen *seen = context;

    if (strcmp(name, "stop") == 0)
        return error_set(error, ERROR_FAILED, "stopped");
    seen->offsets[seen->names.count] = offset;
    seen->sizes[seen->names.count] = size;
    text_list_add(&seen->names, text_copy(name));
    return true;
}

static void a_walk_tells_what_the_tar_tells(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_place places[4];
    struct seen seen = {0};

    make_archive("x.tar", places);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    must(archive_reader_walk(reader, see, &seen, &error), &error);
    OWNED char *names = text_list_join(&seen.names, " ");
    assert_string_equal(names, "a folder/b restore.sh schema.dump manifest.json .footer");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(seen.offsets[i], places[i].offset);
        assert_int_equal(seen.sizes[i], places[i].size);
    }
    text_list_clear(&seen.names);
}

static void names_of_any_bytes_come_back(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer("x.tar");
    char longest[300];
    struct archive_place places[6];
    struct seen seen = {0};
    struct archive_whole whole;

    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {"attachments/ä€𝄞.yaml",
                                 "attachments/\xff\xfe",
                                 "attachments/a\nb \\ *",
                                 "attachments/ \"'$(x)",
                                 longest,
                                 "attachments/-rf"};
    for (size_t i = 0; i < 6; i++)
        must(archive_writer_add(writer, names[i], names[i], strlen(names[i]), &places[i], &error), &error);
    must(archive_writer_finish(writer, "{}", 2, &whole, &error), &error);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    must(archive_reader_walk(reader, see, &seen, &error), &error);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(seen.names.items[i], names[i]);
        assert_int_equal(seen.offsets[i], places[i].offset);
        assert_member(reader, &places[i], names[i]);
    }
    text_list_clear(&seen.names);
    OWNED char *listed = OUTPUT("tar", "--quoting-style=literal", "-tf", "x.tar");
    assert_non_null(strstr(listed, "attachments/ä€𝄞.yaml\nattachments/\xff\xfe\nattachments/a\nb \\ *\n"));
}

static void a_visitor_stops_with_its_error(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer("x.tar");
    struct archive_place place;
    struct seen seen = {0};
    struct archive_whole whole;

    must(archive_writer_add(writer, "stop", "", 0, &place, &error), &error);
    must(archive_writer_finish(writer, "{}", 2, &whole, &error), &error);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    assert_false(archive_reader_walk(reader, see, &seen, &error));
    assert_string_equal(error.message, "stopped");
}

/* ---- failures ---- */

static void a_full_disk_names_the_file_and_what_was_written(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer("x.tar");
    struct rlimit before, limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    OWNED char *large = memory_allocate(3 << 20, 1);
    struct archive_place place;
    struct archive_whole whole;

    /* A file that must not grow is as good as a disk that is full. */
    getrlimit(RLIMIT_FSIZE, &before);
    limit.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_false(archive_writer_add(writer, "large", large, 3 << 20, &place, &error));
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "could not write \"x.tar\": File too large");
    assert_string_equal(error.detail, "1.0 MB had been written.");

    /* With a torn member nothing more goes in, although there is room again. */
    assert_false(archive_writer_add(writer, "small", "x", 1, &place, &error));
    assert_string_equal(error.message, "could not write \"x.tar\": File too large");
    assert_false(archive_writer_finish(writer, "{}", 2, &whole, &error));
    archive_writer_free(take(writer));
    assert_false(file_exists("x.tar"));
}

static void a_missing_file_is_told_by_name(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_writer_free) struct archive_writer *writer = open_writer("x.tar");
    struct archive_place place;

    assert_false(archive_writer_add_file(writer, "schema.dump", "nowhere", &place, &error));
    assert_string_equal(error.message, "could not read \"nowhere\": No such file or directory");
    must(archive_writer_add(writer, "a", "still good", 10, &place, &error), &error);
}

/* ---- damage ---- */

static void every_change_of_the_footer_is_found(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_place places[4];
    OWNED char *good = NULL;
    size_t size = 0;

    make_archive("x.tar", places);
    must(file_read("x.tar", &good, &size, &error), &error);
    for (size_t byte = size - FOOTER_TAIL_SIZE; byte < size; byte++) {
        AUTO(error_clear) struct error found = {0};
        OWNED char *text = NULL;
        size_t text_size;
        AUTO(archive_reader_free) struct archive_reader *reader = NULL;
        good[byte] = (char)(good[byte] ^ 4);
        must(file_write_atomic("y.tar", good, size, 0600, &error), &error);
        assert_false(archive_reader_open("y.tar", &reader, &found) &&
                     archive_reader_manifest(reader, &text, &text_size, &found));
        assert_int_equal(found.code, ERROR_BACKUP);
        assert_non_null(strstr(found.message, "y.tar"));
        good[byte] = (char)(good[byte] ^ 4);
    }
}

static void every_truncation_and_addition_is_found(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_place places[4];
    OWNED char *good = NULL;
    size_t size = 0;

    make_archive("x.tar", places);
    must(file_read("x.tar", &good, &size, &error), &error);
    OWNED char *longer = memory_allocate(size + 512, 1);
    memcpy(longer, good, size);
    for (size_t length = 0; length <= size + 512; length += length == size - 1 ? 2 : 1) {
        AUTO(error_clear) struct error found = {0};
        AUTO(archive_reader_free) struct archive_reader *reader = NULL;
        must(file_write_atomic("y.tar", longer, length, 0600, &error), &error);
        assert_false(archive_reader_open("y.tar", &reader, &found));
        assert_int_equal(found.code, ERROR_BACKUP);
    }
}

static void a_missing_archive_is_a_missing_backup(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(archive_reader_free) struct archive_reader *reader = NULL;

    assert_false(archive_reader_open("x.tar", &reader, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_string_equal(error.message, "could not open \"x.tar\": No such file or directory");
    error_clear(&error);
    assert_false(archive_reader_open(".", &reader, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
}

static void reading_outside_of_the_file_is_refused(void **state)
{
    (void)state;
    struct archive_place places[4];
    const struct {
        int64_t offset;
        size_t size;
    } outside[] = {{-1, 1}, {0, SIZE_MAX}, {INT64_MAX, 1}, {1 << 20, 1}, {5000, 1 << 20}};
    char byte;

    make_archive("x.tar", places);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        AUTO(error_clear) struct error error = {0};
        assert_false(archive_reader_read(reader, outside[i].offset, &byte, outside[i].size, &error));
        assert_int_equal(error.code, ERROR_BACKUP);
    }
}

static void a_damaged_header_ends_a_walk(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct archive_place places[4];
    struct seen seen = {0};
    OWNED char *good = NULL;
    size_t size = 0;

    make_archive("x.tar", places);
    must(file_read("x.tar", &good, &size, &error), &error);
    good[places[2].offset - 400] = (char)(good[places[2].offset - 400] ^ 1);
    must(file_write_atomic("x.tar", good, size, 0600, &error), &error);
    AUTO(archive_reader_free) struct archive_reader *reader = open_reader("x.tar");
    assert_false(archive_reader_walk(reader, see, &seen, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_int_equal(seen.names.count, 2);
    text_list_clear(&seen.names);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        TEST(places_are_where_the_content_is),
        TEST(tar_lists_and_extracts_it),
        TEST(the_file_is_private_and_its_digest_is_the_files),
        TEST(an_existing_file_is_not_touched),
        TEST(one_that_is_not_finished_leaves_nothing),
        TEST(several_threads_add_members),
        TEST(a_walk_tells_what_the_tar_tells),
        TEST(names_of_any_bytes_come_back),
        TEST(a_visitor_stops_with_its_error),
        TEST(a_full_disk_names_the_file_and_what_was_written),
        TEST(a_missing_file_is_told_by_name),
        TEST(every_change_of_the_footer_is_found),
        TEST(every_truncation_and_addition_is_found),
        TEST(a_missing_archive_is_a_missing_backup),
        TEST(reading_outside_of_the_file_is_refused),
        TEST(a_damaged_header_ends_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
