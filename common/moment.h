/* SPDX-License-Identifier: PostgreSQL */
/* Moments: microseconds since 1970, and RFC 3339 text ("2026-11-23T03:21:09.123456Z"). Always UTC. */
#ifndef COMMON_MOMENT_H
#define COMMON_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

int64_t moment_now(void);
/* From 1970 to 9999; a blank may stand for the "T", and an offset ("+02:00") for the "Z". Fractions beyond
 * microseconds are dropped. False for anything else. */
bool moment_parse(const char *text, int64_t *ret_us);
/* With microseconds; the caller frees it. */
char *moment_text(int64_t us);

#endif
