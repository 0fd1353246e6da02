/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/adopt.h"

#include "history_scene.h"

#define TABLE "public.schema_migrations"

static struct history *open_table(struct scene *scene, const char *ddl)
{
    scene_sql(scene, ddl);
    return scene_open(scene, TABLE);
}

/* Adopt what is there, and record something in it. */
static void adopt(struct scene *scene)
{
    assert_int_equal(scene->history->shape, HISTORY_ADOPTABLE);
    scene_lock(scene);
    must(history_prepare(scene->history, &scene->error), &scene->error);
    assert_int_equal(scene->history->shape, HISTORY_OURS);
}

/* ---- adopting ---- */

static void a_hand_made_table_is_read_before_it_is_adopted(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = open_table(
        scene, "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, applied_at timestamptz "
               "DEFAULT now(), applied_by varchar(100), description text);"
               "INSERT INTO schema_migrations VALUES ('002', '2026-01-02 03:04:05+00', 'ann', 'two'), "
               "('001', '2026-01-01 00:00:00+01', 'bob', 'one')");
    assert_int_equal(history->shape, HISTORY_ADOPTABLE);
    assert_non_null(history->reason);
    assert_int_equal(history->count, 2);
    assert_string_equal(history->rows[0].version, "001");
    assert_string_equal(history->rows[0].applied_at, "2025-12-31T23:00:00.000000Z");
    assert_string_equal(history->rows[0].applied_by, "bob");
    assert_string_equal(history->rows[1].description, "two");
    assert_int_equal(history->rows[1].sequence, 2);
    assert_int_equal(history->rows[1].state, ROW_APPLIED);
    assert_null(history->rows[1].checksum);
    assert_value(
        scene,
        "SELECT count(*) FROM pg_attribute WHERE attnum > 0 AND attrelid = 'schema_migrations'::regclass",
        "4");
}

static void adopting_adds_columns_and_keeps_rows(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = open_table(
        scene, "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, applied_at timestamptz "
               "DEFAULT now(), applied_by varchar(10), description varchar(20));"
               "INSERT INTO schema_migrations VALUES ('010', '2026-01-01', 'ann', 'ten'), "
               "('009', '2026-01-01', 'ann', 'nine'), ('001', '2025-01-01', NULL, NULL)");
    adopt(scene);
    assert_int_equal(history->count, 3);
    assert_value(scene, "SELECT string_agg(version, ',' ORDER BY sequence) FROM schema_migrations",
                 "001,009,010");
    assert_value(
        scene,
        "SELECT count(*) FROM schema_migrations WHERE applied_by = 'ann' AND applied_at = '2026-01-01'", "2");
    assert_value(scene, "SELECT action || ': ' || detail FROM schema_migrations_log",
                 "adopted: 3 rows were there before pgmigrate");

    scene_record(scene, "011_a_name_that_has_more_characters_than_fifty_so_that_it_needs_room");
    assert_int_equal(history->count, 4);
    assert_value(scene, "SELECT version FROM schema_migrations ORDER BY sequence DESC LIMIT 1",
                 "011_a_name_that_has_more_characters_than_fifty_so_that_it_needs_room");
}

static void another_time_column_gives_the_times(void **state)
{
    struct scene *scene = scene_of(state);
    open_table(scene, "CREATE TABLE schema_migrations (version text UNIQUE, executed_at timestamp NOT NULL);"
                      "INSERT INTO schema_migrations VALUES ('1', '2026-01-01 00:00:00')");
    adopt(scene);
    assert_value(scene, "SELECT applied_at = executed_at AND applied_by IS NULL FROM schema_migrations", "t");
    scene_record(scene, "002_b");
    assert_value(
        scene,
        "SELECT count(*) FROM schema_migrations WHERE executed_at IS NOT NULL AND applied_by = 'postgres'",
        "1");
}

static void a_table_with_another_primary_key_gets_a_unique_version(void **state)
{
    struct scene *scene = scene_of(state);
    open_table(
        scene,
        "CREATE TABLE schema_migrations (id serial PRIMARY KEY, version char(20), run_on date NOT NULL, "
        "execution_ms int NOT NULL DEFAULT 0);"
        "INSERT INTO schema_migrations (version, run_on) VALUES ('1', '2026-01-01')");
    assert_string_equal(scene->history->rows[0].version, "1");
    adopt(scene);
    scene_record(scene, "002_b");
    assert_value(scene, "SELECT string_agg(version, ',' ORDER BY sequence) FROM schema_migrations",
                 "1,002_b");
    assert_string_equal(scene->history->rows[0].version, "1");
}

