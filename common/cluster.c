/* SPDX-License-Identifier: PostgreSQL */
#include "common/cluster.h"

#include "common/place.h"
#include "common/postmaster.h"
#include "common/process.h"
#include "common/programs.h"
#include "common/text.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <sys/stat.h>

static void close_cleanup(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}
#define AUTO_CLOSE __attribute__((cleanup(close_cleanup)))

char *cluster_folder(const struct config *config)
{
    static const char name[] = ".pgmigrate/cluster";
    const char *file = config ? config_file(config) : NULL;
    OWNED char *beside = file ? file_folder(file) : NULL;
    return beside ? file_join(beside, name) : text_copy(name);
}

void cluster_status_clear(struct cluster_status *status)
{
    free(status->version);
    free(status->folder);
    free(status->url);
    *status = (struct cluster_status){0};
}

/* ---- running the programs ---- */

/* In the server's folder, so that no path of the user's passes through the shells of initdb and pg_ctl. */
static bool run(const struct place *place, const char *const argv[], bool outlives_us,
                struct process_result *ret, struct error *error)
{
    static const char *const environment[] = {"LC_ALL=C", "PGDATA", "PGPORT", "PGHOST", NULL};
    return process_run(&(struct process_request){.argv = argv,
                                                 .environment = environment,
                                                 .folder = place->server,
                                                 .drop_user = place->drop,
                                                 .user = place->user,
                                                 .group = place->group,
                                                 .no_network = place->no_network,
                                                 .outlives_us = outlives_us},
                       ret, error);
}

static const char *locale_name(void)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    if (locale == (locale_t)0)
        return "C";
    freelocale(locale);
    return "C.UTF-8";
}

/* Our settings stand in a file of their own, so that postgresql.conf stays the user's. */
static bool include_settings(const char *data, struct error *error)
{
    OWNED char *path = file_join(data, "postgresql.conf");
    OWNED char *text = NULL;
    size_t size;
    if (!file_read(path, &text, &size, error))
        return false;
    OWNED char *more =
        text_format("%s\n# Written at each start by pgmigrate.\ninclude 'embedded.conf'\n", text);
    return file_write_atomic(path, more, strlen(more), 0644, error);
}

/* Under another name until it is complete: an interrupted initdb is begun anew. */
static bool initialize(const struct place *place, const char *programs, struct error *error)
{
    OWNED char *initdb = file_join(programs, "initdb");
    OWNED char *locale = text_format("--locale=%s", locale_name());
    OWNED char *unfinished = file_join(place->server, "data.new");
    const char *const argv[] = {initdb,
                                "-D",
                                "data.new",
                                "-U",
                                "postgres",
                                "--no-sync",
                                "--encoding=UTF8",
                                locale,
                                "--auth-local=trust",
                                "--auth-host=reject",
                                NULL};
    AUTO(process_result_clear) struct process_result result = {0};

    if (!file_remove_tree(unfinished, error) || !run(place, argv, false, &result, error))
        return false;
    if (result.status != 0) {
        error_set(error, ERROR_FAILED, "could not initialize a cluster in \"%s\"", place->folder);
        return error_detail(error, "%s", result.errors);
    }
    if (!include_settings(unfinished, error))
        return false;
    if (rename(unfinished, place->data) != 0)
        return error_set(error, ERROR_FAILED, "could not rename \"%s\": %s", unfinished, strerror(errno));
    return true;
}

/* The value of a setting that is a list of folders, with this one alone: doubly quoted, for list and file. */
static char *quoted_folder(const char *folder)
{
    char *result = NULL;
    size_t size;
    FILE *out = open_memstream(&result, &size);
    fputs("'\"", out);
    for (const char *at = folder; *at; at++) {
        if (strchr("\"'\\", *at))
            fputc(*at, out);
        fputc(*at, out);
    }
    fputs("\"'", out);
    fclose(out);
    return result;
}

