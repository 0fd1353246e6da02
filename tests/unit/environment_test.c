/* SPDX-License-Identifier: PostgreSQL */
/* Connecting once more, and letting other programs connect. The server may want a password: then
 * TEST_SERVER_PASSWORD holds it, as the URL does. */
#include "common/process.h"
#include "tests/unit/copy_scene.h"

static const char *password(void)
{
    const char *text = getenv("TEST_SERVER_PASSWORD");
    return text == NULL ? "" : text;
}

/* What psql answers that knows of the connection by its environment only; "!" and its complaint. */
static char *psql_says(const struct text_list *environment, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const argv[] = {"psql", "-XAtqw", "-c", sql, NULL};
    struct process_request request = {.argv = argv, .environment = (const char *const *)environment->items};

    must(process_run(&request, &result, &error), &error);
    return result.status != 0 ? text_format("!%s", result.errors) : take(result.output);
}

static void assert_psql_says(const struct postgres *postgres, const char *database, const char *options,
                             const char *sql, const char *expected)
{
    AUTO(text_list_clear) struct text_list environment = {0};

    postgres_environment(postgres, database, options, &environment);
    OWNED char *answer = psql_says(&environment, sql);
    assert_string_equal(answer, expected);
}

/* Where we are: server, encryption, user, database. */
#define WHERE                                                                                                \
    "SELECT concat_ws(' ', current_setting('cluster_name'), pg_postmaster_start_time(), "                    \
    "inet_server_addr(), current_user,"                                                                      \
    " current_database(), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()))"

static void assert_same_place(struct postgres *postgres)
{
    OWNED char *here = value_of(postgres, WHERE);
    OWNED char *line = text_format("%s\n", here);
    assert_psql_says(postgres, NULL, NULL, WHERE, line);

    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *again = NULL, *database = NULL;
    must(postgres_connect_again(postgres, &again, &error), &error);
    assert_value(again, WHERE, here);
    must(postgres_connect_database(postgres, NULL, &database, &error), &error);
    assert_value(database, WHERE, here);
}

/* The URL's place in keywords, as a list of hosts of which only the second answers, or alone. */
static char *conninfo_of(struct postgres *postgres, bool after_another, bool with_password)
{
    const char *address = postgres_address(postgres), *colon = strrchr(address, ':');
    OWNED char *host = text_copy_part(address, colon == NULL ? strlen(address) : (size_t)(colon - address));
    OWNED char *quoted = text_format("'%s'", password());

    return text_format("host=%s%s port=%s5432 user=postgres dbname=postgres %s%s",
                       after_another ? "/nowhere," : "", host, after_another ? "1," : "",
                       with_password ? "password=" : "", with_password ? quoted : "");
}

static struct postgres *connected_to(const char *conninfo)
{
    AUTO(error_clear) struct error error = {0};
    struct postgres *postgres = NULL;

    must(postgres_connect(conninfo, "environment_test", &postgres, &error), &error);
    return postgres;
}

static void a_child_connects_to_the_same_place(void **state)
{
    assert_same_place(session_of(state));
}

static void of_several_hosts_the_one_we_are_connected_to_is_meant(void **state)
{
    OWNED char *conninfo = conninfo_of(session_of(state), true, *password() != '\0');
    AUTO(postgres_free) struct postgres *postgres = connected_to(conninfo);

    assert_same_place(postgres);
}

static void variables_that_came_later_do_not_count(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char *const variables[] = {"PGHOST",     "PGHOSTADDR", "PGPORT",          "PGUSER",
                                            "PGPASSWORD", "PGDATABASE", "PGSERVICE",       "PGSERVICEFILE",
                                            "PGOPTIONS",  "PGPASSFILE", "PGCLIENTENCODING"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i], "nonsense", 1);
    OWNED char *here = value_of(postgres, WHERE);
    OWNED char *line = text_format("%s\n", here);
    assert_psql_says(postgres, NULL, NULL, WHERE, line);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}

