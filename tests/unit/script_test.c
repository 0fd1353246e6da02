/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/script.h"
#include "migrator/variable.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A text made into a script; everything the tests look at lives as long as this. */
struct prepared {
    char *text;
    struct source source;
    struct text_list settings;
    struct script *script;
    struct error error;
};

static void prepared_clear(struct prepared *prepared)
{
    script_free(prepared->script);
    text_list_clear(&prepared->settings);
    error_clear(&prepared->error);
    free(prepared->text);
}
CLEANUP_VALUE(struct prepared, prepared_clear)

static bool prepare(struct prepared *ret, const char *text, struct script_options options)
{
    static char path[] = "a.sql";

    ret->text = text_copy(text);
    ret->source = (struct source){.path = path, .first_line = 1, .text = ret->text, .size = strlen(text)};
    options.settings = &ret->settings;
    return script_prepare(&ret->source, &options, &ret->script, &ret->error);
}

static void assert_prepared(struct prepared *ret, const char *text, struct script_options options)
{
    if (!prepare(ret, text, options))
        fail_msg("%s:%zu:%zu: %s", ret->error.file, ret->error.line, ret->error.column, ret->error.message);
}

static void expect_error(const char *text, struct script_options options, const char *expected)
{
    AUTO(prepared_clear) struct prepared prepared = {0};

    assert_false(prepare(&prepared, text, options));
    OWNED char *message =
        text_format("%zu:%zu: %s", prepared.error.line, prepared.error.column, prepared.error.message);
    assert_string_equal(message, expected);
    assert_string_equal(prepared.error.file, "a.sql");
    assert_int_equal(prepared.error.code, ERROR_USAGE);
    assert_null(prepared.script);
}

/* The statements that are sent, each in brackets. */
static void expect_items(const struct prepared *prepared, const char *expected)
{
    char *all = NULL;
    size_t size;
    FILE *stream = open_memstream(&all, &size);

    for (size_t i = 0; i < prepared->script->count; i++)
        fprintf(stream, "[%s]", prepared->script->items[i].text);
    fclose(stream);
    assert_string_equal(all, expected);
    free(all);
}

static const struct script_options plain = {0};
static const struct script_options outside = {.no_transaction = true};
static const struct script_options with_variables = {.variables = true};

static void a_plain_script_is_its_statements(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(&p, "-- x\nselect 1;\ncopy t from stdin;\n1\n\\.\ndo $$;$$", plain);
    expect_items(&p, "[select 1][copy t from stdin][do $$;$$]");
    assert_true(p.script->transactional);
    assert_true(p.script->has_copy);
    assert_string_equal(p.script->begin, "BEGIN");
    assert_int_equal(p.script->items[1].kind, STATEMENT_COPY_IN);
    assert_int_equal(p.script->items[1].data_length, 2);
    assert_string_equal(p.script->items[1].hash, "");
    assert_int_equal(p.script->notices.count, 0);
    assert_null(p.script->groups);
}

static void an_empty_script_has_no_statements(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0}, q = {0};

    (void)state;
    assert_prepared(&p, "-- nothing\n", plain);
    assert_int_equal(p.script->count, 0);
    assert_prepared(&q, "", outside);
    assert_int_equal(q.script->group_count, 0);
}

static void one_written_transaction_is_replaced(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(&p, "set x = 1;\nstart transaction isolation level serializable;\na;\nend;\nb;", plain);
    expect_items(&p, "[set x = 1][a][b]");
    assert_string_equal(p.script->begin, "BEGIN ISOLATION LEVEL SERIALIZABLE");
    assert_int_equal(p.script->notices.count, 1);
    assert_string_equal(p.script->notices.items[0].rule, "own-transaction");
    assert_int_equal(p.script->notices.items[0].line, 2);
    assert_non_null(strstr(p.script->notices.items[0].message, "lines 2 and 4"));
    assert_non_null(strstr(p.script->notices.items[0].message, "what follows the COMMIT"));
}

static void a_written_transaction_around_everything_says_no_more(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(&p, "begin;\na;\nsavepoint s;\nrollback to s;\ncommit;\n", plain);
    expect_items(&p, "[a][savepoint s][rollback to s]");
    assert_null(strstr(p.script->notices.items[0].message, "follows"));
}

