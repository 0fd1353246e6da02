/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/changes.h"

#include <string.h>

/* One row of an answer; all borrowed from it. */
struct aspect {
    const char *kind, *id, *parent, *object, *own, *what, *value;
};

struct aspects {
    struct aspect *items;  /* in order of id and what */
    struct aspect **names; /* the same in order of kind, object and what */
    size_t count;
};

static void aspects_clear(struct aspects *aspects)
{
    free(aspects->items);
    free(aspects->names);
}
CLEANUP_VALUE(struct aspects, aspects_clear)

static int by_id(const void *a, const void *b)
{
    const struct aspect *left = a, *right = b;
    int order = strcmp(left->kind, right->kind);

    if (order == 0)
        order = strcmp(left->id, right->id);
    return order ? order : strcmp(left->what, right->what);
}

static int by_object(const void *a, const void *b)
{
    const struct aspect *left = *(struct aspect *const *)a, *right = *(struct aspect *const *)b;
    int order = strcmp(left->kind, right->kind);

    if (order == 0)
        order = strcmp(left->object, right->object);
    return order ? order : strcmp(left->what, right->what);
}

static void read_aspects(const struct rows *rows, struct aspects *ret)
{
    ret->count = rows_count(rows);
    ret->items = memory_allocate(ret->count + 1, sizeof *ret->items);
    ret->names = memory_allocate(ret->count + 1, sizeof *ret->names);
    for (size_t i = 0; i < ret->count; i++) {
        const char *parent = rows_text(rows, i, "parent");

        ret->items[i] = (struct aspect){.kind = rows_text(rows, i, "kind"),
                                        .id = rows_text(rows, i, "id"),
                                        .parent = parent ? parent : "",
                                        .object = rows_text(rows, i, "object"),
                                        .own = rows_text(rows, i, "own"),
                                        .what = rows_text(rows, i, "what"),
                                        .value = rows_text(rows, i, "value")};
        ret->names[i] = &ret->items[i];
    }
    qsort(ret->items, ret->count, sizeof *ret->items, by_id);
    qsort(ret->names, ret->count, sizeof *ret->names, by_object);
}

static const struct aspect *find_id(const struct aspects *aspects, const struct aspect *key)
{
    return bsearch(key, aspects->items, aspects->count, sizeof *aspects->items, by_id);
}

static const struct aspect *find_object(const struct aspects *aspects, const struct aspect *key)
{
    struct aspect *const *found =
        bsearch(&key, aspects->names, aspects->count, sizeof *aspects->names, by_object);

    return found ? *found : NULL;
}

/* The same thing there: itself, or what was made under its name in its place. */
static const struct aspect *find_same(const struct aspects *aspects, const struct aspect *key)
{
    const struct aspect *found = find_id(aspects, key);

    return found ? found : find_object(aspects, key);
}

static void add(struct rehearsed *ret, const char *object, char *what)
{
    ret->changes = memory_grow(ret->changes, ret->change_count, sizeof *ret->changes);
    ret->changes[ret->change_count++] = (struct change){.object = text_copy(object), .what = what};
}

/* The first aspect of an object stands for the object. */
static bool is_first(const struct aspects *aspects, const struct aspect *aspect)
{
    return aspect == aspects->items || !text_equal(aspect[-1].id, aspect->id) ||
           !text_equal(aspect[-1].kind, aspect->kind);
}

/* Whether what it belongs to is there; what belongs to nothing always is. */
static bool has_parent(const struct aspects *aspects, const struct aspect *aspect)
{
    static const char *const kinds[] = {"table", "view", "materialized view"};

    if (!*aspect->parent)
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (find_id(aspects, &(struct aspect){.kind = kinds[i], .id = aspect->parent, .what = "privileges"}))
            return true;
    return false;
}

static bool is_on(const char *value)
{
    return text_equal(value, "on") || text_equal(value, "forced");
}

static const char *or_none(const char *value)
{
    return value ? value : "none";
}

static char *switched(const struct aspect *before, const struct aspect *after)
{
    static const struct {
        const char *what, *on, *off;
    } words[] = {
        {"NOT NULL", "is NOT NULL now", NULL},
        {"SECURITY DEFINER", "is SECURITY DEFINER now", "lost SECURITY DEFINER"},
        {"security_invoker", NULL, "lost security_invoker: it reads with its owner's rights"},
        {"row level security", "has row level security now", "lost row level security"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_equal(words[i].what, before->what) && is_on(before->value) != is_on(after->value))
            return text_copy(is_on(after->value) ? words[i].on : words[i].off);
    if (text_equal(before->what, "row level security"))
        return text_copy(text_equal(after->value, "forced") ? "row level security binds its owner now"
                                                            : "row level security no longer binds its owner");
    return NULL;
}

/* What the change of an aspect means; NULL when an application does not notice it. */
static char *meaning(const struct aspect *before, const struct aspect *after)
{
    if (text_equal(before->value, after->value))
        return NULL;
    if (text_equal(before->what, "search_path") && before->value && !after->value)
        return text_copy("lost its setting of search_path");
    if (text_equal(before->what, "type"))
        return text_format("has type %s instead of %s", after->value, before->value);
    if (text_equal(before->what, "privileges"))
        return text_format("privileges are %s instead of %s", or_none(after->value), or_none(before->value));
    if (text_equal(before->what, "definition"))
        return text_format("is \"%s\" instead of \"%s\"", after->value, before->value);
    return switched(before, after);
}

static void find_lost(const struct aspects *before, const struct aspects *after, struct rehearsed *ret)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct aspect *was = &before->items[i], *is = find_same(after, was);
        char *what = NULL;

        if (is && is_first(before, was) && !text_equal(was->own, is->own))
            what = text_format("was renamed to %s", is->own);
        if (!is && is_first(before, was) && has_parent(after, was))
            what = text_copy("was dropped");
        if (what)
            add(ret, was->object, what);
        what = is ? meaning(was, is) : NULL;
        if (what)
            add(ret, is->object, what);
    }
}

/* New things on what was there before. */
static void find_new(const struct aspects *before, const struct aspects *after, struct rehearsed *ret)
{
    for (size_t i = 0; i < after->count; i++) {
        const struct aspect *is = &after->items[i];

        if (!*is->parent || !has_parent(before, is) || find_same(before, is))
            continue;
        if (text_equal(is->what, "required") && is_on(is->value))
            add(ret, is->object,
                text_copy("is new, NOT NULL and without default: rows without it are refused"));
        if (text_equal(is->what, "definition"))
            add(ret, is->object, text_format("is new: %s", is->value));
    }
}

void changes_find(const struct rows *before, const struct rows *after, struct rehearsed *ret)
{
    AUTO(aspects_clear) struct aspects left = {0}, right = {0};

    read_aspects(before, &left);
    read_aspects(after, &right);
    find_lost(&left, &right, ret);
    find_new(&left, &right, ret);
}
