/* SPDX-License-Identifier: PostgreSQL */
#include "common/process.h"

#include "common/child.h"
#include "common/interrupt.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGEST_OUTPUT ((size_t)1 << 30)
#define LARGEST_ERRORS ((size_t)64 << 10)

/* From an interruption to SIGTERM, and to SIGKILL. */
#define GRACE_MS    300
#define KILL_MS     10000
#define FREE_MS     1000              /* from SIGTERM to SIGKILL for one that nobody wants any more */
#define LOOK_MS     100               /* how often an interruption is looked for where poll() missed it */
#define ONE_TAKE    ((size_t)1 << 20) /* from a pipe at once: one that never runs dry must not hold us */
#define NO_PIDFD_MS 10 /* how often the child is looked at where the kernel cannot tell of its end */

/* What is kept of one of the child's outputs: a pipe that is read while it runs, or a memory file that is
 * read afterwards. */
struct stream {
    int descriptor; /* -1: closed */
    bool in_memory;
    off_t taken; /* from the memory file, whose own offset is the writer's */
    char *text;
    size_t size, capacity;
    size_t limit; /* of size: beyond it the beginning is forgotten, or for the output it is an error */
};

struct process {
    char *name;
    pid_t pid;
    pid_t told; /* whom signals go to: the program, or its group */
    int pidfd;  /* -1: not to be had */
    int input;  /* -1: closed, or not ours to write */
    struct stream output, errors;
    bool gives_output; /* to process_read, and not to the result */
    bool is_gone;
    bool is_told; /* SIGTERM was sent */
    int wait_status;
    int former_signal; /* an interruption that came before us */
    int64_t interrupted_at;
};

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
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
    for (size_t done = 0; stream->descriptor >= 0 && done < most;) {
        if (!make_room(stream))
            return false;
        char *end = stream->text + stream->size;
        size_t room = stream->capacity - 1 - stream->size;
        ssize_t got = stream->in_memory ? pread(stream->descriptor, end, room, stream->taken)
                                        : read(stream->descriptor, end, room);
        if (got > 0) {
            stream->size += (size_t)got;
            stream->taken += got;
            done += (size_t)got;
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            close_one(&stream->descriptor);
        } else if (errno == EAGAIN) {
            break;
        }
    }
    return true;
}

static void pass_on_interruption(struct process *process)
{
    if (interrupt_signal() == 0 || interrupt_signal() == process->former_signal)
        return;
    if (process->interrupted_at == 0)
        process->interrupted_at = clock_ms();

    int64_t waited = clock_ms() - process->interrupted_at;
    if (waited >= KILL_MS)
        kill(process->told, SIGKILL);
    else if (waited >= GRACE_MS && !process->is_told)
        process->is_told = kill(process->told, SIGTERM) == 0;
}

static void look_for_end(struct process *process)
{
    if (!process->is_gone && waitpid(process->pid, &process->wait_status, WNOHANG) == process->pid)
        process->is_gone = true;
}

static bool drain_both(struct process *process, size_t most, struct error *error)
{
    if ((process->gives_output || drain(&process->output, most)) && drain(&process->errors, most))
        return true;
    return error_set(error, ERROR_FAILED, "\"%s\" printed more than 1 GB", process->name);
}

static bool is_stopped(const atomic_bool *stop)
{
    return stop != NULL && atomic_load(stop);
}

static bool wait_for_end(struct process *process, const atomic_bool *stop, struct error *error)
{
    bool in_memory = process->output.in_memory;

    for (; !process->is_gone; look_for_end(process)) {
        struct pollfd places[] = {{.fd = in_memory ? -1 : process->output.descriptor, .events = POLLIN},
                                  {.fd = in_memory ? -1 : process->errors.descriptor, .events = POLLIN},
                                  {.fd = process->pidfd, .events = POLLIN}};
        if (is_stopped(stop))
            return error_set(error, ERROR_FAILED, "stopped");
        poll(places, 3, process->pidfd < 0 ? NO_PIDFD_MS : LOOK_MS);
        if (!in_memory && !drain_both(process, ONE_TAKE, error))
            return false;
        pass_on_interruption(process);
    }
    return drain_both(process, in_memory ? LARGEST_OUTPUT : ONE_TAKE, error);
}

static char *take_text(struct stream *stream)
{
    if (stream->text == NULL)
        return text_copy("");
    stream->text[stream->size] = '\0';
    return take(stream->text);
}

/* ---- starting and ending ---- */

bool process_start(const struct process_request *request, bool takes_input, bool gives_output,
                   struct process **ret, struct error *error)
{
    int former_signal = interrupt_signal(); /* one that comes while it starts is not */
    struct child child;

    if (!child_start(request, takes_input, &child, error))
        return false;
    struct process *process = memory_allocate(1, sizeof *process);
    *process = (struct process){
        .name = text_copy(request->argv[0]),
        .pid = child.pid,
        .told = request->takes_along ? -child.pid : child.pid,
        .pidfd = child.pidfd,
        .input = child.input,
        .output = {.descriptor = child.output, .in_memory = request->outlives_us, .limit = LARGEST_OUTPUT},
        .errors = {.descriptor = child.errors, .in_memory = request->outlives_us, .limit = LARGEST_ERRORS},
        .gives_output = gives_output,
        .former_signal = former_signal,
    };
    *ret = process;
    return true;
}

