/* SPDX-License-Identifier: PostgreSQL */
#include "common/child.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAM_PIPE (1 << 20) /* the most an unprivileged user may have; larger pipes mean fewer wake-ups */

struct launch {
    const struct process_request *request;
    char *program;      /* the path to execute */
    char **environment; /* complete; only the array is ours */
    int theirs[3];      /* what becomes the child's 0, 1 and 2; -1: closed, as all descriptors here */
    int ours[3];
    int report[2]; /* a struct report, or closed by exec */
    int limit;     /* of descriptors, where each has to be looked at */
};

/* What the child could not do before it was the program. */
enum stage { STAGE_DESCRIPTORS, STAGE_USER, STAGE_FOLDER, STAGE_EXECUTE };

struct report {
    enum stage stage;
    int reason;
};

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void launch_clear(struct launch *launch)
{
    for (int i = 0; i < 3; i++) {
        close_one(&launch->theirs[i]);
        close_one(&launch->ours[i]);
    }
    close_one(&launch->report[0]);
    close_one(&launch->report[1]);
    free(launch->program);
    free(launch->environment);
}
CLEANUP_VALUE(struct launch, launch_clear)

/* ---- before the fork: everything that allocates ---- */

/* In PATH as a shell would, but never through a shell: execvp would hand a file without "#!" to one. */
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");
    AUTO(text_list_clear)
    struct text_list folders = text_list_split(path == NULL ? "/usr/bin:/bin" : path, ':');

    if (strchr(name, '/') != NULL)
        return text_copy(name);
    for (size_t i = 0; i < folders.count; i++) {
        OWNED char *candidate = file_join(folders.items[i], name);
        if (access(candidate, X_OK) == 0 && !file_is_folder(candidate))
            return take(candidate);
    }
    return NULL;
}

static size_t name_length(const char *entry)
{
    return (size_t)(strchrnul(entry, '=') - entry);
}

static bool is_overridden(const char *entry, const char *const *changes)
{
    size_t length = name_length(entry);

    for (; changes != NULL && *changes != NULL; changes++)
        if (name_length(*changes) == length && strncmp(*changes, entry, length) == 0)
            return true;
    return false;
}

static char **merge_environment(const char *const *changes)
{
    char **merged = NULL;
    size_t count = 0;

    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        if (is_overridden(*entry, changes))
            continue;
        merged = memory_grow(merged, count, sizeof *merged);
        merged[count++] = *entry;
    }
    for (; changes != NULL && *changes != NULL; changes++) {
        if (strchr(*changes, '=') == NULL)
            continue;
        merged = memory_grow(merged, count, sizeof *merged);
        memcpy(&merged[count++], changes, sizeof *merged); /* exec's type lacks the const it honours */
    }
    merged = memory_grow(merged, count, sizeof *merged);
    merged[count] = NULL;
    return merged;
}

/* Input is a memory file: nothing has to be fed while the child runs, so nothing can deadlock or raise
 * SIGPIPE. */
static int open_input(const char *data, size_t size)
{
    if (data == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);

    int memory = memfd_create("input", MFD_CLOEXEC);
    for (size_t done = 0; memory >= 0 && done < size;) {
        ssize_t written = write(memory, data + done, size - done);
        if (written < 0 && errno != EINTR)
            close_one(&memory);
        if (written > 0)
            done += (size_t)written;
    }
    if (memory >= 0)
        lseek(memory, 0, SEEK_SET);
    return memory;
}

static bool open_pipe(int *read_end, int *write_end, int *ours)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *read_end = ends[0];
    *write_end = ends[1];
    (void)fcntl(*ours, F_SETPIPE_SZ, STREAM_PIPE);
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

/* Of stdout or stderr. */
static bool open_output(struct launch *launch, int number)
{
    int *ours = &launch->ours[number], *theirs = &launch->theirs[number];

    if (launch->request->inherits) {
        *theirs = fcntl(number, F_DUPFD_CLOEXEC, 3);
        return *theirs >= 0;
    }
    if (!launch->request->outlives_us)
        return open_pipe(ours, theirs, ours);
    *theirs = memfd_create("output", MFD_CLOEXEC);
    *ours = *theirs < 0 ? -1 : fcntl(*theirs, F_DUPFD_CLOEXEC, 0);
    return *ours >= 0;
}

static bool open_descriptors(struct launch *launch, bool takes_input)
{
    const struct process_request *request = launch->request;
    long limit = sysconf(_SC_OPEN_MAX);

    launch->limit = limit < 0 || limit > 65536 ? 65536 : (int)limit;
    if (takes_input) {
        if (!open_pipe(&launch->theirs[0], &launch->ours[0], &launch->ours[0]))
            return false;
    } else {
        launch->theirs[0] = open_input(request->input, request->input_size);
    }
    return launch->theirs[0] >= 0 && open_output(launch, 1) && open_output(launch, 2) &&
           pipe2(launch->report, O_CLOEXEC) == 0;
}

