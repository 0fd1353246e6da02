/* SPDX-License-Identifier: PostgreSQL */
/*
 * A network that is far away: forwards TCP connections on loopback to a server and lets every byte arrive a
 * given time later, in both directions, without limiting how many bytes are under way.
 *
 *     delay_proxy MILLISECONDS PORT              a server on 127.0.0.1
 *     delay_proxy MILLISECONDS /path/to/socket   a server behind a Unix socket
 *
 * The port it listens on is printed on one line. It ends with the program that started it. The kernel
 * completes the TCP handshake at once, so the proxy charges for it: a client's first bytes arrive one round
 * trip later.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_SIZE = 65536, QUEUE_LIMIT = 256 * 1024 * 1024 };

#define NANOSECONDS INT64_C(1000000000)

struct chunk {
    struct chunk *next;
    int64_t due;
    size_t size; /* 0: the sender closed */
    size_t sent;
    char data[];
};

/* One direction of one connection. */
struct stream {
    int from, to;
    struct chunk *first, **last;
    size_t queued;
    int64_t not_before;
    bool ended;   /* no more to read */
    bool blocked; /* the receiver's buffer is full */
    bool closed;  /* everything delivered */
};

struct link {
    struct link *next;
    struct stream up, down;
    bool broken;
};

struct proxy {
    int listener;
    int64_t delay;
    const char *target;
    struct link *links;
    size_t count;
    struct pollfd *polled;
};

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("delay_proxy: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s\n", strerror(errno));
    exit(1);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        die("could not allocate %zu bytes", size);
    return memory;
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 128) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        die("could not listen on loopback");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static int connect_to(const char *target)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_path = target[0] == '/';
    int server = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(local.sun_path, sizeof local.sun_path, "%s", target);
    inet.sin_port = htons((uint16_t)strtol(target, NULL, 10));
    if (is_path ? connect(server, (struct sockaddr *)&local, sizeof local)
                : connect(server, (struct sockaddr *)&inet, sizeof inet)) {
        close(server);
        return -1;
    }
    fcntl(server, F_SETFL, O_NONBLOCK);
    return server;
}

static void set_nodelay(int socket)
{
    int on = 1;

    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof on); /* fails on a Unix socket, which needs none */
}

static void accept_link(struct proxy *proxy)
{
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct link *link;
    int server;

    if (client < 0)
        return;
    server = connect_to(proxy->target);
    if (server < 0) {
        close(client);
        return;
    }
    set_nodelay(client);
    set_nodelay(server);
    link = allocate(sizeof *link);
    link->up = (struct stream){.from = client, .to = server, .not_before = now() + 3 * proxy->delay};
    link->down = (struct stream){.from = server, .to = client};
    link->up.last = &link->up.first;
    link->down.last = &link->down.first;
    link->next = proxy->links;
    proxy->links = link;
    proxy->count++;
}

static void enqueue(struct stream *stream, const char *data, size_t size, int64_t delay)
{
    struct chunk *chunk = allocate(sizeof *chunk + size);

    chunk->size = size;
    chunk->due = now() + delay;
    if (chunk->due < stream->not_before)
        chunk->due = stream->not_before;
    memcpy(chunk->data, data, size);
    *stream->last = chunk;
    stream->last = &chunk->next;
    stream->queued += size;
}

static void receive(struct stream *stream, int64_t delay)
{
    char data[CHUNK_SIZE];
    ssize_t size = read(stream->from, data, sizeof data);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0)
        stream->ended = true;
    enqueue(stream, data, size > 0 ? (size_t)size : 0, delay);
}

static void drop_first(struct stream *stream)
{
    struct chunk *chunk = stream->first;

    stream->queued -= chunk->size;
    stream->first = chunk->next;
    if (!stream->first)
        stream->last = &stream->first;
    free(chunk);
}

