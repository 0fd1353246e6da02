/* SPDX-License-Identifier: PostgreSQL */
#include "cli/worktree.h"
#include "common/file.h"
#include "tests/unit/scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void make(const char *path, const char *text)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = file_folder(path);

    assert_true(file_make_folder(folder, 0755, &error));
    assert_true(file_write_new(path, text, strlen(text), 0644, &error));
}

static void commit_is(const char *folder, const char *expected)
{
    OWNED char *commit = worktree_commit(folder);

    if (expected)
        assert_string_equal(commit, expected);
    else
        assert_null(commit);
}

static void a_branch_is_followed_from_a_folder_below(void **state)
{
    (void)state;
    make(".git/HEAD", "ref: refs/heads/main\n");
    make(".git/refs/heads/main", COMMIT "\n");
    make("db/migrations/x", "");
    commit_is("db/migrations", COMMIT);
}

static void a_detached_head_is_the_commit(void **state)
{
    (void)state;
    make(".git/HEAD", COMMIT "\n");
    commit_is(".", COMMIT);
}

static void a_packed_branch_is_found(void **state)
{
    (void)state;
    make(".git/HEAD", "ref: refs/heads/main\n");
    make(".git/packed-refs", "# pack-refs with: peeled\n1111111111111111111111111111111111111111 "
                             "refs/heads/main2\n" COMMIT " refs/heads/main\n^2222\n");
    commit_is(".", COMMIT);
}

static void a_linked_work_tree_finds_its_branch_in_the_main_one(void **state)
{
    (void)state;
    make("main/.git/worktrees/w/HEAD", "ref: refs/heads/topic\n");
    make("main/.git/worktrees/w/commondir", "../..\n");
    make("main/.git/refs/heads/topic", COMMIT "\n");
    make("w/.git", "gitdir: ../main/.git/worktrees/w\n");
    commit_is("w", COMMIT);
}

static void nothing_is_made_up(void **state)
{
    (void)state;
    commit_is(".", NULL);
    commit_is("missing", NULL);
    make(".git/HEAD", "ref: refs/heads/unborn\n");
    commit_is(".", NULL);
    make("other/.git/HEAD", "rubbish\n");
    commit_is("other", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_branch_is_followed_from_a_folder_below, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(a_detached_head_is_the_commit, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_packed_branch_is_found, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_linked_work_tree_finds_its_branch_in_the_main_one, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(nothing_is_made_up, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