static void another_database_may_have_any_name(void **state)
{
    struct postgres *postgres = session_of(state);
    static const char name[] = "host=nowhere 'x' \"y\"";
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *other = NULL;

    execute(postgres, "CREATE DATABASE \"host=nowhere 'x' \"\"y\"\"\"");
    assert_psql_says(postgres, name, NULL, "SELECT current_database()", "host=nowhere 'x' \"y\"\n");
    must(postgres_connect_database(postgres, name, &other, &error), &error);
    assert_value(other, "SELECT current_database()", name);
    postgres_free(take(other));
    execute(postgres, "DROP DATABASE \"host=nowhere 'x' \"\"y\"\"\"");
}

static void a_missing_database_is_an_error(void **state)
{
    struct postgres *postgres = session_of(state);
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *other = NULL;

    assert_false(postgres_connect_database(postgres, "nowhere", &other, &error));
    assert_int_equal(error.code, ERROR_CONNECTION);
    assert_non_null(strstr(error.message, "database \"nowhere\" does not exist"));
}

static void options_are_added_to_those_of_the_connection(void **state)
{
    OWNED char *plain = conninfo_of(session_of(state), false, *password() != '\0');
    OWNED char *conninfo = text_format("%s options='-c statement_timeout=12s'", plain);
    AUTO(postgres_free) struct postgres *postgres = connected_to(conninfo);
    static const char sql[] = "SELECT current_setting('statement_timeout'), current_setting('geqo_seed')";

    assert_psql_says(postgres, NULL, NULL, sql, "12s|0\n");
    assert_psql_says(postgres, NULL, "-c geqo_seed=0.5", sql, "12s|0.5\n");
    assert_psql_says(session_of(state), NULL, "-c geqo_seed=0.5", sql, "0|0.5\n");
}

static void the_encoding_is_the_databases_own(void **state)
{
    struct postgres *postgres = session_of(state);

    assert_value(postgres, "SHOW client_encoding", "UTF8");
    execute(postgres,
            "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    assert_psql_says(postgres, "bytes", NULL, "SHOW client_encoding", "SQL_ASCII\n");
    execute(postgres, "DROP DATABASE bytes");
}

/* Where the server trusts us, this shows that a service is resolved; else also the password of a file. */
static void services_and_password_files_are_resolved(void **state)
{
    struct postgres *session = session_of(state);
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = NULL;
    must(file_make_temporary("pgmigrate-test", &folder, &error), &error);
    OWNED char *service = file_join(folder, "service");
    OWNED char *words = conninfo_of(session, false, false);
    for (char *at = words; *at != '\0'; at++)
        if (*at == ' ')
            *at = '\n';
    OWNED char *text = text_format("[it]\n%s\n", words);
    must(file_write_new(service, text, strlen(text), 0600, &error), &error);
    OWNED char *file = file_join(folder, "passwords");
    OWNED char *line = text_format("*:*:postgres:*:%s\n", password());
    must(file_write_new(file, line, strlen(line), 0600, &error), &error);
    setenv("PGSERVICEFILE", service, 1);
    setenv("PGPASSFILE", file, 1);

    AUTO(postgres_free) struct postgres *postgres = connected_to("service=it");
    unsetenv("PGSERVICEFILE");
    unsetenv("PGPASSFILE");
    must(file_remove_tree(folder, &error), &error);
    assert_same_place(postgres);
}

#define session_test(test) cmocka_unit_test_setup_teardown(test, session_begin, session_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        session_test(a_child_connects_to_the_same_place),
        session_test(of_several_hosts_the_one_we_are_connected_to_is_meant),
        session_test(variables_that_came_later_do_not_count),
        session_test(another_database_may_have_any_name),
        session_test(a_missing_database_is_an_error),
        session_test(options_are_added_to_those_of_the_connection),
        session_test(the_encoding_is_the_databases_own),
        session_test(services_and_password_files_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