static void an_empty_table_is_adopted(void **state)
{
    struct scene *scene = scene_of(state);
    open_table(scene, "CREATE TABLE schema_migrations (version text, applied_at timestamptz)");
    adopt(scene);
    scene_record(scene, "001_a");
    assert_int_equal(scene->history->rows[0].sequence, 1);
    assert_value(
        scene,
        "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'schema_migrations'::regclass",
        "1");
}

static void a_checksum_that_is_not_ours_is_not_compared(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = open_table(
        scene, "CREATE TABLE schema_migrations (version text PRIMARY KEY, applied_at timestamptz, checksum "
               "char(32));"
               "INSERT INTO schema_migrations VALUES ('1', now(), 'd41d8cd98f00b204e9800998ecf8427e')");
    assert_null(history->rows[0].checksum);
    adopt(scene);
    assert_null(history->rows[0].checksum);
    scene_record(scene, "002_b");
    assert_non_null(history->rows[1].checksum);
}

static void adopting_happens_altogether_or_not_at_all(void **state)
{
    struct scene *scene = scene_of(state);
    open_table(scene,
               "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, applied_at timestamptz);"
               "CREATE TABLE report (line schema_migrations)");
    scene_lock(scene);
    assert_false(history_prepare(scene->history, &scene->error));
    assert_string_equal(scene->error.sqlstate, "0A000");
    assert_non_null(strstr(scene->error.hint, "such as a view"));
    assert_value(
        scene,
        "SELECT count(*) FROM pg_attribute WHERE attnum > 0 AND attrelid = 'schema_migrations'::regclass",
        "2");
    assert_value(scene, "SELECT count(*) FROM pg_class WHERE relname = 'schema_migrations_log'", "0");
}

static void a_history_of_ours_that_lost_a_column_is_mended(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_sql(scene, "ALTER TABLE schema_migrations DROP COLUMN backup_id");
    scene_refresh(scene);
    assert_string_equal(history->reason, "It lacks the column \"backup_id\".");
    assert_non_null(history->rows[0].checksum);
    adopt(scene);
    assert_value(scene, "SELECT count(*) FROM schema_migrations WHERE forward_text IS NOT NULL", "1");
}

/* ---- what cannot be used ---- */

static void tables_that_cannot_be_adopted_say_why(void **state)
{
    static const struct {
        const char *ddl, *reason;
    } cases[] = {
        {"CREATE VIEW schema_migrations AS SELECT 'x'::text AS version, now() AS applied_at",
         "It is a view."},
        {"CREATE SEQUENCE schema_migrations", "It is a sequence."},
        {"CREATE TABLE schema_migrations (version text, applied_at timestamptz) PARTITION BY LIST (version)",
         "It is a partitioned table."},
        {"CREATE TABLE schema_migrations ()", "It has no column \"version\"."},
        {"CREATE TABLE schema_migrations (id int, applied_at timestamptz)", "It has no column \"version\"."},
        {"CREATE TABLE schema_migrations (version int PRIMARY KEY, applied_at timestamptz)",
         "Its column \"version\" is of type integer, where stems such as \"042_add_orders\" do not fit."},
        {"CREATE TABLE schema_migrations (version text, who text)",
         "It has no column with the time of application."},
        {"CREATE TABLE schema_migrations (version text, applied_at timestamptz, project text NOT NULL)",
         "Its column \"project\" must not be null and has no default."},
        {"CREATE TABLE schema_migrations (version text, applied_at timestamptz, checksum bytea)",
         "Its column \"checksum\" is of type bytea, which is not what is kept there."},
        {"CREATE TABLE schema_migrations (version text, applied_at timestamptz, sequence int)",
         "Its column \"sequence\" has no default."},
        {"CREATE TABLE schema_migrations (version text PRIMARY KEY, applied_at timestamptz, "
         "sequence int GENERATED ALWAYS AS IDENTITY)",
         "Its column \"sequence\" is generated always, and nothing else can be kept there."},
        {"CREATE TABLE schema_migrations (version text, applied_at timestamptz);"
         "INSERT INTO schema_migrations VALUES ('1', now()), ('2', now()), ('1', now())",
         "It has version \"1\" more than once."},
        {"CREATE TABLE schema_migrations (version text, applied_at timestamptz);"
         "INSERT INTO schema_migrations VALUES (NULL, now())",
         "It has a row without a version."},
    };
    struct scene *scene = scene_of(state);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_sql(scene, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        struct history *history = open_table(scene, cases[i].ddl);
        assert_int_equal(history->shape, HISTORY_UNUSABLE);
        assert_string_equal(history->reason, cases[i].reason);
        assert_int_equal(history->count, 0);
        AUTO(error_clear) struct error error = {0};
        assert_false(history_prepare(history, &error));
        assert_int_equal(error.code, ERROR_CONFLICT);
        assert_string_equal(error.detail, cases[i].reason);
    }
}

