/* SPDX-License-Identifier: PostgreSQL */
#include "backup/pgrestore.h"

#include "common/programs.h"

/* The first major version that sets transaction_timeout; servers know it from the same one on. */
#define TRANSACTION_TIMEOUT 17

void pgrestore_clear(struct pgrestore *restore)
{
    free(restore->folder);
    free(restore->version);
    *restore = (struct pgrestore){0};
}

/* ---- which one ---- */

/* K_VERS_* in pg_backup_archiver.h: 1.14 up to 15, 1.15 in 16, 1.16 in 17 and 18. Of later ones nothing is
 * known. */
static int oldest_reader(int dump_major)
{
    if (dump_major <= 15)
        return 0;
    return dump_major == 18 ? 17 : dump_major;
}

/* The server's own; else the newest older one; else the oldest newer one. */
static const struct program *choose(const struct program_list *programs, int minimum, int server_major)
{
    const struct program *chosen = NULL;

    for (size_t i = 0; i < programs->count; i++) {
        const struct program *program = &programs->items[i];

        if (program->major < minimum || (chosen && program->major > server_major))
            continue;
        chosen = program;
    }
    return chosen;
}

static bool none_fits(const struct program_list *programs, int minimum, int dump_major, struct error *error)
{
    AUTO(text_list_clear) struct text_list versions = {0};
    OWNED char *joined = NULL;

    for (size_t i = 0; i < programs->count; i++)
        text_list_add(&versions, text_copy(programs->items[i].version));
    joined = text_list_join(&versions, ", ");
    if (!programs->count)
        error_set(error, ERROR_FAILED, "pg_restore is not installed");
    else
        error_set(error, ERROR_FAILED, "the backup was made by pg_dump %d, which pg_restore %s cannot read",
                  dump_major, joined);
    return error_hint(error,
                      "Install pg_restore %d or later (on Debian and Ubuntu: apt-get install "
                      "postgresql-client-%d), or set PGMIGRATE_PG_BINDIR to its folder.",
                      minimum ? minimum : dump_major, minimum ? minimum : dump_major);
}

bool pgrestore_choose(int dump_major, int server_major, struct pgrestore *ret, struct error *error)
{
    AUTO(program_list_clear) struct program_list programs = {0};
    int minimum = oldest_reader(dump_major);
    const struct program *chosen;

    programs_list("pg_restore", server_major >= minimum ? server_major : 0, &programs);
    chosen = choose(&programs, minimum, server_major);
    if (!chosen)
        return none_fits(&programs, minimum, dump_major, error);
    *ret = (struct pgrestore){
        .folder = text_copy(chosen->folder),
        .version = text_copy(chosen->version),
        .major = chosen->major,
        .through_psql = chosen->major >= TRANSACTION_TIMEOUT && server_major < TRANSACTION_TIMEOUT,
    };
    return true;
}

/* ---- starting it ---- */

/* An argument vector and an environment, each ended by NULL. */
struct call {
    struct text_list arguments, environment;
};
static void call_clear(struct call *call)
{
    text_list_clear(&call->arguments);
    text_list_clear(&call->environment);
}
CLEANUP_VALUE(struct call, call_clear)

static void add(struct call *call, const char *argument)
{
    text_list_add(&call->arguments, text_copy(argument));
}

static struct process_request request_of(const struct call *call)
{
    return (struct process_request){.argv = (const char *const *)call->arguments.items,
                                    .environment = (const char *const *)call->environment.items};
}

/* Only what a role may have got other values for, and what the dump was made with; pg_restore sets the rest.
 */
static void set_environment(const struct pgrestore_job *job, struct call *call)
{
    bool checks = postgres_server_version(job->server) >= 140000;
    OWNED char *options =
        text_format("-c default_transaction_read_only=off -c synchronous_commit=off -c lc_monetary=C "
                    "-c client_min_messages=warning%s%s%s",
                    checks ? " -c client_connection_check_interval=1000" : "", job->settings ? " " : "",
                    job->settings ? job->settings : "");

    postgres_environment(job->server, job->database, options, &call->environment);
    text_list_add(&call->environment, NULL);
}

static bool add_list(const struct pgrestore_job *job, struct call *call, struct error *error)
{
    OWNED char *path = NULL;
    int descriptor;

    if (!job->list)
        return true;
    path = text_format("%s/list.XXXXXX", job->folder);
    descriptor = mkstemp(path);
    if (descriptor < 0)
        return error_set(error, ERROR_FAILED, "could not make a file in \"%s\": %m", job->folder);
    close(descriptor);
    text_list_add(&call->arguments, text_format("--use-list=%s", path));
    return file_write_atomic(path, job->list, strlen(job->list), 0600, error);
}

