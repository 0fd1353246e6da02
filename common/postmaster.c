/* SPDX-License-Identifier: PostgreSQL */
#include "common/postmaster.h"

#include "common/interrupt.h"
#include "common/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

enum {
    WAIT_MS = 60000, /* for start and stop; recovery after a crash is part of a start */
    STEP_MS = 10,
    STATUS_LINE = 8, /* of postmaster.pid: "starting", "ready" … */
};

static void close_folder_cleanup(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static char *read_pid_file(const char *data)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = file_join(data, "postmaster.pid");
    char *text = NULL;
    size_t size;
    return file_read(path, &text, &size, &ignored) ? text : NULL;
}

/* Whether the process works in the data folder; undecided (another user's, or no /proc) counts as yes. */
static bool works_in(int pid, const char *data)
{
    OWNED char *link = text_format("/proc/%d/cwd", pid);
    struct stat its, ours;
    if (stat(data, &ours) != 0)
        return false;
    if (stat(link, &its) == 0)
        return its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
    if (errno == EACCES || errno == EPERM || !file_exists("/proc/self/cwd"))
        return kill(pid, 0) == 0 || errno == EPERM;
    return false;
}

int postmaster_pid(const char *data)
{
    OWNED char *text = read_pid_file(data);
    long pid = text ? strtol(text, NULL, 10) : 0;
    if (pid <= 1 || pid > INT32_MAX || !works_in((int)pid, data))
        return 0;
    return (int)pid;
}

static bool is_ready(const char *data)
{
    OWNED char *text = read_pid_file(data);
    const char *line = text;
    for (int number = 1; line && number < STATUS_LINE; number++) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return line && text_starts_with(line, "ready");
}

bool postmaster_wait_ready(const char *data, struct error *error)
{
    int64_t end = clock_ms() + WAIT_MS;
    while (!is_ready(data)) {
        if (postmaster_pid(data) == 0)
            return error_set(error, ERROR_FAILED, "the server in \"%s\" ended while it was starting", data);
        if (clock_ms() > end)
            return error_set(error, ERROR_FAILED, "the server in \"%s\" did not become ready in %d s", data,
                             WAIT_MS / 1000);
        if (!interrupt_sleep(STEP_MS))
            return interrupt_error(error);
    }
    return true;
}

static bool is_server_program(const char *pid)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = text_format("/proc/%s/comm", pid);
    OWNED char *name = NULL;
    size_t size;
    return file_read(path, &name, &size, &ignored) &&
           (text_starts_with(name, "postgres") || text_starts_with(name, "postmaster"));
}

/* A PostgreSQL process that works in the data folder, or 0. */
static int leftover(const char *data)
{
    __attribute__((cleanup(close_folder_cleanup))) DIR *processes = opendir("/proc");
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !is_server_program(entry->d_name))
            continue;
        OWNED char *link = text_format("/proc/%s/cwd", entry->d_name);
        struct stat its, ours;
        if (stat(link, &its) == 0 && stat(data, &ours) == 0 && its.st_dev == ours.st_dev &&
            its.st_ino == ours.st_ino)
            return (int)strtol(entry->d_name, NULL, 10);
    }
    return 0;
}

bool postmaster_clear(const char *data, struct error *error)
{
    OWNED char *path = file_join(data, "postmaster.pid");
    if (!file_exists(path))
        return true;
    int64_t end = clock_ms() + WAIT_MS / 2;
    for (int pid; (pid = leftover(data)) != 0;) {
        if (clock_ms() > end) {
            error_set(error, ERROR_FAILED, "process %d of a server that was killed still uses \"%s\"", pid,
                      data);
            return error_hint(error, "End it with \"kill %d\" and try again.", pid);
        }
        if (!interrupt_sleep(STEP_MS))
            return interrupt_error(error);
    }
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set(error, ERROR_FAILED, "could not remove \"%s\": %s", path, strerror(errno));
    return true;
}

bool postmaster_stop(const char *data, struct error *error)
{
    int pid = postmaster_pid(data);
    if (pid == 0)
        return true;
    if (kill(pid, SIGINT) != 0 && errno != ESRCH)
        return error_set(error, ERROR_FAILED, "could not stop the server in \"%s\" (process %d): %s", data,
                         pid, strerror(errno));
    int64_t end = clock_ms() + WAIT_MS;
    while (postmaster_pid(data) != 0) {
        if (clock_ms() > end)
            return error_set(error, ERROR_FAILED, "the server in \"%s\" (process %d) did not stop in %d s",
                             data, pid, WAIT_MS / 1000);
        if (!interrupt_sleep(STEP_MS))
            return interrupt_error(error);
    }
    return true;
}
