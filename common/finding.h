/* SPDX-License-Identifier: PostgreSQL */
/* What a check found in the user's files: rule, severity, place, message, what to do. */
#ifndef COMMON_FINDING_H
#define COMMON_FINDING_H

#include "common/memory.h"
#include <stdbool.h>
#include <stddef.h>

enum severity { SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_ERROR };

struct finding {
    const char *rule; /* a constant such as "duplicate-version" */
    enum severity severity;
    char *file;
    size_t line, column; /* 1-based; 0 where the finding is about the whole file */
    char *message;
    char *hint;
};

struct findings {
    struct finding *items;
    size_t count;
};

/* Adds and returns a finding; the pointer is good until the next addition. file may be NULL. */
struct finding *finding_add(struct findings *findings, const char *rule, enum severity severity,
                            const char *file, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Set place and hint (both optional). */
void finding_at(struct finding *finding, size_t line, size_t column);
void finding_hint(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *severity_name(enum severity severity); /* "notice", "warning", "error" */
size_t findings_count(const struct findings *findings, enum severity at_least);
void findings_clear(struct findings *findings);
CLEANUP_VALUE(struct findings, findings_clear)

#endif
