/* SPDX-License-Identifier: PostgreSQL */
#include "backup/toc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char listing[] = ";\n"
                              "; Archive created at 2026-11-25 07:28:25 UTC\n"
                              ";     dbname: src\n"
                              ";\n"
                              "3428; 0 0 ENCODING - ENCODING \n"
                              "6; 2615 16387 SCHEMA - S 1 postgres\n"
                              "849; 1247 16389 TYPE public mood postgres\n"
                              "225; 1255 16441 FUNCTION public f() postgres\n"
                              "218; 1259 16404 TABLE S 1 T \"x postgres\n"
                              ";\tdepends on: 6\n"
                              "216; 1259 16394 TABLE public t app\n"
                              ";\tdepends on: 849 849\n"
                              "3432; 0 0 COMMENT public TABLE t app\n"
                              ";\tdepends on: 216\n"
                              "3433; 0 0 ACL public TABLE t app\n"
                              ";\tdepends on: 216\n"
                              "223; 1259 16453 TABLE public child postgres\n"
                              ";\tdepends on: 216 849\n"
                              "219; 1259 16415 MATERIALIZED VIEW public mv postgres\n"
                              ";\tdepends on: 216\n"
                              "220; 1259 16419 TABLE public p postgres\n"
                              "221; 1259 16422 TABLE public p1 postgres\n"
                              ";\tdepends on: 220\n"
                              "222; 1259 16427 TABLE public p2 postgres\n"
                              ";\tdepends on: 220\n"
                              "215; 1259 16393 SEQUENCE public t_id_seq app\n"
                              ";\tdepends on: 216\n"
                              "3434; 0 0 SEQUENCE OWNED BY public t_id_seq app\n"
                              ";\tdepends on: 215\n"
                              "3238; 0 0 TABLE ATTACH public p1 postgres\n"
                              ";\tdepends on: 221 220\n"
                              "3239; 0 0 TABLE ATTACH public p2 postgres\n"
                              ";\tdepends on: 222 220\n"
                              "3242; 2604 16456 DEFAULT public child id postgres\n"
                              ";\tdepends on: 223 215\n"
                              "3240; 2604 16397 DEFAULT public t id app\n"
                              ";\tdepends on: 216 215 216\n"
                              "3246; 2606 16402 CONSTRAINT public t t_pkey app\n"
                              ";\tdepends on: 216\n"
                              "3249; 1259 16432 INDEX public p_a_idx postgres\n"
                              ";\tdepends on: 220\n"
                              "3252; 1259 16433 INDEX public p1_a_idx postgres\n"
                              ";\tdepends on: 3249 221 221\n"
                              "3258; 0 0 INDEX ATTACH public p1_a_idx postgres\n"
                              ";\tdepends on: 3252 3249 221 220\n"
                              "3264; 2620 16442 TRIGGER public t tr app\n"
                              ";\tdepends on: 225 216\n"
                              "3263; 2606 16408 FK CONSTRAINT S 1 T \"x T \"x_t_id_fkey postgres\n"
                              ";\tdepends on: 216 218 3246\n"
                              "2074; 826 16447 DEFAULT ACL - DEFAULT PRIVILEGES FOR TABLES app\n"
                              "3237; 3466 16446 EVENT TRIGGER - et postgres\n"
                              ";\tdepends on: 226\n"
                              "3437; 0 0 COMMENT - EVENT TRIGGER et postgres\n"
                              ";\tdepends on: 3237\n"
                              "3420; 0 16415 MATERIALIZED VIEW DATA public mv postgres\n"
                              ";\tdepends on: 219 3427\n";

static int read_listing(void **state)
{
    static struct toc toc;
    AUTO(error_clear) struct error error = {0};

    *state = &toc;
    return toc_read(listing, &toc, &error) ? 0 : -1;
}

static int clear_listing(void **state)
{
    toc_clear(*state);
    return 0;
}

/* The kinds and names of a list's lines, joined by commas. */
static char *texts_of(const char *list)
{
    struct toc toc = {0};
    AUTO(error_clear) struct error error = {0};
    struct text_list texts = {0};
    char *joined;

    if (*list)
        assert_true(toc_read(list, &toc, &error));
    for (size_t i = 0; i < toc.count; i++)
        text_list_add(&texts, text_copy(toc.items[i].text));
    joined = text_list_join(&texts, ", ");
    text_list_clear(&texts);
    toc_clear(&toc);
    return joined;
}

