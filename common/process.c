/* SPDX-License-Identifier: PostgreSQL */
#include "common/process.h"
#include "common/interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGEST_OUTPUT ((size_t)1 << 30)
#define LARGEST_ERRORS ((size_t)64 << 10)

/* From an interruption to SIGTERM, and to SIGKILL. */
#define GRACE_MS    300
#define KILL_MS     10000
#define LOOK_MS     100               /* how often an interruption is looked for where poll() missed it */
#define ONE_TAKE    ((size_t)1 << 20) /* from a pipe at once: one that never runs dry must not hold us */
#define NO_PIDFD_MS 10 /* how often the child is looked at where the kernel cannot tell of its end */

/* One of the child's output streams: a pipe that is read while it runs, or a memory file that is read
 * afterwards. */
struct stream {
    int ours;   /* -1: closed */
    int theirs; /* -1: closed */
    bool in_memory;
    off_t taken; /* from the memory file, whose own offset is the writer's */
    char *text;
    size_t size, capacity;
    size_t limit; /* of size: beyond it the beginning is forgotten, or for the output it is an error */
};

struct child {
    const struct process_request *request;
    char *program;      /* the path to execute */
    char **environment; /* complete; only the array is ours */
    pid_t pid;
    int pidfd; /* -1: not to be had */
    int input;
    struct stream output, errors;
    int report[2]; /* a struct report, or closed by exec */
    bool is_gone;
    bool is_told; /* SIGTERM was sent */
    int wait_status;
    int former_signal; /* an interruption that came before us */
    int64_t interrupted_at;
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

static void child_clear(struct child *child)
{
    if (child->pid > 0 && !child->is_gone) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    int *descriptors[] = {&child->pidfd,         &child->input,       &child->output.ours,
                          &child->output.theirs, &child->errors.ours, &child->errors.theirs,
                          &child->report[0],     &child->report[1]};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        close_one(descriptors[i]);
    free(child->program);
    free(child->environment);
    free(child->output.text);
    free(child->errors.text);
}
CLEANUP_VALUE(struct child, child_clear)

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

static bool open_stream(struct stream *stream, bool in_memory, int inherited)
{
    int ends[2];

    if (inherited >= 0) {
        stream->theirs = fcntl(inherited, F_DUPFD_CLOEXEC, 3);
        return stream->theirs >= 0;
    }
    stream->in_memory = in_memory;
    if (in_memory) {
        stream->theirs = memfd_create("output", MFD_CLOEXEC);
        stream->ours = stream->theirs < 0 ? -1 : fcntl(stream->theirs, F_DUPFD_CLOEXEC, 0);
        return stream->ours >= 0;
    }
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    stream->ours = ends[0];
    stream->theirs = ends[1];
    return fcntl(stream->ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool prepare(struct child *child, struct error *error)
{
    const struct process_request *request = child->request;

    child->program = find_program(request->argv[0]);
    if (child->program == NULL) {
        error_set(error, ERROR_FAILED, "program \"%s\" not found", request->argv[0]);
        return error_hint(error, "Install it, or add the folder it is in to PATH.");
    }
    child->environment = merge_environment(request->environment);
    child->input = open_input(request->input, request->input_size);
    if (child->input < 0 ||
        !open_stream(&child->output, request->outlives_us, request->inherits ? STDOUT_FILENO : -1) ||
        !open_stream(&child->errors, request->outlives_us, request->inherits ? STDERR_FILENO : -1) ||
        pipe2(child->report, O_CLOEXEC) != 0)
        return error_set(error, ERROR_FAILED, "could not start \"%s\": %s", request->argv[0],
                         strerror(errno));
    return true;
}

/* ---- in the child: only calls that are safe after fork ---- */

static void __attribute__((noreturn)) give_up(const struct child *child, enum stage stage)
{
    struct report report = {stage, errno};
    ssize_t written = write(child->report[1], &report, sizeof report);

    _exit(written == (ssize_t)sizeof report ? 127 : 126);
}

/* Ours may be among the standard three if we were started without them: first out of the way, then into
 * place. */
static void place_descriptors(struct child *child)
{
    int from[] = {child->input, child->output.theirs, child->errors.theirs};

    child->report[1] = fcntl(child->report[1], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0)
            give_up(child, STAGE_DESCRIPTORS);
}

/* Close-on-exec for everything beyond the three, also what we inherited ourselves. */
static void hide_descriptors(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int i = 3; i < (limit < 0 || limit > 65536 ? 65536 : limit); i++)
        fcntl(i, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    static const int numbers[] = {SIGINT, SIGTERM, SIGPIPE};

    sigemptyset(&usual.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &usual, NULL);
    sigprocmask(SIG_SETMASK, &usual.sa_mask, NULL);
}

static void drop_user(const struct child *child)
{
    const struct process_request *request = child->request;

    if (setgroups(0, NULL) != 0 || setgid(request->group) != 0 || setuid(request->user) != 0)
        give_up(child, STAGE_USER);
}

static void __attribute__((noreturn)) become_program(struct child *child, pid_t parent)
{
    const struct process_request *request = child->request;
    char *const *arguments;

    place_descriptors(child);
    hide_descriptors();
    reset_signals();
    if (request->drop_user)
        drop_user(child);
    /* After the change of user, which would undo it. A parent that is gone already cannot signal any more. */
    if (!request->outlives_us && (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent))
        _exit(126);
    if (request->folder != NULL && chdir(request->folder) != 0)
        give_up(child, STAGE_FOLDER);
    memcpy(&arguments, &request->argv, sizeof arguments); /* exec's type lacks the const it honours */
    execve(child->program, arguments, child->environment);
    give_up(child, STAGE_EXECUTE);
}

/* ---- in the parent ---- */

static bool not_started(const struct child *child, const struct report *report, struct error *error)
{
    const struct process_request *request = child->request;
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

static bool start(struct child *child, struct error *error)
{
    const char *name = child->request->argv[0];
    struct report report;
    ssize_t got;
    pid_t parent = getpid();

    child->pid = fork();
    if (child->pid < 0)
        return error_set(error, ERROR_FAILED, "could not start \"%s\": %s", name, strerror(errno));
    if (child->pid == 0)
        become_program(child, parent);

    close_one(&child->report[1]);
    close_one(&child->output.theirs);
    close_one(&child->errors.theirs);
    do
        got = read(child->report[0], &report, sizeof report);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof report)
        return not_started(child, &report, error);
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0U);
    return true;
}

/* Room for more at the end; for the messages that matter only at their end, by forgetting the first half. */
static bool make_room(struct stream *stream)
{
    if (stream->capacity - stream->size > 1)
        return true;
    if (stream->capacity < stream->limit) {
        size_t larger = stream->capacity == 0 ? 4096 : stream->capacity * 2;
        char *text = memory_allocate(larger, 1);
        if (stream->size > 0)
            memcpy(text, stream->text, stream->size);
        free(stream->text);
        stream->text = text;
        stream->capacity = larger;
        return true;
    }
    if (stream->limit == LARGEST_OUTPUT)
        return false;
    size_t kept = stream->size / 2;
    memmove(stream->text, stream->text + stream->size - kept, kept);
    stream->size = kept;
    return true;
}

/* Take at most about so many bytes of what is there, without waiting; false when it is more than the limit.
 */
static bool drain(struct stream *stream, size_t most)
{
    for (size_t done = 0; stream->ours >= 0 && done < most;) {
        if (!make_room(stream))
            return false;
        char *end = stream->text + stream->size;
        size_t room = stream->capacity - 1 - stream->size;
        ssize_t got =
            stream->in_memory ? pread(stream->ours, end, room, stream->taken) : read(stream->ours, end, room);
        if (got > 0) {
            stream->size += (size_t)got;
            stream->taken += got;
            done += (size_t)got;
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            close_one(&stream->ours);
        } else if (errno == EAGAIN) {
            break;
        }
    }
    return true;
}

static void pass_on_interruption(struct child *child)
{
    if (interrupt_signal() == 0 || interrupt_signal() == child->former_signal)
        return;
    if (child->interrupted_at == 0)
        child->interrupted_at = clock_ms();

    int64_t waited = clock_ms() - child->interrupted_at;
    if (waited >= KILL_MS)
        kill(child->pid, SIGKILL);
    else if (waited >= GRACE_MS && !child->is_told)
        child->is_told = kill(child->pid, SIGTERM) == 0;
}

static void look_for_end(struct child *child)
{
    if (!child->is_gone && waitpid(child->pid, &child->wait_status, WNOHANG) == child->pid)
        child->is_gone = true;
}

static bool drain_both(struct child *child, size_t most, struct error *error)
{
    if (drain(&child->output, most) && drain(&child->errors, most))
        return true;
    return error_set(error, ERROR_FAILED, "\"%s\" printed more than 1 GB", child->request->argv[0]);
}

static bool wait_for_end(struct child *child, struct error *error)
{
    bool in_memory = child->request->outlives_us || child->request->inherits;

    for (; !child->is_gone; look_for_end(child)) {
        struct pollfd places[] = {{.fd = in_memory ? -1 : child->output.ours, .events = POLLIN},
                                  {.fd = in_memory ? -1 : child->errors.ours, .events = POLLIN},
                                  {.fd = child->pidfd, .events = POLLIN}};
        poll(places, 3, child->pidfd < 0 ? NO_PIDFD_MS : LOOK_MS);
        if (!in_memory && !drain_both(child, ONE_TAKE, error))
            return false;
        pass_on_interruption(child);
    }
    return drain_both(child, in_memory ? LARGEST_OUTPUT : ONE_TAKE, error);
}

static char *take_text(struct stream *stream)
{
    if (stream->text == NULL)
        return text_copy("");
    stream->text[stream->size] = '\0';
    return take(stream->text);
}

bool process_run(const struct process_request *request, struct process_result *ret_result,
                 struct error *error)
{
    AUTO(child_clear)
    struct child child = {.request = request,
                          .pidfd = -1,
                          .input = -1,
                          .output = {.ours = -1, .theirs = -1, .limit = LARGEST_OUTPUT},
                          .errors = {.ours = -1, .theirs = -1, .limit = LARGEST_ERRORS},
                          .report = {-1, -1},
                          .former_signal = interrupt_signal()};

    if (!prepare(&child, error) || !start(&child, error) || !wait_for_end(&child, error))
        return false;
    if (child.interrupted_at != 0)
        return interrupt_error(error);
    ret_result->output_size = child.output.size;
    ret_result->output = take_text(&child.output);
    ret_result->errors = take_text(&child.errors);
    ret_result->status =
        WIFEXITED(child.wait_status) ? WEXITSTATUS(child.wait_status) : 128 + WTERMSIG(child.wait_status);
    return true;
}

/* The last lines of what the program said, without the line ends after them. */
static char *last_lines(const char *text)
{
    size_t end = strlen(text);
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r'))
        end--;

    size_t start = end;
    for (int lines = 0; start > 0 && end - start < 2000; start--)
        if (text[start - 1] == '\n' && ++lines == 10)
            break;
    while (start < end && ((unsigned char)text[start] & 0xC0) == 0x80)
        start++; /* not from the middle of a character */
    return text_copy_part(text + start, end - start);
}

bool process_check(const struct process_request *request, struct process_result *ret_result,
                   struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};

    if (!process_run(request, &result, error))
        return false;
    if (result.status != 0) {
        OWNED char *said = last_lines(result.errors);
        int number = result.status - 128;
        if (number > 0 && sigdescr_np(number) != NULL)
            error_set(error, ERROR_FAILED, "\"%s\" was ended by signal %d (%s)", request->argv[0], number,
                      sigdescr_np(number));
        else
            error_set(error, ERROR_FAILED, "\"%s\" failed with exit status %d", request->argv[0],
                      result.status);
        return error_detail(error, "%s", said);
    }
    *ret_result = result;
    result = (struct process_result){0};
    return true;
}

void process_result_clear(struct process_result *result)
{
    if (result == NULL)
        return;
    free(result->output);
    free(result->errors);
    *result = (struct process_result){0};
}

/* ---- words ---- */

/* Append the quoted part that begins after *text, up to the quote; NULL when it has no end. */
static const char *read_quoted(const char *text, char quote, FILE *word)
{
    for (; *text != quote; text++) {
        if (*text == '\0')
            return NULL;
        if (quote == '"' && *text == '\\' && text[1] != '\0' && strchr("\"\\$`", text[1]) != NULL)
            text++;
        fputc(*text, word);
    }
    return text + 1;
}

static const char *read_word(const char *text, FILE *word)
{
    while (text != NULL && *text != '\0' && strchr(" \t\r\n", *text) == NULL) {
        if (*text == '\'' || *text == '"') {
            text = read_quoted(text + 1, *text, word);
        } else {
            if (*text == '\\' && text[1] != '\0')
                text++;
            fputc(*text++, word);
        }
    }
    return text;
}

bool process_split(const char *command, struct text_list *ret_arguments, struct error *error)
{
    AUTO(text_list_clear) struct text_list words = {0};
    const char *rest = command;

    for (rest += strspn(rest, " \t\r\n"); *rest != '\0'; rest += strspn(rest, " \t\r\n")) {
        char *text = NULL;
        size_t size;
        FILE *word = open_memstream(&text, &size);
        rest = read_word(rest, word);
        fclose(word);
        text_list_add(&words, text);
        if (rest == NULL)
            return error_set(error, ERROR_USAGE, "quote without end in command \"%s\"", command);
    }
    if (words.count == 0)
        return error_set(error, ERROR_USAGE, "empty command");
    *ret_arguments = words;
    words = (struct text_list){0};
    return true;
}
