/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/match.h"

/* A stretch of rows or files that have the same number and suffix. */
struct stretch {
    size_t first, count;
};

struct sequence {
    const struct version *(*at)(const void *list, size_t index);
    const void *list;
    size_t count;
};

static const struct version *row_key(const void *list, size_t index)
{
    return &((const struct history *)list)->keys[index];
}

static const struct version *file_version(const void *list, size_t index)
{
    return &((const struct folder *)list)->items[index]->version;
}

/* The versions without a number stand at the end and take no part. */
static struct sequence rows_of(const struct history *history)
{
    size_t count = history->count;
    while (count > 0 && history->keys[count - 1].stem == NULL)
        count--;
    return (struct sequence){row_key, history, count};
}

static struct sequence files_of(const struct folder *folder)
{
    return (struct sequence){file_version, folder, folder == NULL ? 0 : folder->count};
}

static struct stretch find_number(struct sequence sequence, const struct version *version)
{
    size_t low = 0, high = sequence.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (version_compare_number(sequence.at(sequence.list, middle), version) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < sequence.count && version_compare_number(sequence.at(sequence.list, end), version) == 0)
        end++;
    return (struct stretch){low, end - low};
}

static struct history_row *row_by_stem(const struct history *history, const char *stem,
                                       struct stretch stretch)
{
    for (size_t i = stretch.first; i < stretch.first + stretch.count; i++)
        if (strcmp(history->keys[i].stem, stem) == 0)
            return &history->rows[i];
    return NULL;
}

/* The one row in the stretch that is nothing but a number; NULL when there are none or several. */
static struct history_row *bare_row(const struct history *history, struct stretch stretch)
{
    struct history_row *found = NULL;
    for (size_t i = stretch.first; i < stretch.first + stretch.count; i++) {
        if (*history->keys[i].description != '\0')
            continue;
        if (found != NULL)
            return NULL;
        found = &history->rows[i];
    }
    return found;
}

struct history_row *history_find(const struct history *history, const struct folder *folder,
                                 const struct migration *migration)
{
    struct stretch rows = find_number(rows_of(history), &migration->version);
    struct history_row *row = row_by_stem(history, migration->version.stem, rows);
    if (row != NULL || rows.count == 0)
        return row;
    struct stretch files = find_number(files_of(folder), &migration->version);
    return files.count == 1 ? bare_row(history, rows) : NULL;
}

struct migration *history_file(const struct history *history, const struct folder *folder,
                               const struct history_row *row)
{
    const struct version *key = &history->keys[row - history->rows];
    if (key->stem == NULL || folder == NULL)
        return NULL;
    struct migration *file = folder_stem(folder, key->stem);
    if (file != NULL || *key->description != '\0')
        return file;
    struct stretch files = find_number(files_of(folder), key);
    if (files.count != 1)
        return NULL;
    file = folder->items[files.first];
    return history_find(history, folder, file) == row ? file : NULL;
}

/* ---- all of them ---- */

static void match_same(struct match *match, const struct history *history, const struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        struct history_row *row = history_find(history, folder, folder->items[i]);
        match->files[i].row = row;
        if (row != NULL)
            match->rows[row - history->rows] = MATCH_FILE;
    }
}

/* A file that has no row yet, under its checksum. */
struct loose_file {
    const char *checksum;
    size_t index;
};

