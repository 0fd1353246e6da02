/* SPDX-License-Identifier: PostgreSQL */
#include "cli/command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool run_nothing(struct invocation *invocation, struct error *error)
{
    (void)invocation;
    (void)error;
    return true;
}

static const struct option_spec apply_options[] = {
    {.name = "to", .argument = "VERSION", .summary = "stop after VERSION"},
    {.name = "dry-run", .summary = "change nothing"},
    {.name = "set", .argument = "NAME=VALUE", .repeats = true, .summary = "a value"},
    {.name = "use", .argument = "SOURCE", .choices = "stored file", .summary = "which"},
    {.name = "lock-timeout", .argument = "MS", .key = "lock_timeout"},
    {.name = "batch", .argument = "N", .summary = "how many"},
    {0},
};
static const struct option_spec jobs_options[] = {
    {.name = "jobs", .letter = 'j', .argument = "N", .summary = "how many"},
    {0},
};
static const struct command apply = {.name = "apply",
                                     .aliases = "up migrate",
                                     .summary = "apply",
                                     .options = apply_options,
                                     .group = "Migrations",
                                     .run = run_nothing};
static const struct command baseline = {.name = "baseline",
                                        .operands = "VERSION",
                                        .min_operands = 1,
                                        .max_operands = 1,
                                        .summary = "baseline",
                                        .group = "Migrations",
                                        .run = run_nothing};
static const struct command cluster_start = {.name = "cluster start",
                                             .summary = "start",
                                             .options = jobs_options,
                                             .group = "Server",
                                             .run = run_nothing};
static const struct command cluster_stop = {
    .name = "cluster stop", .summary = "stop", .group = "Server", .run = run_nothing};
static const struct command *const table[] = {&apply, &baseline, &cluster_start, &cluster_stop, NULL};

/* A command line whose strings may be written to, as those of main. */
struct line {
    struct text_list words;
    struct invocation invocation;
    struct error error;
};

static void line_clear(struct line *line)
{
    text_list_clear(&line->words);
    invocation_clear(&line->invocation);
    error_clear(&line->error);
}
CLEANUP_VALUE(struct line, line_clear)

static bool parse(struct line *line, const char *text)
{
    line_clear(line);
    *line = (struct line){.words = text_list_split(text, ' ')};
    text_list_add(&line->words, NULL);
    return command_parse((int)line->words.count - 1, line->words.items, table, &line->invocation,
                         &line->error);
}

static void fails(struct line *line, const char *text, const char *message, const char *hint)
{
    assert_false(parse(line, text));
    assert_int_equal(line->error.code, ERROR_USAGE);
    assert_string_equal(line->error.message, message);
    if (hint)
        assert_string_equal(line->error.hint, hint);
}

static void a_command_is_found_by_name_alias_and_two_words(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    assert_true(parse(&line, "pgmigrate apply"));
    assert_ptr_equal(line.invocation.command, &apply);
    assert_true(parse(&line, "pgmigrate migrate"));
    assert_ptr_equal(line.invocation.command, &apply);
    assert_true(parse(&line, "pgmigrate cluster stop"));
    assert_ptr_equal(line.invocation.command, &cluster_stop);
    assert_int_equal(line.invocation.request, REQUEST_RUN);
    assert_int_equal(line.invocation.operands.count, 0);
}

static void without_a_command_the_overview_is_asked_for(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    assert_true(parse(&line, "pgmigrate"));
    assert_int_equal(line.invocation.request, REQUEST_OVERVIEW);
    assert_null(line.invocation.group);
    assert_true(parse(&line, "pgmigrate cluster"));
    assert_int_equal(line.invocation.request, REQUEST_OVERVIEW);
    assert_string_equal(line.invocation.group, "cluster");
    assert_true(parse(&line, "pgmigrate cluster --help"));
    assert_int_equal(line.invocation.request, REQUEST_HELP);
    assert_true(parse(&line, "pgmigrate --version"));
    assert_int_equal(line.invocation.request, REQUEST_VERSION);
}

static void options_stand_anywhere_and_take_values_in_both_ways(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    assert_true(parse(&line, "pgmigrate --to 5 apply --json --set=a=1 --set b=2 -q"));
    assert_string_equal(invocation_option(&line.invocation, "to"), "5");
    assert_true(line.invocation.json);
    assert_int_equal(line.invocation.verbosity, VERBOSITY_QUIET);
    const char *const *values = NULL;
    assert_int_equal(invocation_options(&line.invocation, "set", &values), 2);
    assert_string_equal(values[0], "a=1");
    assert_string_equal(values[1], "b=2");
    assert_false(invocation_flag(&line.invocation, "dry-run"));
    assert_true(parse(&line, "pgmigrate -y baseline -v 7 --dry-run") == false);
    assert_true(parse(&line, "pgmigrate -y baseline -v 7"));
    assert_true(line.invocation.yes);
    assert_int_equal(line.invocation.verbosity, VERBOSITY_VERBOSE);
    assert_string_equal(line.invocation.operands.items[0], "7");
}

static void the_last_value_of_an_option_counts(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    assert_true(parse(&line, "pgmigrate apply --to 5 --to 6"));
    assert_string_equal(invocation_option(&line.invocation, "to"), "6");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    assert_true(parse(&line, "pgmigrate baseline -- --json"));
    assert_string_equal(line.invocation.operands.items[0], "--json");
    assert_false(line.invocation.json);
}

