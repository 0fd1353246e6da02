/* SPDX-License-Identifier: PostgreSQL */
#include "tests/unit/copy_scene.h"

#define INTO "COPY pg_temp.target FROM STDIN"

static struct copy_in *begun(struct postgres *postgres, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    struct copy_in *copy = NULL;

    must(copy_in_begin(postgres, sql, &copy, &error), &error);
    return copy;
}

static int target_begin(void **state)
{
    session_begin(state);
    if (*state != NULL)
        execute(*state, "CREATE TEMP TABLE target (i int)");
    return 0;
}

/* The numbers from 1 on, one a line. */
static char *lines(int count, size_t *ret_size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, ret_size);
    for (int i = 1; i <= count; i++)
        fprintf(stream, "%d\n", i);
    fclose(stream);
    return text;
}

/* Add rows that the server takes until a call fails; false when it has not after so many bytes. */
static bool fails_before(struct copy_in *copy, size_t most, const atomic_bool *stop, struct error *error)
{
    size_t size;
    OWNED char *text = lines(100000, &size);
    int64_t rows;

    for (size_t added = 0; added < most; added += size)
        if (!copy_in_add(copy, text, size, stop, error))
            return true;
    (void)!copy_in_end(copy, &rows, error);
    return false;
}

static bool is_encrypted(struct postgres *postgres)
{
    OWNED char *value = value_of(postgres, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    return strcmp(value, "t") == 0;
}

/* ---- data ---- */

static void data_goes_in_however_it_is_cut(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    size_t size;
    OWNED char *text = lines(200000, &size);
    int64_t rows = 0;

    execute(postgres, "BEGIN");
    struct copy_in *copy = begun(postgres, INTO);
    size_t piece = 1;
    for (size_t done = 0; done < size; done += piece, piece = piece * 7 % 300007) {
        if (piece > size - done)
            piece = size - done;
        must(copy_in_add(copy, text + done, piece, NULL, &error), &error);
    }
    must(copy_in_add(copy, "", 0, NULL, &error), &error);
    must(copy_in_end(copy, &rows, &error), &error);
    copy_in_free(copy);
    assert_int_equal(rows, 200000);
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IN_TRANSACTION);
    assert_value(postgres, "SELECT sum(i)::text FROM target", "20000100000");
    execute(postgres, "COMMIT");
    assert_usable(postgres);
}

static void one_large_piece_goes_in(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    AUTO(copy_in_free) struct copy_in *copy = begun(postgres, INTO);
    size_t size;
    OWNED char *text = lines(2000000, &size);
    int64_t rows = 0;

    must(copy_in_add(copy, text, size, NULL, &error), &error);
    must(copy_in_end(copy, &rows, &error), &error);
    assert_int_equal(rows, 2000000);
    assert_usable(postgres);
}

static void no_data_are_no_rows(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    AUTO(copy_in_free) struct copy_in *copy = begun(postgres, INTO);
    int64_t rows = -1;

    must(copy_in_end(copy, &rows, &error), &error);
    assert_int_equal(rows, 0);
    assert_usable(postgres);
}

static void one_that_was_not_ended_keeps_nothing(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct copy_in *copy = begun(postgres, INTO);

    must(copy_in_add(copy, "1\n2\n", 4, NULL, &error), &error);
    copy_in_free(copy);
    copy_in_free(NULL);
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IDLE);
    assert_value(postgres, "SELECT count(*) FROM target", "0");

    execute(postgres, "BEGIN");
    copy_in_free(begun(postgres, INTO));
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IN_ERROR);
    execute(postgres, "ROLLBACK");
    assert_usable(postgres);
}

