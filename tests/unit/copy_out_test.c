/* SPDX-License-Identifier: PostgreSQL */
#include "tests/unit/copy_scene.h"

#define SLOW                                                                                                 \
    "COPY (SELECT i, pg_sleep(CASE WHEN i = 1000 THEN 30 END) FROM generate_series(1, 2000) i) TO STDOUT"
/* Some 600 MB: what has not been read when it is stopped is in nobody's buffers. */
#define LONG "COPY (SELECT i, repeat('x', 500) FROM generate_series(1, 1200000) i) TO STDOUT"

static struct copy_out *begun(struct postgres *postgres, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    struct copy_out *copy = NULL;

    must(copy_out_begin(postgres, sql, &copy, &error), &error);
    return copy;
}

/* What came of a COPY, block by block; each block is checked to be what its lengths say. */
struct taken {
    size_t blocks, rows, size, largest_block;
    uint32_t longest;
    int64_t tag;
    uint64_t sum; /* depends on each byte and its place */
};

static void add_block(struct taken *taken, const struct copy_block *block, bool is_text)
{
    size_t size = 0;

    for (size_t i = 0; i < block->rows; i++) {
        uint32_t length = block->lengths[i];
        size += length;
        if (is_text)
            assert_int_equal(block->data[size - 1], '\n');
        taken->longest = length > taken->longest ? length : taken->longest;
    }
    assert_int_equal(size, block->size);
    for (size_t i = 0; i < block->size; i++)
        taken->sum = taken->sum * 31 + (unsigned char)block->data[i];
    taken->blocks++;
    taken->rows += block->rows;
    taken->size += size;
    taken->largest_block = size > taken->largest_block ? size : taken->largest_block;
}

static bool take_all(struct copy_out *copy, const atomic_bool *stop, bool is_text, struct taken *taken,
                     struct error *error)
{
    struct copy_block block;

    *taken = (struct taken){0};
    do {
        if (!copy_out_next(copy, stop, &block, error))
            return false;
        if (block.rows > 0)
            add_block(taken, &block, is_text);
    } while (block.rows > 0);
    taken->tag = copy_out_rows(copy);
    return true;
}

static struct taken taken_of(struct postgres *postgres, const char *sql, bool is_text)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(copy_out_free) struct copy_out *copy = begun(postgres, sql);
    struct taken taken;

    must(take_all(copy, NULL, is_text, &taken, &error), &error);
    assert_int_equal(taken.rows, is_text ? taken.tag : taken.tag + 1);
    return taken;
}

/* The error with which the COPY ends, at its beginning or later. */
static void failure_of(struct postgres *postgres, const char *sql, struct error *error)
{
    AUTO(copy_out_free) struct copy_out *copy = NULL;
    struct taken taken;

    assert_false(copy_out_begin(postgres, sql, &copy, error) && take_all(copy, NULL, true, &taken, error));
}

/* ---- rows ---- */

static void rows_come_in_blocks_as_they_are(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char sql[] = "COPY (SELECT i FROM generate_series(1, 500000) i) TO STDOUT";
    struct taken expected = {0};

    for (int i = 1; i <= 500000; i++) {
        char line[16];
        int length = snprintf(line, sizeof line, "%d\n", i);
        for (int j = 0; j < length; j++)
            expected.sum = expected.sum * 31 + (unsigned char)line[j];
        expected.size += (size_t)length;
    }
    struct taken taken = taken_of(postgres, sql, true);
    assert_int_equal(taken.rows, 500000);
    assert_int_equal(taken.size, expected.size);
    assert_true(taken.sum == expected.sum);
    assert_true(taken.blocks > 1 && taken.blocks <= expected.size / (16 << 10) + 1);
    assert_usable(postgres);
}

static void no_rows_are_an_end_at_once(void **state)
{
    struct postgres *postgres = session_of(state);

    assert_int_equal(taken_of(postgres, "COPY (SELECT 1 WHERE false) TO STDOUT", true).blocks, 0);
    assert_usable(postgres);
}

static void rows_without_columns_are_empty_lines(void **state)
{
    struct postgres *postgres = session_of(state);
    struct taken taken = taken_of(postgres, "COPY (SELECT FROM generate_series(1, 700000)) TO STDOUT", true);

    assert_int_equal(taken.rows, 700000);
    assert_int_equal(taken.size, 700000);
    assert_usable(postgres);
}

