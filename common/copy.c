/* SPDX-License-Identifier: PostgreSQL */
#include "common/copy.h"

#include "common/interrupt.h"
#include "common/postgres_wait.h"
#include "common/stream.h"
#include <libpq-fe.h>
#include <string.h>

#define COPY_CHUNK      ((size_t)1 << 20)
#define MOST_ROWS       ((size_t)200000) /* of a block */
#define CANCEL_AGAIN_MS 500

static bool is_set(const atomic_bool *stop)
{
    return stop != NULL && atomic_load(stop);
}

/* ---- in, by libpq ---- */

static bool put_copy_data(struct postgres *postgres, const char *data, size_t size, const atomic_bool *stop)
{
    while (size > 0) {
        size_t part = size < COPY_CHUNK ? size : COPY_CHUNK;
        int sent = PQputCopyData(postgres_connection(postgres), data, (int)part);
        if (sent < 0 || (sent == 0 && !postgres_pump(postgres)))
            return false;
        if (sent == 0)
            continue;
        data += part;
        size -= part;
        while (PQflush(postgres_connection(postgres)) == 1 && !is_set(stop))
            if (!postgres_pump(postgres))
                return false;
        if (is_set(stop) || postgres_was_cancelled(postgres) ||
            PQtransactionStatus(postgres_connection(postgres)) != PQTRANS_ACTIVE)
            return true; /* the server has already refused; its answer follows */
    }
    return true;
}

/* Data that a signal cut short must not count as all there are, even if the cancel request got lost. */
static bool end_copy(struct postgres *postgres, const char *problem)
{
    if (postgres_was_cancelled(postgres))
        problem = "interrupted";
    int ended = PQputCopyEnd(postgres_connection(postgres), problem);
    while (ended == 0 && postgres_pump(postgres))
        ended = PQputCopyEnd(postgres_connection(postgres), problem);
    return ended == 1;
}

/* Send a statement; the status of its first result. */
static bool begin(struct postgres *postgres, const char *sql, ExecStatusType *ret_status, struct error *error)
{
    if (!postgres_begin_statement(postgres, error))
        return false;
    if (PQsendQuery(postgres_connection(postgres), sql) != 1)
        return postgres_connection_error(postgres, error);
    PGresult *result = postgres_next_result(postgres);
    *ret_status = PQresultStatus(result);
    bool failed = *ret_status == PGRES_FATAL_ERROR || *ret_status == PGRES_BAD_RESPONSE || result == NULL;
    if (failed)
        postgres_result_error(postgres, result, error);
    PQclear(result);
    return !failed;
}

/* So that nothing of a statement is left in the connection; the error is there already. */
static bool finish_failed(struct postgres *postgres)
{
    AUTO(error_clear) struct error ignored = {0};
    (void)!postgres_collect(postgres, KEEP_TAG, NULL, &ignored);
    return false;
}

bool postgres_copy_in(struct postgres *postgres, const char *sql, const char *data, size_t size,
                      struct rows **ret, struct error *error)
{
    ExecStatusType status = PGRES_EMPTY_QUERY;
    bool good = begin(postgres, sql, &status, error);
    bool ready = good && status == PGRES_COPY_IN;
    if (ready && (!put_copy_data(postgres, data, size, NULL) || !end_copy(postgres, NULL)))
        good = postgres_connection_error(postgres, error);
    struct error later = {0};
    bool collected = postgres_collect(postgres, KEEP_ROWS, ret, &later);
    if (good && !collected)
        error_move(error, &later);
    error_clear(&later);
    return good && collected;
}

/* A script may hold COPY … TO STDOUT, whose rows nobody wants, or a COPY … FROM STDIN that nobody feeds. */
void postgres_leave_copy(struct postgres *postgres, int status)
{
    char *row = NULL;
    if (status == PGRES_COPY_IN)
        PQputCopyEnd(postgres_connection(postgres), "no data follow this COPY in the file");
    while (status == PGRES_COPY_OUT && PQgetCopyData(postgres_connection(postgres), &row, 0) > 0)
        PQfreemem(row);
}

