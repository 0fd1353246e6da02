/* SPDX-License-Identifier: PostgreSQL */
/* Text for people: errors like a compiler's, tables, colours. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/command.h"
#include "common/finding.h"
#include <stdio.h>

enum paint { PAINT_NONE, PAINT_RED, PAINT_YELLOW, PAINT_GREEN, PAINT_BLUE, PAINT_BOLD, PAINT_DIM };

/* Print text in a colour, or plain where color is false. */
void report_paint(FILE *out, bool color, enum paint paint, const char *text);

/* "path:line:column: error: message (42703)", detail, hint, and the line of the file with a caret. */
void report_error(FILE *out, bool color, const struct error *error);
/* The same for a finding. */
void report_finding(FILE *out, bool color, const struct finding *finding);
void report_findings(FILE *out, bool color, const struct findings *findings);
/* "pgmigrate: warning: …" on stderr, unless quiet. */
void report_warning(const struct invocation *invocation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The line that is drawn over on a terminal: of the text as much as fits, and nothing in it moves the cursor.
 * "" takes it away. */
void report_live(const char *text);

/* The path as it is shown: relative to the current folder where that is shorter. The caller frees it. */
char *report_path(const char *path);

/* A time of the history for people: "2026-11-23 03:21:09", UTC; "" for NULL. */
char *report_time(const char *rfc3339);

/* ---- tables ---- */

#define REPORT_COLUMNS 8

struct report_cell {
    char *text;
    enum paint paint;
};
struct report_table {
    const char *headings[REPORT_COLUMNS]; /* the first NULL ends them */
    bool right[REPORT_COLUMNS];           /* numbers */
    struct report_cell *cells;            /* row by row */
    size_t count;
};
/* Add the next cell; text is taken over, NULL is empty. */
void report_cell(struct report_table *table, enum paint paint, char *text);
/* Aligned, a heading above, no blanks at the ends of lines. */
void report_table_print(FILE *out, bool color, const struct report_table *table);
void report_table_clear(struct report_table *table);
CLEANUP_VALUE(struct report_table, report_table_clear)

#endif
