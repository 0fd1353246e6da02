/* SPDX-License-Identifier: PostgreSQL */
#include "common/stream.h"

#include "common/interrupt.h"
#include "common/postgres_wait.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER          ((size_t)128 << 10)  /* of what processors keep near them */
#define ENOUGH          ((size_t)16 << 10)   /* rows to hand on before more are waited for */
#define HEADER          ((size_t)5)          /* type and length; the length counts itself, but not the type */
#define LARGEST_MESSAGE ((size_t)0x40000100) /* a row is less than 1 GB in the server */
#define MOST_ROWS       (BUFFER / (HEADER + 1))
#define PIECE           ((size_t)64 << 10) /* of the data of one CopyData message to the server */
#define CANCEL_AGAIN_MS 500

/* The buffer holds, one behind the other: the rows of the block that is being made, without their headers; a
 * gap, where those were; messages not yet looked at. */
struct stream {
    struct postgres *postgres;
    int socket;
    enum stream_direction direction;
    char *buffer;
    size_t capacity;
    size_t packed, parsed, filled; /* ends of the rows; begin and end of the messages */
    uint32_t *lengths;
    size_t rows;   /* in the block */
    bool begun;    /* the server takes or gives data */
    bool unwanted; /* rows that come are thrown away */
    bool over;     /* ReadyForQuery came, or the connection is lost */
    bool lost;
    char status; /* of the transaction, as ReadyForQuery tells it */
    int64_t cancelled_ms;
    int64_t tag_rows;
    struct error error; /* what made the statement fail */
};

bool stream_is_possible(const struct postgres *postgres)
{
    PGconn *connection = postgres_connection(postgres);
    return PQsslInUse(connection) == 0 && PQgssEncInUse(connection) == 0;
}

/* ---- ends ---- */

/* Whoever uses the connection next must find it lost, and not in the middle of our messages: libpq looks at
 * its socket, which is now at its end. */
static void lose(struct stream *stream)
{
    PGconn *connection = postgres_connection(stream->postgres);
    char scrap[8192];

    stream->over = stream->lost = true;
    shutdown(stream->socket, SHUT_RDWR);
    while (recv(stream->socket, scrap, sizeof scrap, MSG_DONTWAIT) > 0)
        continue;
    (void)PQconsumeInput(connection);
}

static void break_off(struct stream *stream, const char *reason)
{
    if (stream->error.code == ERROR_NONE && interrupt_signal() != 0)
        interrupt_error(&stream->error);
    else if (stream->error.code == ERROR_NONE)
        error_set(&stream->error, ERROR_CONNECTION, "%s", reason);
    lose(stream);
}

/* An empty statement has no effect in any state of a transaction, and its answer tells libpq the state. */
static void tell_libpq(struct stream *stream)
{
    static const char states[] = {
        [PQTRANS_IDLE] = 'I', [PQTRANS_ACTIVE] = 0, [PQTRANS_INTRANS] = 'T', [PQTRANS_INERROR] = 'E'};
    PGconn *connection = postgres_connection(stream->postgres);
    PGTransactionStatusType known = PQtransactionStatus(connection);
    AUTO(error_clear) struct error ignored = {0};

    if (known > PQTRANS_INERROR || states[known] == stream->status)
        return;
    if (PQsendQuery(connection, "") == 1)
        (void)!postgres_collect(stream->postgres, KEEP_TAG, NULL, &ignored);
}

static void cancel(struct stream *stream)
{
    int64_t now = clock_ms();

    if (stream->over || now - stream->cancelled_ms < CANCEL_AGAIN_MS)
        return;
    stream->cancelled_ms = now;
    postgres_cancel(stream->postgres);
}

static void drop_rows(struct stream *stream)
{
    stream->unwanted = true;
    stream->packed = stream->rows = 0;
}

/* The first failure is the reason; what follows it is only the way out. */
static void refuse(struct stream *stream, const char *reason)
{
    if (stream->error.code == ERROR_NONE)
        error_set(&stream->error, ERROR_FAILED, "%s", reason);
    drop_rows(stream);
}

static void heed_stop(struct stream *stream, const atomic_bool *stop)
{
    if (stop == NULL || !atomic_load(stop) || stream->over)
        return;
    refuse(stream, "stopped");
    cancel(stream);
}