struct copy_in {
    struct postgres *postgres;
    struct stream *stream; /* NULL: libpq does it */
    bool over;
};

bool copy_in_begin(struct postgres *postgres, const char *sql, struct copy_in **ret, struct error *error)
{
    AUTO(stream_free) struct stream *stream = NULL;
    ExecStatusType status = PGRES_COPY_IN;

    if (stream_is_possible(postgres)) {
        if (!stream_begin(postgres, sql, STREAM_IN, &stream, error))
            return false;
    } else if (!begin(postgres, sql, &status, error)) {
        return finish_failed(postgres);
    } else if (status != PGRES_COPY_IN) {
        postgres_leave_copy(postgres, (int)status);
        finish_failed(postgres);
        return error_set(error, ERROR_FAILED, "the statement is not a COPY from the client");
    }
    struct copy_in *copy = memory_allocate(1, sizeof *copy);
    *copy = (struct copy_in){.postgres = postgres, .stream = take(stream)};
    *ret = copy;
    return true;
}

/* The server's answer to all of it; without one that refuses, problem is the error. */
static bool end_in(struct copy_in *copy, const char *problem, struct rows **ret, struct error *error)
{
    bool ended = end_copy(copy->postgres, problem);

    copy->over = true;
    if (!postgres_collect(copy->postgres, KEEP_TAG, ret, error))
        return false;
    if (!ended)
        return postgres_connection_error(copy->postgres, error);
    return problem == NULL || error_set(error, ERROR_FAILED, "%s", problem);
}

bool copy_in_add(struct copy_in *copy, const char *data, size_t size, const atomic_bool *stop,
                 struct error *error)
{
    if (copy->stream != NULL)
        return stream_write(copy->stream, data, size, stop, error);
    if (copy->over)
        return error_set(error, ERROR_FAILED, "the COPY has failed before");
    bool sent = put_copy_data(copy->postgres, data, size, stop);
    if (sent && !is_set(stop) && !postgres_was_cancelled(copy->postgres))
        return true;
    if (is_set(stop)) /* where it waits for a lock, it does not read that it is to stop */
        postgres_cancel(copy->postgres);
    end_in(copy, "stopped", NULL, error);
    if (is_set(stop) && error->code == ERROR_FAILED)
        error_set(error, ERROR_FAILED, "stopped");
    return false;
}

bool copy_in_end(struct copy_in *copy, int64_t *ret_rows, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (copy->stream != NULL) {
        if (!stream_end(copy->stream, error))
            return false;
        *ret_rows = stream_rows(copy->stream);
        return true;
    }
    if (copy->over)
        return error_set(error, ERROR_FAILED, "the COPY has failed before");
    if (!end_in(copy, NULL, &rows, error))
        return false;
    *ret_rows = rows_affected(rows);
    return true;
}

void copy_in_free(struct copy_in *copy)
{
    AUTO(error_clear) struct error ignored = {0};

    if (copy == NULL)
        return;
    if (copy->stream == NULL && !copy->over)
        end_in(copy, "stopped", NULL, &ignored);
    stream_free(copy->stream);
    free(copy);
}

/* ---- out ---- */

struct copy_out {
    struct postgres *postgres;
    struct stream *stream; /* NULL: libpq does it, and the rest is ours */
    char *buffer;
    size_t size, capacity;
    uint32_t *lengths;
    size_t rows;
    bool over, failed;
    int64_t tag_rows;
};

bool copy_out_begin(struct postgres *postgres, const char *sql, struct copy_out **ret, struct error *error)
{
    AUTO(stream_free) struct stream *stream = NULL;
    ExecStatusType status = PGRES_COPY_OUT;

    if (stream_is_possible(postgres)) {
        if (!stream_begin(postgres, sql, STREAM_OUT, &stream, error))
            return false;
    } else if (!begin(postgres, sql, &status, error)) {
        return finish_failed(postgres);
    } else if (status != PGRES_COPY_OUT) {
        postgres_leave_copy(postgres, (int)status);
        finish_failed(postgres);
        return error_set(error, ERROR_FAILED, "the statement is not a COPY to the client");
    }
    struct copy_out *copy = memory_allocate(1, sizeof *copy);
    *copy = (struct copy_out){.postgres = postgres, .stream = take(stream)};
    if (copy->stream == NULL)
        copy->lengths = memory_allocate(MOST_ROWS, sizeof *copy->lengths);
    *ret = copy;
    return true;
}

