/* SPDX-License-Identifier: PostgreSQL */
#include "backup/dump.h"

#include "common/process.h"
#include "common/programs.h"
#include "common/test_point.h"
#include <string.h>

#define READ_SIZE       ((size_t)1 << 20)
#define LOCK_TIMEOUT_MS 2000 /* the locks are ours already: who makes pg_dump wait waits for us */

/* ---- which one ---- */

void dump_programs_clear(struct dump_programs *programs)
{
    free(programs->folder);
    free(programs->version);
    *programs = (struct dump_programs){0};
}

static bool none_is_fit(const struct program_list *list, int major, struct error *error)
{
    if (list->count == 0)
        error_set(error, ERROR_FAILED, "pg_dump is not installed");
    else
        error_set(error, ERROR_FAILED, "pg_dump %s is older than the server, which is PostgreSQL %d",
                  list->items[list->count - 1].version, major);
    return error_hint(error,
                      "Install pg_dump %d (on Debian and Ubuntu: apt-get install postgresql-client-%d), or "
                      "set PGMIGRATE_PG_BINDIR to its folder.",
                      major, major);
}

bool dump_find(int server_version, struct dump_programs *ret, struct error *error)
{
    AUTO(program_list_clear) struct program_list list = {0};
    int major = server_version / 10000;
    programs_list("pg_dump", major, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct program *program = &list.items[i];
        if (program->major < major)
            continue;
        *ret = (struct dump_programs){.folder = text_copy(program->folder),
                                      .version = text_copy(program->version),
                                      .newer = program->major > major};
        return true;
    }
    return none_is_fit(&list, major, error);
}

/* ---- arguments and environment ---- */

static void child_environment(const struct dump_options *options, struct text_list *ret)
{
    bool checks = postgres_server_version(options->control) >= 140000;
    postgres_environment(
        options->control, NULL,
        checks ? "-c lc_monetary=C -c client_connection_check_interval=1000" : "-c lc_monetary=C", ret);
    for (size_t i = 0; i < ret->count; i++)
        if (text_starts_with(ret->items[i], "PGAPPNAME")) {
            free(ret->items[i]);
            ret->items[i] = text_format("PGAPPNAME=%s", options->snapshot->application_name);
        }
    text_list_add(ret, text_copy("LC_ALL=C")); /* its messages are looked at */
    text_list_add(ret, NULL);
}

static void dump_arguments(const struct dump_options *options, struct text_list *ret)
{
    /* Names on the command line are in UTF-8, so the dump has to be, too. */
    const char *encoding = text_equal(options->encoding, "SQL_ASCII") ? "SQL_ASCII" : "UTF8";
    text_list_add(ret, file_join(options->programs->folder, "pg_dump"));
    text_list_add(ret, text_copy("--format=custom"));
    text_list_add(ret, text_copy("--no-password"));
    text_list_add(ret, text_format("--encoding=%s", encoding));
    text_list_add(ret, text_format("--snapshot=%s", options->snapshot->name));
    text_list_add(ret, text_format("--lock-wait-timeout=%d", LOCK_TIMEOUT_MS));
    if (options->role != NULL)
        text_list_add(ret, text_format("--role=%s", options->role));
}

static const char *const *vector(struct text_list *list)
{
    if (list->count == 0 || list->items[list->count - 1] != NULL)
        text_list_add(list, NULL);
    const char *const *items;
    memcpy(&items, &list->items, sizeof items);
    return items;
}

bool dump_was_locked(const struct error *error)
{
    return error->detail != NULL && strstr(error->detail, "LOCK TABLE") != NULL;
}

/* ---- schema ---- */

bool dump_schema(const struct dump_options *options, const char *path, struct error *error)
{
    AUTO(text_list_clear) struct text_list arguments = {0}, environment = {0};
    AUTO(process_free) struct process *process = NULL;
    AUTO(process_result_clear) struct process_result result = {0};
    dump_arguments(options, &arguments);
    text_list_add(&arguments, text_copy("--section=pre-data"));
    text_list_add(&arguments, text_copy("--section=post-data"));
    text_list_add(&arguments, text_format("--file=%s", path));
    child_environment(options, &environment);
    struct process_request request = {.argv = vector(&arguments), .environment = vector(&environment)};
    return process_start(&request, false, false, &process, error) &&
           process_finish(take(process), options->stop, &result, error);
}

