/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/git.h"
#include "common/process.h"

#define ARGUMENTS 12

/* A hook inherits GIT_DIR and its like; without GIT_WORK_TREE, git would take the folder for the work tree's
 * top. It finds the repository from the folder then. */
static const char *const *git_environment(void)
{
    static const char *const environment[] = {"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", NULL};
    static const char *const finding[] = {"LC_ALL=C",       "GIT_OPTIONAL_LOCKS=0", "GIT_DIR",
                                          "GIT_INDEX_FILE", "GIT_PREFIX",           NULL};
    return getenv("GIT_WORK_TREE") ? environment : finding;
}

/* Run git in the folder. A status other than zero is a result. */
static bool git_run(const char *folder, const char *const arguments[], struct process_result *ret,
                    struct error *error)
{
    const char *argv[ARGUMENTS + 4] = {"git", "--literal-pathspecs"};
    for (size_t i = 0; i < ARGUMENTS && arguments[i]; i++)
        argv[i + 2] = arguments[i];
    const struct process_request request = {.argv = argv, .environment = git_environment(), .folder = folder};
    if (process_run(&request, ret, error))
        return true;
    if (error->code == ERROR_FAILED) {
        error->code = ERROR_USAGE;
        error_hint(error, "Comparing with a base needs git; leave --base out where there is none.");
    }
    return false;
}

/* git's own words, without the "fatal: " in front and the lines that follow. */
static char *git_complaint(const struct process_result *result)
{
    static const char prefix[] = "fatal: ";
    const char *text = result->errors;
    if (text_starts_with(text, prefix))
        text += strlen(prefix);
    return text_copy_part(text, strcspn(text, "\n"));
}

/* What git says behind its complaint, on one line: "To add an exception for this directory, call: …". */
static char *git_remedy(const struct process_result *result)
{
    const char *at = result->errors + strcspn(result->errors, "\n");
    char *remedy = memory_allocate(strlen(at) + 1, 1);
    size_t length = 0;
    for (; *at; at++) {
        bool blank = strchr(" \t\n", *at) != NULL;
        if (!blank)
            remedy[length++] = *at;
        else if (length > 0 && remedy[length - 1] != ' ')
            remedy[length++] = ' ';
    }
    remedy[length - (length > 0 && remedy[length - 1] == ' ' ? 1 : 0)] = '\0';
    return remedy;
}

static bool complain(const struct process_result *result, const char *what, struct error *error)
{
    OWNED char *complaint = git_complaint(result);
    return error_set(error, ERROR_USAGE, "%s: %s", what, complaint);
}

/* The one line that git answers. */
static char *first_line(const struct process_result *result)
{
    return text_copy_part(result->output, strcspn(result->output, "\n"));
}

static bool check_repository(const char *folder, struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    if (!git_run(folder, (const char *const[]){"rev-parse", "--is-inside-work-tree", NULL}, &result, error))
        return false;
    if (result.status == 0 && text_starts_with(result.output, "true"))
        return true;
    OWNED char *complaint = git_complaint(&result);
    OWNED char *remedy = git_remedy(&result);
    if (strstr(remedy, "git config")) {
        error_set(error, ERROR_USAGE, "git does not read the repository of \"%s\": %s", folder, complaint);
        return error_hint(error, "%s", remedy);
    }
    error_set(error, ERROR_USAGE, "\"%s\" is not in the work tree of a git repository", folder);
    return error_detail(error, "%s%s", complaint, *complaint ? "." : "");
}

/* A name that begins with a dash would be an option to git. */
static bool resolve(const char *folder, const char *name, char **ret, struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *commit = text_format("%s^{commit}", name);
    if (name[0] == '-' || !*name)
        return error_set(error, ERROR_USAGE, "\"%s\" is not the name of a commit", name);
    if (!git_run(folder, (const char *const[]){"rev-parse", "--verify", "--quiet", commit, NULL}, &result,
                 error))
        return false;
    if (result.status != 0) {
        error_set(error, ERROR_USAGE, "git knows no commit \"%s\"", name);
        return error_hint(error,
                          "Name a branch, tag or commit that this clone has; \"git fetch\" brings more.");
    }
    *ret = first_line(&result);
    return true;
}

bool git_base_find(const char *folder, const char *name, struct git_base *ret, struct error *error)
{
    AUTO(git_base_clear) struct git_base base = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *head = NULL;
    if (!check_repository(folder, error) || !resolve(folder, name, &base.tip, error) ||
        !resolve(folder, "HEAD", &head, error) ||
        !git_run(folder, (const char *const[]){"merge-base", head, base.tip, NULL}, &result, error))
        return false;
    if (result.status != 0) {
        error_set(error, ERROR_USAGE, "the checked-out commit has no ancestor in common with \"%s\"", name);
        return error_hint(error, "A shallow clone lacks the history; \"git fetch --unshallow\" brings it.");
    }
    base.fork = first_line(&result);
    *ret = base;
    base = (struct git_base){0};
    return true;
}

void git_base_clear(struct git_base *base)
{
    free(base->tip);
    free(base->fork);
    *base = (struct git_base){0};
}

/* "100644 blob 0123…<tab>name" */
static void tree_entry(struct git_tree *tree, const char *entry)
{
    const char *name = strchr(entry, '\t');
    const char *kind = strchr(entry, ' ');
    if (!name || !kind || !text_starts_with(kind, " blob "))
        return;
    const char *id = kind + strlen(" blob ");
    text_list_add(&tree->names, text_copy(name + 1));
    text_list_add(&tree->ids, text_copy_part(id, (size_t)(name - id)));
}

