/* SPDX-License-Identifier: PostgreSQL */
/* SHA-256 through OpenSSL's EVP interface. */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include "common/memory.h"
#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* 64 hexadecimal digits and a NUL */

struct digest; /* a running SHA-256 */

struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *data, size_t size);
/* Write the lower-case hexadecimal digest and free the object. */
void digest_finish(struct digest *digest, char ret_hex[DIGEST_HEX_SIZE]);

/* Free one that is not finished. */
void digest_free(struct digest *digest);
CLEANUP_POINTER(struct digest *, digest_free)

/* Of one text out of many: the same object serves for the next, and OpenSSL looks SHA-256 up only once. */
void digest_of(struct digest *digest, const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE]);

/* All in one. */
void digest_sha256(const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE]);

#endif
