/* SPDX-License-Identifier: PostgreSQL */
#include "common/memory.h"
#include <stdint.h>
#include <stdio.h>

static void __attribute__((noreturn)) die(void)
{
    fputs("pgmigrate: out of memory\n", stderr);
    exit(1);
}

void *memory_allocate(size_t count, size_t size)
{
    /* At least one byte: calloc may answer a request for none with NULL. */
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

    if (memory == NULL)
        die();
    return memory;
}

void *memory_grow(void *items, size_t count, size_t size)
{
    if (items != NULL && (count & (count - 1)) != 0)
        return items; /* not a power of two: there is room */

    size_t capacity = count == 0 ? 1 : count * 2;
    size_t bytes;
    if (count > SIZE_MAX / 2 || __builtin_mul_overflow(capacity, size, &bytes))
        die();
    void *grown = realloc(items, bytes == 0 ? 1 : bytes);
    if (grown == NULL)
        die();
    return grown;
}