/* Room for one more row; a buffer that a large one needed is given back with the next block. */
static void make_room(struct copy_out *copy, size_t size)
{
    size_t needed = copy->size + size < COPY_CHUNK ? COPY_CHUNK : copy->size + size;

    if (needed <= copy->capacity && (copy->size > 0 || copy->capacity <= 2 * COPY_CHUNK))
        return;
    char *buffer = memory_allocate(needed, 1);
    if (copy->size > 0)
        memcpy(buffer, copy->buffer, copy->size);
    free(copy->buffer);
    copy->buffer = buffer;
    copy->capacity = needed;
}

static void add_row(struct copy_out *copy, const char *row, size_t size)
{
    make_room(copy, size);
    memcpy(copy->buffer + copy->size, row, size);
    copy->lengths[copy->rows++] = (uint32_t)size;
    copy->size += size;
}

static bool end_out(struct copy_out *copy, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    copy->over = true;
    if (!postgres_collect(copy->postgres, KEEP_TAG, &rows, error))
        return false;
    copy->tag_rows = rows == NULL ? 0 : rows_affected(rows);
    return true;
}

/* Throw the rest away: the server is asked to stop, until it does. */
static void cancel_out(struct copy_out *copy, struct error *error)
{
    char *row = NULL;
    int64_t asked = 0;

    for (int got = 0; got >= 0;) {
        if (clock_ms() - asked >= CANCEL_AGAIN_MS) {
            postgres_cancel(copy->postgres);
            asked = clock_ms();
        }
        got = PQgetCopyData(postgres_connection(copy->postgres), &row, 1);
        if (got > 0)
            PQfreemem(row);
        else if (got == 0 && !postgres_pump(copy->postgres))
            break;
    }
    (void)!end_out(copy, error);
}

static bool next_by_libpq(struct copy_out *copy, const atomic_bool *stop, struct error *error)
{
    copy->size = copy->rows = 0;
    while (!copy->over && copy->size < COPY_CHUNK && copy->rows < MOST_ROWS) {
        char *row = NULL;
        int got = PQgetCopyData(postgres_connection(copy->postgres), &row, 1);
        if (got > 0) {
            add_row(copy, row, (size_t)got);
            PQfreemem(row);
        } else if (got < 0 || !postgres_pump(copy->postgres)) {
            return end_out(copy, error);
        }
        if (is_set(stop)) {
            cancel_out(copy, error);
            return error_set(error, ERROR_FAILED, "stopped");
        }
    }
    return true;
}

bool copy_out_next(struct copy_out *copy, const atomic_bool *stop, struct copy_block *ret,
                   struct error *error)
{
    if (copy->stream != NULL)
        return stream_read(copy->stream, stop, ret, error);
    if (copy->failed)
        return error_set(error, ERROR_FAILED, "the COPY has failed before");
    copy->failed = !next_by_libpq(copy, stop, error);
    if (copy->failed)
        return false;
    *ret = (struct copy_block){
        .data = copy->buffer, .size = copy->size, .lengths = copy->lengths, .rows = copy->rows};
    return true;
}

int64_t copy_out_rows(const struct copy_out *copy)
{
    return copy->stream != NULL ? stream_rows(copy->stream) : copy->tag_rows;
}

void copy_out_free(struct copy_out *copy)
{
    AUTO(error_clear) struct error ignored = {0};

    if (copy == NULL)
        return;
    if (copy->stream == NULL && !copy->over)
        cancel_out(copy, &ignored);
    stream_free(copy->stream);
    free(copy->buffer);
    free(copy->lengths);
    free(copy);
}
