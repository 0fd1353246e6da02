/* SPDX-License-Identifier: PostgreSQL */
/*
 * Memory that cannot fail and frees itself.
 *
 * Allocation dies on exhaustion (message on stderr, exit 1), so no caller checks for NULL. Everything a
 * function owns is declared with a cleanup attribute and is released on every way out of the function:
 *
 *     OWNED char *name = text_format("%s_rollback", stem);          plain heap memory
 *     AUTO(folder_free) struct folder *folder = NULL;               an object with a destructor
 *     return take(name);                                            ownership moves out
 *
 * A type's header makes AUTO work for it with CLEANUP_POINTER or CLEANUP_VALUE. Destructors accept NULL and
 * half-built objects.
 */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

/* Zeroed memory for count elements of size bytes. Never NULL; free with free(). */
void *memory_allocate(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Make room for one more element in an array that holds count of them: the array's capacity is always the
 * power of two at or above count, so nothing but the count has to be stored. Returns the array, moved or not.
 *
 *     list->items = memory_grow(list->items, list->count, sizeof *list->items);
 *     list->items[list->count++] = item;
 */
void *memory_grow(void *items, size_t count, size_t size)
    __attribute__((warn_unused_result, returns_nonnull));

static inline void memory_free_cleanup(void *pointer)
{
    free(*(void **)pointer);
}

#define OWNED          __attribute__((cleanup(memory_free_cleanup)))
#define AUTO(function) __attribute__((cleanup(function##_cleanup)))

/* Let AUTO(function) work on variables of a pointer type, or on values whose destructor takes a pointer. */
#define CLEANUP_POINTER(type, function)                                                                      \
    static inline void function##_cleanup(type *variable)                                                    \
    {                                                                                                        \
        function(*variable);                                                                                 \
    }
#define CLEANUP_VALUE(type, function)                                                                        \
    static inline void function##_cleanup(type *variable)                                                    \
    {                                                                                                        \
        function(variable);                                                                                  \
    }

/* Hand a pointer's target out of a variable with a cleanup attribute. */
#define take(pointer)                                                                                        \
    __extension__({                                                                                          \
        __typeof__(pointer) taken_ = (pointer);                                                              \
        (pointer) = NULL;                                                                                    \
        taken_;                                                                                              \
    })

#endif