/* target: "--file=-", or "--dbname=", which leaves the name to PGDATABASE: one in an argument could be taken
 * for a connection string. */
static bool make_call(const struct pgrestore *restore, const struct pgrestore_job *job, const char *target,
                      struct call *call, struct error *error)
{
    text_list_add(&call->arguments, file_join(restore->folder, "pg_restore"));
    add(call, "--exit-on-error");
    add(call, "--no-password");
    add(call, target);
    if (job->section)
        text_list_add(&call->arguments, text_format("--section=%s", job->section));
    if (job->no_owner)
        add(call, "--no-owner");
    if (job->no_privileges)
        add(call, "--no-privileges");
    if (job->no_tablespaces)
        add(call, "--no-tablespaces");
    if (job->no_subscriptions) {
        add(call, "--no-subscriptions");
        add(call, "--no-publications");
    }
    if (job->jobs > 1 && job->archive && text_equal(target, "--dbname="))
        text_list_add(&call->arguments, text_format("--jobs=%d", job->jobs));
    if (!add_list(job, call, error))
        return false;
    if (job->archive)
        add(call, job->archive);
    text_list_add(&call->arguments, NULL);
    if (job->server)
        set_environment(job, call);
    else
        text_list_add(&call->environment, NULL);
    return true;
}

bool pgrestore_list(const struct pgrestore *restore, const char *path, struct toc *ret, struct error *error)
{
    OWNED char *program = file_join(restore->folder, "pg_restore");
    const char *const argv[] = {program, "--list", "--verbose", path, NULL};
    AUTO(process_result_clear) struct process_result result = {0};

    return process_check(&(struct process_request){.argv = argv}, &result, error) &&
           toc_read(result.output, ret, error);
}

bool pgrestore_start_list(const struct pgrestore *restore, struct process **ret, struct error *error)
{
    OWNED char *program = file_join(restore->folder, "pg_restore");
    const char *const argv[] = {program, "--list", "--verbose", NULL};

    return process_start(&(struct process_request){.argv = argv}, true, false, ret, error);
}

bool pgrestore_start(const struct pgrestore *restore, const struct pgrestore_job *job, struct process **ret,
                     struct error *error)
{
    AUTO(call_clear) struct call call = {0};
    struct process_request request;

    if (!make_call(restore, job, "--dbname=", &call, error))
        return false;
    request = request_of(&call);
    return process_start(&request, true, false, ret, error);
}

/* ---- through psql ---- */

static const char unwanted[] = "SET transaction_timeout = 0;\n";

