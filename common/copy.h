/* SPDX-License-Identifier: PostgreSQL */
/*
 * COPY as a byte stream, by the simple protocol: libpq's pipeline does not carry it.
 *
 * Coming out, rows are read from the socket in large pieces and handed on in blocks of whole rows: libpq's
 * PQgetCopyData allocates and copies every row, which costs a backup a tenth of its time. libpq is not told
 * of the statement at all: the query message and its answers ("Frontend/Backend Protocol", Message Formats,
 * in PostgreSQL's manual) are written and read here, between two statements of libpq's, on the socket of an
 * unencrypted connection. On an encrypted one (TLS, GSS) PQgetCopyData does it.
 */
#ifndef COMMON_COPY_H
#define COMMON_COPY_H

#include "common/postgres.h"
#include <stdatomic.h>

/* One COPY … FROM STDIN and the bytes that follow it in the file, without the line "\.". */
MUST_CHECK bool postgres_copy_in(struct postgres *postgres, const char *sql, const char *data, size_t size,
                                 struct rows **ret, struct error *error);

/* ---- out, block by block ---- */

struct copy_out;

/* Whole rows as the server sent them: in text format each ends with a newline. Good until the next call. */
struct copy_block {
    const char *data;
    size_t size;
    const uint32_t *lengths; /* of each row, the newline included */
    size_t rows;             /* 0: the COPY has ended */
};

/* sql is one COPY … TO STDOUT. The connection must be idle or in a transaction, without a pipeline. */
MUST_CHECK bool copy_out_begin(struct postgres *postgres, const char *sql, struct copy_out **ret,
                               struct error *error);
/*
 * The next block, at most 1 MiB or one larger row. stop (may be NULL) is looked at while waiting: once it is
 * set, the statement is cancelled and the call fails with ERROR_FAILED "stopped". After a failure of the
 * statement the transaction is in error; after a failure of the protocol the connection is lost.
 */
MUST_CHECK bool copy_out_next(struct copy_out *copy, const atomic_bool *stop, struct copy_block *ret,
                              struct error *error);
/* After the end: the number of rows of the server's tag "COPY n". */
int64_t copy_out_rows(const struct copy_out *copy);
/* An unfinished COPY is cancelled and its rest thrown away. */
void copy_out_free(struct copy_out *copy);
CLEANUP_POINTER(struct copy_out *, copy_out_free)

/* ---- in, piece by piece ---- */

struct copy_in;

/* sql is one COPY … FROM STDIN. */
MUST_CHECK bool copy_in_begin(struct postgres *postgres, const char *sql, struct copy_in **ret,
                              struct error *error);
/* The server's refusal is reported by this or any later call, on an encrypted connection by copy_in_end; stop
 * as above. */
MUST_CHECK bool copy_in_add(struct copy_in *copy, const char *data, size_t size, const atomic_bool *stop,
                            struct error *error);
MUST_CHECK bool copy_in_end(struct copy_in *copy, int64_t *ret_rows, struct error *error);
/* One that was not ended is failed, so that the server keeps nothing of it. */
void copy_in_free(struct copy_in *copy);
CLEANUP_POINTER(struct copy_in *, copy_in_free)

#endif