/* ---- messages from the server ---- */

/* The fields of an error or a notice: a letter and a text each. */
static struct server_message read_fields(const char *body, size_t size)
{
    const char *fields[128];
    for (size_t i = 0; i < 128; i++)
        fields[i] = "";
    for (const char *end = body + size;
         body < end && *body != '\0' && memchr(body, '\0', (size_t)(end - body)); body += strlen(body) + 1)
        fields[*body & 127] = body + 1;
    return (struct server_message){
        .notice = {.severity = fields[*fields['V'] != '\0' ? 'V' : 'S'],
                   .message = fields['M'],
                   .detail = fields['D'],
                   .hint = fields['H'],
                   .sqlstate = fields['C']},
        .context = fields['W'],
        .position = fields['P'],
    };
}

/* After ReadyForQuery it is not about our statement, whose last rows are still in the block. */
static void take_error(struct stream *stream, const char *body, size_t size)
{
    struct server_message message = read_fields(body, size);

    if (stream->over) {
        postgres_notice(stream->postgres, &message);
    } else {
        if (stream->error.code == ERROR_NONE)
            postgres_server_error(&message, &stream->error);
        drop_rows(stream);
    }
    if (strcmp(message.notice.severity, "FATAL") == 0 || strcmp(message.notice.severity, "PANIC") == 0)
        lose(stream);
}

static void send_message(struct stream *stream, char type, const char *data, size_t size,
                         const atomic_bool *stop);

static void take_response(struct stream *stream, char type)
{
    static const char reason[] = "wrong direction";

    stream->begun = true;
    if (type == (char)stream->direction)
        return;
    refuse(stream, "the statement copies in the other direction");
    if (type == STREAM_IN)
        send_message(stream, 'f', reason, sizeof reason, NULL);
}

static void take_row(struct stream *stream, const char *body, size_t size)
{
    if (stream->unwanted || stream->over)
        return;
    memmove(stream->buffer + stream->packed, body, size);
    stream->lengths[stream->rows++] = (uint32_t)size;
    stream->packed += size;
}

static void take_tag(struct stream *stream, const char *body, size_t size)
{
    if (size > 5 && body[size - 1] == '\0' && text_starts_with(body, "COPY "))
        stream->tag_rows = strtoll(body + 5, NULL, 10);
}

static void take_other(struct stream *stream, char type, const char *body, size_t size)
{
    struct server_message message;

    switch (type) {
    case 'E':
        take_error(stream, body, size);
        break;
    case 'N':
        message = read_fields(body, size);
        postgres_notice(stream->postgres, &message);
        break;
    case 'G':
    case 'H':
        take_response(stream, type);
        break;
    case 'C':
        take_tag(stream, body, size);
        if (!stream->begun)
            refuse(stream, "the statement is not a COPY of the client's");
        break;
    case 'Z':
        stream->over = true;
        stream->status = size > 0 ? *body : 0;
        break;
    case 'T': /* of a SELECT, whose CommandComplete follows */
    case 'D':
    case 'I':
        refuse(stream, "the statement is not a COPY of the client's");
        break;
    case 'c': /* CopyDone: CommandComplete says the same */
    case 'A': /* a NOTIFY, which nobody here listens to */
    case 'S': /* a setting changed */
        break;
    default:
        break_off(stream, "unexpected message from the server: the connection cannot be used any more");
    }
}

/* The size of the message that comes next, with its header; 0 while that is not there. */
static size_t next_size(struct stream *stream)
{
    uint32_t length;

    if (stream->filled - stream->parsed < HEADER)
        return 0;
    memcpy(&length, stream->buffer + stream->parsed + 1, sizeof length);
    length = ntohl(length);
    if (length >= 4 && length < LARGEST_MESSAGE)
        return length + 1;
    break_off(stream, "unexpected message from the server: the connection cannot be used any more");
    return 0;
}

/* Take the next message; false when it is not there whole. */
static bool take_message(struct stream *stream)
{
    size_t size = next_size(stream);

    if (size == 0 || stream->filled - stream->parsed < size)
        return false;
    const char *message = stream->buffer + stream->parsed;
    stream->parsed += size;
    if (*message == 'd' && stream->begun)
        take_row(stream, message + HEADER, size - HEADER);
    else
        take_other(stream, *message, message + HEADER, size - HEADER);
    return true;
}

