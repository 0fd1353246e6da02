/* SPDX-License-Identifier: PostgreSQL */
#include "common/digest.h"
#include "common/memory.h"
#include <openssl/evp.h>
#include <stdio.h>

struct digest {
    EVP_MD_CTX *context;
};

/* SHA-256 fails only where OpenSSL is broken or out of memory; no caller could do better than to stop. */
static void must(int succeeded)
{
    if (succeeded)
        return;
    fputs("pgmigrate: the OpenSSL library cannot compute SHA-256\n", stderr);
    exit(1);
}

static void to_hex(const unsigned char *bytes, size_t size, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_hex[2 * size] = '\0';
}

struct digest *digest_new(void)
{
    struct digest *digest = memory_allocate(1, sizeof *digest);

    digest->context = EVP_MD_CTX_new();
    must(digest->context != NULL && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
    return digest;
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
    must(EVP_DigestUpdate(digest->context, data, size));
}

static void finish(struct digest *digest, char *ret_hex)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    must(EVP_DigestFinal_ex(digest->context, bytes, &size));
    to_hex(bytes, size, ret_hex);
}

void digest_finish(struct digest *digest, char ret_hex[DIGEST_HEX_SIZE])
{
    finish(digest, ret_hex);
    digest_free(digest);
}

void digest_of(struct digest *digest, const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE])
{
    must(EVP_DigestInit_ex(digest->context, NULL, NULL));
    digest_add(digest, data, size);
    finish(digest, ret_hex);
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_sha256(const void *data, size_t size, char ret_hex[DIGEST_HEX_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    must(EVP_Digest(data, size, bytes, &length, EVP_sha256(), NULL));
    to_hex(bytes, length, ret_hex);
}
