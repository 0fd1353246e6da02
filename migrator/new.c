/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/new.h"

#define NAME_LONGEST 255

char *new_description(const char *words)
{
    char *description = memory_allocate(strlen(words) + 1, 1);
    size_t length = 0;
    for (; *words; words++) {
        char c = *words >= 'A' && *words <= 'Z' ? (char)(*words - 'A' + 'a') : *words;
        bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (kept)
            description[length++] = c;
        else if (length > 0 && description[length - 1] != '_')
            description[length++] = '_';
    }
    while (length > 0 && description[length - 1] == '_')
        length--;
    description[length] = '\0';
    if (length > 0)
        return description;
    free(description);
    return NULL;
}

/* ---- numbers ---- */

/* Numbers made of the time: seconds or milliseconds since 1970, or the beginning of YYYYMMDDHHMMSSmmm. */
#define EPOCH_DIGITS       10
#define EPOCH_MILLI_DIGITS 13
#define TIME_DIGITS        14
#define TIME_MILLI_DIGITS  17

static bool is_epoch_width(size_t digits)
{
    return digits == EPOCH_DIGITS || digits == EPOCH_MILLI_DIGITS;
}

static bool is_time_width(size_t digits)
{
    return digits == 8 || digits == 12 || digits == TIME_DIGITS || digits == TIME_MILLI_DIGITS ||
           is_epoch_width(digits);
}

/* Add one to a decimal number of any length, keeping its width. */
static char *next_number(const char *digits)
{
    char *next = text_format("0%s", digits);
    size_t at = strlen(next) - 1;
    while (next[at] == '9')
        next[at--] = '0';
    next[at]++;
    if (next[0] == '0')
        memmove(next, next + 1, strlen(next));
    return next;
}

/* Flyway's 1.2 goes on with 1.3. */
static char *next_version(const char *digits)
{
    size_t last = strlen(digits);
    while (last > 0 && digits[last - 1] >= '0' && digits[last - 1] <= '9')
        last--;
    OWNED char *next = next_number(digits + last);
    return text_format("%.*s%s", (int)last, digits, next);
}

static const struct migration *last_migration(const struct new_request *request)
{
    return request->folder->count > 0 ? request->folder->items[request->folder->count - 1] : NULL;
}

static bool looks_like_time(const char *digits)
{
    size_t length = strlen(digits);
    if (strspn(digits, "0123456789") != length || !is_time_width(length))
        return false;
    /* Times since 1970 begin with 1 until 2033; the others begin with a year. */
    return is_epoch_width(length) ? digits[0] == '1'
                                  : text_starts_with(digits, "19") || text_starts_with(digits, "20");
}

static char *time_number(time_t now, size_t digits)
{
    char number[32];
    struct tm parts;
    if (is_epoch_width(digits))
        return text_format("%lld%s", (long long)now, digits == EPOCH_MILLI_DIGITS ? "000" : "");
    gmtime_r(&now, &parts);
    strftime(number, sizeof number, "%Y%m%d%H%M%S000", &parts);
    return text_copy_part(number, digits);
}

/* Two migrations within one second, or a clock that is behind: the number must still be the highest. */
static char *after(char *number, const struct migration *last)
{
    AUTO(version_clear) struct version mine = {0};
    if (!last || !version_parse(number, &mine) || version_compare_number(&mine, &last->version) > 0)
        return number;
    free(number);
    return next_version(last->version.digits);
}

char *new_number(const struct new_request *request)
{
    const struct migration *last = last_migration(request);
    bool timed = last && looks_like_time(last->version.digits);
    if (request->numbering == NEW_TIMESTAMP || (request->numbering == NEW_AUTO && timed))
        return after(time_number(request->now, timed ? strlen(last->version.digits) : TIME_DIGITS), last);
    if (last)
        return next_version(last->version.digits);
    return text_copy(request->layout == LAYOUT_FLYWAY ? "1" : "001");
}

/* ---- texts ---- */

static void print_title(FILE *out, const struct new_request *request, const char *stem, const char *what)
{
    char day[16];
    struct tm parts;
    gmtime_r(&request->now, &parts);
    strftime(day, sizeof day, "%Y-%m-%d", &parts);
    fprintf(out, "-- %s%s, %s\n--\n", stem, what, day);
}

static void print_forward_notes(FILE *out)
{
    fputs("-- Runs in one transaction together with its row in the history: no BEGIN and COMMIT needed.\n"
          "-- Directives are comments up here, such as \"pgmigrate: lock_timeout=5s\": no-transaction,\n"
          "-- lock_timeout, statement_timeout, role, irreversible, requires, variables.\n\n",
          out);
}

static void print_rollback_notes(FILE *out)
{
    fputs("-- Undoes the migration. Where that is impossible, remove this and give the migration the\n"
          "-- directive \"irreversible\".\n\n",
          out);
}