static char *chosen_texts(const struct toc *toc, const char *schema, const char *name)
{
    OWNED bool *chosen = memory_allocate(toc->count, sizeof *chosen);
    OWNED bool *wanted = memory_allocate(toc->count, sizeof *wanted);
    AUTO(text_list_clear) struct text_list keys = {0};
    OWNED char *list = NULL;

    text_list_add(&keys, toc_key("TABLE", schema, name));
    toc_choose_tables(toc, &keys, chosen, wanted);
    list = toc_list(toc, TOC_OBJECTS, chosen, NULL);
    return texts_of(list);
}

static void an_entry_is_read_with_what_it_needs(void **state)
{
    const struct toc *toc = *state;
    const struct toc_entry *entry = toc_find(toc, "DEFAULT public t id");

    assert_non_null(entry);
    assert_int_equal(entry->id, 3240);
    assert_int_equal(entry->need_count, 3);
    assert_int_equal(entry->needs[1], 215);
    assert_string_equal(entry->line, "3240; 2604 16397 DEFAULT public t id app");
}

static void privileges_come_after_the_data_and_event_triggers_after_them(void **state)
{
    const struct toc *toc = *state;
    OWNED char *privileges = toc_list(toc, TOC_PRIVILEGES, NULL, NULL);
    OWNED char *late = toc_list(toc, TOC_LATE, NULL, NULL);
    OWNED char *objects = toc_list(toc, TOC_OBJECTS, NULL, NULL);

    assert_string_equal(privileges, "3433; 0 0 ACL public TABLE t app\n"
                                    "2074; 826 16447 DEFAULT ACL - DEFAULT PRIVILEGES FOR TABLES app\n");
    assert_string_equal(late, "3237; 3466 16446 EVENT TRIGGER - et postgres\n"
                              "3437; 0 0 COMMENT - EVENT TRIGGER et postgres\n"
                              "3420; 0 16415 MATERIALIZED VIEW DATA public mv postgres\n");
    assert_non_null(strstr(objects, "COMMENT public TABLE t app\n"));
    assert_null(strstr(objects, "ACL"));
    assert_null(strstr(objects, "EVENT TRIGGER"));
}

static void a_name_with_quotes_and_line_breaks_finds_its_entry(void **state)
{
    const struct toc *toc = *state;
    OWNED char *key = toc_key("TABLE", "S\n1", "T \"x");

    assert_non_null(toc_find(toc, key));
    assert_null(toc_find(toc, "TABLE S 1 T"));
    assert_null(toc_find(toc, "TABLE public"));
}

static void an_owner_may_have_a_name_with_blanks(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(text_list_clear) struct text_list roles = {0};
    AUTO(toc_clear) struct toc toc = {0};

    (void)state;
    assert_true(toc_read("1; 1259 1 TABLE public a b c\n", &toc, &error));
    assert_null(toc_find(&toc, "TABLE public a"));
    text_list_add(&roles, text_copy("b c"));
    toc.roles = &roles;
    assert_non_null(toc_find(&toc, "TABLE public a"));
}

static void what_is_done_is_left_out(void **state)
{
    const struct toc *toc = *state;
    AUTO(text_list_clear) struct text_list done = {0};
    OWNED char *list = NULL;

    text_list_add(&done, toc_key("INDEX", "public", "p_a_idx"));
    text_list_add(&done, toc_key("INDEX", "public", "p1_a"));
    list = toc_list(toc, TOC_OBJECTS, NULL, &done);
    assert_null(strstr(list, " INDEX public p_a_idx"));
    assert_non_null(strstr(list, " INDEX public p1_a_idx"));
}

static void a_table_brings_its_type_sequence_and_constraints_but_no_trigger(void **state)
{
    OWNED char *texts = chosen_texts(*state, "public", "t");

    assert_string_equal(texts, "TYPE public mood postgres, TABLE public t app, COMMENT public TABLE t app, "
                               "SEQUENCE public t_id_seq app, SEQUENCE OWNED BY public t_id_seq app, "
                               "DEFAULT public t id app, CONSTRAINT public t t_pkey app");
}

