/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_match.h"

#include "common/text.h"
#include <ctype.h>
#include <string.h>

/* ---- names ---- */

void rls_renames_clear(struct rls_renames *renames)
{
    free(renames->items);
    *renames = (struct rls_renames){0};
}

struct rls_renames rls_renames_of(const struct rows *before, const struct rows *after)
{
    struct rls_renames renames = {0};
    size_t i = 0, k = 0;

    while (i < rows_count(before) && k < rows_count(after)) {
        int64_t left = rows_integer(before, i, "oid"), right = rows_integer(after, k, "oid");
        const char *old = rows_text(before, i, "name"), *new = rows_text(after, k, "name");
        if (left == right && old != NULL && new != NULL &&strcmp(old, new) != 0) {
            renames.items = memory_grow(renames.items, renames.count, sizeof *renames.items);
            renames.items[renames.count++] = (struct rls_rename){old, new};
        }
        i += left <= right ? 1 : 0;
        k += right <= left ? 1 : 0;
    }
    return renames;
}

static bool is_inside_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '"' || (unsigned char)c >= 0x80;
}

/* The renaming whose new name stands at this place; the longest. */
static const struct rls_rename *rename_at(const struct rls_renames *renames, const char *text, const char *at)
{
    const struct rls_rename *found = NULL;

    if (at > text && is_inside_name(at[-1]))
        return NULL;
    for (size_t i = 0; i < renames->count; i++) {
        size_t length = strlen(renames->items[i].new);
        if (strncmp(at, renames->items[i].new, length) == 0 && !is_inside_name(at[length]) &&
            (found == NULL || length > strlen(found->new)))
            found = &renames->items[i];
    }
    return found;
}

char *rls_renames_undo(const struct rls_renames *renames, const char *text)
{
    char *result = NULL;
    size_t size;
    FILE *out = open_memstream(&result, &size);

    for (const char *at = text; *at != '\0';) {
        const struct rls_rename *rename = rename_at(renames, text, at);
        if (rename == NULL) {
            fputc(*at++, out);
        } else {
            fputs(rename->old, out);
            at += strlen(rename->new);
        }
    }
    fclose(out);
    return result;
}

/* ---- findings ---- */

void rls_match_clear(struct rls_match *match)
{
    free(match->known);
    *match = (struct rls_match){0};
}

struct entry {
    const struct rls_finding *finding;
    bool used;
};

static int compare_texts(const char *a, const char *b)
{
    return a == NULL || b == NULL ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
    const struct rls_finding *left = ((const struct entry *)a)->finding;
    const struct rls_finding *right = ((const struct entry *)b)->finding;
    int order = strcmp(left->check, right->check);

    order = order != 0 ? order : strcmp(left->object, right->object);
    return order != 0 ? order : compare_texts(left->role, right->role);
}

static size_t first_of(const struct entry *entries, size_t count, const struct rls_finding *finding)
{
    const struct entry wanted = {.finding = finding};
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The messages of these name what may be called otherwise tomorrow: columns, keys, policies. */
static bool counts_only(const char *check)
{
    static const char *const checks[] = {"S14", "S15", "S16", "S26"};

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (strcmp(checks[i], check) == 0)
            return true;
    return false;
}

/* Take one that is as severe. */
static bool take_one(struct entry *entries, size_t count, const struct rls_finding *finding, bool exactly)
{
    const struct entry wanted = {.finding = finding};

    for (size_t i = first_of(entries, count, finding); i < count && compare(&entries[i], &wanted) == 0; i++) {
        if (entries[i].used || entries[i].finding->severity < finding->severity ||
            (exactly && !text_equal(entries[i].finding->message, finding->message)))
            continue;
        entries[i].used = true;
        return true;
    }
    return false;
}

static bool take_as_it_was(struct entry *entries, size_t count, const struct rls_finding *finding,
                           const struct rls_renames *renames, bool exactly)
{
    OWNED char *object = rls_renames_undo(renames, finding->object);
    OWNED char *message = rls_renames_undo(renames, finding->message);
    struct rls_finding old = *finding;

    old.object = object;
    old.message = message;
    return take_one(entries, count, &old, exactly);
}

struct rls_match rls_match_of(const struct rls_findings *before, const struct rls_findings *after,
                              const struct rls_renames *renames)
{
    struct rls_match match = {.known = memory_allocate(after->count + 1, sizeof *match.known)};
    OWNED struct entry *entries = memory_allocate(before->count + 1, sizeof *entries);
    size_t count = 0;

    for (size_t i = 0; i < before->count; i++)
        if (!before->items[i].inconclusive)
            entries[count++].finding = &before->items[i];
    qsort(entries, count, sizeof *entries, compare);
    for (int exactly = 1; exactly >= 0; exactly--)
        for (size_t i = 0; i < after->count; i++)
            if (!match.known[i] && (exactly || counts_only(after->items[i].check)))
                match.known[i] = take_as_it_was(entries, count, &after->items[i], renames, exactly != 0);
    return match;
}
