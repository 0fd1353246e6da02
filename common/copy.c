/* SPDX-License-Identifier: PostgreSQL */
#include "common/copy.h"

#include "common/postgres_wait.h"
#include <libpq-fe.h>

#define COPY_CHUNK ((size_t)1 << 20)

static bool put_copy_data(struct postgres *postgres, const char *data, size_t size)
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
        while (PQflush(postgres_connection(postgres)) == 1)
            if (!postgres_pump(postgres))
                return false;
        if (postgres_was_cancelled(postgres) ||
            PQtransactionStatus(postgres_connection(postgres)) != PQTRANS_ACTIVE)
            return true; /* the server has already refused; its answer follows */
    }
    return true;
}

/* Data that a signal cut short must not count as all there are, even if the cancel request got lost. */
static bool end_copy(struct postgres *postgres)
{
    const char *problem = postgres_was_cancelled(postgres) ? "interrupted" : NULL;
    int ended = PQputCopyEnd(postgres_connection(postgres), problem);
    while (ended == 0 && postgres_pump(postgres))
        ended = PQputCopyEnd(postgres_connection(postgres), problem);
    return ended == 1;
}

bool postgres_copy_in(struct postgres *postgres, const char *sql, const char *data, size_t size,
                      struct rows **ret, struct error *error)
{
    if (!postgres_begin_statement(postgres, error))
        return false;
    if (PQsendQuery(postgres_connection(postgres), sql) != 1)
        return postgres_connection_error(postgres, error);
    PGresult *result = postgres_next_result(postgres);
    bool ready = PQresultStatus(result) == PGRES_COPY_IN;
    bool good =
        ready || PQresultStatus(result) == PGRES_COMMAND_OK || postgres_result_error(postgres, result, error);
    PQclear(result);
    if (ready && (!put_copy_data(postgres, data, size) || !end_copy(postgres)))
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