static void other_transaction_control_is_refused(void **state)
{
    (void)state;
    expect_error("begin; a; commit;\nbegin; b; commit;", plain,
                 "2:1: a second BEGIN in a transactional migration");
    expect_error("a;\n begin; b;", plain, "2:2: BEGIN without COMMIT");
    expect_error("a;\ncommit;", plain, "2:1: COMMIT without BEGIN");
    expect_error("begin; commit; commit;", plain, "1:16: COMMIT without BEGIN");
    expect_error("a; rollback;", plain, "1:4: ROLLBACK would undo the migration");
    expect_error("begin; abort;", plain, "1:8: ROLLBACK would undo the migration");
    expect_error("prepare transaction 'x';", plain,
                 "1:1: PREPARE TRANSACTION is not supported in a migration");
    expect_error("begin; commit and chain;", plain, "1:8: COMMIT AND CHAIN is not supported in a migration");
    expect_error("begin read only; select 1; commit;", plain,
                 "1:1: a migration cannot run in a READ ONLY transaction");
    expect_error("begin fast; commit;", plain, "1:1: BEGIN with options that are not understood");
}

static void what_cannot_run_in_a_transaction_needs_the_directive(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0}, q = {0};

    (void)state;
    expect_error("a;\n  create index concurrently i on t (a);", plain,
                 "2:3: CREATE INDEX CONCURRENTLY cannot run inside a transaction");
    assert_false(prepare(&p, "vacuum;", plain));
    assert_non_null(strstr(p.error.hint, "-- pgmigrate: no-transaction"));
    assert_prepared(&q, "vacuum;", outside);
    assert_int_equal(q.script->items[0].kind, STATEMENT_OUTSIDE);
    assert_string_equal(q.script->items[0].what, "VACUUM");
}

static void copy_to_stdout_is_refused(void **state)
{
    (void)state;
    expect_error("a; copy t to stdout;", plain, "1:4: COPY ... TO STDOUT has nowhere to go in a migration");
}

static void assert_group(const struct script *script, size_t i, struct statement_group expected)
{
    assert_int_equal(script->groups[i].first, expected.first);
    assert_int_equal(script->groups[i].count, expected.count);
    assert_int_equal(script->groups[i].bare, expected.bare);
    assert_int_equal(script->groups[i].block, expected.block);
}

static void without_a_transaction_statements_are_grouped(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(
        &p, "a; create index concurrently i on t (a); begin; b; call p(); commit; do 'x'; begin; end;",
        outside);
    assert_false(p.script->transactional);
    assert_int_equal(p.script->group_count, 5);
    assert_group(p.script, 0, (struct statement_group){.first = 0, .count = 1});
    assert_group(p.script, 1, (struct statement_group){.first = 1, .count = 1, .bare = true});
    assert_group(p.script, 2, (struct statement_group){.first = 2, .count = 4, .block = true});
    assert_group(p.script, 3, (struct statement_group){.first = 6, .count = 1, .bare = true});
    assert_group(p.script, 4, (struct statement_group){.first = 7, .count = 2, .block = true});
}

static void unbalanced_blocks_are_refused_without_a_transaction(void **state)
{
    (void)state;
    expect_error("a;\nbegin; b;", outside, "2:1: BEGIN without COMMIT");
    expect_error("a; commit;", outside, "1:4: COMMIT without BEGIN");
    expect_error("a; rollback;", outside, "1:4: ROLLBACK without BEGIN");
    expect_error("begin; rollback;", outside, "1:8: ROLLBACK in a migration");
    expect_error("begin; begin; commit;", outside, "1:8: BEGIN inside a transaction");
    expect_error("begin; vacuum; commit;", outside, "1:8: VACUUM cannot run inside a transaction");
    expect_error("begin read only; commit;", outside,
                 "1:1: a migration cannot run in a READ ONLY transaction");
    expect_error("begin; prepare transaction 'x';", outside,
                 "1:8: PREPARE TRANSACTION is not supported in a migration");
    expect_error("commit prepared 'x';", outside, "1:1: COMMIT PREPARED is not supported in a migration");
}

static void hashes_tell_statements_and_data_apart(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(&p, "a; a ;b; copy t from stdin;\n1\n\\.\ncopy t from stdin;\n2\n\\.\n", outside);
    assert_int_equal(strlen(p.script->items[0].hash), 64);
    assert_string_equal(p.script->items[0].hash, p.script->items[1].hash);
    assert_string_not_equal(p.script->items[0].hash, p.script->items[2].hash);
    assert_string_not_equal(p.script->items[3].hash, p.script->items[4].hash);
}

static void variables_become_literals_and_names(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    text_list_add(&p.settings, text_copy("a=wrong"));
    text_list_add(&p.settings, text_copy("a=it's"));
    text_list_add(&p.settings, text_copy("ab=c:\\d'"));
    text_list_add(&p.settings, text_copy("n=odd\" name"));
    assert_prepared(&p, "select :'a', :'ab' from :\"n\" where x = ':''a' and y[1:z] -- :'a'", with_variables);
    expect_items(&p,
                 "[select 'it''s',  E'c:\\\\d''' from \"odd\"\" name\" where x = ':''a' and y[1:z] -- :'a']");
    assert_true(p.script->items[0].substituted);
}

