/* SPDX-License-Identifier: PostgreSQL */
#include "common/config.h"
#include "tests/unit/scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Every test runs in a fresh folder with an environment that sets nothing. */
static int enter(void **state)
{
    unsetenv("DATABASE_URL");
    unsetenv("PGMIGRATE_ENVIRONMENT");
    for (const struct config_key *key = config_keys; key->name != NULL; key++) {
        OWNED char *name = config_key_variable(key);
        unsetenv(name);
    }
    if (scratch_enter(state) != 0)
        return -1;
    free(*state);
    *state = getcwd(NULL, 0);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    AUTO(error_clear) struct error error = {0};

    assert_true(file_write_atomic(path, text, strlen(text), 0644, &error));
}

static struct config *load(const char *text, const char *environment)
{
    struct config *config = NULL;
    AUTO(error_clear) struct error error = {0};

    if (text != NULL)
        write_file("pgmigrate.conf", text);
    if (!config_load(NULL, environment, &config, &error))
        fail_msg("%s:%zu: %s", error.file, error.line, error.message);
    return config;
}

static void set_flag(struct config *config, const char *key, const char *value)
{
    AUTO(error_clear) struct error error = {0};

    if (!config_set_flag(config, key, value, &error))
        fail_msg("%s", error.message);
}