static void a_row_larger_than_a_block_comes_whole(void **state)
{
    struct postgres *postgres = session_of(state);
    struct taken taken = taken_of(postgres,
                                  "COPY (SELECT repeat('x', CASE WHEN i % 50 = 0 THEN 20000000 ELSE 10 END)"
                                  " FROM generate_series(1, 100) i) TO STDOUT",
                                  true);

    assert_int_equal(taken.rows, 100);
    assert_int_equal(taken.longest, 20000001);
    assert_int_equal(taken.size, 2 * 20000001 + 98 * 11);
    /* The small ones after it come in small blocks again. */
    taken =
        taken_of(postgres, "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT", true);
    assert_true(taken.largest_block <= (size_t)2 << 20);
    assert_usable(postgres);
}

static void rows_of_every_size_around_the_buffers_come_whole(void **state)
{
    struct postgres *postgres = session_of(state);
    struct taken taken = taken_of(postgres,
                                  "COPY (SELECT repeat('x', 1048576 - 40 + i) FROM generate_series(1, 80) i)"
                                  " TO STDOUT",
                                  true);

    assert_int_equal(taken.rows, 80);
    assert_int_equal(taken.size, 80 * (1048576 - 40 + 1) + 81 * 40);
}

static void binary_format_is_cut_into_messages(void **state)
{
    struct postgres *postgres = session_of(state);
    struct taken taken = taken_of(
        postgres, "COPY (SELECT i FROM generate_series(1, 300000) i) TO STDOUT (FORMAT binary)", false);

    assert_int_equal(taken.tag, 300000);
    assert_int_equal(taken.size, 19 + 300000 * 10 + 2); /* header, rows, trailer */
}

static void notices_reach_the_hook(void *context, const struct notice *notice)
{
    size_t *count = context;
    *count += strcmp(notice->severity, "NOTICE") == 0 && strncmp(notice->message, "row ", 4) == 0;
}

static void notices_in_between_go_to_the_hook(void **state)
{
    struct postgres *postgres = session_of(state);
    size_t count = 0;
    struct postgres_hooks hooks = {.context = &count, .notice = notices_reach_the_hook};

    execute(postgres, "CREATE FUNCTION pg_temp.tell(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
                      " IF i % 100 = 0 THEN RAISE NOTICE 'row %', i; END IF; RETURN i; END $$");
    postgres_set_hooks(postgres, &hooks);
    struct taken taken =
        taken_of(postgres, "COPY (SELECT pg_temp.tell(i) FROM generate_series(1, 50000) i) TO STDOUT", true);
    postgres_set_hooks(postgres, NULL);
    assert_int_equal(taken.rows, 50000);
    assert_int_equal(count, 500);
    assert_usable(postgres);
}

static void notifications_and_settings_in_between_do_no_harm(void **state)
{
    struct postgres *postgres = session_of(state);

    execute(postgres, "LISTEN here");
    for (int i = 0; i < 20; i++) {
        execute(postgres, "NOTIFY here, 'before'");
        struct taken taken = taken_of(
            postgres,
            "COPY (SELECT set_config('application_name', 'n' || i, false), pg_notify('here', 'x' || i)"
            " FROM generate_series(1, 1000) i) TO STDOUT",
            true);
        assert_int_equal(taken.rows, 1000);
    }
    assert_usable(postgres);
}

/* ---- failures of the statement ---- */

static void what_is_no_copy_to_the_client_fails_and_leaves_the_connection_usable(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char *const statements[] = {"COPY nonsense",
                                             "SELECT repeat('x', 100) FROM generate_series(1, 100000)",
                                             "COPY here FROM STDIN", ""};

    execute(postgres, "CREATE TEMP TABLE here (i int)");
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        AUTO(error_clear) struct error error = {0};
        failure_of(postgres, statements[i], &error);
        assert_int_equal(error.code, ERROR_FAILED);
        assert_usable(postgres);
    }
    assert_value(postgres, "SELECT count(*) FROM here", "0");
}