static void a_value_leaves_no_trace_in_the_hash(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0}, q = {0};
    const struct script_options options = {.variables = true, .no_transaction = true};

    (void)state;
    text_list_add(&p.settings, text_copy("a=secret"));
    text_list_add(&q.settings, text_copy("a=other"));
    assert_prepared(&p, "select :'a'", options);
    assert_prepared(&q, "select :'a'", options);
    assert_string_equal(p.script->items[0].hash, q.script->items[0].hash);
}

static void values_are_taken_out_of_messages(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    text_list_add(&p.settings, text_copy("secret=it's\\hidden"));
    text_list_add(&p.settings, text_copy("short=abc"));
    text_list_add(&p.settings, text_copy("n=a_table"));
    assert_prepared(&p, "select 1;\nselect 'é', :'secret', :\"n\", :'short', :'secret'", with_variables);
    OWNED char *sent = variable_hide(p.script, "LINE 1: select  E'it''s\\\\hidden'");
    assert_string_equal(sent, "LINE 1: select :'secret'");
    OWNED char *bare = variable_hide(p.script, "Key (k)=(it's\\hidden) is in a_table, abc, it's\\hidden.");
    assert_string_equal(bare, "Key (k)=(:'secret') is in a_table, abc, :'secret'.");
    assert_null(variable_hide(p.script, "nothing of it, abc"));
    assert_null(variable_hide(p.script, NULL));
}

static void variables_that_cannot_be_replaced_are_errors(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0}, q = {0}, r = {0}, s = {0};

    (void)state;
    expect_error("select 1,\n  :'x';", with_variables, "2:3: variable \"x\" is not set");
    expect_error("select :'x';", plain, "1:8: psql variable :'x' is not replaced");
    text_list_add(&p.settings, text_copy("x=secret"));
    assert_false(prepare(&p, "select 'é' || :x", with_variables));
    assert_string_equal(p.error.message, "psql variable :x is used without quotes");
    assert_int_equal(p.error.column, 15);
    text_list_add(&q.settings, text_copy("x=secret\xff"));
    assert_false(prepare(&q, "select :'x'", with_variables));
    assert_string_equal(q.error.message, "the value of variable \"x\" is not valid UTF-8");
    text_list_add(&r.settings, text_copy("x=secret"));
    assert_prepared(&r, "select a[1:x]", plain);
    assert_prepared(&s, "select a[1:x]", with_variables);
    assert_false(s.script->items[0].substituted);
}

static void expect_position(const struct prepared *p, size_t item, size_t character, size_t line,
                            size_t column)
{
    struct text_position at = script_position(p->script, &p->script->items[item], character);

    assert_int_equal(at.line, line);
    assert_int_equal(at.column, column);
}

static void positions_are_those_of_the_file(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(&p, "-- é\r\nselect 'ü', x;\r\n select\r\n  'é' y;", plain);
    expect_position(&p, 0, 0, 2, 1);
    expect_position(&p, 0, 1, 2, 1);
    expect_position(&p, 0, 13, 2, 13);
    expect_position(&p, 1, 11, 4, 3);
    expect_position(&p, 1, 15, 4, 7);
    expect_position(&p, 1, 99, 4, 8);
    p.source.first_line = 100;
    expect_position(&p, 1, 11, 103, 3);
}

static void positions_go_through_replaced_variables(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    text_list_add(&p.settings, text_copy("a=ünlong"));
    text_list_add(&p.settings, text_copy("b="));
    assert_prepared(&p, "x;\nf :'a'\n:\"b\" y;", with_variables);
    assert_string_equal(p.script->items[1].text, "f 'ünlong'\n\"\" y");
    expect_position(&p, 1, 1, 2, 1);
    expect_position(&p, 1, 3, 2, 3);
    expect_position(&p, 1, 8, 2, 3);
    expect_position(&p, 1, 11, 2, 7);
    expect_position(&p, 1, 13, 3, 1);
    expect_position(&p, 1, 15, 3, 6);
}

static void backslash_commands_are_checked_in_place(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};

    (void)state;
    assert_prepared(&p, "begin;\n\\echo one\na;\n\\c shop\ncommit;\n\\echo two\n", plain);
    assert_int_equal(p.script->echo_count, 2);
    assert_string_equal(p.script->echoes[0].text, "one");
    assert_int_equal(p.script->echoes[0].before, 0);
    assert_int_equal(p.script->echoes[0].line, 2);
    assert_int_equal(p.script->echoes[1].before, 1);
    assert_int_equal(p.script->notices.items[0].line, 4);
    expect_error("a;\n \\i b.sql\n", plain, "2:2: psql command \\i is not supported in a migration");
    expect_error("select 1\n\\echo x\n;", plain, "2:1: psql command in the middle of a statement");
    expect_error("\\c shop\n", (struct script_options){.database = "mall"},
                 "1:1: cannot connect to database \"shop\" in a migration");
}

