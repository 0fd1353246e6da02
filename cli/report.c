/* SPDX-License-Identifier: PostgreSQL */
#include "cli/report.h"

#include "common/file.h"
#include <sys/ioctl.h>
#include <sys/stat.h>

void report_paint(FILE *out, bool color, enum paint paint, const char *text)
{
    static const char *const codes[] = {
        [PAINT_NONE] = "",   [PAINT_RED] = "31", [PAINT_YELLOW] = "33", [PAINT_GREEN] = "32",
        [PAINT_BLUE] = "36", [PAINT_BOLD] = "1", [PAINT_DIM] = "2"};

    if (color && paint != PAINT_NONE && *text)
        fprintf(out, "\033[%sm%s\033[0m", codes[paint], text);
    else
        fputs(text, out);
}

void report_live(const char *text)
{
    struct winsize size;
    size_t width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
    OWNED char *clean = text_copy(text);

    for (char *at = clean; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    clean[text_offset_of_character(clean, strlen(clean), width)] = '\0';
    fprintf(stderr, "\r\033[K%s", clean);
}

/* The length of the longest folder two absolute paths share, without its slash. */
static size_t shared_folder(const char *a, const char *b)
{
    size_t shared = 0, i = 0;

    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            shared = i;
    return (!a[i] || a[i] == '/') && (!b[i] || b[i] == '/') ? i : shared;
}

char *report_path(const char *path)
{
    OWNED char *folder = getcwd(NULL, 0);
    OWNED char *relative = NULL;
    size_t size, shared = folder && path[0] == '/' ? shared_folder(folder, path) : 0;
    FILE *out;

    if (!shared)
        return text_copy(path);
    out = open_memstream(&relative, &size);
    for (const char *at = folder + shared; *at; at++)
        fputs(*at == '/' ? "../" : "", out);
    fputs(path[shared] == '/' ? path + shared + 1 : path + shared, out);
    fclose(out);
    return *relative && strlen(relative) < strlen(path) ? take(relative) : text_copy(path);
}

char *report_time(const char *rfc3339)
{
    char *text = text_copy_part(rfc3339 ? rfc3339 : "", rfc3339 ? strcspn(rfc3339, ".Z+") : 0);

    if (strlen(text) > 10)
        text[10] = ' ';
    return text;
}

/* ---- errors ---- */

#define SOURCE_LIMIT (64 << 20) /* larger files are not read to show one line */

static void print_caret(FILE *out, bool color, const char *line, size_t length, size_t column)
{
    size_t at = 0;

    if (!column)
        return;
    fputs("    ", out);
    for (size_t character = 1; character < column && at < length; character++) {
        fputc(line[at] == '\t' ? '\t' : ' ', out);
        do
            at++;
        while (at < length && ((unsigned char)line[at] & 0xC0) == 0x80);
    }
    report_paint(out, color, PAINT_GREEN, "^");
    fputc('\n', out);
}

/* The line a message is about, with a caret under its column. Nothing when it cannot be shown. */
static void print_source(FILE *out, bool color, const char *file, size_t line, size_t column)
{
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *text = NULL;
    struct stat status;
    const char *at;
    size_t size, length;

    if (!file || !line || stat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > SOURCE_LIMIT || !file_read(file, &text, &size, &ignored))
        return;
    at = text_starts_with(text, "\xEF\xBB\xBF") ? text + 3 : text;
    for (size_t i = 1; at && i < line; i++) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return;
    length = strcspn(at, "\r\n");
    if (length > 200 || !text_is_utf8(at, length, NULL))
        return;
    fprintf(out, "    %.*s\n", (int)length, at);
    print_caret(out, color, at, length, column);
}

static void print_place(FILE *out, bool color, const char *file, size_t line, size_t column)
{
    OWNED char *path = file ? report_path(file) : text_copy("pgmigrate");
    OWNED char *place = column && line ? text_format("%s:%zu:%zu:", path, line, column)
                        : line         ? text_format("%s:%zu:", path, line)
                                       : text_format("%s:", path);

    report_paint(out, color, PAINT_BOLD, place);
    fputc(' ', out);
}

/* "detail: …", further lines indented. */
static void print_more(FILE *out, bool color, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    report_paint(out, color, PAINT_BLUE, label);
    fputc(' ', out);
    while (*text) {
        size_t length = strcspn(text, "\n");

        fprintf(out, "%.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
        if (*text && *text != '\n')
            fputs("    ", out);
    }
}

void report_error(FILE *out, bool color, const struct error *error)
{
    print_place(out, color, error->file, error->line, error->column);
    report_paint(out, color, PAINT_RED, "error:");
    fprintf(out, " %s", error->message ? error->message : "unknown");
    if (error->sqlstate[0])
        fprintf(out, " (%s)", error->sqlstate);
    fputc('\n', out);
    print_source(out, color, error->file, error->line, error->column);
    print_more(out, color, "detail:", error->detail);
    print_more(out, color, "hint:", error->hint);
}

void report_finding(FILE *out, bool color, const struct finding *finding)
{
    static const enum paint paints[] = {
        [SEVERITY_NOTICE] = PAINT_BLUE, [SEVERITY_WARNING] = PAINT_YELLOW, [SEVERITY_ERROR] = PAINT_RED};
    OWNED char *severity = text_format("%s:", severity_name(finding->severity));

    print_place(out, color, finding->file, finding->line, finding->column);
    report_paint(out, color, paints[finding->severity], severity);
    fprintf(out, " %s ", finding->message);
    OWNED char *rule = text_format("[%s]", finding->rule);
    report_paint(out, color, PAINT_DIM, rule);
    fputc('\n', out);
    print_source(out, color, finding->file, finding->line, finding->column);
    print_more(out, color, "hint:", finding->hint);
}

void report_findings(FILE *out, bool color, const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        report_finding(out, color, &findings->items[i]);
}

void report_warning(const struct invocation *invocation, const char *format, ...)
{
    OWNED char *text = NULL;
    va_list arguments;

    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    va_start(arguments, format);
    text = text_format_list(format, arguments);
    va_end(arguments);
    report_paint(stderr, invocation->color, PAINT_BOLD, "pgmigrate:");
    fputc(' ', stderr);
    report_paint(stderr, invocation->color, PAINT_YELLOW, "warning:");
    fprintf(stderr, " %s\n", text);
}

/* ---- tables ---- */

void report_cell(struct report_table *table, enum paint paint, char *text)
{
    table->cells = memory_grow(table->cells, table->count, sizeof *table->cells);
    table->cells[table->count++] = (struct report_cell){text ? text : text_copy(""), paint};
}

static size_t table_columns(const struct report_table *table)
{
    size_t columns = 0;

    while (columns < REPORT_COLUMNS && table->headings[columns])
        columns++;
    return columns;
}

static void print_cells(FILE *out, bool color, const struct report_table *table, const size_t widths[],
                        const struct report_cell cells[])
{
    size_t columns = table_columns(table);

    size_t pending = 0; /* blanks not yet printed, so that no line ends with one */

    for (size_t i = 0; i < columns; i++) {
        size_t gap = widths[i] - text_width(cells[i].text);

        if (table->right[i])
            pending += gap;
        if (*cells[i].text) {
            fprintf(out, "%*s", (int)pending, "");
            report_paint(out, color, cells[i].paint, cells[i].text);
            pending = 0;
        }
        pending += (table->right[i] ? 0 : gap) + 2;
    }
    fputc('\n', out);
}

void report_table_print(FILE *out, bool color, const struct report_table *table)
{
    size_t columns = table_columns(table);
    size_t widths[REPORT_COLUMNS] = {0};
    struct report_cell heading[REPORT_COLUMNS] = {{0}};

    for (size_t i = 0; i < columns; i++) {
        widths[i] = text_width(table->headings[i]);
        heading[i] = (struct report_cell){text_copy(table->headings[i]), PAINT_DIM};
    }
    for (size_t i = 0; i < table->count; i++)
        if (text_width(table->cells[i].text) > widths[i % columns])
            widths[i % columns] = text_width(table->cells[i].text);
    print_cells(out, color, table, widths, heading);
    for (size_t i = 0; i + columns <= table->count; i += columns)
        print_cells(out, color, table, widths, table->cells + i);
    for (size_t i = 0; i < columns; i++)
        free(heading[i].text);
}

void report_table_clear(struct report_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct report_table){0};
}