/* The head of a script: comments, settings, empty lines. After it a line may be a row of a table. */
static bool is_of_head(const char *line, size_t length)
{
    static const char *const beginnings[] = {"--", "SET ", "SELECT pg_catalog.set_config(", "\\restrict ",
                                             "\n"};

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (length >= strlen(beginnings[i]) && strncmp(line, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

bool script_filter_add(struct script_filter *filter, const char *data, size_t size, script_sink *sink,
                       void *context, struct error *error)
{
    while (size && !filter->begun) {
        const char *end = memchr(data, '\n', size);
        size_t part = end ? (size_t)(end - data) + 1 : size;
        OWNED char *line = memory_allocate(filter->length + part + 1, 1);
        size_t length = filter->length + part;

        if (filter->length)
            memcpy(line, filter->line, filter->length);
        memcpy(line + filter->length, data, part);
        free(filter->line);
        filter->line = take(line);
        filter->length = length;
        data += part;
        size -= part;
        if (end && !script_filter_end(filter, sink, context, error))
            return false;
    }
    return !size || sink(context, data, size, error);
}

bool script_filter_end(struct script_filter *filter, script_sink *sink, void *context, struct error *error)
{
    OWNED char *line = take(filter->line);
    size_t length = filter->length;

    filter->length = 0;
    if (!line)
        return true;
    filter->begun = filter->begun || !is_of_head(line, length);
    return text_equal(line, unwanted) || sink(context, line, length, error);
}

struct psql {
    struct process *process;
    const atomic_bool *stop;
};

static bool write_to_psql(void *context, const char *data, size_t size, struct error *error)
{
    const struct psql *psql = context;

    return process_write(psql->process, data, size, psql->stop, error);
}

static bool start_psql(const struct pgrestore *restore, const struct pgrestore_job *job, struct process **ret,
                       struct error *error)
{
    AUTO(call_clear) struct call call = {0};
    struct process_request request;

    text_list_add(&call.arguments, file_join(restore->folder, "psql"));
    add(&call, "--no-psqlrc");
    add(&call, "--no-password");
    add(&call, "--quiet");
    add(&call, "--output=/dev/null");
    add(&call, "--set=ON_ERROR_STOP=1");
    text_list_add(&call.arguments, NULL);
    set_environment(job, &call);
    request = request_of(&call);
    return process_start(&request, true, false, ret, error);
}

static bool pump(struct process *script, const struct psql *psql, struct error *error)
{
    struct script_filter filter = {0};
    OWNED char *buffer = memory_allocate(65536, 1);
    size_t got = 1;
    bool ok = true;

    while (ok && got) {
        ok = process_read(script, buffer, 65536, psql->stop, &got, error) &&
             script_filter_add(&filter, buffer, got, write_to_psql, (void *)(uintptr_t)psql, error);
    }
    ok = ok && script_filter_end(&filter, write_to_psql, (void *)(uintptr_t)psql, error);
    free(filter.line);
    return ok;
}

static bool run_through_psql(const struct pgrestore *restore, const struct pgrestore_job *job,
                             const atomic_bool *stop, struct error *error)
{
    AUTO(process_result_clear) struct process_result said = {0};
    AUTO(process_result_clear) struct process_result answered = {0};
    AUTO(process_free) struct process *script = NULL;
    AUTO(process_free) struct process *psql = NULL;
    AUTO(call_clear) struct call call = {0};
    AUTO(error_clear) struct error broken = {0};
    struct process_request request;
    bool pumped;

    if (!make_call(restore, job, "--file=-", &call, error))
        return false;
    request = request_of(&call);
    if (!process_start(&request, false, true, &script, error) || !start_psql(restore, job, &psql, error))
        return false;
    pumped = pump(script, &(struct psql){psql, stop}, &broken);
    /* Why psql has ended says more than that it did. */
    if (!process_finish(take(psql), stop, &answered, error))
        return false;
    if (!pumped) {
        error_move(error, &broken);
        return false;
    }
    return process_finish(take(script), stop, &said, error);
}

bool pgrestore_run(const struct pgrestore *restore, const struct pgrestore_job *job, const atomic_bool *stop,
                   struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(process_free) struct process *process = NULL;
    AUTO(call_clear) struct call call = {0};
    struct process_request request;

    if (job->list && !*job->list)
        return true;
    if (restore->through_psql)
        return run_through_psql(restore, job, stop, error);
    if (!make_call(restore, job, "--dbname=", &call, error))
        return false;
    request = request_of(&call);
    return process_start(&request, false, false, &process, error) &&
           process_finish(take(process), stop, &result, error);
}

/* ---- what went wrong ---- */

bool pgrestore_wants_search_path(struct error *error)
{
    static const char absent[] = " does not exist";
    OWNED char *detail = text_copy(error->detail ? error->detail : "");

    if ((!strstr(error->message, absent) && !strstr(detail, absent)) || !strstr(detail, "SQL function "))
        return false;
    error_detail(
        error,
        "%s\nWhat constraints, indexes and generated columns call must find what it needs while "
        "search_path is empty, as pg_restore leaves it. The backup is not damaged: give the function "
        "a path of its own (ALTER FUNCTION ... SET search_path = ...), in the database for the next "
        "backup, and in what was restored to go on with this one.",
        detail);
    return true;
}

/* ---- as a text ---- */

/* Versions and the key of psql's restricted mode. */
static bool is_incidental(const char *line)
{
    return text_starts_with(line, "-- Dumped ") || text_starts_with(line, "\\restrict ") ||
           text_starts_with(line, "\\unrestrict ");
}

bool pgrestore_script(const struct pgrestore *restore, const struct pgrestore_job *job, char **ret_text,
                      struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    AUTO(call_clear) struct call call = {0};
    struct process_request request;
    char *text = NULL;
    size_t size;
    FILE *out;

    if (!make_call(restore, job, "--file=-", &call, error))
        return false;
    request = request_of(&call);
    if (!process_check(&request, &result, error))
        return false;
    out = open_memstream(&text, &size);
    for (const char *line = result.output; *line;) {
        size_t length = strcspn(line, "\n") + 1;

        if (!line[length - 1])
            length--;
        if (!is_incidental(line))
            fwrite(line, 1, length, out);
        line += length;
    }
    fclose(out);
    *ret_text = text;
    return true;
}
