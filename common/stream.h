/* SPDX-License-Identifier: PostgreSQL */
/*
 * One COPY spoken on the socket itself, between two statements of libpq's: the inside of common/copy, which
 * is its only user. Messages are those of "Frontend/Backend Protocol", Message Formats, in PostgreSQL's
 * manual.
 *
 * libpq learns nothing of the statement but what it needs afterwards: that the transaction is now in error
 * (it is made to ask), or that the connection is lost (its socket is shut down and it is made to look).
 */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

#include "common/copy.h"

struct stream;

enum stream_direction {
    STREAM_OUT = 'H',
    STREAM_IN = 'G'
}; /* the server's CopyOutResponse, CopyInResponse */

/* Whether the connection's socket carries the protocol as it is: not under TLS or GSS. */
bool stream_is_possible(const struct postgres *postgres);

MUST_CHECK bool stream_begin(struct postgres *postgres, const char *sql, enum stream_direction direction,
                             struct stream **ret, struct error *error);
/* As copy_out_next. */
MUST_CHECK bool stream_read(struct stream *stream, const atomic_bool *stop, struct copy_block *ret,
                            struct error *error);
/* As copy_in_add and copy_in_end. */
MUST_CHECK bool stream_write(struct stream *stream, const char *data, size_t size, const atomic_bool *stop,
                             struct error *error);
MUST_CHECK bool stream_end(struct stream *stream, struct error *error);
int64_t stream_rows(const struct stream *stream); /* of the command tag */
/* What is unfinished is cancelled or failed. */
void stream_free(struct stream *stream);
CLEANUP_POINTER(struct stream *, stream_free)

#endif
