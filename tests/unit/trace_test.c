/* SPDX-License-Identifier: PostgreSQL */
#include "trace_scene.h"
#include <pthread.h>

#define ROWS "CREATE TABLE t AS SELECT i AS id, i AS n, 'row ' || i AS x FROM generate_series(1, 2000) AS i; "

struct signal {
    const char *setup, *migration, *expected;
};

static void forget_locks(struct rehearsed_statement *statement)
{
    for (size_t i = 0; i < statement->lock_count; i++) {
        free(statement->locks[i].relation);
        free(statement->locks[i].mode);
    }
    statement->lock_count = 0;
}

static void check(struct scene *scene, const struct signal *signals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
        trace_setup(scene, signals[i].setup);
        must(trace_apply(scene, signals[i].migration, false, &rehearsed), &scene->error);
        /* Locks of a bare statement are seen only where it takes longer than the observer's next look. */
        bool bare = strstr(signals[i].migration, "no-transaction") != NULL;
        for (size_t k = 0; bare && k < rehearsed.statement_count; k++)
            forget_locks(&rehearsed.statements[k]);
        OWNED char *text = trace_text(&rehearsed);
        if (strcmp(text, signals[i].expected) != 0)
            fail_msg("%s\n--- expected\n%s--- measured\n%s", signals[i].migration, signals[i].expected, text);
    }
}
#define CHECK(scene, signals) check(scene, signals, sizeof signals / sizeof *(signals))