static bool write_settings(const struct place *place, const char *more, struct error *error)
{
    const char *fsync_wish = getenv("PGMIGRATE_CLUSTER_FSYNC");
    bool fast = fsync_wish && text_equal(fsync_wish, "off");
    OWNED char *socket = quoted_folder(place->socket);
    OWNED char *path = file_join(place->data, "embedded.conf");
    OWNED char *text = text_format("# Written at each start by pgmigrate; change postgresql.conf instead.\n"
                                   "listen_addresses = ''\n"
                                   "port = 5432\n"
                                   "unix_socket_directories = %s\n"
                                   "max_connections = 100\n"
                                   "shared_buffers = 32MB\n"
                                   "timezone = 'UTC'\n"
                                   "log_timezone = 'UTC'\n"
                                   "log_line_prefix = '%%m [%%p] %%q%%u@%%d '\n"
                                   "fsync = %s\n"
                                   "full_page_writes = %s\n"
                                   "%s",
                                   socket, fast ? "off" : "on", fast ? "off" : "on", more ? more : "");
    return file_write_atomic(path, text, strlen(text), 0644, error);
}

/* ---- starting ---- */

static size_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

/* What the server logged since the start, without the lines of its good days. */
static bool start_failed(const struct place *place, const char *log, size_t logged, const char *output,
                         struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *text = NULL;
    size_t size;
    if (!file_read(log, &text, &size, &ignored) || size <= logged)
        text = text_copy(output), logged = 0;
    error_set(error, ERROR_FAILED, "could not start the cluster in \"%s\"", place->folder);
    error_detail(error, "%s", text + logged);
    return error_hint(error, "The server's log is \"%s\".", log);
}

static bool launch(const struct place *place, const char *programs, struct error *error)
{
    OWNED char *pg_ctl = file_join(programs, "pg_ctl");
    OWNED char *log = file_join(place->server, "log");
    const char *const argv[] = {pg_ctl, "start", "-D", "data", "-l", "log", "-s", "-w", "-t", "60", NULL};
    AUTO(process_result_clear) struct process_result result = {0};
    size_t logged = size_of(log);

    if (!run(place, argv, true, &result, error))
        return false;
    if (result.status != 0)
        return start_failed(place, log, logged, result.errors, error);
    return true;
}

/* The socket's own lock file names a process too, and misleads the server as postmaster.pid does. */
static bool clear_crash(const struct place *place, struct error *error)
{
    OWNED char *lock = file_join(place->socket, ".s.PGSQL.5432.lock");
    if (!postmaster_clear(place->data, error))
        return false;
    if (unlink(lock) != 0 && errno != ENOENT)
        return error_set(error, ERROR_FAILED, "could not remove \"%s\": %s", lock, strerror(errno));
    return true;
}

static bool start_locked(const char *folder, const struct cluster_options *options, struct error *error)
{
    AUTO(place_clear) struct place place = {0};
    OWNED char *programs = NULL;
    int major;

    if (!place_find(folder, &place, error))
        return false;
    if (place.data && postmaster_pid(place.data) != 0)
        return postmaster_wait_ready(place.data, error);
    major = place_major(&place);
    if (!programs_find(major ? major : options->major, &programs, error))
        return false;
    place.no_network = options->no_network;
    if (!place_make(&place, error))
        return false;
    if (!place_has_data(&place) && !initialize(&place, programs, error))
        return false;
    return clear_crash(&place, error) && write_settings(&place, options->settings, error) &&
           launch(&place, programs, error);
}

bool cluster_start(const char *folder, struct error *error)
{
    return cluster_start_with(folder, &(struct cluster_options){0}, error);
}