static void a_foreign_key_comes_only_with_both_its_tables(void **state)
{
    const struct toc *toc = *state;
    OWNED bool *chosen = memory_allocate(toc->count, sizeof *chosen);
    OWNED bool *wanted = memory_allocate(toc->count, sizeof *wanted);
    AUTO(text_list_clear) struct text_list keys = {0};
    OWNED char *alone = chosen_texts(toc, "S 1", "T \"x"), *list = NULL;

    assert_string_equal(alone, "SCHEMA - S 1 postgres, TABLE S 1 T \"x postgres");
    text_list_add(&keys, toc_key("TABLE", "S 1", "T \"x"));
    text_list_add(&keys, toc_key("TABLE", "public", "t"));
    toc_choose_tables(toc, &keys, chosen, wanted);
    list = toc_list(toc, TOC_OBJECTS, chosen, NULL);
    assert_non_null(strstr(list, "FK CONSTRAINT"));
}

/* The foreign key of another table that refers to t is none that t loses. */
static void what_a_table_loses_is_told(void **state)
{
    const struct toc *toc = *state;
    OWNED bool *chosen = memory_allocate(toc->count, sizeof *chosen);
    OWNED bool *wanted = memory_allocate(toc->count, sizeof *wanted);
    AUTO(text_list_clear) struct text_list keys = {0}, lost = {0}, none = {0};

    text_list_add(&keys, toc_key("TABLE", "public", "t"));
    toc_choose_tables(toc, &keys, chosen, wanted);
    toc_left_out(toc, chosen, wanted, &lost);
    assert_int_equal(lost.count, 1);
    assert_string_equal(lost.items[0], "Trigger \"tr\" of table \"public.t\" was left out: function "
                                       "\"public.f()\", which it needs, is not restored.");
    for (size_t i = 0; i < toc->count; i++)
        chosen[i] = true;
    toc_left_out(toc, chosen, wanted, &none);
    assert_int_equal(none.count, 0);
}

static void a_partitioned_table_brings_its_partitions(void **state)
{
    OWNED char *texts = chosen_texts(*state, "public", "p");

    assert_string_equal(texts, "TABLE public p postgres, TABLE public p1 postgres, TABLE public p2 postgres, "
                               "TABLE ATTACH public p1 postgres, TABLE ATTACH public p2 postgres, "
                               "INDEX public p_a_idx postgres, INDEX public p1_a_idx postgres, "
                               "INDEX ATTACH public p1_a_idx postgres");
}

static void a_partition_brings_no_sibling(void **state)
{
    OWNED char *texts = chosen_texts(*state, "public", "p1");

    assert_non_null(strstr(texts, "TABLE ATTACH public p1"));
    assert_non_null(strstr(texts, "INDEX ATTACH public p1_a_idx"));
    assert_null(strstr(texts, "p2"));
}

static void what_is_no_listing_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", ";\n", "x\n", "1; 2\n", "1; 2 3\n", "1; 2 3 \n", "-1; 0 0 TABLE a b c\n"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(toc_clear) struct toc toc = {0};

        assert_false(toc_read(wrong[i], &toc, &error));
        assert_int_equal(error.code, ERROR_BACKUP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read_with_what_it_needs),
        cmocka_unit_test(privileges_come_after_the_data_and_event_triggers_after_them),
        cmocka_unit_test(a_name_with_quotes_and_line_breaks_finds_its_entry),
        cmocka_unit_test(an_owner_may_have_a_name_with_blanks),
        cmocka_unit_test(what_is_done_is_left_out),
        cmocka_unit_test(a_table_brings_its_type_sequence_and_constraints_but_no_trigger),
        cmocka_unit_test(a_foreign_key_comes_only_with_both_its_tables),
        cmocka_unit_test(what_a_table_loses_is_told),
        cmocka_unit_test(a_partitioned_table_brings_its_partitions),
        cmocka_unit_test(a_partition_brings_no_sibling),
        cmocka_unit_test(what_is_no_listing_is_refused),
    };

    return cmocka_run_group_tests(tests, read_listing, clear_listing);
}