static bool prepare(struct launch *launch, bool takes_input, struct error *error)
{
    const struct process_request *request = launch->request;

    launch->program = find_program(request->argv[0]);
    if (launch->program == NULL) {
        error_set(error, ERROR_FAILED, "program \"%s\" not found", request->argv[0]);
        return error_hint(error, "Install it, or add the folder it is in to PATH.");
    }
    launch->environment = merge_environment(request->environment);
    if (!open_descriptors(launch, takes_input))
        return error_set(error, ERROR_FAILED, "could not start \"%s\": %s", request->argv[0],
                         strerror(errno));
    return true;
}

/* ---- in the child: only calls that are safe after fork ---- */

static void __attribute__((noreturn)) give_up(const struct launch *launch, enum stage stage)
{
    struct report report = {stage, errno};
    ssize_t written = write(launch->report[1], &report, sizeof report);

    _exit(written == (ssize_t)sizeof report ? 127 : 126);
}

/* Ours may be among the standard three if we were started without them: first out of the way, then into
 * place. */
static void place_descriptors(struct launch *launch)
{
    int from[3];

    launch->report[1] = fcntl(launch->report[1], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        from[i] = fcntl(launch->theirs[i], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0)
            give_up(launch, STAGE_DESCRIPTORS);
}

/* Close-on-exec for everything beyond the three, also what we inherited ourselves. */
static void hide_descriptors(const struct launch *launch)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) == 0)
        return;
#endif
    for (int i = 3; i < launch->limit; i++)
        fcntl(i, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    static const int numbers[] = {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ};

    sigemptyset(&usual.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &usual, NULL);
    sigprocmask(SIG_SETMASK, &usual.sa_mask, NULL);
}

static void drop_user(const struct launch *launch)
{
    const struct process_request *request = launch->request;

    if (setgroups(0, NULL) != 0 || setgid(request->group) != 0 || setuid(request->user) != 0)
        give_up(launch, STAGE_USER);
}

static void __attribute__((noreturn)) become_program(struct launch *launch, pid_t parent)
{
    const struct process_request *request = launch->request;
    char *const *arguments;

    place_descriptors(launch);
    hide_descriptors(launch);
    reset_signals();
    if (request->takes_along)
        setsid();
    if (request->no_network)
        (void)!unshare(CLONE_NEWNET); /* it needs a privilege that we may not have */
    if (request->drop_user)
        drop_user(launch);
    /* After the change of user, which would undo it. A parent that is gone already cannot signal any more. */
    if (!request->outlives_us && (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent))
        _exit(126);
    if (request->folder != NULL && chdir(request->folder) != 0)
        give_up(launch, STAGE_FOLDER);
    memcpy(&arguments, &request->argv, sizeof arguments); /* exec's type lacks the const it honours */
    execve(launch->program, arguments, launch->environment);
    give_up(launch, STAGE_EXECUTE);
}

/* ---- in the parent ---- */

static bool not_started(const struct launch *launch, const struct report *report, struct error *error)
{
    const struct process_request *request = launch->request;
    const char *reason = strerror(report->reason);

    if (report->stage == STAGE_FOLDER)
        return error_set(error, ERROR_FAILED, "could not run \"%s\" in folder \"%s\": %s", request->argv[0],
                         request->folder, reason);
    if (report->stage == STAGE_USER)
        return error_set(error, ERROR_FAILED, "could not run \"%s\" as user %lu: %s", request->argv[0],
                         (unsigned long)request->user, reason);
    error_set(error, ERROR_FAILED, "could not run \"%s\": %s", request->argv[0], reason);
    if (report->reason == ENOEXEC)
        error_hint(error, "A script needs a first line such as \"#!/bin/sh\".");
    return false;
}

bool child_start(const struct process_request *request, bool takes_input, struct child *ret,
                 struct error *error)
{
    AUTO(launch_clear)
    struct launch launch = {
        .request = request, .theirs = {-1, -1, -1}, .ours = {-1, -1, -1}, .report = {-1, -1}};
    struct report report;
    ssize_t got;
    pid_t parent = getpid();

    if (!prepare(&launch, takes_input, error))
        return false;
    pid_t pid = fork();
    if (pid < 0)
        return error_set(error, ERROR_FAILED, "could not start \"%s\": %s", request->argv[0],
                         strerror(errno));
    if (pid == 0)
        become_program(&launch, parent);

    close_one(&launch.report[1]);
    do
        got = read(launch.report[0], &report, sizeof report);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof report) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return not_started(&launch, &report, error);
    }
    *ret = (struct child){.pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0U)};
    int *ours[] = {&ret->input, &ret->output, &ret->errors};
    for (int i = 0; i < 3; i++) {
        *ours[i] = launch.ours[i];
        launch.ours[i] = -1;
    }
    return true;
}
