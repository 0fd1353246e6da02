/* SPDX-License-Identifier: PostgreSQL */
#include "cli/worktree.h"

#include "common/file.h"
#include <limits.h>

static char *read_line(const char *folder, const char *name)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = file_join(folder, name);
    char *text = NULL;
    size_t size;

    if (!file_exists(path) || !file_read(path, &text, &size, &ignored))
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static bool is_hash(const char *text)
{
    size_t length = strspn(text, "0123456789abcdef");

    return length >= 40 && !text[length];
}

/* The folder git keeps its files in: .git, or where a .git file points to. */
static char *find_git(const char *folder)
{
    OWNED char *at = realpath(folder, NULL);

    while (at) {
        OWNED char *git = file_join(at, ".git");
        OWNED char *link = NULL;
        char *parent;

        if (file_is_folder(git))
            return take(git);
        link = read_line(at, ".git");
        if (link && text_starts_with(link, "gitdir: "))
            return file_join(at, link + strlen("gitdir: "));
        parent = text_equal(at, "/") ? NULL : file_folder(at);
        free(at);
        at = parent;
    }
    return NULL;
}

static char *find_packed(const char *git, const char *reference)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = file_join(git, "packed-refs");
    OWNED char *text = NULL;
    struct text_list lines;
    char *found = NULL;
    size_t size;

    if (!file_exists(path) || !file_read(path, &text, &size, &ignored))
        return NULL;
    lines = text_list_split(text, '\n');
    for (size_t i = 0; i < lines.count && !found; i++) {
        char *blank = strchr(lines.items[i], ' ');

        if (blank && text_equal(blank + 1, reference))
            found = text_copy_part(lines.items[i], (size_t)(blank - lines.items[i]));
    }
    text_list_clear(&lines);
    return found;
}

char *worktree_commit(const char *folder)
{
    OWNED char *git = find_git(folder);
    OWNED char *head = git ? read_line(git, "HEAD") : NULL;
    OWNED char *common = NULL, *shared = NULL, *commit = NULL;
    const char *reference;

    if (!head || !text_starts_with(head, "ref: "))
        return head && is_hash(head) ? take(head) : NULL;
    reference = head + strlen("ref: ");
    common = read_line(git, "commondir"); /* a linked work tree keeps its branches in the main one */
    shared = common ? file_join(git, common) : text_copy(git);
    commit = read_line(shared, reference);
    if (!commit)
        commit = find_packed(shared, reference);
    return commit && is_hash(commit) ? take(commit) : NULL;
}