static void changes_of_the_catalogs_only_are_metadata(void **state)
{
    static const struct signal signals[] = {
        {ROWS, "ALTER TABLE t ADD COLUMN c int DEFAULT 1;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN c timestamptz DEFAULT now();",
         "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {ROWS,
         "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nSELECT 1;\nSET search_path = public;",
         "1 metadata\n2 other\n3 other\n"},
        {ROWS, "CREATE TABLE fresh (id int PRIMARY KEY);\nINSERT INTO fresh VALUES (1);",
         "1 metadata\n2 dml written=public.fresh\n"},
        {ROWS "ALTER TABLE t ADD CONSTRAINT known CHECK (n IS NOT NULL)",
         "ALTER TABLE t ALTER COLUMN n SET NOT NULL;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {ROWS, "TRUNCATE t;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {ROWS, "DROP TABLE t;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {"CREATE TABLE t (v varchar(20)); INSERT INTO t VALUES ('a'); CREATE INDEX ti ON t (v)",
         "ALTER TABLE t ALTER COLUMN v TYPE varchar(40);",
         "1 metadata ACCESS EXCLUSIVE:public.t ACCESS EXCLUSIVE:public.ti\n"},
        {ROWS, "ALTER TABLE t SET LOGGED;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
    };
    CHECK(scene_of(state), signals);
}

/* What a parser would warn of, or would not: the catalogs decide. */
static void what_looks_dangerous_and_costs_nothing_is_metadata(void **state)
{
    static const struct signal signals[] = {
        {"CREATE TABLE t (v varchar(50)); INSERT INTO t VALUES ('a')",
         "ALTER TABLE t ALTER COLUMN v TYPE text;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {"CREATE TABLE t (v numeric(10, 2)); INSERT INTO t VALUES (1)",
         "ALTER TABLE t ALTER COLUMN v TYPE numeric(12, 2);", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {ROWS "CREATE TABLE p (id int PRIMARY KEY)", "ALTER TABLE t ADD COLUMN p int REFERENCES p;",
         "1 metadata ACCESS EXCLUSIVE:public.t SHARE ROW EXCLUSIVE:public.p\n"},
        {ROWS "CREATE UNIQUE INDEX ti ON t (id)", "ALTER TABLE t ADD CONSTRAINT one UNIQUE USING INDEX ti;",
         "1 metadata ACCESS EXCLUSIVE:public.t SHARE UPDATE EXCLUSIVE:public.ti\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); "
         "CREATE TABLE c (i int CHECK (i >= 10 AND i < 20 AND i IS NOT NULL)); INSERT INTO c VALUES (11)",
         "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (10) TO (20);",
         "1 metadata SHARE UPDATE EXCLUSIVE:public.p ACCESS EXCLUSIVE:public.c\n"},
        {ROWS, "ALTER TABLE t ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON t USING (true);",
         "1 metadata ACCESS EXCLUSIVE:public.t\n2 metadata under exclusive\n"},
        {ROWS "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
         "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();",
         "1 metadata SHARE ROW EXCLUSIVE:public.t\n"},
        {ROWS "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
              "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
         "DROP TRIGGER g ON t;", "1 metadata ACCESS EXCLUSIVE:public.t\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); "
         "CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) TO (9); INSERT INTO c VALUES (1)",
         "ALTER TABLE p DETACH PARTITION c;",
         "1 metadata ACCESS EXCLUSIVE:public.p ACCESS EXCLUSIVE:public.c\n"},
    };
    CHECK(scene_of(state), signals);
}

static void a_table_that_is_read_under_a_lock_is_a_scan(void **state)
{
    static const struct signal signals[] = {
        {ROWS, "ALTER TABLE t ALTER COLUMN n SET NOT NULL;",
         "1 scan ACCESS EXCLUSIVE:public.t scanned=public.t\n"},
        {ROWS,
         "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;",
         "1 metadata ACCESS EXCLUSIVE:public.t\n2 scan scanned=public.t under exclusive\n"},
        {ROWS "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
         "ALTER TABLE t VALIDATE CONSTRAINT c;", "1 scan SHARE UPDATE EXCLUSIVE:public.t scanned=public.t\n"},
        {ROWS "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 2000)",
         "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p;",
         "1 scan SHARE ROW EXCLUSIVE:public.t SHARE ROW EXCLUSIVE:public.p scanned=public.t,public.p\n"},
        {"CREATE DOMAIN d AS int; CREATE TABLE a (v d); CREATE TABLE b (v d); INSERT INTO a VALUES (1); "
         "INSERT INTO b VALUES (1)",
         "ALTER DOMAIN d ADD CHECK (value > 0);",
         "1 scan SHARE:public.a SHARE:public.b scanned=public.a,public.b\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); CREATE TABLE d PARTITION OF p DEFAULT; "
         "CREATE TABLE c (i int CHECK (i >= 10 AND i < 20 AND i IS NOT NULL)); INSERT INTO d VALUES (1)",
         "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (10) TO (20);",
         "1 scan SHARE UPDATE EXCLUSIVE:public.p ACCESS EXCLUSIVE:public.d ACCESS EXCLUSIVE:public.c "
         "scanned=public.d\n"},
        {ROWS "ALTER TABLE t ADD CHECK (n > 0)", "ALTER TABLE t ALTER COLUMN n TYPE int;",
         "1 scan ACCESS EXCLUSIVE:public.t scanned=public.t\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); CREATE TABLE c (i int NOT NULL); INSERT INTO c "
         "VALUES (11)",
         "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (10) TO (20);",
         "1 scan SHARE UPDATE EXCLUSIVE:public.p ACCESS EXCLUSIVE:public.c scanned=public.c\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN c int CHECK (c > 0);",
         "1 scan ACCESS EXCLUSIVE:public.t scanned=public.t\n"},
        {"CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE t (p int); "
         "INSERT INTO t VALUES (1); ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES p NOT VALID",
         "ALTER TABLE t VALIDATE CONSTRAINT f;",
         "1 scan SHARE UPDATE EXCLUSIVE:public.t scanned=public.p,public.t\n"},
        {ROWS, "DO $$ BEGIN ALTER TABLE t ALTER COLUMN n SET NOT NULL; END $$;",
         "1 scan ACCESS EXCLUSIVE:public.t scanned=public.t\n"},
    };
    CHECK(scene_of(state), signals);
}

static void a_new_file_with_rows_is_a_rewrite(void **state)
{
    static const struct signal signals[] = {
        {ROWS "CREATE INDEX ti ON t (n)", "ALTER TABLE t ALTER COLUMN n TYPE bigint;",
         "1 rewrite ACCESS EXCLUSIVE:public.t ACCESS EXCLUSIVE:public.ti rewritten=public.t "
         "scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN r float DEFAULT random();",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {"CREATE TABLE t (v varchar(50)); INSERT INTO t VALUES ('a')",
         "ALTER TABLE t ALTER COLUMN v TYPE varchar(20);",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {"CREATE TABLE t (v numeric(10, 2)); INSERT INTO t VALUES (1)",
         "ALTER TABLE t ALTER COLUMN v TYPE numeric(12, 3);",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN s serial;",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN s int GENERATED ALWAYS AS IDENTITY;",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN s int GENERATED ALWAYS AS (n + 1) STORED;",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {ROWS, "ALTER TABLE t SET UNLOGGED;",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {ROWS "CREATE DOMAIN d AS int DEFAULT 1 CHECK (value > 0)", "ALTER TABLE t ADD COLUMN c d;",
         "1 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
        {ROWS "CREATE INDEX ti ON t (n)", "CLUSTER t USING ti;",
         "1 rewrite ACCESS EXCLUSIVE:public.t ACCESS EXCLUSIVE:public.ti rewritten=public.t "
         "scanned=public.t\n"},
        {ROWS "CREATE MATERIALIZED VIEW m AS SELECT * FROM t", "REFRESH MATERIALIZED VIEW m;",
         "1 rewrite ACCESS EXCLUSIVE:public.m rewritten=public.m scanned=public.t "
         "written=public.m\n"},
        {"CREATE TABLE t AS SELECT now()::timestamp AS at",
         "SET timezone = 'UTC';\nALTER TABLE t ALTER COLUMN at TYPE timestamptz;",
         "1 other\n2 metadata ACCESS EXCLUSIVE:public.t\n"},
        {"CREATE TABLE t AS SELECT now()::timestamp AS at",
         "SET timezone = 'Europe/Vienna';\nALTER TABLE t ALTER COLUMN at TYPE timestamptz;",
         "1 other\n2 rewrite ACCESS EXCLUSIVE:public.t rewritten=public.t scanned=public.t\n"},
    };
    CHECK(scene_of(state), signals);
}

static void an_index_with_a_file_of_its_own_is_a_build(void **state)
{
    static const struct signal signals[] = {
        {ROWS, "CREATE INDEX ti ON t (n);",
         "1 index build SHARE:public.t built=public.ti scanned=public.t\n"},
        {ROWS "CREATE INDEX ti ON t (n)", "REINDEX INDEX ti;",
         "1 index build SHARE:public.t ACCESS EXCLUSIVE:public.ti built=public.ti scanned=public.t\n"},
        {ROWS "CREATE INDEX ti ON t (n)", "REINDEX TABLE t;",
         "1 index build SHARE:public.t ACCESS EXCLUSIVE:public.ti built=public.ti scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD PRIMARY KEY (id);",
         "1 index build ACCESS EXCLUSIVE:public.t built=public.t_pkey scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD EXCLUDE (id WITH =);",
         "1 index build ACCESS EXCLUSIVE:public.t built=public.t_id_excl scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD UNIQUE (id);",
         "1 index build ACCESS EXCLUSIVE:public.t built=public.t_id_key scanned=public.t\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) "
         "TO (9); "
         "INSERT INTO c VALUES (1)",
         "CREATE INDEX pi ON p (i);",
         "1 index build SHARE:public.p SHARE:public.c built=public.c_i_idx scanned=public.c\n"},
    };
    CHECK(scene_of(state), signals);
}

static void rows_that_change_are_dml_and_reading_is_nothing(void **state)
{
    static const struct signal signals[] = {
        {ROWS, "UPDATE t SET n = n + 1;\nDELETE FROM t WHERE id = 1;\nUPDATE t SET n = 1 WHERE id < 0;",
         "1 dml scanned=public.t written=public.t\n2 dml scanned=public.t written=public.t\n"
         "3 dml scanned=public.t\n"},
        {ROWS, "ALTER TABLE t ADD COLUMN c int;\nUPDATE t SET c = 1;\nSELECT count(*) FROM t;",
         "1 metadata ACCESS EXCLUSIVE:public.t\n2 dml scanned=public.t written=public.t under exclusive\n"
         "3 other scanned=public.t under exclusive\n"},
        {ROWS, "SELECT count(*) FROM t;\nLOCK TABLE t IN EXCLUSIVE MODE;",
         "1 other scanned=public.t\n2 other EXCLUSIVE:public.t\n"},
        {ROWS,
         "LOCK TABLE t IN SHARE MODE;\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\nUPDATE t SET n = 1;",
         "1 other\n2 other SHARE:public.t\n3 dml scanned=public.t written=public.t\n"},
    };
    CHECK(scene_of(state), signals);
}

static void what_is_dropped_keeps_its_name_and_both_tables_of_a_foreign_key_are_locked(void **state)
{
    static const struct signal signals[] = {
        {"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int CONSTRAINT f REFERENCES p)",
         "ALTER TABLE c DROP CONSTRAINT f;",
         "1 metadata ACCESS EXCLUSIVE:public.p ACCESS EXCLUSIVE:public.c\n"},
        {"CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int CONSTRAINT f REFERENCES p)",
         "CREATE TABLE d (id int REFERENCES p);", "1 metadata SHARE ROW EXCLUSIVE:public.p\n"},
        {ROWS "CREATE INDEX ti ON t (n)", "DROP INDEX ti;",
         "1 metadata ACCESS EXCLUSIVE:public.t ACCESS EXCLUSIVE:public.ti\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i)",
         "CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) TO (9);",
         "1 metadata ACCESS EXCLUSIVE:public.p\n"},
        {ROWS "CREATE VIEW v AS SELECT * FROM t", "DROP TABLE t CASCADE;",
         "1 metadata ACCESS EXCLUSIVE:public.t ACCESS EXCLUSIVE:public.v\n"},
    };
    CHECK(scene_of(state), signals);
}

static void statements_outside_transactions_are_measured(void **state)
{
    struct scene *scene = scene_of(state);
    static const struct signal signals[] = {
        {ROWS, "-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY ti ON t (n);",
         "2 index build built=public.ti scanned=public.t\n"},
        {"CREATE TABLE p (i int) PARTITION BY RANGE (i); CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) "
         "TO (9); "
         "INSERT INTO c VALUES (1)",
         "-- pgmigrate: no-transaction\nALTER TABLE p DETACH PARTITION c CONCURRENTLY;", "2 metadata\n"},
        {ROWS "CREATE INDEX ti ON t (n)", "-- pgmigrate: no-transaction\nREINDEX INDEX CONCURRENTLY ti;",
         "2 index build built=public.ti scanned=public.t\n"},
        {ROWS "CREATE INDEX ti ON t (n)", "-- pgmigrate: no-transaction\nDROP INDEX CONCURRENTLY ti;",
         "2 metadata\n"},
        {ROWS, "-- pgmigrate: no-transaction\nVACUUM FULL t;\nSELECT 1;",
         "2 rewrite rewritten=public.t scanned=public.t\n3 other\n"},
    };
    CHECK(scene, signals);
}

static void rows_wal_sizes_and_times_are_measured(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    trace_setup(scene, ROWS "CREATE TABLE gone (i int); INSERT INTO gone VALUES (1)");
    must(trace_apply(scene,
                     "ALTER TABLE t ADD COLUMN c int;\nUPDATE t SET c = 1;\nDROP TABLE gone;\n"
                     "SELECT pg_sleep(0.05);\nCREATE INDEX ti ON t (c);\n",
                     false, &rehearsed),
         &scene->error);
    const struct rehearsed_statement *statements = rehearsed.statements;
    assert_int_equal(rehearsed.statement_count, 5);
    assert_string_equal(statements[1].text, "UPDATE t SET c = 1");
    assert_int_equal(statements[1].rows, 2000);
    assert_true(statements[1].wal_bytes > 100000 && statements[0].wal_bytes < 50000);
    assert_true(statements[3].us >= 50000);
    const struct held_lock *lock = &statements[0].locks[0];
    assert_string_equal(lock->relation, "public.t");
    assert_true(lock->held_us >= statements[3].us && lock->bytes > 100000);
    int64_t sizes[2] = {0};
    for (size_t i = 0; i < rehearsed.touched_count; i++) {
        const struct touched *touched = &rehearsed.touched[i];
        if (strcmp(touched->relation, "public.t") == 0) {
            sizes[0] = touched->before;
            sizes[1] = touched->after;
        }
        if (strcmp(touched->relation, "public.gone") == 0)
            assert_int_equal(touched->after, 0);
        if (strcmp(touched->relation, "public.ti") == 0)
            assert_int_equal(touched->before, 0);
    }
    assert_int_equal(rehearsed.touched_count, 3);
    assert_true(sizes[0] > 100000 && sizes[1] > sizes[0]);
    assert_true(rehearsed.commit_ms >= 0);
}

static void temporary_files_are_put_down_to_the_longest_statement(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    trace_setup(scene, ROWS);
    must(
        trace_apply(scene,
                    "SET work_mem = '64kB';\n"
                    "SELECT count(*) FROM (SELECT i FROM generate_series(1, 60000) AS i ORDER BY -i) AS s;\n",
                    false, &rehearsed),
        &scene->error);
    assert_int_equal(rehearsed.statements[0].temp_bytes, 0);
    if (postgres_server_version(scene->postgres) >= 150000)
        assert_true(rehearsed.statements[1].temp_bytes > 100000);
}

static void a_statement_that_fails_is_told_of_and_the_next_attempt_begins_anew(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    AUTO(rehearsed_clear) struct rehearsed again = {0};
    trace_setup(scene, ROWS);
    assert_false(trace_apply(scene, "ALTER TABLE t ADD COLUMN c int;\nSELECT 1/0;\n", false, &rehearsed));
    OWNED char *text = trace_text(&rehearsed);
    assert_string_equal(text, "1 metadata ACCESS EXCLUSIVE:public.t\n2 other under exclusive\n");
    must(trace_apply(scene, "DROP TABLE t;\n", false, &again), &scene->error);
    OWNED char *second = trace_text(&again);
    assert_string_equal(second, "1 metadata ACCESS EXCLUSIVE:public.t\n");
}

/* Another session, which keeps a snapshot and a lock for a while. */
static void *hold(void *context)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *postgres = NULL;
    if (!postgres_connect(context, "holder", &postgres, &error) ||
        !postgres_execute(
            postgres,
            "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE t IN ROW EXCLUSIVE MODE; SELECT 1; "
            "SELECT pg_sleep(0.5); COMMIT",
            &error))
        return context;
    return NULL;
}

static void a_concurrent_build_tells_what_it_waited_for(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    pthread_t thread;
    void *failed = NULL;
    trace_setup(scene, ROWS);
    assert_int_equal(pthread_create(&thread, NULL, hold, scene->url), 0);
    for (bool sleeps = false; !sleeps;) {
        OWNED char *value =
            scene_value(scene, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND "
                               "wait_event = 'PgSleep'");
        sleeps = strcmp(value, "1") == 0;
    }
    must(trace_apply(scene, "-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY ti ON t (n);", false,
                     &rehearsed),
         &scene->error);
    pthread_join(thread, &failed);
    assert_null(failed);

    const struct rehearsed_statement *statement = &rehearsed.statements[0];
    assert_true(statement->lock_wait_us > 0 && statement->lock_wait_us <= statement->us);
    assert_true(rehearsed.lock_wait_ms > 0);
    OWNED char *phases = text_list_join(&statement->phases, "; ");
    assert_non_null(strstr(phases, "waiting for writers before build "));
    OWNED char *text = trace_text(&rehearsed);
    assert_string_equal(text,
                        "2 index build SHARE UPDATE EXCLUSIVE:public.t built=public.ti scanned=public.t\n");
    assert_true(statement->locks[0].held_us > 0);
}

static void a_victim_is_held_up_by_what_it_would_be_held_up_by_in_production(void **state)
{
    struct scene *scene = scene_of(state);
    static const struct {
        const char *migration;
        bool stalls;
    } cases[] = {
        {"ALTER TABLE t ADD COLUMN c int;\nSELECT pg_sleep(0.4);", true},
        {"UPDATE t SET n = 2;\nSELECT pg_sleep(0.4);", true},
        {"DO $$ BEGIN LOCK TABLE t IN SHARE MODE; PERFORM pg_sleep(0.4); END $$;", true},
        {"LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE;\nSELECT pg_sleep(0.4);", false},
        {"CREATE TABLE u (i int);\nSELECT pg_sleep(0.4);", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
        trace_setup(scene, ROWS);
        must(trace_apply(scene, cases[i].migration, true, &rehearsed), &scene->error);
        bool stalled = rehearsed.victim_ms > 200;
        if (stalled != cases[i].stalls)
            fail_msg("%s: %jd ms", cases[i].migration, (intmax_t)rehearsed.victim_ms);
        if (stalled)
            assert_string_equal(rehearsed.victim_relation, "public.t");
    }
    /* What it writes is rolled back. */
    assert_value(scene, "SELECT count(*) FROM t", "2000");
}

static void a_victim_never_makes_a_migration_fail(void **state)
{
    struct scene *scene = scene_of(state);
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    trace_setup(scene, ROWS);
    must(trace_apply(scene,
                     "UPDATE t SET n = 2;\nSELECT pg_sleep(0.2);\nALTER TABLE t ADD COLUMN c int;\n"
                     "SELECT pg_sleep(0.1);\nDROP TABLE t;\nSELECT pg_sleep(0.1);\n",
                     true, &rehearsed),
         &scene->error);
    assert_true(rehearsed.victim_ms > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(changes_of_the_catalogs_only_are_metadata),
        scene_test(what_looks_dangerous_and_costs_nothing_is_metadata),
        scene_test(a_table_that_is_read_under_a_lock_is_a_scan),
        scene_test(a_new_file_with_rows_is_a_rewrite),
        scene_test(an_index_with_a_file_of_its_own_is_a_build),
        scene_test(rows_that_change_are_dml_and_reading_is_nothing),
        scene_test(what_is_dropped_keeps_its_name_and_both_tables_of_a_foreign_key_are_locked),
        scene_test(statements_outside_transactions_are_measured),
        scene_test(a_concurrent_build_tells_what_it_waited_for),
        scene_test(a_victim_is_held_up_by_what_it_would_be_held_up_by_in_production),
        scene_test(a_victim_never_makes_a_migration_fail),
        scene_test(rows_wal_sizes_and_times_are_measured),
        scene_test(temporary_files_are_put_down_to_the_longest_statement),
        scene_test(a_statement_that_fails_is_told_of_and_the_next_attempt_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