/* ---- data ---- */

static void exclude_streamed(const struct tables *tables, struct text_list *arguments)
{
    for (size_t i = 0; i < tables->count; i++)
        if (!tables->items[i].partitioned && tables->items[i].source == TABLE_COPY)
            text_list_add(arguments, text_format("--exclude-table-data=%s", tables->items[i].qualified));
}

/* pg_restore reads the table of contents at the dump's beginning, prints it, and ends. */
static bool start_listing(const struct dump_options *options, struct process **ret, struct error *error)
{
    OWNED char *program = file_join(options->programs->folder, "pg_restore");
    const char *const argv[] = {program, "--list", NULL};
    struct process_request request = {.argv = argv, .environment = (const char *const[]){"LC_ALL=C", NULL}};
    return process_start(&request, true, false, ret, error);
}

static bool stream_data(const struct dump_options *options, struct process *dump, struct process *listing,
                        struct frames *frames, struct error *error)
{
    OWNED char *buffer = memory_allocate(READ_SIZE, 1);
    bool listed = false;
    for (size_t got = 1; got > 0;) {
        AUTO(error_clear) struct error had_enough = {0};
        if (!process_read(dump, buffer, READ_SIZE, options->stop, &got, error))
            return false;
        listed = listed || !process_write(listing, buffer, got, options->stop, &had_enough);
        test_point("backup-dumping");
        atomic_fetch_add(options->bytes, (int64_t)got);
        if (got > 0 && !frames_add(frames, buffer, got, 0, error))
            return false;
    }
    return frames_end(frames, error);
}

bool dump_data(const struct dump_options *options, struct frames *frames, char **ret_listing,
               struct error *error)
{
    AUTO(text_list_clear) struct text_list arguments = {0}, environment = {0};
    AUTO(process_free) struct process *dump = NULL, *listing = NULL;
    AUTO(process_result_clear) struct process_result dumped = {0}, listed = {0};
    dump_arguments(options, &arguments);
    text_list_add(&arguments, text_copy("--section=data"));
    text_list_add(&arguments, text_copy("--compress=0"));
    exclude_streamed(&options->snapshot->tables, &arguments);
    child_environment(options, &environment);
    struct process_request request = {.argv = vector(&arguments), .environment = vector(&environment)};
    if (!process_start(&request, false, true, &dump, error) || !start_listing(options, &listing, error) ||
        !stream_data(options, dump, listing, frames, error) ||
        !process_finish(take(dump), options->stop, &dumped, error) ||
        !process_finish(take(listing), options->stop, &listed, error))
        return false;
    *ret_listing = take(listed.output);
    return true;
}

/* ---- roles ---- */

/* pg_dumpall takes a name for a connection string where it looks like one, so it gets one always. */
static char *conninfo_of(const char *database)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputs("dbname='", stream);
    for (const char *at = database; *at != '\0'; at++)
        fprintf(stream, "%s%c", *at == '\'' || *at == '\\' ? "\\" : "", *at);
    fputc('\'', stream);
    fclose(stream);
    return text;
}

bool dump_globals(const struct dump_options *options, bool passwords, char **ret_text, char **ret_problem,
                  struct error *error)
{
    AUTO(text_list_clear) struct text_list arguments = {0}, environment = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    OWNED char *database = conninfo_of(postgres_database(options->control));
    text_list_add(&arguments, file_join(options->programs->folder, "pg_dumpall"));
    text_list_add(&arguments, text_copy("--globals-only"));
    text_list_add(&arguments, text_copy("--no-password"));
    text_list_add(&arguments, text_format("--database=%s", database));
    if (!passwords)
        text_list_add(&arguments, text_copy("--no-role-passwords"));
    if (options->role != NULL)
        text_list_add(&arguments, text_format("--role=%s", options->role));
    child_environment(options, &environment);
    struct process_request request = {.argv = vector(&arguments), .environment = vector(&environment)};
    if (!process_run(&request, &result, error))
        return false;
    *ret_text = result.status == 0 ? take(result.output) : NULL;
    *ret_problem = result.status == 0 ? NULL : take(result.errors);
    return true;
}