static void rows_hidden_by_row_level_security_are_not_overlooked(void **state)
{
    struct scene *scene = scene_of(state);
    scene_prepare(scene);
    scene_record(scene, "001_a");
    scene_sql(scene,
              "ALTER TABLE schema_migrations ENABLE ROW LEVEL SECURITY;"
              "GRANT ALL ON schema_migrations, schema_migrations_log TO pg_monitor; SET ROLE pg_monitor");
    scene_refresh(scene);
    assert_int_equal(scene->history->shape, HISTORY_UNUSABLE);
    assert_string_equal(scene->history->reason, "Row-level security hides rows of it from this role.");
}

/* ---- other tools ---- */

static void other_tools_tables_under_our_name_are_recognised(void **state)
{
    static const struct {
        const char *ddl, *tool;
    } cases[] = {
        {"CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
         "golang-migrate"},
        {"CREATE TABLE schema_migrations (version varchar PRIMARY KEY)", "dbmate"},
        {"CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);"
         "CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY)",
         "Rails"},
        {"CREATE TABLE schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp(0))", "Ecto"},
        {"CREATE TABLE schema_migrations (version text PRIMARY KEY, statements text[], name text)",
         "Supabase"},
        {"CREATE TABLE schema_migrations (version int4 NOT NULL PRIMARY KEY)", "tern"},
        {"CREATE TABLE schema_migrations (version bigint PRIMARY KEY, description text, type text, "
         "installed_by text, "
         "installed_on timestamp)",
         "yandex-pgmigrate"},
    };
    struct scene *scene = scene_of(state);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_sql(scene, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        struct history *history = open_table(scene, cases[i].ddl);
        assert_int_equal(history->shape, HISTORY_FOREIGN);
        assert_string_equal(history->tool, cases[i].tool);
        OWNED char *before = scene_value(scene, "SELECT count(*) FROM pg_attribute");
        AUTO(error_clear) struct error error = {0};
        assert_false(history_prepare(history, &error));
        assert_int_equal(error.code, ERROR_CONFLICT);
        assert_non_null(strstr(error.hint, "pgmigrate baseline VERSION"));
        assert_value(scene, "SELECT count(*) FROM pg_attribute", before);
    }
}

