/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/base.h"
#include "migrator/git.h"
#include "migrator/rule.h"
#include "migrator/script.h"

/* A folder as it is in the two commits. */
struct base_folder {
    const char *path;
    struct git_base commits;
    struct git_origin origin; /* where the base has it; nothing when it is there, or nowhere */
    struct git_tree old, tip;
    bool versions_read; /* the next two are, which are seldom needed */
    struct git_tree our_versions, their_versions;
};

/* A migration that the other branch has, in any of the folders. */
struct base_migration {
    struct version version;
    char *path;
    bool gained; /* since the branches parted */
};

/* A migration that this branch has, and neither the common ancestor nor the other branch. */
struct added {
    const struct migration *migration;
    bool renamed; /* or moved: its statements are not new */
    bool moved;   /* to another folder or layout: its place is not new either */
};

struct base {
    const struct base_request *request;
    struct findings *findings;
    struct base_migration *theirs;
    size_t their_count;
    struct added *added;
    size_t added_count;
    struct base_folder *folders;
    size_t folder_count;
    struct base_folder *here; /* the folder in hand */
};

static void base_clear(struct base *base)
{
    for (size_t i = 0; i < base->their_count; i++) {
        version_clear(&base->theirs[i].version);
        free(base->theirs[i].path);
    }
    free(base->theirs);
    free(base->added);
    for (size_t i = 0; i < base->folder_count; i++) {
        git_base_clear(&base->folders[i].commits);
        git_origin_clear(&base->folders[i].origin);
        git_tree_clear(&base->folders[i].old);
        git_tree_clear(&base->folders[i].tip);
        git_tree_clear(&base->folders[i].our_versions);
        git_tree_clear(&base->folders[i].their_versions);
    }
    free(base->folders);
}
CLEANUP_VALUE(struct base, base_clear)

static enum file_role role_of(const struct base *base, const char *name, char **ret_stem)
{
    enum layout layout;
    *ret_stem = NULL;
    return migration_file_role(name, base->request->options->layout, ret_stem, &layout);
}

static bool is_forward(enum file_role role)
{
    return role == ROLE_FORWARD || role == ROLE_SECTIONS;
}

/* ---- texts ---- */

/* The statements that run forward: a whole file, or its up section. */
static char *forward_part(const struct base *base, const char *text, size_t size)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(source_clear) struct source whole = {.first_line = 1, .size = size};
    struct sections sections = {0};
    const char *rule = NULL;
    bool bom = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    whole.text = text_copy_part(text + (bom ? 3 : 0), size - (bom ? 3 : 0));
    whole.size = strlen(whole.text);
    if (sections_read(&whole, base->request->options->layout, &sections, &rule, &ignored) && sections.up)
        whole.text[sections.down] = '\0';
    return take(whole.text);
}

static bool same_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
    char x[DIGEST_HEX_SIZE], y[DIGEST_HEX_SIZE];
    source_checksum(a, a_size, x);
    source_checksum(b, b_size, y);
    return strcmp(x, y) == 0;
}

static void add_finding(struct base *base, const char *rule, const char *path, const char *message,
                        const char *hint)
{
    struct finding *finding =
        finding_add(base->findings, rule, rule_named(rule)->severity, path, "%s", message);
    if (hint)
        finding_hint(finding, "%s", hint);
}

/* ---- what the branches had since they parted ---- */

static bool versions_read(struct base *base, struct error *error)
{
    struct base_folder *here = base->here;
    AUTO(git_base_clear) struct git_base head = {0};
    if (here->versions_read)
        return true;
    here->versions_read = true;
    return git_base_find(here->path, "HEAD", &head, error) &&
           git_versions(here->path, here->commits.fork, head.tip, &here->our_versions, error) &&
           git_versions(here->path, here->commits.fork, here->commits.tip, &here->their_versions, error);
}

/* Whether the other branch had a file as this one has it now: edited there, and taken over or left behind. */
static bool they_had(struct base *base, const char *name, const char *text, size_t size, bool *ret,
                     struct error *error)
{
    const char *tip = git_tree_id(&base->here->tip, name);
    const struct git_tree *versions = &base->here->their_versions;
    *ret = false;
    if (!tip || text_equal(tip, git_tree_id(&base->here->old, name)))
        return true;
    if (!versions_read(base, error))
        return false;
    for (size_t i = 0; i < versions->names.count && !*ret; i++) {
        OWNED char *theirs = NULL;
        size_t their_size = 0;
        if (!text_equal(versions->names.items[i], name) || strspn(versions->ids.items[i], "0") >= 40)
            continue;
        if (!git_blob(base->here->path, versions->ids.items[i], &theirs, &their_size, error))
            return false;
        *ret = same_text(theirs, their_size, text, size);
    }
    return true;
}