static void tree_entries(struct git_tree *tree, const struct process_result *result)
{
    *tree = (struct git_tree){0};
    for (const char *at = result->output; at < result->output + result->output_size; at += strlen(at) + 1)
        tree_entry(tree, at);
}

bool git_tree_read(const char *folder, const char *commit, struct git_tree *ret, struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    if (!git_run(folder, (const char *const[]){"ls-tree", "-z", commit, NULL}, &result, error))
        return false;
    if (result.status != 0)
        return complain(&result, "git cannot list the folder", error);
    tree_entries(ret, &result);
    return true;
}

bool git_tree_read_at(const char *folder, const char *commit, const char *path, struct git_tree *ret,
                      struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *tree = text_format("%s:%s", commit, path);
    const char *const arguments[] = {"ls-tree", "-z", "--full-tree", tree, NULL};
    if (!git_run(folder, arguments, &result, error))
        return false;
    tree_entries(ret, &result);
    return true;
}

/* git lists the files of a tree in the order of their names' bytes. */
const char *git_tree_id(const struct git_tree *tree, const char *name)
{
    size_t low = 0, high = tree->names.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tree->names.items[middle], name);
        if (order == 0)
            return tree->ids.items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void git_tree_clear(struct git_tree *tree)
{
    text_list_clear(&tree->names);
    text_list_clear(&tree->ids);
}

/* ":100644 100644 0123… 4567… M", and the name behind it. */
static void add_version(struct git_tree *tree, const char *entry, const char *name)
{
    size_t field = 0;
    for (; *entry && field < 3; entry++)
        field += *entry == ' ' ? 1 : 0;
    if (strchr(name, '/'))
        return;
    text_list_add(&tree->names, text_copy(name));
    text_list_add(&tree->ids, text_copy_part(entry, strcspn(entry, " ")));
}

bool git_versions(const char *folder, const char *from, const char *to, struct git_tree *ret,
                  struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *range = text_format("%s..%s", from, to);
    const char *const arguments[] = {
        "log", "--full-history", "-m",         "--raw", "--no-abbrev", "--no-renames",
        "-z",  "--format=",      "--relative", range,   "--",          ".",
        NULL};
    if (!git_run(folder, arguments, &result, error))
        return false;
    if (result.status != 0)
        return complain(&result, "git cannot tell the folder's history", error);
    *ret = (struct git_tree){0};
    const char *entry = NULL, *end = result.output + result.output_size;
    for (const char *at = result.output; at < end; at += strlen(at) + 1) {
        if (entry) {
            add_version(ret, entry, at);
            entry = NULL;
        } else if (*at == ':') {
            entry = at;
        }
    }
    return true;
}

bool git_changed(const char *folder, const char *commit, struct text_list *ret, struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const arguments[] = {
        "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative", commit, "--", ".", NULL};
    if (!git_run(folder, arguments, &result, error))
        return false;
    if (result.status != 0)
        return complain(&result, "git cannot compare the folder", error);
    *ret = (struct text_list){0};
    for (const char *at = result.output; at < result.output + result.output_size; at += strlen(at) + 1)
        if (!strchr(at, '/'))
            text_list_add(ret, text_copy(at));
    return true;
}

/* The part of a path that is before its file's name, with the slash. */
static size_t folder_length(const char *path)
{
    return (size_t)(file_name(path) - path);
}

/* From ":100644 … R087", the old path, the new path: the old folder, when only the folder is another. */
static char *moved_from(const struct process_result *result, const char *prefix)
{
    const char *end = result->output + result->output_size;
    for (const char *entry = result->output; entry < end;) {
        const char *old = entry + strlen(entry) + 1;
        const char *new = old < end ? old + strlen(old) + 1 : end;
        if (new >= end)
            return NULL;
        bool here = folder_length(new) == strlen(prefix) && text_starts_with(new, prefix);
        if (here && text_equal(file_name(old), file_name(new)))
            return text_copy_part(old, folder_length(old));
        entry = new + strlen(new) + 1;
    }
    return NULL;
}

bool git_origin_find(const char *folder, const char *commit, struct git_origin *ret, struct error *error)
{
    AUTO(process_result_clear) struct process_result place = {0}, moved = {0};
    const char *const where[] = {"rev-parse", "--show-toplevel", "--show-prefix", NULL};
    const char *const arguments[] = {"diff",          "--raw",          "-z",
                                     "--no-abbrev",   "--find-renames", "--diff-filter=R",
                                     "--no-ext-diff", commit,           NULL};
    if (!git_run(folder, where, &place, error) || !git_run(folder, arguments, &moved, error))
        return false;
    if (place.status != 0 || moved.status != 0)
        return complain(place.status != 0 ? &place : &moved, "git cannot compare the work tree", error);
    OWNED char *top = first_line(&place);
    const char *second = place.output + strlen(top) + 1;
    OWNED char *prefix = text_copy_part(second, strcspn(second, "\n"));
    *ret = (struct git_origin){.from_top = moved_from(&moved, prefix)};
    ret->path = ret->from_top ? file_join(top, ret->from_top) : NULL;
    return true;
}

void git_origin_clear(struct git_origin *origin)
{
    free(origin->path);
    free(origin->from_top);
    *origin = (struct git_origin){0};
}

bool git_blob(const char *folder, const char *id, char **ret_text, size_t *ret_size, struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    if (!git_run(folder, (const char *const[]){"cat-file", "blob", id, NULL}, &result, error))
        return false;
    if (result.status != 0)
        return complain(&result, "git cannot show a file", error);
    *ret_text = take(result.output);
    *ret_size = result.output_size;
    return true;
}