static void wait_for_death(struct process *process, int64_t ms)
{
    int64_t end = clock_ms() + ms;

    for (look_for_end(process); !process->is_gone && clock_ms() < end; look_for_end(process)) {
        struct pollfd place = {.fd = process->pidfd, .events = POLLIN};
        poll(&place, 1, NO_PIDFD_MS);
    }
}

/* Told before its input is closed: it must not take what it has got for all there is. */
static void end_process(struct process *process)
{
    kill(process->told, SIGTERM);
    wait_for_death(process, FREE_MS);
    if (!process->is_gone)
        kill(process->told, SIGKILL);
    while (!process->is_gone)
        process->is_gone = waitpid(process->pid, NULL, 0) >= 0 || errno != EINTR;
}

void process_free(struct process *process)
{
    if (process == NULL)
        return;
    if (!process->is_gone)
        end_process(process);
    else if (process->told != process->pid)
        kill(process->told, SIGTERM);
    close_one(&process->pidfd);
    close_one(&process->input);
    close_one(&process->output.descriptor);
    close_one(&process->errors.descriptor);
    free(process->name);
    free(process->output.text);
    free(process->errors.text);
    free(process);
}

/* Wait for its end and take what it said, whatever its status. */
static bool await(struct process *process, const atomic_bool *stop, struct process_result *ret_result,
                  struct error *error)
{
    close_one(&process->input);
    if (process->gives_output)
        close_one(&process->output.descriptor);
    if (!wait_for_end(process, stop, error))
        return false;
    if (process->interrupted_at != 0)
        return interrupt_error(error);
    ret_result->output_size = process->output.size;
    ret_result->output = take_text(&process->output);
    ret_result->errors = take_text(&process->errors);
    ret_result->status = WIFEXITED(process->wait_status) ? WEXITSTATUS(process->wait_status)
                                                         : 128 + WTERMSIG(process->wait_status);
    return true;
}

bool process_run(const struct process_request *request, struct process_result *ret_result,
                 struct error *error)
{
    AUTO(process_free) struct process *process = NULL;

    return process_start(request, false, false, &process, error) && await(process, NULL, ret_result, error);
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

static bool check(const struct process *process, const struct process_result *result, struct error *error)
{
    OWNED char *said = last_lines(result->errors);
    int number = result->status - 128;

    if (result->status == 0)
        return true;
    if (number > 0 && sigdescr_np(number) != NULL)
        error_set(error, ERROR_FAILED, "\"%s\" was ended by signal %d (%s)", process->name, number,
                  sigdescr_np(number));
    else
        error_set(error, ERROR_FAILED, "\"%s\" failed with exit status %d", process->name, result->status);
    return error_detail(error, "%s", said);
}

bool process_finish(struct process *owned, const atomic_bool *stop, struct process_result *ret_result,
                    struct error *error)
{
    AUTO(process_free) struct process *process = owned;
    AUTO(process_result_clear) struct process_result result = {0};

    if (!await(process, stop, &result, error) || !check(process, &result, error))
        return false;
    *ret_result = result;
    result = (struct process_result){0};
    return true;
}

bool process_check(const struct process_request *request, struct process_result *ret_result,
                   struct error *error)
{
    struct process *process = NULL;

    return process_start(request, false, false, &process, error) &&
           process_finish(process, NULL, ret_result, error);
}

/* ---- streams ---- */

/* Until the program reads or writes, says something, or ends. */
static bool wait_for_stream(struct process *process, int descriptor, short events, const atomic_bool *stop,
                            struct error *error)
{
    struct pollfd places[] = {
        {.fd = descriptor, .events = events},
        {.fd = process->gives_output ? -1 : process->output.descriptor, .events = POLLIN},
        {.fd = process->errors.descriptor, .events = POLLIN},
        {.fd = process->pidfd, .events = POLLIN}};

    poll(places, 4, process->pidfd < 0 ? NO_PIDFD_MS : LOOK_MS);
    if (!drain_both(process, ONE_TAKE, error))
        return false;
    look_for_end(process);
    pass_on_interruption(process);
    if (process->interrupted_at != 0)
        return interrupt_error(error);
    return !is_stopped(stop) || error_set(error, ERROR_FAILED, "stopped");
}

bool process_write(struct process *process, const char *data, size_t size, const atomic_bool *stop,
                   struct error *error)
{
    while (size > 0) {
        bool was_gone = process->is_gone; /* what it left running may hold its input, and never read */
        ssize_t written = write(process->input, data, size);
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        } else if (was_gone || errno == EPIPE) {
            return error_set(error, ERROR_FAILED, "\"%s\" has closed its input", process->name);
        } else if (errno != EAGAIN && errno != EINTR) {
            return error_set(error, ERROR_FAILED, "could not write to \"%s\": %s", process->name,
                             strerror(errno));
        } else if (!wait_for_stream(process, process->input, POLLOUT, stop, error)) {
            return false;
        }
    }
    return true;
}

bool process_read(struct process *process, char *buffer, size_t size, const atomic_bool *stop,
                  size_t *ret_got, struct error *error)
{
    for (;;) {
        bool was_gone = process->is_gone;
        ssize_t got = read(process->output.descriptor, buffer, size);
        if (got >= 0 || (was_gone && errno == EAGAIN)) {
            *ret_got = got < 0 ? 0 : (size_t)got;
            return true;
        }
        if (errno != EAGAIN && errno != EINTR)
            return error_set(error, ERROR_FAILED, "could not read from \"%s\": %s", process->name,
                             strerror(errno));
        if (!wait_for_stream(process, process->output.descriptor, POLLIN, stop, error))
            return false;
    }
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