static bool has_version(const struct git_tree *versions, const char *name, const char *id)
{
    for (size_t i = 0; i < versions->names.count; i++)
        if (text_equal(versions->names.items[i], name) && text_equal(versions->ids.items[i], id))
            return true;
    return false;
}

/* Whether a file the other branch has is gone here, and not merely one that this branch never had. */
static bool we_had(struct base *base, const char *name, bool *ret, struct error *error)
{
    const char *tip = git_tree_id(&base->here->tip, name);
    *ret = tip && git_tree_id(&base->here->old, name);
    if (*ret || !tip)
        return true;
    if (!versions_read(base, error))
        return false;
    *ret = has_version(&base->here->our_versions, name, tip);
    return true;
}

/* ---- edited, deleted, renamed ---- */

/* As it was when the branches parted, or as the other branch has gained it since. */
static const char *their_id(const struct base *base, const char *name)
{
    const char *old = git_tree_id(&base->here->old, name);
    return old ? old : git_tree_id(&base->here->tip, name);
}

static void report_edit(struct base *base, const char *path, enum file_role role, const char *old,
                        const char *now)
{
    bool gained = !git_tree_id(&base->here->old, file_name(path));
    OWNED char *message = NULL;
    if (script_same_tokens(old, now)) {
        message =
            text_format("comments or white space were edited; \"%s\" has the file, too", base->request->base);
        add_finding(base, RULE_BASE_REFORMATTED, path, message, NULL);
    } else if (is_forward(role) && gained) {
        message = text_format("\"%s\" has another migration of this name, which may be applied somewhere",
                              base->request->base);
        add_finding(base, RULE_BASE_EDITED, path, message,
                    "Take the file from there and write a new migration for what differs.");
    } else if (is_forward(role)) {
        message = text_format("the migration was edited, but \"%s\" has it and it may be applied somewhere",
                              base->request->base);
        add_finding(base, RULE_BASE_EDITED, path, message,
                    "Restore the file and write a new migration for the change.");
    } else {
        message = text_format("the script was edited, but \"%s\" has it, too", base->request->base);
        add_finding(base, RULE_BASE_SCRIPT_EDITED, path, message,
                    "Databases that applied the migration keep the script they stored then.");
    }
}

static bool check_edit(struct base *base, const char *name, enum file_role role, struct error *error)
{
    OWNED char *path = file_join(base->here->path, name);
    OWNED char *old = NULL, *now = NULL;
    size_t old_size = 0, now_size = 0;
    bool theirs = false;
    if (!git_blob(base->here->path, their_id(base, name), &old, &old_size, error) ||
        !file_read(path, &now, &now_size, error))
        return false;
    if (same_text(old, old_size, now, now_size))
        return true;
    if (!they_had(base, name, now, now_size, &theirs, error) || theirs)
        return theirs;
    OWNED char *old_forward = forward_part(base, old, old_size);
    OWNED char *now_forward = forward_part(base, now, now_size);
    bool below =
        is_forward(role) && same_text(old_forward, strlen(old_forward), now_forward, strlen(now_forward));
    if (below)
        report_edit(base, path, ROLE_ROLLBACK, old, now);
    else
        report_edit(base, path, role, old_forward, now_forward);
    return true;
}

/* The added migration that holds what a deleted file held. */
static struct added *find_renamed(struct base *base, const char *text, size_t size)
{
    OWNED char *forward = forward_part(base, text, size);
    char checksum[DIGEST_HEX_SIZE];
    source_checksum(forward, strlen(forward), checksum);
    for (size_t i = 0; i < base->added_count; i++)
        if (strcmp(base->added[i].migration->forward.checksum, checksum) == 0)
            return &base->added[i];
    return NULL;
}

/* Whether a migration that is still there has lost its rollback or verify script. */
static bool lacks(const struct base *base, enum file_role role, const char *stem)
{
    const struct migration *migration = folder_stem(base->request->folder, stem);
    return migration &&
           !(role == ROLE_VERIFY ? migration_has_verify(migration) : migration_has_rollback(migration));
}

