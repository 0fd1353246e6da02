/* SPDX-License-Identifier: PostgreSQL */
/* COPY as a byte stream, by the simple protocol: libpq's pipeline does not carry it. */
#ifndef COMMON_COPY_H
#define COMMON_COPY_H

#include "common/postgres.h"

/* One COPY … FROM STDIN and the bytes that follow it in the file, without the line "\.". */
MUST_CHECK bool postgres_copy_in(struct postgres *postgres, const char *sql, const char *data, size_t size,
                                 struct rows **ret, struct error *error);

#endif