static void what_it_gives_back_goes_in_again(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *other = connected();
    AUTO(copy_out_free) struct copy_out *from = NULL;
    struct copy_block block;
    int64_t rows;

    execute(postgres, "CREATE TEMP TABLE texts (t text, b bytea)");
    must(copy_out_begin(
             other,
             "COPY (SELECT E'a\\\\b\\t' || i || E'\\n\\r\\\\.', decode(repeat('00ff', i % 999), 'hex')"
             " FROM generate_series(1, 5000) i) TO STDOUT (FORMAT binary)",
             &from, &error),
         &error);
    AUTO(copy_in_free) struct copy_in *into = begun(postgres, "COPY texts FROM STDIN (FORMAT binary)");
    do {
        must(copy_out_next(from, NULL, &block, &error), &error);
        must(copy_in_add(into, block.data, block.size, NULL, &error), &error);
    } while (block.rows > 0);
    must(copy_in_end(into, &rows, &error), &error);
    assert_int_equal(rows, copy_out_rows(from));
    assert_value(postgres, "SELECT count(DISTINCT t) || ' ' || sum(length(b)) FROM texts", "5000 4985040");
}

/* ---- refusals ---- */

static void what_takes_no_data_fails_and_leaves_the_connection_usable(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char *const statements[] = {"COPY nonsense", "SELECT 1", "COPY (SELECT 1) TO STDOUT",
                                             "COPY nowhere FROM STDIN"};

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        AUTO(error_clear) struct error error = {0};
        struct copy_in *copy = NULL;
        assert_false(copy_in_begin(postgres, statements[i], &copy, &error));
        assert_int_equal(error.code, ERROR_FAILED);
        assert_usable(postgres);
    }
}

static void a_refusal_is_noticed_while_data_is_sent(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    bool may_be_late = is_encrypted(postgres); /* libpq tells it at the end */

    execute(postgres, "BEGIN");
    AUTO(copy_in_free) struct copy_in *copy = begun(postgres, INTO);
    bool was_early = !copy_in_add(copy, "nonsense\n", 9, NULL, &error) ||
                     fails_before(copy, (size_t)64 << 20, NULL, &error);
    assert_true(was_early || may_be_late);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.sqlstate, "22P02");
    assert_non_null(strstr(error.detail, "COPY target, line 1"));
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IN_ERROR);
    assert_false(copy_in_add(copy, "1\n", 2, NULL, &error));
    execute(postgres, "ROLLBACK");
    assert_usable(postgres);
}

static void a_refusal_at_the_end_is_the_ends(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    int64_t rows;

    execute(postgres, "ALTER TABLE target ADD UNIQUE (i) DEFERRABLE INITIALLY DEFERRED");
    AUTO(copy_in_free) struct copy_in *copy = begun(postgres, INTO);
    must(copy_in_add(copy, "1\n1\n", 4, NULL, &error), &error);
    assert_false(copy_in_end(copy, &rows, &error));
    assert_string_equal(error.sqlstate, "23505");
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IDLE);
    assert_usable(postgres);
}

static void count_notice(void *context, const struct notice *notice)
{
    size_t *count = context;
    *count += strcmp(notice->message, "taken") == 0;
}

static void notices_meanwhile_refuse_nothing(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    size_t count = 0, size;
    OWNED char *text = lines(20000, &size);
    struct postgres_hooks hooks = {.context = &count, .notice = count_notice};
    int64_t rows;

    execute(postgres, "CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS"
                      " $$ BEGIN RAISE NOTICE 'taken'; RETURN NEW; END $$");
    execute(postgres,
            "CREATE TRIGGER tell BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION pg_temp.tell()");
    postgres_set_hooks(postgres, &hooks);
    AUTO(copy_in_free) struct copy_in *copy = begun(postgres, INTO);
    for (int i = 0; i < 5; i++)
        must(copy_in_add(copy, text, size, NULL, &error), &error);
    must(copy_in_end(copy, &rows, &error), &error);
    postgres_set_hooks(postgres, NULL);
    assert_int_equal(rows, 100000);
    assert_int_equal(count, 100000);
    assert_usable(postgres);
}

/* ---- stopping ---- */