static void an_error_after_many_rows_is_the_servers(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char sql[] = "COPY (SELECT 1 / (100000 - i) FROM generate_series(1, 200000) i) TO STDOUT";

    for (int i = 0; i < 2; i++) {
        AUTO(error_clear) struct error error = {0};
        execute(postgres, i == 0 ? "SELECT 1" : "BEGIN");
        failure_of(postgres, sql, &error);
        assert_int_equal(error.code, ERROR_FAILED);
        assert_string_equal(error.message, "division by zero");
        assert_string_equal(error.sqlstate, "22012");
        assert_int_equal(postgres_transaction(postgres), i == 0 ? POSTGRES_IDLE : POSTGRES_IN_ERROR);
        if (i == 1)
            execute(postgres, "ROLLBACK");
        assert_int_equal(postgres_transaction(postgres), POSTGRES_IDLE);
        assert_usable(postgres);
    }
}

static void an_error_says_all_that_it_says_by_libpq(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char *const statements[] = {"COPY (SELECT pg_temp.explode()) TO STDOUT",
                                             "COPY (SELECT nowhere) TO STDOUT"};

    execute(postgres,
            "CREATE FUNCTION pg_temp.explode() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'boom'"
            " USING DETAIL = 'Of a kind.', HINT = 'Run.', ERRCODE = '55P03'; END $$");
    for (size_t i = 0; i < 2; i++) {
        AUTO(error_clear) struct error ours = {0}, theirs = {0};
        failure_of(postgres, statements[i], &ours);
        assert_false(postgres_execute(postgres, statements[i], &theirs));
        assert_int_equal(ours.code, theirs.code);
        assert_string_equal(ours.message, theirs.message);
        assert_true(text_equal(ours.detail, theirs.detail));
        assert_true(text_equal(ours.hint, theirs.hint));
        assert_string_equal(ours.sqlstate, theirs.sqlstate);
        assert_int_equal(ours.statement_position, theirs.statement_position);
    }
}

static void a_statement_in_a_failed_transaction_is_refused(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};

    execute(postgres, "BEGIN");
    failure_of(postgres, "COPY (SELECT 1/0) TO STDOUT", &error);
    failure_of(postgres, "COPY (SELECT 1) TO STDOUT", &error);
    assert_string_equal(error.sqlstate, "25P02");
    execute(postgres, "ROLLBACK");
    assert_usable(postgres);
}

/* ---- stopping ---- */

static void the_stop_flag_cancels_a_waiting_statement(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;
    struct taken taken;

    execute(postgres, "BEGIN");
    AUTO(copy_out_free) struct copy_out *copy = begun(postgres, SLOW);
    attack_begin(&attack, postgres, NULL);
    assert_false(take_all(copy, &attack.stop, true, &taken, &error));
    attack_end(&attack);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "stopped");
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IN_ERROR);
    assert_false(copy_out_next(copy, NULL, &(struct copy_block){0}, &error));
    execute(postgres, "ROLLBACK");
    assert_usable(postgres);
}

static void the_stop_flag_cancels_a_statement_that_never_pauses(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct copy_block block;
    atomic_bool stop = false;

    AUTO(copy_out_free) struct copy_out *copy = begun(postgres, LONG);
    for (int i = 0; i < 3; i++)
        must(copy_out_next(copy, &stop, &block, &error), &error);
    atomic_store(&stop, true);
    assert_false(copy_out_next(copy, &stop, &block, &error));
    assert_string_equal(error.message, "stopped");
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IDLE);
    assert_usable(postgres);
}

static void one_that_is_not_read_to_its_end_is_cancelled(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    static const char *const statements[] = {LONG, SLOW};

    for (size_t i = 0; i < 2; i++) {
        execute(postgres, "BEGIN");
        struct copy_block block;
        struct copy_out *copy = begun(postgres, statements[i]);
        if (i == 0)
            must(copy_out_next(copy, NULL, &block, &error), &error);
        copy_out_free(copy);
        assert_int_equal(postgres_transaction(postgres), POSTGRES_IN_ERROR);
        execute(postgres, "ROLLBACK");
        assert_usable(postgres);
    }
    copy_out_free(NULL);
}

static void a_cancel_from_elsewhere_is_the_servers_error(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;

    attack_begin(&attack, postgres, "pg_cancel_backend");
    failure_of(postgres, SLOW, &error);
    attack_end(&attack);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.sqlstate, "57014");
    assert_usable(postgres);
}