static void unknown_words_are_refused_with_the_nearest_known_one(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    fails(&line, "pgmigrate aply", "unknown command \"aply\"", "Did you mean \"apply\"?");
    fails(&line, "pgmigrate cluster strat", "unknown command \"cluster strat\"",
          "Did you mean \"cluster start\"?");
    fails(&line, "pgmigrate apply --dryrun", "unknown option \"--dryrun\"", "Did you mean \"--dry-run\"?");
    fails(&line, "pgmigrate apply -z", "unknown option \"-z\"", NULL);
    fails(&line, "pgmigrate apply --json -qz", "unknown option \"-z\"", NULL);
    fails(&line, "pgmigrate xxxxxxxxxx", "unknown command \"xxxxxxxxxx\"",
          "Run \"pgmigrate --help\" for the list of commands.");
}

static void an_option_of_another_command_is_refused_by_its_name(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    fails(&line, "pgmigrate baseline 7 --dry-run", "\"--dry-run\" is not an option of \"baseline\"", NULL);
    fails(&line, "pgmigrate -j 2 apply", "\"--jobs\" is not an option of \"apply\"", NULL);
    assert_true(parse(&line, "pgmigrate cluster start -j 2"));
}

static void abbreviated_options_are_refused(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    fails(&line, "pgmigrate apply --dry", "unknown option \"--dry\"",
          "Did you mean \"--dry-run\"? Option names are not abbreviated.");
    fails(&line, "pgmigrate apply --us=file", "unknown option \"--us\"", NULL);
    fails(&line, "pgmigrate apply --bat 3", "unknown option \"--bat\"", NULL);
}

static void values_are_wanted_where_there_is_an_argument_only(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    fails(&line, "pgmigrate apply --to", "option \"--to\" needs a value: VERSION", NULL);
    fails(&line, "pgmigrate apply -d", "option \"--database\" needs a value: CONNINFO", NULL);
    fails(&line, "pgmigrate apply --dry-run=yes", "option \"--dry-run\" takes no value", NULL);
    fails(&line, "pgmigrate apply --use=neither", "invalid value \"neither\" for \"--use\"",
          "It is one of: stored, file.");
}

static void operands_are_counted(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    fails(&line, "pgmigrate baseline", "\"baseline\" needs an argument: VERSION", NULL);
    fails(&line, "pgmigrate baseline 1 2", "unexpected argument \"2\"", NULL);
    fails(&line, "pgmigrate apply 042", "unexpected argument \"042\"", NULL);
    assert_true(parse(&line, "pgmigrate baseline --help"));
}

static void json_is_seen_also_behind_a_mistake(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    fails(&line, "pgmigrate apply --nonsense --also-nonsense --json -q", "unknown option \"--nonsense\"",
          NULL);
    assert_true(line.invocation.json);
    assert_int_equal(line.invocation.verbosity, VERBOSITY_QUIET);
    fails(&line, "pgmigrate aply --json", "unknown command \"aply\"", NULL);
    assert_true(line.invocation.json);
}

static void a_password_is_overwritten_where_ps_would_show_it(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};

    assert_true(parse(&line, "pgmigrate apply -d postgres://u:secret@h/db"));
    assert_true(line.invocation.password_in_argv);
    assert_string_equal(line.words.items[3], "postgres://u:xxxxxx@h/db");
    assert_string_equal(invocation_option(&line.invocation, "database"), "postgres://u:secret@h/db");
    assert_true(parse(&line, "pgmigrate apply --database=postgres://u@h/db"));
    assert_false(line.invocation.password_in_argv);
    fails(&line, "pgmigrate apply postgres://u:secret@h/db",
          "unexpected argument \"postgres://u:xxxxxx@h/db\"", NULL);
}

static void numbers_are_checked(void **state)
{
    (void)state;
    AUTO(line_clear) struct line line = {0};
    AUTO(error_clear) struct error error = {0};
    int64_t number = 7;

    assert_true(parse(&line, "pgmigrate apply"));
    assert_true(invocation_number(&line.invocation, "batch", 1, 100, &number, &error));
    assert_int_equal(number, 7);
    assert_true(parse(&line, "pgmigrate apply --batch 20"));
    assert_true(invocation_number(&line.invocation, "batch", 1, 100, &number, &error));
    assert_int_equal(number, 20);
    assert_true(parse(&line, "pgmigrate apply --batch 101"));
    assert_false(invocation_number(&line.invocation, "batch", 1, 100, &number, &error));
    assert_int_equal(error.code, ERROR_USAGE);
}

static void choices_and_summaries_come_from_the_key_where_the_option_has_none(void **state)
{
    (void)state;
    static const struct option_spec layout = {.name = "layout", .argument = "LAYOUT", .key = "layout"};

    assert_string_equal(option_choices(&layout), "auto native updown sections flyway");
    assert_true(strlen(option_summary(&layout)) > 0);
    assert_string_equal(option_summary(&apply_options[1]), "change nothing");
    assert_null(option_choices(&apply_options[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_found_by_name_alias_and_two_words),
        cmocka_unit_test(without_a_command_the_overview_is_asked_for),
        cmocka_unit_test(options_stand_anywhere_and_take_values_in_both_ways),
        cmocka_unit_test(the_last_value_of_an_option_counts),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(unknown_words_are_refused_with_the_nearest_known_one),
        cmocka_unit_test(an_option_of_another_command_is_refused_by_its_name),
        cmocka_unit_test(abbreviated_options_are_refused),
        cmocka_unit_test(values_are_wanted_where_there_is_an_argument_only),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(json_is_seen_also_behind_a_mistake),
        cmocka_unit_test(a_password_is_overwritten_where_ps_would_show_it),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(choices_and_summaries_come_from_the_key_where_the_option_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