/* From its tenth row on the table takes half a minute for each. */
static struct copy_in *begun_slowly(struct postgres *postgres)
{
    execute(postgres, "CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS"
                      " $$ BEGIN IF NEW.i >= 10 THEN PERFORM pg_sleep(30); END IF; RETURN NEW; END $$");
    execute(postgres,
            "CREATE TRIGGER wait BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()");
    execute(postgres, "BEGIN");
    return begun(postgres, INTO);
}

static void the_stop_flag_cancels_a_server_that_takes_no_more(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;

    AUTO(copy_in_free) struct copy_in *copy = begun_slowly(postgres);
    attack_begin(&attack, postgres, NULL);
    assert_true(fails_before(copy, (size_t)64 << 20, &attack.stop, &error));
    attack_end(&attack);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.message, "stopped");
    assert_int_equal(postgres_transaction(postgres), POSTGRES_IN_ERROR);
    execute(postgres, "ROLLBACK");
    assert_usable(postgres);
}

static void the_stop_flag_keeps_nothing_of_what_went_in(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    atomic_bool stop = false;

    AUTO(copy_in_free) struct copy_in *copy = begun(postgres, INTO);
    must(copy_in_add(copy, "1\n2\n", 4, &stop, &error), &error);
    atomic_store(&stop, true);
    assert_false(copy_in_add(copy, "3\n", 2, &stop, &error));
    assert_string_equal(error.message, "stopped");
    assert_value(postgres, "SELECT count(*) FROM target", "0");
}

static void a_cancel_from_elsewhere_is_the_servers_error(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;

    AUTO(copy_in_free) struct copy_in *copy = begun_slowly(postgres);
    attack_begin(&attack, postgres, "pg_cancel_backend");
    fails_before(copy, (size_t)64 << 20, NULL, &error);
    attack_end(&attack);
    assert_int_equal(error.code, ERROR_FAILED);
    assert_string_equal(error.sqlstate, "57014");
    execute(postgres, "ROLLBACK");
    assert_usable(postgres);
}

static void a_terminated_backend_is_a_lost_connection(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    struct attack attack;

    AUTO(copy_in_free) struct copy_in *copy = begun_slowly(postgres);
    attack_begin(&attack, postgres, "pg_terminate_backend");
    fails_before(copy, (size_t)64 << 20, NULL, &error);
    attack_end(&attack);
    assert_int_equal(error.code, ERROR_CONNECTION);
    assert_string_equal(error.message, "terminating connection due to administrator command");
    assert_true(postgres_is_lost(postgres));
    assert_false(postgres_execute(postgres, "SELECT 1", &error));
    assert_int_equal(error.code, ERROR_CONNECTION);
}

static bool is_interrupted(void)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *postgres = connected();

    interrupt_install();
    execute(postgres, "CREATE TEMP TABLE target (i int)");
    AUTO(copy_in_free) struct copy_in *copy = begun_slowly(postgres);
    signal_me_later(SIGINT);
    fails_before(copy, (size_t)64 << 20, NULL, &error);
    if (error.code != ERROR_INTERRUPTED || postgres_transaction(postgres) != POSTGRES_IN_ERROR)
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

#define session_test(test) cmocka_unit_test_setup_teardown(test, target_begin, session_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(data_goes_in_however_it_is_cut),
        session_test(one_large_piece_goes_in),
        session_test(no_data_are_no_rows),
        session_test(one_that_was_not_ended_keeps_nothing),
        session_test(what_it_gives_back_goes_in_again),
        session_test(what_takes_no_data_fails_and_leaves_the_connection_usable),
        session_test(a_refusal_is_noticed_while_data_is_sent),
        session_test(a_refusal_at_the_end_is_the_ends),
        session_test(notices_meanwhile_refuse_nothing),
        session_test(the_stop_flag_cancels_a_server_that_takes_no_more),
        session_test(the_stop_flag_keeps_nothing_of_what_went_in),
        session_test(a_cancel_from_elsewhere_is_the_servers_error),
        session_test(a_terminated_backend_is_a_lost_connection),
        cmocka_unit_test(an_interruption_cancels_and_cleaning_up_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