static void a_terminated_backend_is_a_lost_connection(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;

    attack_begin(&attack, postgres, "pg_terminate_backend");
    failure_of(postgres, SLOW, &error);
    attack_end(&attack);
    assert_int_equal(error.code, ERROR_CONNECTION);
    assert_string_equal(error.message, "terminating connection due to administrator command");
    assert_true(postgres_is_lost(postgres));
    assert_int_equal(postgres_transaction(postgres), POSTGRES_GONE);
    assert_false(postgres_execute(postgres, "SELECT 1", &error));
    assert_int_equal(error.code, ERROR_CONNECTION);
    failure_of(postgres, "COPY (SELECT 1) TO STDOUT", &error);
    assert_int_equal(error.code, ERROR_CONNECTION);
}

static void a_backend_terminated_before_is_found_lost(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;

    attack_begin(&attack, postgres, "pg_terminate_backend");
    attack_end(&attack);
    usleep(200000);
    failure_of(postgres, "COPY (SELECT 1) TO STDOUT", &error);
    assert_int_equal(error.code, ERROR_CONNECTION);
    assert_true(postgres_is_lost(postgres));
}

static bool is_interrupted(void)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *postgres = connected();
    struct taken taken;

    interrupt_install();
    execute(postgres, "BEGIN");
    AUTO(copy_out_free) struct copy_out *copy = begun(postgres, SLOW);
    signal_me_later(SIGTERM);
    if (take_all(copy, NULL, true, &taken, &error) || error.code != ERROR_TERMINATED)
        return false;
    if (postgres_transaction(postgres) != POSTGRES_IN_ERROR)
        return false;
    postgres_shield(postgres, true);
    return postgres_execute(postgres, "ROLLBACK", &error) && !postgres_is_lost(postgres);
}

static void an_interruption_cancels_and_cleaning_up_goes_on(void **state)
{
    (void)state;
    skip_without_server();
    assert_in_fork(is_interrupted);
}

/* ---- threads ---- */

struct worker {
    pthread_t thread;
    struct taken taken;
    bool good;
};

static void *copy_much(void *argument)
{
    struct worker *worker = argument;
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *postgres = NULL;

    worker->good = postgres_connect(getenv("TEST_SERVER_URL"), "copy_test", &postgres, &error);
    for (int i = 0; worker->good && i < 3; i++) {
        AUTO(copy_out_free) struct copy_out *copy = NULL;
        worker->good =
            copy_out_begin(postgres, "COPY (SELECT i, i FROM generate_series(1, 300000) i) TO STDOUT", &copy,
                           &error) &&
            take_all(copy, NULL, true, &worker->taken, &error) &&
            postgres_execute(postgres, "SELECT 1", &error);
    }
    return NULL;
}

static void threads_copy_at_the_same_time(void **state)
{
    (void)state;
    skip_without_server();
    struct worker workers[2] = {0};

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, copy_much, &workers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < 2; i++) {
        assert_true(workers[i].good);
        assert_int_equal(workers[i].taken.rows, 300000);
    }
    assert_true(workers[0].taken.sum == workers[1].taken.sum);
}

#define session_test(test) cmocka_unit_test_setup_teardown(test, session_begin, session_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(rows_come_in_blocks_as_they_are),
        session_test(no_rows_are_an_end_at_once),
        session_test(rows_without_columns_are_empty_lines),
        session_test(a_row_larger_than_a_block_comes_whole),
        session_test(rows_of_every_size_around_the_buffers_come_whole),
        session_test(binary_format_is_cut_into_messages),
        session_test(notices_in_between_go_to_the_hook),
        session_test(notifications_and_settings_in_between_do_no_harm),
        session_test(what_is_no_copy_to_the_client_fails_and_leaves_the_connection_usable),
        session_test(an_error_after_many_rows_is_the_servers),
        session_test(an_error_says_all_that_it_says_by_libpq),
        session_test(a_statement_in_a_failed_transaction_is_refused),
        session_test(the_stop_flag_cancels_a_waiting_statement),
        session_test(the_stop_flag_cancels_a_statement_that_never_pauses),
        session_test(one_that_is_not_read_to_its_end_is_cancelled),
        session_test(a_cancel_from_elsewhere_is_the_servers_error),
        session_test(a_terminated_backend_is_a_lost_connection),
        session_test(a_backend_terminated_before_is_found_lost),
        cmocka_unit_test(an_interruption_cancels_and_cleaning_up_goes_on),
        cmocka_unit_test(threads_copy_at_the_same_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