bool cluster_start_with(const char *folder, const struct cluster_options *options, struct error *error)
{
    AUTO(place_clear) struct place place = {0};
    OWNED char *lock = file_join(folder, "lock");
    AUTO_CLOSE int descriptor = -1;

    OWNED char *server = file_join(folder, "server");
    if (file_exists(server) && !file_exists(lock)) {
        error_set(error, ERROR_USAGE, "\"%s\" is there already and is not a cluster's", server);
        return error_hint(error, "Choose another folder with --folder.");
    }
    /* Before the lock: its error would only say that a file cannot be opened. */
    if (!place_prepare(folder, error) || !place_find(folder, &place, error))
        return false;
    return file_lock(lock, &descriptor, error) && start_locked(folder, options, error);
}

/* ---- status and end ---- */

/* A folder's name as the value of an URI's parameter. */
static char *url_of(const char *socket)
{
    char *url = NULL;
    size_t size;
    FILE *out = open_memstream(&url, &size);
    fputs("postgresql://postgres@/postgres?host=", out);
    for (const char *at = socket; *at; at++) {
        if (isalnum((unsigned char)*at) || strchr("/-_.~", *at))
            fputc(*at, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*at);
    }
    fputs("&port=5432", out);
    fclose(out);
    return url;
}

bool cluster_status(const char *folder, struct cluster_status *ret, struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(place_clear) struct place place = {0};
    OWNED char *programs = NULL;
    OWNED char *version = NULL;

    if (!place_find(folder, &place, error))
        return false;
    if (programs_find(place_major(&place), &programs, &ignored) &&
        !programs_version(programs, &version, &ignored))
        version = NULL;
    int pid = place.data ? postmaster_pid(place.data) : 0;
    *ret = (struct cluster_status){
        .state = pid                      ? CLUSTER_RUNNING
                 : place_has_data(&place) ? CLUSTER_STOPPED
                                          : CLUSTER_ABSENT,
        .pid = pid,
        .version = take(version),
        .folder = take(place.folder),
        .url = pid && place.socket ? url_of(place.socket) : NULL,
    };
    return true;
}

bool cluster_stop(const char *folder, struct error *error)
{
    AUTO(place_clear) struct place place = {0};
    OWNED char *lock = file_join(folder, "lock");
    AUTO_CLOSE int descriptor = -1;

    if (!place_find(folder, &place, error))
        return false;
    if (!place.data)
        return true;
    return file_lock(lock, &descriptor, error) && postmaster_stop(place.data, error);
}

/* A folder called "server" may be anybody's; what initdb or a start left in ours cannot be mistaken. */
static bool is_ours(const struct place *place)
{
    OWNED char *settings = file_join(place->data, "embedded.conf");
    OWNED char *unfinished = file_join(place->server, "data.new");
    return file_exists(settings) || file_exists(unfinished);
}

static bool remove_server(const struct place *place, struct error *error)
{
    OWNED char *link = file_join(place->folder, "server");
    if (!is_ours(place)) {
        rmdir(place->server); /* made by a start that came no further */
        return true;
    }
    if (place->socket && !text_equal(place->socket, place->server) && !file_remove_tree(place->socket, error))
        return false;
    if (!file_remove_tree(place->server, error))
        return false;
    unlink(link); /* when the server had to be elsewhere */
    return true;
}

bool cluster_destroy(const char *folder, struct error *error)
{
    AUTO(place_clear) struct place place = {0};
    OWNED char *lock = file_join(folder, "lock");
    AUTO_CLOSE int descriptor = -1;
    enum file_kind kind;

    if (!file_look(lock, &kind, error))
        return false;
    if (kind == FILE_MISSING) /* nothing was started here, so nothing in here is ours */
        return true;
    if (!place_find(folder, &place, error) || !file_lock(lock, &descriptor, error))
        return false;
    if (place.data && !postmaster_stop(place.data, error))
        return false;
    if (place.server && !remove_server(&place, error))
        return false;
    if (place.server && file_exists(place.server)) /* not ours, or half made: left as it is */
        return true;
    if (unlink(lock) != 0)
        return error_set(error, ERROR_FAILED, "could not remove \"%s\": %s", lock, strerror(errno));
    rmdir(place.folder); /* unless it holds something else */
    return true;
}