/* The file is refused in that line with that message and hint (NULL: any). */
static void assert_refused(const char *text, size_t line, const char *message, const char *hint)
{
    AUTO(config_free) struct config *config = NULL;
    AUTO(error_clear) struct error error = {0};

    write_file("pgmigrate.conf", text);
    assert_false(config_load(NULL, NULL, &config, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(error.message, message);
    assert_string_equal(error.file, "pgmigrate.conf");
    assert_int_equal(error.line, line);
    if (hint != NULL) {
        assert_non_null(error.hint);
        assert_string_equal(error.hint, hint);
    }
}

static void assert_origin(const struct config *config, const char *key, const char *expected)
{
    OWNED char *origin = config_origin(config, key);

    assert_string_equal(origin, expected);
}

static void assert_paths(const struct config *config, const char *folder, const char *first,
                         const char *second)
{
    AUTO(text_list_clear) struct text_list paths = config_paths(config, "directory");
    OWNED char *one = file_join(folder, first);
    OWNED char *two = file_join(folder, second == NULL ? "" : second);

    assert_int_equal(paths.count, second == NULL ? 1 : 2);
    assert_string_equal(paths.items[0], one);
    if (second != NULL)
        assert_string_equal(paths.items[1], two);
}

static void assert_database(const struct config *config, const char *expected)
{
    OWNED char *database = NULL;
    AUTO(error_clear) struct error error = {0};

    if (!config_database(config, &database, &error))
        fail_msg("%s", error.message);
    if (expected == NULL)
        assert_null(database);
    else
        assert_string_equal(database, expected);
}

static void without_a_file_the_defaults_hold(void **state)
{
    AUTO(config_free) struct config *config = load(NULL, NULL);

    assert_null(config_file(config));
    assert_null(config_environment(config));
    assert_string_equal(config_text(config, "history_table"), "public.schema_migrations");
    assert_int_equal(config_duration(config, "lock_timeout"), 2000);
    assert_int_equal(config_duration(config, "statement_timeout"), 0);
    assert_int_equal(config_duration(config, "max_wait"), 600000);
    assert_int_equal(config_duration(config, "wait_lock"), 60000);
    assert_int_equal(config_integer(config, "batch"), 1);
    assert_false(config_bool(config, "protected"));
    assert_null(config_text(config, "role"));
    assert_null(config_text(config, "rollback_required"));
    assert_false(config_is_set(config, "lock_timeout"));
    assert_origin(config, "lock_timeout", "default");
    assert_paths(config, *state, "migrations", NULL);
}

static void values_are_read_with_comments_blanks_and_indentation(void **state)
{
    (void)state;
    AUTO(config_free)
    struct config *config = load("\xEF\xBB\xBF; a comment\r\n"
                                 "# another\r\n"
                                 "[migrations]   ; here too\r\n"
                                 "  layout = native      ; auto native\r\n"
                                 "\tlock_timeout=500\r\n"
                                 "  role = a;b#c\r\n"
                                 "batch = 8",
                                 NULL);

    assert_string_equal(config_text(config, "layout"), "native");
    assert_int_equal(config_duration(config, "lock_timeout"), 500);
    assert_string_equal(config_text(config, "role"), "a;b#c");
    assert_int_equal(config_integer(config, "batch"), 8);
    assert_true(config_is_set(config, "layout"));
    assert_origin(config, "layout", "pgmigrate.conf:4");
    assert_origin(config, "batch", "pgmigrate.conf:7");
}

static void a_bare_number_is_milliseconds_or_seconds_by_key(void **state)
{
    (void)state;
    AUTO(config_free)
    struct config *config = load("[migrations]\nlock_timeout = 5\nstatement_timeout = 5s\nmax_wait = 5\n"
                                 "wait_lock = 5ms\n",
                                 NULL);

    assert_int_equal(config_duration(config, "lock_timeout"), 5);
    assert_int_equal(config_duration(config, "statement_timeout"), 5000);
    assert_int_equal(config_duration(config, "max_wait"), 5000);
    assert_int_equal(config_duration(config, "wait_lock"), 5);
}

static void flag_beats_variable_beats_environment_beats_section_beats_default(void **state)
{
    (void)state;
    const char *text = "[migrations]\nrole = general\n[environment production]\nrole = section\n";

    {
        AUTO(config_free) struct config *config = load(text, NULL);
        assert_string_equal(config_text(config, "role"), "general");
        assert_origin(config, "role", "pgmigrate.conf:2");
    }
    {
        AUTO(config_free) struct config *config = load(text, "production");
        assert_string_equal(config_text(config, "role"), "section");
        assert_string_equal(config_environment(config), "production");
        assert_origin(config, "role", "pgmigrate.conf:4");
    }
    setenv("PGMIGRATE_ROLE", "variable", 1);
    AUTO(config_free) struct config *config = load(text, "production");
    assert_string_equal(config_text(config, "role"), "variable");
    assert_origin(config, "role", "PGMIGRATE_ROLE");
    set_flag(config, "role", "flag");
    assert_string_equal(config_text(config, "role"), "flag");
    assert_origin(config, "role", "--role");
    set_flag(config, "role", "later");
    assert_string_equal(config_text(config, "role"), "later");
}

static void an_empty_value_unsets_a_key_without_default(void **state)
{
    (void)state;
    AUTO(config_free)
    struct config *config = load("[migrations]\nrole = general\n[environment test]\nrole =\n", "test");

    assert_null(config_text(config, "role"));
    assert_false(config_is_set(config, "role"));
    assert_refused("[migrations]\nlock_timeout =\n", 2, "\"lock_timeout\" wants a value", NULL);
}

static void an_empty_variable_is_as_good_as_none(void **state)
{
    (void)state;
    setenv("PGMIGRATE_LOCK_TIMEOUT", "", 1);
    setenv("PGMIGRATE_ENVIRONMENT", "", 1);
    AUTO(config_free) struct config *config = load(NULL, NULL);

    assert_int_equal(config_duration(config, "lock_timeout"), 2000);
    assert_null(config_environment(config));
}

static void the_environment_comes_from_the_variable_too(void **state)
{
    (void)state;
    setenv("PGMIGRATE_ENVIRONMENT", "staging", 1);
    {
        AUTO(config_free) struct config *config = load("[environment staging]\nprotected = yes\n", NULL);
        assert_string_equal(config_environment(config), "staging");
        assert_true(config_bool(config, "protected"));
    }
    AUTO(config_free) struct config *config = load("[environment staging]\n[environment test]\n", "test");
    assert_string_equal(config_environment(config), "test");
}

static void an_unknown_environment_lists_those_there_are(void **state)
{
    (void)state;
    AUTO(config_free) struct config *config = NULL;
    AUTO(error_clear) struct error error = {0};

    assert_false(config_load(NULL, "production", &config, &error));
    assert_string_equal(error.message, "unknown environment \"production\": there is no pgmigrate.conf");
    write_file("pgmigrate.conf", "[environment staging]\n[environment production]\nrole = x\n");
    assert_false(config_load(NULL, "prod", &config, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(error.message, "unknown environment \"prod\"");
    assert_string_equal(error.hint, "There are: \"staging\", \"production\".");
    write_file("pgmigrate.conf", "");
    assert_false(config_load(NULL, "prod", &config, &error));
    assert_string_equal(error.hint, "The file has no section [environment NAME].");
}

static void unknown_names_are_refused_with_the_nearest_known_one(void **state)
{
    (void)state;
    assert_refused("[migrations]\n\nlock_timout = 2s\n", 3, "unknown key \"lock_timout\"",
                   "Did you mean \"lock_timeout\"?");
    assert_refused("[migratoins]\nrole = x\n", 1, "unknown section [migratoins]",
                   "Did you mean [migrations]?");
    assert_refused("[enviroment production]\n", 1, "unknown section [enviroment production]", NULL);
    assert_refused("[environment]\n", 1, "section [environment] wants a name",
                   "Write [environment production].");
    assert_refused("; empty sections count\n[nonsense]\n", 2, "unknown section [nonsense]", NULL);
}

static void a_key_in_the_wrong_section_is_told_its_own(void **state)
{
    (void)state;
    assert_refused("[migrations]\nprotected = yes\n", 2,
                   "key \"protected\" does not belong in section [migrations]",
                   "It belongs in a section [environment NAME].");
    assert_refused("role = x\n", 1, "key \"role\" stands before the first section",
                   "It belongs in section [migrations], or in [environment NAME].");
}

static void a_key_may_stand_only_once_in_a_section(void **state)
{
    (void)state;
    assert_refused("[migrations]\nrole = x\n[environment a]\nrole = y\n[migrations]\nrole = z\n", 6,
                   "key \"role\" is set twice, first in line 2", NULL);
    AUTO(config_free)
    struct config *config = load("[environment a]\nrole = x\n[environment b]\nrole = y\n", "b");
    assert_string_equal(config_text(config, "role"), "y");
}

static void values_of_the_wrong_type_are_refused(void **state)
{
    (void)state;
    assert_refused("[migrations]\nlock_timeout = soon\n", 2,
                   "\"lock_timeout\" wants a duration such as 500ms, 2s, 10min or 1h, not \"soon\"", NULL);
    assert_refused("[migrations]\nbatch = many\n", 2, "\"batch\" wants a whole number, not \"many\"", NULL);
    assert_refused("[migrations]\nbatch = -1\n", 2, "\"batch\" wants a whole number, not \"-1\"", NULL);
    assert_refused("[migrations]\nlayout = flywy\n", 2,
                   "\"layout\" must be one of auto, native, updown, sections, flyway, not \"flywy\"",
                   "Did you mean \"flyway\"?");
    assert_refused("[environment x]\nprotected = maybe\n", 2,
                   "\"protected\" wants \"yes\" or \"no\", not \"maybe\"", NULL);
    assert_refused("[migrations]\ndirectory = , ,\n", 2,
                   "\"directory\" wants one or more paths separated by commas, not \", ,\"", NULL);
}

static void lines_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_refused("[migrations]\nrole = x\n  and more\n", 3, "not a line of a configuration", NULL);
    assert_refused("[migrations\nrole = x\n", 1, "not a line of a configuration", NULL);
    assert_refused("[migrations]\nnonsense\nlock_timout = 1\n", 2, "not a line of a configuration", NULL);
    assert_refused("[migrations]\nrole = \xFF\n", 2, "configuration is not valid UTF-8", NULL);
}

static void a_long_line_is_read_and_a_monstrous_one_refused(void **state)
{
    (void)state;
    OWNED char *value = memory_allocate(9001, 1);
    memset(value, 'x', 9000);
    OWNED char *monstrous = text_format("[migrations]\nrole = %s\n", value);
    assert_refused(monstrous, 2, "line is longer than 8190 bytes", NULL);

    value[5000] = '\0';
    OWNED char *text = text_format("[migrations]\nrole = %s\n", value);
    AUTO(config_free) struct config *config = load(text, NULL);
    assert_string_equal(config_text(config, "role"), value);
}

static void a_long_environment_name_is_not_cut_short(void **state)
{
    (void)state;
    OWNED char *name = memory_allocate(201, 1);
    memset(name, 'e', 200);
    OWNED char *text = text_format("[environment %s]\nrole = x\n", name);
    AUTO(config_free) struct config *config = load(text, name);

    assert_string_equal(config_text(config, "role"), "x");
}

static void variables_and_flags_are_checked_and_named(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    {
        AUTO(config_free) struct config *config = load(NULL, NULL);
        assert_false(config_set_flag(config, "max_wait", "long", &error));
        assert_string_equal(error.message,
                            "\"--max-wait\" wants a duration such as 500ms, 2s, 10min or 1h, not \"long\"");
        assert_int_equal(config_duration(config, "max_wait"), 600000);
        assert_false(config_set_flag(config, "no_such", "x", &error));
    }
    setenv("PGMIGRATE_LAYOUT", "none", 1);
    AUTO(config_free) struct config *config = NULL;
    assert_false(config_load(NULL, NULL, &config, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(
        error.message,
        "\"PGMIGRATE_LAYOUT\" must be one of auto, native, updown, sections, flyway, not \"none\"");
}

static void the_file_is_searched_upwards_and_its_folder_is_the_base(void **state)
{
    const char *root = *state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *file = file_join(root, "pgmigrate.conf");

    assert_true(file_make_folder("deep/down", 0755, &error));
    write_file("pgmigrate.conf", "[migrations]\ndirectory = ./db, packs/x/db/\n");
    assert_int_equal(chdir("deep/down"), 0);
    {
        AUTO(config_free) struct config *config = load(NULL, NULL);
        assert_string_equal(config_file(config), file);
        assert_paths(config, root, "db", "packs/x/db");
    }
    write_file(file, "[migrations]\n");
    AUTO(config_free) struct config *config = load(NULL, NULL);
    assert_paths(config, root, "migrations", NULL);
}

static void a_file_that_was_asked_for_must_be_there(void **state)
{
    AUTO(config_free) struct config *config = NULL;
    AUTO(error_clear) struct error error = {0};

    assert_false(config_load("other.conf", NULL, &config, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(error.message, "could not read \"other.conf\": No such file or directory");

    assert_true(file_make_folder("etc", 0755, &error));
    write_file("pgmigrate.conf", "[nonsense]\n");
    write_file("etc/other.conf", "[migrations]\ndirectory = /abs, rel\n");
    assert_true(config_load("etc/other.conf", NULL, &config, &error));
    assert_string_equal(config_file(config), "etc/other.conf");
    OWNED char *base = file_join(*state, "etc");
    assert_paths(config, base, "/abs", "rel");
}

static void flags_of_paths_add_up_and_start_here(void **state)
{
    AUTO(config_free) struct config *config = load("[migrations]\ndirectory = db\n", NULL);

    set_flag(config, "directory", "a");
    set_flag(config, "directory", "/b");
    assert_paths(config, *state, "a", "/b");
    assert_origin(config, "directory", "--migrations");
}

static void one_path_is_made_absolute_too(void **state)
{
    AUTO(config_free) struct config *config = load("[migrations]\ndirectory = ./here/\n", NULL);
    OWNED char *expected = file_join(*state, "here");
    OWNED char *path = config_path(config, "directory");

    assert_string_equal(path, expected);
    assert_null(config_path(config, "role"));
}

static void a_key_may_stand_for_many_names(void **state)
{
    (void)state;
    AUTO(config_free)
    struct config *config = load("[backup]\n"
                                 "attach.deployment.yaml = kubectl get deployment -o yaml\n"
                                 "attach.x = true\n"
                                 "attach.gone = true\n"
                                 "[environment production]\n"
                                 "attach.x = false\n"
                                 "attach.gone =\n"
                                 "[environment staging]\n"
                                 "attach.other = true\n",
                                 "production");
    AUTO(text_list_clear) struct text_list names = config_names(config, "attach.");
    OWNED char *joined = text_list_join(&names, " ");

    assert_string_equal(joined, "deployment.yaml x");
    assert_string_equal(config_text(config, "attach.deployment.yaml"), "kubectl get deployment -o yaml");
    assert_string_equal(config_text(config, "attach.x"), "false");
    assert_null(config_text(config, "attach.gone"));
    assert_null(config_text(config, "attach.unheard"));
    assert_refused("[backup]\nattach. = true\n", 2, "unknown key \"attach.\"", NULL);
    assert_refused("[backup]\nattach.x = a\nattach.x = b\n", 3,
                   "key \"attach.x\" is set twice, first in line 2", NULL);
    assert_refused("[migrations]\nattach.x = a\n", 2,
                   "key \"attach.\" does not belong in section [migrations]", NULL);
}

static void sizes_have_units(void **state)
{
    (void)state;
    AUTO(config_free) struct config *config = load("[backup]\nsplit_larger_than = 2MB\n", NULL);

    assert_int_equal(config_size(config, "split_larger_than"), 2 << 20);
    assert_int_equal(config_size(config, "repository"), -1);
    assert_refused("[backup]\nsplit_larger_than = big\n", 2,
                   "\"split_larger_than\" wants a size such as 64MB or 1GB, not \"big\"", NULL);
}

static void nothing_said_leaves_the_database_to_libpq(void **state)
{
    (void)state;
    AUTO(config_free) struct config *config = load(NULL, NULL);

    assert_database(config, NULL);
    setenv("DATABASE_URL", "", 1);
    assert_database(config, NULL);
    setenv("DATABASE_URL", "postgresql:///url", 1);
    assert_database(config, "postgresql:///url");
}

static void database_url_beats_the_chosen_environment(void **state)
{
    (void)state;
    const char *text = "[environment production]\ndatabase = service=production\n[environment bare]\n";
    setenv("DATABASE_URL", "postgresql:///url", 1);

    {
        AUTO(config_free) struct config *config = load(text, NULL);
        assert_database(config, "postgresql:///url");
    }
    {
        AUTO(config_free) struct config *config = load(text, "bare");
        assert_database(config, "postgresql:///url");
    }
    {
        AUTO(config_free) struct config *config = load(text, "production");
        assert_database(config, "postgresql:///url");
        assert_true(config_database_hidden(config));
        unsetenv("DATABASE_URL");
        assert_database(config, "service=production");
        assert_false(config_database_hidden(config));
        setenv("DATABASE_URL", "postgresql:///url", 1);
    }
    setenv("PGMIGRATE_DATABASE", "dbname=variable", 1);
    AUTO(config_free) struct config *config = load(text, "production");
    assert_database(config, "dbname=variable");
    set_flag(config, "database", "embedded:");
    assert_database(config, "embedded:");
}

static void env_stands_for_a_variable_that_must_be_set(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    OWNED char *database = NULL;
    AUTO(config_free)
    struct config *config =
        load("[environment production]\ndatabase = env:URL_OF_PRODUCTION\n", "production");

    unsetenv("URL_OF_PRODUCTION");
    assert_false(config_database(config, &database, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(error.message, "variable \"URL_OF_PRODUCTION\" is not set");
    assert_string_equal(error.detail,
                        "The database is taken from it: pgmigrate.conf:2 says \"env:URL_OF_PRODUCTION\".");
    assert_int_equal(error.line, 2);
    setenv("URL_OF_PRODUCTION", "postgresql:///production", 1);
    assert_database(config, "postgresql:///production");
}

static void the_table_of_keys_is_consistent(void **state)
{
    (void)state;
    for (const struct config_key *key = config_keys; key->name != NULL; key++) {
        AUTO(error_clear) struct error error = {0};
        OWNED char *name = text_format("%s%s", key->name, text_ends_with(key->name, ".") ? "x" : "");
        assert_ptr_equal(config_key(name), key); /* unique */
        assert_non_null(key->flag);
        assert_non_null(key->summary);
        assert_true((key->type == CONFIG_CHOICE) == (key->choices != NULL));
        if (key->default_value != NULL)
            assert_true(config_key_check(key, key->name, key->default_value, &error));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, scratch_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_file_the_defaults_hold),
        TEST(values_are_read_with_comments_blanks_and_indentation),
        TEST(a_bare_number_is_milliseconds_or_seconds_by_key),
        TEST(flag_beats_variable_beats_environment_beats_section_beats_default),
        TEST(an_empty_value_unsets_a_key_without_default),
        TEST(an_empty_variable_is_as_good_as_none),
        TEST(the_environment_comes_from_the_variable_too),
        TEST(an_unknown_environment_lists_those_there_are),
        TEST(unknown_names_are_refused_with_the_nearest_known_one),
        TEST(a_key_in_the_wrong_section_is_told_its_own),
        TEST(a_key_may_stand_only_once_in_a_section),
        TEST(values_of_the_wrong_type_are_refused),
        TEST(lines_that_are_none_are_refused),
        TEST(a_long_line_is_read_and_a_monstrous_one_refused),
        TEST(a_long_environment_name_is_not_cut_short),
        TEST(variables_and_flags_are_checked_and_named),
        TEST(the_file_is_searched_upwards_and_its_folder_is_the_base),
        TEST(a_file_that_was_asked_for_must_be_there),
        TEST(flags_of_paths_add_up_and_start_here),
        TEST(one_path_is_made_absolute_too),
        TEST(nothing_said_leaves_the_database_to_libpq),
        TEST(database_url_beats_the_chosen_environment),
        TEST(env_stands_for_a_variable_that_must_be_set),
        TEST(a_key_may_stand_for_many_names),
        TEST(sizes_have_units),
        TEST(the_table_of_keys_is_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