static int compare_loose(const void *a, const void *b)
{
    const struct loose_file *x = a, *y = b;
    int order = strcmp(x->checksum, y->checksum);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

struct loose_files {
    struct loose_file *items;
    size_t count;
};

static void loose_files_clear(struct loose_files *loose)
{
    free(loose->items);
}
CLEANUP_VALUE(struct loose_files, loose_files_clear)

static struct loose_files loose_files(const struct match *match, const struct folder *folder)
{
    struct loose_files loose = {.items = memory_allocate(folder->count + 1, sizeof *loose.items)};
    for (size_t i = 0; i < folder->count; i++)
        if (match->files[i].row == NULL)
            loose.items[loose.count++] = (struct loose_file){folder->items[i]->forward.checksum, i};
    qsort(loose.items, loose.count, sizeof *loose.items, compare_loose);
    return loose;
}

#define NOT_FOUND SIZE_MAX

/* The one file without a row that has this checksum. */
static size_t by_checksum(const struct loose_files *loose, const char *checksum)
{
    size_t low = 0, high = loose->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(loose->items[middle].checksum, checksum) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < loose->count && strcmp(loose->items[low].checksum, checksum) == 0;
    bool again = found && low + 1 < loose->count && strcmp(loose->items[low + 1].checksum, checksum) == 0;
    return found && !again ? loose->items[low].index : NOT_FOUND;
}

/* The one file with the row's number, if it has no row and its checksum does not speak against it. */
static size_t by_number(const struct match *match, const struct history *history, const struct folder *folder,
                        size_t row)
{
    if (history->keys[row].stem == NULL || *history->keys[row].description == '\0')
        return NOT_FOUND;
    struct stretch files = find_number(files_of(folder), &history->keys[row]);
    struct stretch rows = find_number(rows_of(history), &history->keys[row]);
    if (files.count != 1 || rows.count != 1 || match->files[files.first].row != NULL)
        return NOT_FOUND;
    const char *checksum = history->rows[row].checksum;
    bool fits = checksum == NULL || strcmp(checksum, folder->items[files.first]->forward.checksum) == 0;
    return fits ? files.first : NOT_FOUND;
}

static void match_renamed(struct match *match, const struct history *history, const struct folder *folder)
{
    AUTO(loose_files_clear) struct loose_files loose = loose_files(match, folder);
    for (size_t i = 0; i < history->count && loose.count > 0; i++) {
        struct history_row *row = &history->rows[i];
        if (match->rows[i] != MATCH_NONE || row->state == ROW_ARCHIVED)
            continue;
        size_t file = by_number(match, history, folder, i);
        if (file == NOT_FOUND && row->checksum != NULL)
            file = by_checksum(&loose, row->checksum);
        if (file == NOT_FOUND || match->files[file].row != NULL)
            continue;
        match->files[file] = (struct file_match){row, true};
        match->rows[i] = MATCH_FILE;
    }
}

/* A bare number that was not matched: another row or several files have the same. Both stand side by side. */
static enum row_match judge_bare(const struct match *match, const struct history *history,
                                 const struct folder *folder, size_t row)
{
    struct stretch rows = find_number(rows_of(history), &history->keys[row]);
    for (size_t i = rows.first; i < rows.first + rows.count; i++)
        if (match->rows[i] == MATCH_FILE)
            return MATCH_DUPLICATE;
    return find_number(files_of(folder), &history->keys[row]).count > 1 ? MATCH_AMBIGUOUS : MATCH_NONE;
}

static void judge_bare_rows(struct match *match, const struct history *history, const struct folder *folder)
{
    for (size_t i = 0; i < rows_of(history).count; i++)
        if (match->rows[i] == MATCH_NONE && *history->keys[i].description == '\0')
            match->rows[i] = judge_bare(match, history, folder, i);
}

struct match match_all(const struct history *history, const struct folder *folder)
{
    struct match match = {
        .files = memory_allocate(folder->count + 1, sizeof *match.files),
        .rows = memory_allocate(history->count + 1, sizeof *match.rows),
    };
    size_t numbered = rows_of(history).count;
    if (numbered > 0)
        match.newest = &history->keys[numbered - 1];
    match_same(&match, history, folder);
    match_renamed(&match, history, folder);
    judge_bare_rows(&match, history, folder);
    return match;
}

void match_clear(struct match *match)
{
    free(match->files);
    free(match->rows);
    *match = (struct match){0};
}

/* ---- words ---- */

static bool is_named(const struct history *history, size_t index, const char *word)
{
    const struct version *key = &history->keys[index];
    return strcmp(history->rows[index].version, word) == 0 ||
           (key->stem != NULL && version_matches(key, word));
}

static bool word_is_several(const struct history *history, const char *word, struct error *error)
{
    struct text_list versions = {0};
    for (size_t i = 0; i < history->count; i++)
        if (is_named(history, i, word))
            text_list_add(&versions, text_format("\"%s\"", history->rows[i].version));
    OWNED char *list = text_list_join(&versions, ", ");
    text_list_clear(&versions);
    error_set(error, ERROR_USAGE, "version \"%s\" names several applied migrations", word);
    error_detail(error, "They are %s.", list);
    return error_hint(error, "Use the whole name.");
}

static bool word_is_nothing(const struct history *history, const char *word, struct error *error)
{
    error_set(error, ERROR_USAGE, "version \"%s\" is not in the history", word);
    OWNED const char **candidates = memory_allocate(history->count + 1, sizeof *candidates);
    for (size_t i = 0; i < history->count; i++)
        candidates[i] = history->rows[i].version;
    const char *nearest = text_nearest(word, candidates);
    return nearest == NULL ? false : error_hint(error, "Did you mean \"%s\"?", nearest);
}

static bool latest(const struct history *history, struct history_row **ret, struct error *error)
{
    struct history_row *last = NULL;
    for (size_t i = 0; i < history->count; i++)
        if (last == NULL || history->rows[i].sequence > last->sequence)
            last = &history->rows[i];
    if (last == NULL)
        return error_set(error, ERROR_USAGE, "nothing is applied");
    *ret = last;
    return true;
}

bool history_word(const struct history *history, const char *word, struct history_row **ret,
                  struct error *error)
{
    if (strcmp(word, "latest") == 0)
        return latest(history, ret, error);
    struct history_row *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < history->count; i++) {
        if (strcmp(history->rows[i].version, word) == 0) {
            *ret = &history->rows[i];
            return true;
        }
        if (is_named(history, i, word)) {
            found = &history->rows[i];
            count++;
        }
    }
    if (count > 1)
        return word_is_several(history, word, error);
    if (count == 0)
        return word_is_nothing(history, word, error);
    *ret = found;
    return true;
}

bool match_renamed_word(const struct history *history, const struct folder *folder, const char *word,
                        struct history_row **ret_row, struct migration **ret_migration)
{
    AUTO(match_clear) struct match match = match_all(history, folder);
    for (size_t i = 0; i < folder->count; i++) {
        struct history_row *row = match.files[i].row;
        if (!match.files[i].renamed || (!version_matches(&folder->items[i]->version, word) &&
                                        !is_named(history, (size_t)(row - history->rows), word)))
            continue;
        *ret_row = row;
        *ret_migration = folder->items[i];
        return true;
    }
    return false;
}