static char *forward_text(const struct new_request *request, const char *stem)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print_title(out, request, stem, "");
    print_forward_notes(out);
    fclose(out);
    return text;
}

static char *rollback_text(const struct new_request *request, const char *stem)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print_title(out, request, stem, ", rollback");
    print_rollback_notes(out);
    fclose(out);
    return text;
}

static char *sections_text(const struct new_request *request, const char *stem)
{
    OWNED char *forward = forward_text(request, stem);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%s-- migrate:up\n\n\n-- migrate:down\n", forward);
    print_rollback_notes(out);
    fclose(out);
    return text;
}

/* ---- files ---- */

struct new_files {
    size_t count;
    char *names[2];
    char *texts[2];
};

static void new_files_clear(struct new_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->names[i]);
        free(files->texts[i]);
    }
}
CLEANUP_VALUE(struct new_files, new_files_clear)

/* As the folder to write to has it, else as the whole sequence has it. */
static enum layout layout_of(const struct new_request *request)
{
    const struct migration *last = last_migration(request);
    if (request->layout != LAYOUT_AUTO)
        return request->layout;
    for (size_t i = request->folder->count; i-- > 0;) {
        OWNED char *directory = file_folder(request->folder->items[i]->forward.path);
        if (text_equal(directory, request->directory))
            return request->folder->items[i]->layout;
    }
    return last ? last->layout : LAYOUT_NATIVE;
}

static struct new_files files_of(const struct new_request *request, enum layout layout, const char *stem)
{
    struct new_files files = {.count = layout == LAYOUT_SECTIONS ? 1 : 2};
    files.names[0] = text_format("%s%s", stem, layout == LAYOUT_UPDOWN ? ".up.sql" : ".sql");
    if (layout == LAYOUT_SECTIONS) {
        files.texts[0] = sections_text(request, stem);
        return files;
    }
    files.texts[0] = forward_text(request, stem);
    files.texts[1] = rollback_text(request, stem);
    if (layout == LAYOUT_FLYWAY)
        files.names[1] = text_format("U%s.sql", stem + 1);
    else
        files.names[1] = text_format("%s%s", stem, layout == LAYOUT_UPDOWN ? ".down.sql" : "_rollback.sql");
    return files;
}

/* "fix_rollback" would be read as the rollback of "fix". */
static bool check_names(const struct new_files *files, enum layout layout, const char *stem,
                        struct error *error)
{
    OWNED char *read = NULL;
    enum layout kind;
    migration_file_role(files->names[0], layout, &read, &kind);
    if (!text_equal(read, stem)) {
        error_set(error, ERROR_USAGE, "the description \"%s\" ends like a rollback or verify script's name",
                  stem);
        return error_hint(error, "Put another word at its end.");
    }
    for (size_t i = 0; i < files->count; i++)
        if (strlen(files->names[i]) > NAME_LONGEST)
            return error_set(error, ERROR_USAGE, "the description is too long for a file name");
    return true;
}

static bool write_files(const struct new_request *request, const struct new_files *files,
                        struct text_list *paths, struct error *error)
{
    for (size_t i = 0; i < files->count; i++) {
        OWNED char *path = file_join(request->directory, files->names[i]);
        if (!file_write_new(path, files->texts[i], strlen(files->texts[i]), 0666, error)) {
            for (size_t made = 0; made < paths->count; made++)
                unlink(paths->items[made]);
            return false;
        }
        text_list_add(paths, take(path));
    }
    return true;
}

bool new_write(const struct new_request *request, struct new_result *ret, struct error *error)
{
    AUTO(new_result_clear) struct new_result result = {0};
    OWNED char *description = new_description(request->description);
    if (!description) {
        error_set(error, ERROR_USAGE, "the description \"%s\" holds no letter a-z and no digit",
                  request->description);
        return error_hint(error,
                          "It becomes part of file names; say in a few plain words what the migration does.");
    }
    enum layout layout = layout_of(request);
    struct new_request settled = *request;
    settled.layout = layout;
    OWNED char *number = new_number(&settled);
    result.version = layout == LAYOUT_FLYWAY ? text_format("V%s__%s", number, description)
                                             : text_format("%s_%s", number, description);
    AUTO(new_files_clear) struct new_files files = files_of(&settled, layout, result.version);
    if (!check_names(&files, layout, result.version, error) ||
        !file_make_folder(request->directory, 0777, error) ||
        !write_files(&settled, &files, &result.files, error))
        return false;
    *ret = result;
    result = (struct new_result){0};
    return true;
}

void new_result_clear(struct new_result *result)
{
    if (!result)
        return;
    free(result->version);
    text_list_clear(&result->files);
    *result = (struct new_result){0};
}
