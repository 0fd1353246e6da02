/* SPDX-License-Identifier: PostgreSQL */
#include "common/digest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define LONG  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
#define MANY  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void the_published_examples_come_out(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_SIZE];
    const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

    digest_sha256("", 0, hex);
    assert_string_equal(hex, EMPTY);
    digest_sha256("abc", 3, hex);
    assert_string_equal(hex, ABC);
    digest_sha256(text, strlen(text), hex);
    assert_string_equal(hex, LONG);
}

static void parts_give_what_the_whole_gives(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_SIZE];
    struct digest *digest = digest_new();

    for (int i = 0; i < 100000; i++)
        digest_add(digest, "aaaaaaaaaa", 10);
    digest_finish(digest, hex);
    assert_string_equal(hex, MANY); /* the published digest of a million times "a" */

    digest = digest_new();
    digest_add(digest, NULL, 0);
    digest_finish(digest, hex);
    assert_string_equal(hex, EMPTY);
}

static void one_digest_serves_for_many_texts(void **state)
{
    (void)state;
    AUTO(digest_free) struct digest *digest = digest_new();
    char hex[DIGEST_HEX_SIZE], expected[DIGEST_HEX_SIZE];

    digest_add(digest, "left over", 9);
    digest_of(digest, NULL, 0, hex);
    assert_string_equal(hex, EMPTY);
    digest_sha256("abc", 3, expected);
    for (int i = 0; i < 3; i++) {
        digest_of(digest, "abc", 3, hex);
        assert_string_equal(hex, expected);
    }
}

static void nul_bytes_count(void **state)
{
    (void)state;
    char one[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];

    digest_sha256("a\0b", 3, one);
    digest_sha256("a\0c", 3, other);
    assert_string_not_equal(one, other);
}

static void an_unfinished_one_can_be_freed(void **state)
{
    (void)state;
    AUTO(digest_free) struct digest *digest = digest_new();

    digest_add(digest, "x", 1);
    digest_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_examples_come_out),  cmocka_unit_test(parts_give_what_the_whole_gives),
        cmocka_unit_test(one_digest_serves_for_many_texts), cmocka_unit_test(nul_bytes_count),
        cmocka_unit_test(an_unfinished_one_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