/* Send what has been under way long enough; false when the receiver is gone. */
static bool deliver(struct stream *stream)
{
    stream->blocked = false;
    while (stream->first && stream->first->due <= now()) {
        struct chunk *chunk = stream->first;
        ssize_t size;

        if (chunk->size == 0) {
            shutdown(stream->to, SHUT_WR);
            stream->closed = true;
        } else {
            size = send(stream->to, chunk->data + chunk->sent, chunk->size - chunk->sent, MSG_NOSIGNAL);
            if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
                stream->blocked = true;
                return true;
            }
            if (size < 0)
                return false;
            chunk->sent += (size_t)size;
            if (chunk->sent < chunk->size)
                continue;
        }
        drop_first(stream);
    }
    return true;
}

static void remove_finished(struct proxy *proxy)
{
    struct link **place = &proxy->links;

    while (*place) {
        struct link *link = *place;

        if (!link->broken && !(link->up.closed && link->down.closed)) {
            place = &link->next;
            continue;
        }
        while (link->up.first)
            drop_first(&link->up);
        while (link->down.first)
            drop_first(&link->down);
        close(link->up.from);
        close(link->down.from);
        *place = link->next;
        free(link);
        proxy->count--;
    }
}

static short wanted_events(const struct stream *incoming, const struct stream *outgoing)
{
    bool wants_input = !incoming->ended && incoming->queued < QUEUE_LIMIT;

    return (short)((wants_input ? POLLIN : 0) | (outgoing->blocked ? POLLOUT : 0));
}

static int64_t earlier(int64_t time, const struct stream *stream)
{
    return stream->first && !stream->blocked && stream->first->due < time ? stream->first->due : time;
}

/* Wait for data, for room, or until the first byte is due. The entries follow the order of the links. */
static void wait_for_work(struct proxy *proxy)
{
    int64_t due = INT64_MAX, rest;
    struct timespec timeout;
    nfds_t used = 1;

    proxy->polled = realloc(proxy->polled, (1 + 2 * proxy->count) * sizeof *proxy->polled);
    if (!proxy->polled)
        die("could not allocate memory");
    proxy->polled[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
    for (const struct link *link = proxy->links; link; link = link->next) {
        short client = wanted_events(&link->up, &link->down), server = wanted_events(&link->down, &link->up);

        proxy->polled[used++] = (struct pollfd){.fd = client ? link->up.from : -1, .events = client};
        proxy->polled[used++] = (struct pollfd){.fd = server ? link->down.from : -1, .events = server};
        due = earlier(earlier(due, &link->up), &link->down);
    }
    rest = due == INT64_MAX ? 3600 * NANOSECONDS : due - now();
    if (rest < 0)
        rest = 0;
    timeout = (struct timespec){.tv_sec = rest / NANOSECONDS, .tv_nsec = rest % NANOSECONDS};
    if (ppoll(proxy->polled, used, &timeout, NULL) < 0 && errno != EINTR)
        die("could not wait");
}

static void work(struct proxy *proxy)
{
    const struct pollfd *polled = proxy->polled + 1;
    const short readable = POLLIN | POLLHUP | POLLERR;

    for (struct link *link = proxy->links; link; link = link->next, polled += 2) {
        if ((polled[0].revents & readable) && !link->up.ended)
            receive(&link->up, proxy->delay);
        if ((polled[1].revents & readable) && !link->down.ended)
            receive(&link->down, proxy->delay);
        link->broken = !deliver(&link->up) || !deliver(&link->down);
    }
}

int main(int argc, char **argv)
{
    struct proxy proxy = {0};

    if (argc != 3) {
        fputs("usage: delay_proxy MILLISECONDS PORT|SOCKET\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    proxy.delay = (int64_t)(strtod(argv[1], NULL) * 1e6);
    proxy.target = argv[2];
    proxy.listener = listen_on_loopback();
    for (;;) {
        wait_for_work(&proxy);
        work(&proxy);
        remove_finished(&proxy);
        if (proxy.polled[0].revents)
            accept_link(&proxy);
    }
}
