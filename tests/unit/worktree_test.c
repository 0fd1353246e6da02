/* SPDX-License-Identifier: PostgreSQL */
#include "cli/worktree.h"
#include "common/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static int enter(void **state)
{
    AUTO(error_clear) struct error error = {0};
    char *folder = NULL;

    if (!file_make_temporary("worktree_test", &folder, &error) || chdir(folder) != 0)
        return -1;
    *state = folder;
    return 0;
}

static int leave(void **state)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *folder = *state;

    return chdir("/") == 0 && file_remove_tree(folder, &error) ? 0 : -1;
}

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
        cmocka_unit_test_setup_teardown(a_branch_is_followed_from_a_folder_below, enter, leave),
        cmocka_unit_test_setup_teardown(a_detached_head_is_the_commit, enter, leave),
        cmocka_unit_test_setup_teardown(a_packed_branch_is_found, enter, leave),
        cmocka_unit_test_setup_teardown(a_linked_work_tree_finds_its_branch_in_the_main_one, enter, leave),
        cmocka_unit_test_setup_teardown(nothing_is_made_up, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