static void other_tools_tables_elsewhere_are_found(void **state)
{
    static const struct {
        const char *ddl, *tool, *table;
    } cases[] = {
        {"CREATE TABLE public.flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), "
         "description "
         "varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), "
         "installed_on "
         "timestamp, execution_time int, success boolean);"
         "INSERT INTO public.flyway_schema_history VALUES (1)",
         "Flyway", "public.flyway_schema_history"},
        {"CREATE TABLE public.schema_version (installed_rank int PRIMARY KEY, version varchar(50), "
         "description varchar(200), type varchar(20), script varchar(1000), checksum int, "
         "installed_by varchar(100), installed_on timestamp, execution_time int, success boolean);"
         "INSERT INTO public.schema_version VALUES (1)",
         "Flyway", "public.schema_version"},
        {"CREATE TABLE public.goose_db_version (id int PRIMARY KEY, version_id bigint, is_applied boolean, "
         "tstamp "
         "timestamp);"
         "INSERT INTO public.goose_db_version VALUES (1, 0, true)",
         "goose", "public.goose_db_version"},
        {"CREATE SCHEMA app; CREATE TABLE app._prisma_migrations (id varchar(36) PRIMARY KEY, checksum "
         "varchar(64), "
         "finished_at timestamptz, migration_name varchar(255), logs text, rolled_back_at timestamptz, "
         "started_at "
         "timestamptz, applied_steps_count int);"
         "INSERT INTO app._prisma_migrations VALUES ('1')",
         "Prisma", "app._prisma_migrations"},
        {"CREATE TABLE public.pgmigrations (id serial PRIMARY KEY, name varchar(255), run_on timestamp);"
         "INSERT INTO public.pgmigrations (name) VALUES ('x')",
         "node-pg-migrate", "public.pgmigrations"},
        {"CREATE TABLE public.django_migrations (id bigint, app text, name text, applied timestamptz);"
         "INSERT INTO public.django_migrations VALUES (1)",
         "Django", "public.django_migrations"},
        {"CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version "
         "text PRIMARY KEY, "
         "statements text[], name text); INSERT INTO supabase_migrations.schema_migrations VALUES ('1')",
         "Supabase", "supabase_migrations.schema_migrations"},
        {"CREATE SCHEMA graphile_migrate; CREATE TABLE graphile_migrate.migrations (hash text PRIMARY KEY, "
         "previous_hash "
         "text, filename text, date timestamptz); INSERT INTO graphile_migrate.migrations VALUES ('1')",
         "graphile-migrate", "graphile_migrate.migrations"},
        {"CREATE TABLE public.alembic_version (version_num varchar(32)); INSERT INTO public.alembic_version "
         "VALUES ('1')",
         "Alembic", "public.alembic_version"},
        {"CREATE TABLE public.__diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp);"
         "INSERT INTO public.__diesel_schema_migrations VALUES ('1')",
         "Diesel", "public.__diesel_schema_migrations"},
        {"CREATE SCHEMA app; CREATE TABLE app.knex_migrations (id serial PRIMARY KEY, name varchar(255), "
         "batch "
         "int, migration_time timestamptz); INSERT INTO app.knex_migrations (name) VALUES ('x')",
         "Knex", "app.knex_migrations"},
        {"CREATE TABLE public.migrations (id serial PRIMARY KEY, \"timestamp\" bigint NOT NULL, name "
         "varchar);"
         "INSERT INTO public.migrations (\"timestamp\") VALUES (1)",
         "TypeORM", "public.migrations"},
        {"CREATE TABLE public.\"SequelizeMeta\" (name varchar(255) PRIMARY KEY);"
         "INSERT INTO public.\"SequelizeMeta\" VALUES ('x')",
         "Sequelize", "public.SequelizeMeta"},
        {"CREATE TABLE public.migrations (id serial PRIMARY KEY, migration varchar(255), batch int);"
         "INSERT INTO public.migrations (batch) VALUES (1)",
         "Laravel", "public.migrations"},
        {"CREATE TABLE public.migrations (migration varchar(255), batch int);"
         "INSERT INTO public.migrations VALUES ('x', 1)",
         "Laravel", "public.migrations"},
    };
    struct scene *scene = scene_of(state);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_sql(scene,
                  "DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA public");
        struct history *history = open_table(scene, cases[i].ddl);
        assert_int_equal(history->shape, HISTORY_ABSENT);
        assert_non_null(history->other_tool);
        assert_string_equal(history->other_tool, cases[i].tool);
        assert_string_equal(history->other_table, cases[i].table);
        scene_sql(scene, "DROP SCHEMA IF EXISTS supabase_migrations, graphile_migrate CASCADE");
    }
}

static void empty_tables_and_those_of_the_platform_do_not_count(void **state)
{
    struct scene *scene = scene_of(state);
    struct history *history = open_table(
        scene, "CREATE TABLE public.alembic_version (version_num varchar(32));"
               "CREATE SCHEMA auth; CREATE TABLE auth.schema_migrations (version varchar PRIMARY KEY);"
               "INSERT INTO auth.schema_migrations VALUES ('1');"
               "CREATE SCHEMA app; CREATE TABLE app.migrations (id int, name text);"
               "INSERT INTO app.migrations VALUES (1, 'x');"
               "CREATE TABLE public.migrations (id int, name text, applied_at timestamp);"
               "INSERT INTO public.migrations VALUES (1, 'x');"
               "CREATE TABLE public.knex_migrations (id int, name text);"
               "INSERT INTO public.knex_migrations VALUES (1, 'x');"
               "CREATE TABLE public.\"SequelizeMeta\" (name text, age int);"
               "INSERT INTO public.\"SequelizeMeta\" VALUES ('x', 1);"
               "CREATE SCHEMA shop; CREATE TABLE shop.migrations (id int, migration text, batch int);"
               "INSERT INTO shop.migrations VALUES (1, 'x', 1)");
    assert_int_equal(history->shape, HISTORY_ABSENT);
    assert_null(history->other_tool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_hand_made_table_is_read_before_it_is_adopted),
        scene_test(adopting_adds_columns_and_keeps_rows),
        scene_test(another_time_column_gives_the_times),
        scene_test(a_table_with_another_primary_key_gets_a_unique_version),
        scene_test(an_empty_table_is_adopted),
        scene_test(a_checksum_that_is_not_ours_is_not_compared),
        scene_test(adopting_happens_altogether_or_not_at_all),
        scene_test(a_history_of_ours_that_lost_a_column_is_mended),
        scene_test(tables_that_cannot_be_adopted_say_why),
        scene_test(rows_hidden_by_row_level_security_are_not_overlooked),
        scene_test(other_tools_tables_under_our_name_are_recognised),
        scene_test(other_tools_tables_elsewhere_are_found),
        scene_test(empty_tables_and_those_of_the_platform_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
