/* SPDX-License-Identifier: PostgreSQL */
#include "common/programs.h"

#include "common/process.h"
#include "common/text.h"

#include <glob.h>
#include <stdint.h>

CLEANUP_VALUE(glob_t, globfree)

/* Debian and Ubuntu; the PostgreSQL project's RPMs; a source build's default; Fedora; Alpine. */
static const char *const places[] = {
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",         "/usr/local/pgsql/bin",
    "/usr/libexec/postgresql*",  "/usr/lib/postgresql*/bin", "/usr/local/lib/postgresql/bin",
};

static bool is_complete(const char *folder)
{
    static const char *const names[] = {"postgres", "initdb", "pg_ctl"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        OWNED char *path = file_join(folder, names[i]);
        if (access(path, X_OK) != 0)
            return false;
    }
    return true;
}

static bool version_of(const char *path, char **ret_version, struct error *error)
{
    const char *const argv[] = {path, "--version", NULL};
    AUTO(process_result_clear) struct process_result result = {0};

    if (!process_check(&(struct process_request){.argv = argv}, &result, error))
        return false;
    const char *version =
        strchr(result.output, ')'); /* postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1) */
    version = version ? version + 1 + strspn(version + 1, " ") : "";
    size_t length = strcspn(version, " \n");
    if (length == 0)
        return error_set(error, ERROR_FAILED, "could not tell the version of \"%s\" from \"%s\"", path,
                         result.output);
    *ret_version = text_copy_part(version, length);
    return true;
}

bool programs_version(const char *folder, char **ret_version, struct error *error)
{
    OWNED char *postgres = file_join(folder, "postgres");

    return version_of(postgres, ret_version, error);
}

static int major_of(const char *version)
{
    return (int)strtol(version, NULL, 10);
}

struct choice {
    int wanted; /* 0: the newest */
    int major;  /* of the folder chosen so far, 0 for none */
    char *folder;
};

/* A folder that is incomplete or whose programs do not run is passed over. */
static void consider(struct choice *choice, const char *folder)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *version = NULL;
    if (!is_complete(folder) || !programs_version(folder, &version, &ignored))
        return;
    int major = major_of(version);
    if (choice->wanted ? major != choice->wanted || choice->folder != NULL : major <= choice->major)
        return;
    free(choice->folder);
    choice->folder = text_copy(folder);
    choice->major = major;
}

static bool from_environment(int major, const char *folder, char **ret_folder, struct error *error)
{
    OWNED char *version = NULL;
    if (!is_complete(folder)) {
        error_set(error, ERROR_FAILED, "\"%s\" does not hold PostgreSQL's server programs", folder);
        return error_hint(error, "PGMIGRATE_PG_BINDIR must name the folder of initdb, pg_ctl and postgres.");
    }
    if (!programs_version(folder, &version, error))
        return false;
    if (major != 0 && major_of(version) != major) {
        error_set(error, ERROR_FAILED, "the server programs in \"%s\" are of version %s, but %d is needed",
                  folder, version, major);
        return error_hint(error, "Unset PGMIGRATE_PG_BINDIR, or use a cluster in another folder.");
    }
    *ret_folder = text_copy(folder);
    return true;
}

bool programs_find(int major, char **ret_folder, struct error *error)
{
    const char *chosen = getenv("PGMIGRATE_PG_BINDIR");
    if (chosen && *chosen)
        return from_environment(major, chosen, ret_folder, error);

    struct choice choice = {.wanted = major};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        AUTO(globfree) glob_t found = {0};
        if (glob(places[i], GLOB_NOSORT, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++)
            consider(&choice, found.gl_pathv[j]);
    }
    if (!choice.folder) {
        const char *path = getenv("PATH");
        struct text_list folders = text_list_split(path ? path : "", ':');
        for (size_t i = 0; i < folders.count; i++)
            consider(&choice, folders.items[i]);
        text_list_clear(&folders);
    }
    if (!choice.folder) {
        if (major != 0)
            error_set(error, ERROR_FAILED, "no server programs of PostgreSQL %d are installed", major);
        else
            error_set(error, ERROR_FAILED, "no PostgreSQL server is installed");
        return error_hint(error, "Install one (on Debian and Ubuntu: apt-get install postgresql), or set "
                                 "PGMIGRATE_PG_BINDIR to the folder of initdb, pg_ctl and postgres.");
    }
    *ret_folder = choice.folder;
    return true;
}

/* ---- clients ---- */

void program_list_clear(struct program_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].folder);
        free(list->items[i].version);
    }
    free(list->items);
    *list = (struct program_list){0};
}

static bool list_has(const struct program_list *list, int major)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].major == major)
            return true;
    return false;
}

/* The first of a major version counts. */
static void add_program(struct program_list *list, const char *folder, const char *name)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = file_join(folder, name);
    OWNED char *version = NULL;
    size_t place = 0;

    if (access(path, X_OK) != 0 || !version_of(path, &version, &ignored))
        return;
    while (place < list->count && list->items[place].major < major_of(version))
        place++;
    if (place < list->count && list->items[place].major == major_of(version))
        return;
    list->items = memory_grow(list->items, list->count, sizeof *list->items);
    memmove(&list->items[place + 1], &list->items[place], (list->count - place) * sizeof *list->items);
    list->items[place] = (struct program){.folder = text_copy(folder), .major = major_of(version)};
    list->items[place].version = take(version);
    list->count++;
}

static void list_folders(struct text_list *ret)
{
    const char *path = getenv("PATH");

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        AUTO(globfree) glob_t found = {0};

        if (glob(places[i], 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++)
            text_list_add(ret, text_copy(found.gl_pathv[j]));
    }
    AUTO(text_list_clear) struct text_list others = text_list_split(path ? path : "", ':');
    for (size_t i = 0; i < others.count; i++)
        text_list_add(ret, text_copy(others.items[i]));
}

void programs_list(const char *name, int major, struct program_list *ret)
{
    const char *chosen = getenv("PGMIGRATE_PG_BINDIR");
    AUTO(text_list_clear) struct text_list folders = {0};

    *ret = (struct program_list){0};
    if (chosen && *chosen)
        text_list_add(&folders, text_copy(chosen));
    else
        list_folders(&folders);
    for (size_t i = 0; i < folders.count && !list_has(ret, major); i++)
        add_program(ret, folders.items[i], name);
}