/* ---- the buffer ---- */

static void set_capacity(struct stream *stream, size_t capacity)
{
    char *buffer = memory_allocate(capacity, 1);
    size_t unread = stream->filled - stream->parsed;

    if (unread > 0)
        memcpy(buffer, stream->buffer + stream->parsed, unread);
    free(stream->buffer);
    stream->buffer = buffer;
    stream->capacity = capacity;
    stream->parsed = 0;
    stream->filled = unread;
}

/* Without rows: the messages to the front, in a buffer that is as large as the next one needs. */
static void clear_block(struct stream *stream)
{
    size_t unread = stream->filled - stream->parsed, next = next_size(stream);
    size_t needed = next > BUFFER ? next : BUFFER;

    stream->packed = stream->rows = 0;
    if (needed != stream->capacity && unread <= needed) {
        set_capacity(stream, needed);
    } else if (stream->parsed > 0) {
        memmove(stream->buffer, stream->buffer + stream->parsed, unread);
        stream->parsed = 0;
        stream->filled = unread;
    }
}

/* Whether the next message, or at least more, fits behind what is there. */
static bool has_room(struct stream *stream)
{
    size_t next = next_size(stream);

    return stream->filled < stream->capacity && stream->parsed + next <= stream->capacity;
}

/* Take what has come into the buffer; false when nothing has. */
static bool receive_now(struct stream *stream)
{
    if (!has_room(stream))
        clear_block(stream);
    if (stream->lost)
        return false;
    ssize_t got = recv(stream->socket, stream->buffer + stream->filled, stream->capacity - stream->filled,
                       MSG_DONTWAIT);
    if (got > 0) {
        stream->filled += (size_t)got;
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        break_off(stream, "the connection to the server was lost");
    return false;
}

static bool receive_soon(struct stream *stream)
{
    if (!receive_now(stream))
        return false;
    postgres_meanwhile(stream->postgres, false);
    return true;
}

static void receive(struct stream *stream)
{
    if (!receive_soon(stream) && !stream->lost)
        postgres_wait(stream->postgres, POLLIN);
}

/* What the server says while data goes to it: notices, or that it has failed. */
static void take_news(struct stream *stream)
{
    while (!stream->lost && receive_now(stream))
        while (take_message(stream))
            continue;
}

static void run_to_end(struct stream *stream)
{
    drop_rows(stream);
    while (!stream->over)
        if (!take_message(stream))
            receive(stream);
}

/* Whole, whatever the server says meanwhile: of a message cut short the next would become a part. */
static void send_message(struct stream *stream, char type, const char *data, size_t size,
                         const atomic_bool *stop)
{
    char header[HEADER] = {type};
    uint32_t length = htonl((uint32_t)(size + 4));
    memcpy(header + 1, &length, sizeof length);

    for (size_t sent = 0; sent < HEADER + size && !stream->lost;) {
        size_t told = sent < HEADER ? sent : HEADER, skip = sent - told;
        struct iovec parts[] = {{.iov_base = header + told, .iov_len = HEADER - told},
                                {.iov_base = (void *)(uintptr_t)(data + skip), .iov_len = size - skip}};
        struct msghdr message = {.msg_iov = told < HEADER ? parts : parts + 1,
                                 .msg_iovlen = told < HEADER ? 2 : 1};
        heed_stop(stream, stop);
        ssize_t now = sendmsg(stream->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (now >= 0) {
            sent += (size_t)now;
        } else if (errno == EAGAIN || errno == EINTR) {
            postgres_wait(stream->postgres, POLLIN | POLLOUT);
            take_news(stream);
        } else {
            stream->over = false; /* the server is gone, and may have said why */
            run_to_end(stream);
        }
    }
}

/* ---- the statement ---- */

/* It has ended: take what came with its end, and bring libpq up to date. */
static bool settle(struct stream *stream, struct error *error)
{
    while (stream->parsed < stream->filled && !stream->lost)
        if (!take_message(stream))
            receive(stream);
    if (!stream->lost)
        tell_libpq(stream);
    if (stream->error.code == ERROR_NONE)
        return true;
    error_move(error, &stream->error);
    error_set(&stream->error, error->code, "the COPY has failed before");
    return false;
}

bool stream_begin(struct postgres *postgres, const char *sql, enum stream_direction direction,
                  struct stream **ret, struct error *error)
{
    PGconn *connection = postgres_connection(postgres);

    if (!postgres_begin_statement(postgres, error))
        return false;
    /* What libpq has begun to read, it must have read: a notification, or that the server is gone. */
    if (PQflush(connection) != 0 || PQconsumeInput(connection) != 1 || PQisBusy(connection) != 0 ||
        postgres_is_lost(postgres))
        return postgres_connection_error(postgres, error);
    AUTO(stream_free) struct stream *stream = memory_allocate(1, sizeof *stream);
    *stream = (struct stream){.postgres = postgres,
                              .socket = PQsocket(connection),
                              .direction = direction,
                              .buffer = memory_allocate(BUFFER, 1),
                              .capacity = BUFFER,
                              .lengths = memory_allocate(MOST_ROWS, sizeof(uint32_t))};
    send_message(stream, 'Q', sql, strlen(sql) + 1, NULL);
    while (!stream->begun && !stream->over)
        if (!take_message(stream))
            receive(stream);
    if (stream->error.code != ERROR_NONE || stream->over) {
        run_to_end(stream);
        return settle(stream, error);
    }
    *ret = take(stream);
    return true;
}

bool stream_read(struct stream *stream, const atomic_bool *stop, struct copy_block *ret, struct error *error)
{
    clear_block(stream);
    while (!stream->over && stream->rows < MOST_ROWS) {
        heed_stop(stream, stop);
        if (take_message(stream))
            continue;
        bool waits = stream->packed < ENOUGH; /* else the caller works while the server makes more */
        if (stream->rows > 0 && !has_room(stream))
            break;
        if (waits)
            receive(stream);
        else if (!receive_soon(stream))
            break;
    }
    if (stream->over && !settle(stream, error))
        return false;
    *ret = (struct copy_block){
        .data = stream->buffer, .size = stream->packed, .lengths = stream->lengths, .rows = stream->rows};
    return true;
}

/* Nothing of it must stay: the server is told so, even where it has failed already. */
static bool fail(struct stream *stream, struct error *error)
{
    static const char reason[] = "stopped";

    if (!stream->over)
        send_message(stream, 'f', reason, sizeof reason, NULL);
    run_to_end(stream);
    refuse(stream, "the server ended the COPY before its data did");
    return settle(stream, error);
}

static bool is_going_on(struct stream *stream, const atomic_bool *stop)
{
    take_news(stream);
    heed_stop(stream, stop);
    return !stream->over && stream->error.code == ERROR_NONE && !postgres_was_cancelled(stream->postgres);
}

bool stream_write(struct stream *stream, const char *data, size_t size, const atomic_bool *stop,
                  struct error *error)
{
    bool good;

    while ((good = is_going_on(stream, stop)) && size > 0) {
        size_t piece = size < PIECE ? size : PIECE;
        send_message(stream, 'd', data, piece, stop);
        data += piece;
        size -= piece;
    }
    return good || fail(stream, error);
}

bool stream_end(struct stream *stream, struct error *error)
{
    if (!is_going_on(stream, NULL))
        return fail(stream, error);
    send_message(stream, 'c', "", 0, NULL);
    run_to_end(stream);
    return settle(stream, error);
}

int64_t stream_rows(const struct stream *stream)
{
    return stream->tag_rows;
}

void stream_free(struct stream *stream)
{
    AUTO(error_clear) struct error ignored = {0};

    if (stream == NULL)
        return;
    if (!stream->over && stream->direction == STREAM_OUT) {
        drop_rows(stream);
        for (; !stream->over; receive(stream)) {
            cancel(stream);
            while (!stream->over && take_message(stream))
                continue;
        }
        (void)!settle(stream, &ignored);
    } else if (!stream->over) {
        (void)!fail(stream, &ignored);
    }
    error_clear(&stream->error);
    free(stream->buffer);
    free(stream->lengths);
    free(stream);
}