static void using_a_new_enum_value_at_once_is_warned_about(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0}, q = {0}, r = {0};

    (void)state;
    assert_prepared(&p,
                    "alter type c add value 'red';\nalter type c add value 'blue' after 'red';\n"
                    "insert into t values ('red');",
                    plain);
    assert_int_equal(p.script->notices.count, 1);
    assert_string_equal(p.script->notices.items[0].rule, "enum-value-used");
    assert_int_equal(p.script->notices.items[0].severity, SEVERITY_WARNING);
    assert_int_equal(p.script->notices.items[0].line, 3);
    assert_prepared(&q, "create type c as enum ();alter type c add value 'red'; select 'red'::c;", plain);
    assert_int_equal(q.script->notices.count, 0);
    assert_prepared(&r, "alter type c add value 'red'; select 'red'::c;", outside);
    assert_int_equal(r.script->notices.count, 0);
}

static void comments_and_blanks_do_not_make_a_difference(void **state)
{
    (void)state;
    assert_true(script_same_tokens("select 1; b", "-- new\nselect  1;\n\nb;\n"));
    assert_true(script_same_tokens("copy t from stdin;\n1\n\\.\n", "copy t  from stdin; -- x\n1\n\\.\n"));
    assert_true(script_same_tokens("\\restrict a\nb;", "\\restrict a\n-- x\nb;"));
    assert_false(script_same_tokens("copy t from stdin;\n1\n\\.\n", "copy t from stdin;\n1 \n\\.\n"));
    assert_true(script_same_tokens("-- pgmigrate: role=a, no-transaction\na",
                                   "-- pgmigrate: no-transaction role=a\na"));
    assert_false(script_same_tokens("-- pgmigrate: role=a\na", "-- pgmigrate: role=b\na"));
    assert_false(script_same_tokens("a", "-- pgmigrate: lock_timeout=5s\na"));
    assert_false(script_same_tokens("a;b", "a;c"));
    assert_false(script_same_tokens("a;", "a;b;"));
    assert_false(script_same_tokens("\\echo a\n", "\\echo  a\n"));
    assert_false(script_same_tokens("\\echo\n", "echo"));
    assert_false(script_same_tokens("select ' '", "select '  '"));
    assert_true(script_same_tokens("select 'a", "select 'a"));
    assert_false(script_same_tokens("select 'a", "select  'a"));
    assert_false(script_same_tokens("set standard_conforming_strings = off;\nselect '\\'-- a', 1;",
                                    "set standard_conforming_strings = off;\nselect '\\'-- b', 1;"));
}

static void a_huge_expression_does_not_exhaust_the_stack(void **state)
{
    AUTO(prepared_clear) struct prepared p = {0};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    fputs("create index concurrently i on t ((1", stream);
    for (int i = 0; i < 100000; i++)
        fputs("+(1", stream);
    for (int i = 0; i < 100000; i++)
        fputc(')', stream);
    fputs("));", stream);
    fclose(stream);
    assert_prepared(&p, text, outside);
    assert_true(script_same_tokens(text, text));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_script_is_its_statements),
        cmocka_unit_test(an_empty_script_has_no_statements),
        cmocka_unit_test(one_written_transaction_is_replaced),
        cmocka_unit_test(a_written_transaction_around_everything_says_no_more),
        cmocka_unit_test(other_transaction_control_is_refused),
        cmocka_unit_test(what_cannot_run_in_a_transaction_needs_the_directive),
        cmocka_unit_test(copy_to_stdout_is_refused),
        cmocka_unit_test(without_a_transaction_statements_are_grouped),
        cmocka_unit_test(unbalanced_blocks_are_refused_without_a_transaction),
        cmocka_unit_test(hashes_tell_statements_and_data_apart),
        cmocka_unit_test(variables_become_literals_and_names),
        cmocka_unit_test(a_value_leaves_no_trace_in_the_hash),
        cmocka_unit_test(values_are_taken_out_of_messages),
        cmocka_unit_test(variables_that_cannot_be_replaced_are_errors),
        cmocka_unit_test(positions_are_those_of_the_file),
        cmocka_unit_test(positions_go_through_replaced_variables),
        cmocka_unit_test(backslash_commands_are_checked_in_place),
        cmocka_unit_test(using_a_new_enum_value_at_once_is_warned_about),
        cmocka_unit_test(comments_and_blanks_do_not_make_a_difference),
        cmocka_unit_test(a_huge_expression_does_not_exhaust_the_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
