/* SPDX-License-Identifier: PostgreSQL */
/* How the text that was applied and the file as it is now differ, for people. */
#ifndef MIGRATOR_DRIFT_H
#define MIGRATOR_DRIFT_H

struct drift_text {
    const char *label; /* "what ran, 2026-11-23 03:21:09 UTC" */
    const char *text;
};

/*
 * A unified diff, made by diff(1); where that is not installed, the first line that differs. Line ends count
 * as equal whatever they are. The caller frees the result; it is never NULL.
 */
char *drift_show(struct drift_text was, struct drift_text now);

/* The same without diff(1): "line 3 was …, now …". */
char *drift_first_difference(struct drift_text was, struct drift_text now);

#endif