static bool check_gone(struct base *base, const char *name, enum file_role role, const char *stem,
                       struct error *error)
{
    OWNED char *path = file_join(base->here->path, name);
    OWNED char *message = NULL;
    OWNED char *old = NULL;
    OWNED char *before = base->here->origin.path ? file_join(base->here->origin.path, name) : NULL;
    size_t size = 0;
    bool had = false;
    if (!we_had(base, name, &had, error))
        return false;
    if (!had || (before && file_exists(before)))
        return true;
    if (!git_blob(base->here->path, their_id(base, name), &old, &size, error))
        return false;
    struct added *renamed = is_forward(role) ? find_renamed(base, old, size) : NULL;
    if (renamed) {
        renamed->renamed = true;
        renamed->moved = text_equal(renamed->migration->version.stem, stem);
        if (renamed->moved)
            return true; /* to another folder or layout, which the history does not mind */
        message =
            text_format("\"%s\" was renamed, but databases that applied it know it by the old name", name);
        add_finding(base, RULE_BASE_RENAMED, renamed->migration->forward.path, message,
                    "Give it its old name again.");
    } else if (is_forward(role)) {
        message = text_format("the migration was deleted, but \"%s\" has it and it may be applied somewhere",
                              base->request->base);
        add_finding(base, RULE_BASE_DELETED, path, message,
                    "Restore the file; undo its effect in a new migration.");
    } else if (lacks(base, role, stem)) {
        message = text_format("the %s script was deleted, but \"%s\" has it",
                              role == ROLE_VERIFY ? "verify" : "rollback", base->request->base);
        add_finding(base, RULE_BASE_DELETED, path, message, NULL);
    }
    return true;
}

/* Those that may have changed; all, where git does not compare the folder with itself. */
static bool list_changed(struct base *base, bool gained, struct text_list *ret, struct error *error)
{
    const struct base_folder *here = base->here;
    const struct text_list *names = gained ? &here->tip.names : &here->old.names;
    if (!here->origin.path)
        return git_changed(here->path, gained ? here->commits.tip : here->commits.fork, ret, error);
    for (size_t i = 0; i < names->count; i++)
        text_list_add(ret, text_copy(names->items[i]));
    return true;
}

/* The files that were there when the branches parted, or those the other branch has gained since. */
static bool check_changed(struct base *base, bool gained, struct error *error)
{
    AUTO(text_list_clear) struct text_list changed = {0};
    const struct git_base *commits = &base->here->commits;
    if (gained && text_equal(commits->tip, commits->fork))
        return true;
    if (!list_changed(base, gained, &changed, error))
        return false;
    for (size_t i = 0; i < changed.count; i++) {
        const char *name = changed.items[i];
        OWNED char *stem = NULL;
        enum file_role role = role_of(base, name, &stem);
        if (role == ROLE_STRAY || !their_id(base, name) || gained != !git_tree_id(&base->here->old, name))
            continue;
        OWNED char *path = file_join(base->here->path, name);
        bool done = file_exists(path) ? check_edit(base, name, role, error)
                                      : check_gone(base, name, role, stem, error);
        if (!done)
            return false;
    }
    return true;
}

/* ---- added, and in the way ---- */

static void remember_theirs(struct base *base)
{
    for (size_t i = 0; i < base->here->tip.names.count; i++) {
        const char *name = base->here->tip.names.items[i];
        OWNED char *stem = NULL;
        struct base_migration theirs = {.gained = !git_tree_id(&base->here->old, name)};
        if (!is_forward(role_of(base, name, &stem)) || !version_parse(stem, &theirs.version))
            continue;
        theirs.path = file_join(base->here->path, name);
        base->theirs = memory_grow(base->theirs, base->their_count, sizeof *base->theirs);
        base->theirs[base->their_count++] = theirs;
    }
}

static void remember_added(struct base *base)
{
    const struct folder *folder = base->request->folder;
    for (size_t i = 0; i < folder->count; i++) {
        const struct migration *migration = folder->items[i];
        const char *path = migration->forward.path;
        OWNED char *expected = file_join(base->here->path, file_name(path));
        if (!text_equal(expected, path) || their_id(base, file_name(path)))
            continue;
        base->added = memory_grow(base->added, base->added_count, sizeof *base->added);
        base->added[base->added_count++] = (struct added){.migration = migration};
    }
}

static void report_collision(struct base *base, const struct migration *migration,
                             const struct base_migration *theirs)
{
    OWNED char *message =
        text_format("number \"%s%s\" was given to \"%s\" on \"%s\" meanwhile", migration->version.digits,
                    migration->version.suffix, file_name(theirs->path), base->request->base);
    add_finding(base, RULE_BASE_COLLISION, migration->forward.path, message,
                "Renumber this migration before merging.");
}

static void report_order(struct base *base, const struct migration *migration,
                         const struct base_migration *newest)
{
    OWNED char *message = text_format("the migration comes before \"%s\", which \"%s\" has already",
                                      newest->version.stem, base->request->base);
    add_finding(base, RULE_BASE_OUT_OF_ORDER, migration->forward.path, message,
                "Renumber it: where the newer one is applied, this one is refused as out of order.");
}

static void check_place(struct base *base, const struct migration *migration)
{
    const struct base_migration *newest = NULL;
    for (size_t i = 0; i < base->their_count; i++) {
        const struct base_migration *theirs = &base->theirs[i];
        int order = version_compare_number(&theirs->version, &migration->version);
        if (order == 0 && theirs->gained && !base->request->options->allow_duplicates) {
            report_collision(base, migration, theirs);
            return;
        }
        if (order > 0 && (!newest || version_compare(&theirs->version, &newest->version) > 0))
            newest = theirs;
    }
    if (newest)
        report_order(base, migration, newest);
}

static void report_added(struct base *base, struct text_list *ret_added)
{
    for (size_t i = 0; i < base->added_count; i++) {
        const struct migration *migration = base->added[i].migration;
        if (!base->added[i].renamed) {
            OWNED char *message = text_format("new since \"%s\"", base->request->base);
            add_finding(base, RULE_BASE_ADDED, migration->forward.path, message, NULL);
            text_list_add(ret_added, text_copy(migration->version.stem));
        }
        if (!base->added[i].moved)
            check_place(base, migration);
    }
}

/* Whether a path is one of the folders that are looked at anyway. */
static bool is_ours(const struct base *base, const char *path)
{
    OWNED char *real = realpath(path, NULL);
    for (size_t i = 0; real && i < base->request->options->directories.count; i++) {
        OWNED char *other = realpath(base->request->options->directories.items[i], NULL);
        if (text_equal(real, other))
            return true;
    }
    return false;
}

/* The whole folder may be where it is since it was moved: then the base's is compared with from there. */
static bool read_origin(struct base *base, struct error *error)
{
    struct base_folder *here = base->here;
    const struct git_base *commits = &here->commits;
    if (here->old.names.count + here->tip.names.count > 0)
        return true;
    if (!git_origin_find(here->path, commits->fork, &here->origin, error))
        return false;
    if (!here->origin.path || is_ours(base, here->origin.path)) {
        git_origin_clear(&here->origin);
        return true;
    }
    return git_tree_read_at(here->path, commits->fork, here->origin.from_top, &here->old, error) &&
           git_tree_read_at(here->path, commits->tip, here->origin.from_top, &here->tip, error);
}

static bool read_folder(struct base *base, const char *path, struct error *error)
{
    base->folders = memory_grow(base->folders, base->folder_count, sizeof *base->folders);
    struct base_folder *folder = &base->folders[base->folder_count++];
    *folder = (struct base_folder){.path = path};
    base->here = folder;
    if (!git_base_find(path, base->request->base, &folder->commits, error) ||
        !git_tree_read(path, folder->commits.fork, &folder->old, error) ||
        !git_tree_read(path, folder->commits.tip, &folder->tip, error) || !read_origin(base, error))
        return false;
    remember_theirs(base);
    remember_added(base);
    return true;
}

bool base_check(const struct base_request *request, struct findings *findings, struct text_list *ret_added,
                struct error *error)
{
    AUTO(base_clear) struct base base = {.request = request, .findings = findings};
    for (size_t i = 0; i < request->options->directories.count; i++)
        if (!read_folder(&base, request->options->directories.items[i], error))
            return false;
    for (size_t i = 0; i < base.folder_count; i++) {
        base.here = &base.folders[i];
        if (!check_changed(&base, false, error) || !check_changed(&base, true, error))
            return false;
    }
    *ret_added = (struct text_list){0};
    report_added(&base, ret_added);
    return true;
}
