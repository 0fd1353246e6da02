/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/split.h"
#include "migrator/parse.h"
#include "migrator/statement.h"
#include "migrator/token.h"
#include <limits.h>
#include <string.h>

/* The lexer's header needs one macro of postgres_fe.h, which would replace half of the C library's functions.
 */
#define pg_attribute_printf(string, first) __attribute__((format(printf, string, first)))
#include <fe_utils/psqlscan.h>

enum { ENCODING_UTF8 = 6 }; /* PG_UTF8, which clients' headers do not have */

/* A variable as the lexer met it: its place in the lexer's output and, from that, in the text. */
struct met_variable {
    size_t output, offset;
    enum variable_form form;
};

struct splitter {
    const struct source *source;
    PsqlScanState scan;
    PQExpBuffer output; /* what the lexer made of the stretch scanned last */
    struct split split;

    size_t line, line_end; /* the line that is scanned: [line, line_end) */
    size_t next;           /* the first byte that nobody has read as a line or as data */
    size_t at;             /* how far the line is scanned */
    size_t begin;          /* where the text since the last statement begins */
    bool data_read;        /* COPY data was taken while this line is not at its end */
    bool initial;          /* standard_conforming_strings of the session */
    bool standard;         /* standard_conforming_strings as psql would know it at the next line */
    bool line_standard;    /* and as it knew it at this line's begin */
    bool stopped;          /* at a command in the middle of a statement */

    struct text_position place; /* of placed, which only moves forward */
    size_t placed;

    struct met_variable *met;
    size_t met_count;
    struct error refused; /* the first thing in the line that is not for a migration */
};

void split_clear(struct split *split)
{
    free(split->pieces);
    free(split->variables);
    *split = (struct split){0};
}

bool split_error_at(struct error *error, const struct source *source, size_t offset)
{
    struct text_position position = text_position(source->text, offset);

    return error_at(error, source->path, source->first_line - 1 + position.line, position.column);
}

/* The position of an offset that is not before the one asked for last: a whole script costs one pass. */
static struct text_position place_of(struct splitter *s, size_t offset)
{
    const char *text = s->source->text;
    const char *newline;

    while ((newline = memchr(text + s->placed, '\n', offset - s->placed))) {
        s->placed = (size_t)(newline - text) + 1;
        s->place.line++;
        s->place.column = 1;
    }
    for (; s->placed < offset; s->placed++)
        s->place.column += (text[s->placed] & 0xC0) != 0x80;
    return s->place;
}

/* The lexer asks for a variable's value: remember the place and give none, so that the text stays as it is.
 */
static char *meet_variable(const char *name, PsqlScanQuoteType quote, void *passthrough)
{
    struct splitter *s = passthrough;
    enum variable_form form = quote == PQUOTE_SQL_LITERAL ? VARIABLE_LITERAL
                              : quote == PQUOTE_SQL_IDENT ? VARIABLE_IDENTIFIER
                                                          : VARIABLE_PLAIN;

    (void)name;
    s->met = memory_grow(s->met, s->met_count, sizeof *s->met);
    s->met[s->met_count++] = (struct met_variable){.output = s->output->len, .form = form};
    return NULL;
}

static const PsqlScanCallbacks callbacks = {.get_variable = meet_variable};

/* ---- from the lexer's output back to the text ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static size_t skip_line_comment(const struct splitter *s, size_t at)
{
    while (at < s->line_end && s->source->text[at] != '\r')
        at++;
    return at;
}

static bool starts_comment(const struct splitter *s, size_t at)
{
    return at + 1 < s->line_end && s->source->text[at] == '-' && s->source->text[at + 1] == '-';
}

/* The lexer drops white space and "--" comments in front of the first thing it puts out. */
static size_t skip_dropped(const struct splitter *s, size_t at)
{
    for (;;) {
        while (at < s->line_end && is_space(s->source->text[at]))
            at++;
        if (!starts_comment(s, at))
            return at;
        at = skip_line_comment(s, at);
    }
}

static void refuse(struct splitter *s, size_t at, const char *what, const char *hint)
{
    if (s->refused.code)
        return;
    error_set(&s->refused, ERROR_USAGE, "psql's %s is not supported", what);
    error_hint(&s->refused, "%s", hint);
    split_error_at(&s->refused, s->source, at);
}

/* What psql takes out or puts in besides comments. Moves both places behind it; false when it is none of
 * these. */
static bool follow_change(struct splitter *s, size_t *at, size_t *out)
{
    const char *text = s->source->text + *at;
    size_t left = s->line_end - *at;
    const char *made = s->output->data + *out;

    if (left > 1 && text[0] == '\\' && (text[1] == ';' || text[1] == ':') && made[0] == text[1]) {
        refuse(s, *at, text[1] == ';' ? "\\;" : "\\:",
               text[1] == ';' ? "End the statement with a plain semicolon." : "Remove the backslash.");
        *at += 2;
        *out += 1;
        return true;
    }
    const char *close =
        left > 2 && text[0] == ':' && text[1] == '{' && text[2] == '?' ? memchr(text, '}', left) : NULL;
    if (close && strncmp(made, "FALSE", 5) == 0) {
        refuse(s, *at, ":{?name}", "Whether a variable is set cannot be asked for.");
        *at += (size_t)(close - text) + 1;
        *out += 5;
        return true;
    }
    return false;
}

static void place_variables(struct splitter *s, size_t *next, size_t out, size_t at)
{
    for (; *next < s->met_count && s->met[*next].output <= out; ++*next)
        s->met[*next].offset = at;
}

/*
 * Walk the text from a place along with the lexer's output. The output is the text itself but for what is
 * dropped, so where it ends is where the lexer stopped. False when the two do not agree.
 */
static bool follow_from(struct splitter *s, size_t at, size_t *ret_end)
{
    const char *text = s->source->text;
    size_t length = s->output->len, next = 0;

    if (s->met_count == 0 && length <= s->line_end - at && memcmp(text + at, s->output->data, length) == 0) {
        *ret_end = at + length;
        return true;
    }
    for (size_t out = 0; out < length;) {
        if (at >= s->line_end)
            return false;
        if (text[at] == s->output->data[out]) {
            place_variables(s, &next, out++, at++);
        } else if (starts_comment(s, at)) {
            at = skip_line_comment(s, at);
        } else {
            if (!follow_change(s, &at, &out))
                return false;
        }
    }
    *ret_end = at;
    return true;
}

/* Where in the line the lexer stopped. */
static bool follow(struct splitter *s, bool quoted, PsqlScanResult result, size_t *ret_end)
{
    size_t end = s->at;
    size_t skipped = quoted ? s->at : skip_dropped(s, s->at);

    /* After a string the lexer may keep leading white space, looking for the string's continuation. */
    if (!follow_from(s, skipped, &end) && (skipped == s->at || !follow_from(s, s->at, &end)))
        return false;
    switch (result) {
    case PSCAN_SEMICOLON:
        *ret_end = end;
        return end > s->at && s->source->text[end - 1] == ';';
    case PSCAN_BACKSLASH:
        *ret_end = end;
        return end < s->line_end && s->source->text[end] == '\\';
    default:
        *ret_end = s->line_end;
        return end == s->line_end || starts_comment(s, end);
    }
}

/* ---- pieces ---- */

static size_t name_length(const char *text)
{
    size_t length = 0;

    while (text[length] == '_' || (text[length] >= '0' && text[length] <= '9') || (text[length] & 0x80) ||
           ((text[length] | ' ') >= 'a' && (text[length] | ' ') <= 'z'))
        length++;
    return length;
}

/* The variables met in the stretch scanned last belong to the statement that is being collected. */
static void keep_variables(struct splitter *s)
{
    for (size_t i = 0; i < s->met_count; i++) {
        size_t offset = s->met[i].offset, quotes = s->met[i].form == VARIABLE_PLAIN ? 0 : 1;
        struct split *split = &s->split;

        split->variables = memory_grow(split->variables, split->variable_count, sizeof *split->variables);
        split->variables[split->variable_count++] = (struct variable_use){
            .form = s->met[i].form,
            .offset = offset,
            .length = 1 + 2 * quotes + name_length(s->source->text + offset + 1 + quotes),
        };
    }
    s->met_count = 0;
}

static struct piece *add_piece(struct splitter *s, enum piece_kind kind, size_t offset, size_t length)
{
    struct split *split = &s->split;
    struct text_position place = place_of(s, offset);
    size_t first = 0;

    if (split->count)
        first = split->pieces[split->count - 1].variable + split->pieces[split->count - 1].variables;
    split->pieces = memory_grow(split->pieces, split->count, sizeof *split->pieces);
    split->pieces[split->count] = (struct piece){
        .kind = kind,
        .offset = offset,
        .length = length,
        .line = s->source->first_line - 1 + place.line,
        .column = place.column,
        .variable = first,
        .variables = kind == PIECE_STATEMENT ? split->variable_count - first : 0,
    };
    return &split->pieces[split->count++];
}

/* The text from s->begin to end without the blanks and comments in front; empty when there is nothing else.
 */
static size_t collected(const struct splitter *s, size_t end, size_t *ret_offset)
{
    struct tokens tokens = {.text = s->source->text, .offset = s->begin, .length = end};

    token_skip_blank(&tokens);
    *ret_offset = tokens.offset;
    while (end > tokens.offset && is_space(s->source->text[end - 1]))
        end--;
    return end - tokens.offset;
}

/* psql takes the data from the lines after the one it is scanning, up to "\." or the end of the file. */
static void take_data(struct splitter *s, struct piece *piece)
{
    const char *text = s->source->text;

    piece->copies_in = true;
    piece->data_offset = s->next;
    s->data_read = true;
    for (;;) {
        size_t line = s->next;
        const char *newline = memchr(text + line, '\n', s->source->size - line);
        size_t end = newline ? (size_t)(newline - text) : s->source->size;
        size_t length = end - line;

        s->next = newline ? end + 1 : end;
        if (line == s->source->size || (length == 2 && memcmp(text + line, "\\.", 2) == 0) ||
            (length == 3 && memcmp(text + line, "\\.\r", 3) == 0)) {
            piece->data_length = line - piece->data_offset;
            return;
        }
    }
}

static void end_statement(struct splitter *s, size_t end)
{
    const char *text = s->source->text;
    const char *what;
    size_t offset, length = collected(s, end, &offset);
    struct tokens tokens = {.text = text, .offset = offset, .length = offset + length};
    struct token first;

    if (!token_next(&tokens, &first)) /* nothing, or a hint for nothing */
        return;
    struct piece *piece = add_piece(s, PIECE_STATEMENT, offset, length);
    if (statement_kind(text + offset, length, &what) == STATEMENT_COPY_IN)
        take_data(s, piece);
    (void)statement_sets_strings(text + offset, length, s->initial, &s->standard);
    s->split.escapes = s->split.escapes || !s->standard;
}

/* A quoted argument of a backslash command: the place behind its closing quote. */
static size_t skip_quoted(const struct splitter *s, size_t at)
{
    const char *text = s->source->text;
    char quote = text[at++];

    while (at < s->line_end && text[at] != quote)
        at += text[at] == '\\' && quote == '\'' && at + 1 < s->line_end ? 2 : 1;
    return at < s->line_end ? at + 1 : at;
}

/* A backslash command reaches to the end of the line, to the next command, or to "\\", behind which SQL goes
 * on. */
static size_t command_end(const struct splitter *s, size_t at, size_t *ret_next)
{
    const char *text = s->source->text;

    at++;
    while (at < s->line_end && text[at] != '\\')
        at = strchr("'\"`", text[at]) ? skip_quoted(s, at) : at + 1;
    *ret_next = at + 1 < s->line_end && text[at] == '\\' && text[at + 1] == '\\' ? at + 2 : at;
    while (is_space(text[at - 1]))
        at--;
    return at;
}

static void take_command(struct splitter *s, size_t at)
{
    size_t offset, next, end = command_end(s, at, &next);
    size_t before = collected(s, at, &offset);
    struct piece *piece = add_piece(s, PIECE_COMMAND, at, end - at);

    piece->inside = s->stopped = before > 0;
    s->at = s->begin = next;
}

/* ---- lines ---- */

static bool broken(const struct splitter *s, struct error *error)
{
    error_set(error, ERROR_FAILED, "could not follow psql's lexer");
    error_hint(error, "This is a defect of pgmigrate; please report the line.");
    return split_error_at(error, s->source, s->at);
}

static void setup(struct splitter *s)
{
    psql_scan_finish(s->scan);
    psql_scan_setup(s->scan, s->source->text + s->at, (int)(s->line_end - s->at), ENCODING_UTF8,
                    s->line_standard);
}

/* Scan up to the next semicolon, backslash command or the line's end; *ret_end tells of the latter. */
static bool scan_stretch(struct splitter *s, bool *ret_end, struct error *error)
{
    bool quoted = psql_scan_in_quote(s->scan);
    promptStatus_t prompt;
    size_t end;

    resetPQExpBuffer(s->output);
    PsqlScanResult result = psql_scan(s->scan, s->output, &prompt);
    if (PQExpBufferBroken(s->output))
        return error_set(error, ERROR_FAILED, "out of memory");
    if (!follow(s, quoted, result, &end))
        return broken(s, error);
    if (s->refused.code) {
        error_move(error, &s->refused);
        return false;
    }
    keep_variables(s);
    s->at = end;
    if (result == PSCAN_SEMICOLON) {
        end_statement(s, end - 1);
        s->begin = end;
    } else if (result == PSCAN_BACKSLASH) {
        take_command(s, end);
        setup(s);
    }
    *ret_end = s->stopped || (result != PSCAN_SEMICOLON && result != PSCAN_BACKSLASH);
    return true;
}

/* What follows a COPY on its line is run after the data: it cannot go on there, for it would not be one
 * stretch. */
static bool end_line(struct splitter *s, struct error *error)
{
    size_t offset;

    if (!s->data_read)
        return true;
    s->data_read = false;
    if (collected(s, s->line_end, &offset) > 0) {
        error_set(error, ERROR_USAGE, "a statement begins between COPY and its data and ends after the data");
        error_hint(error, "Begin the statement on a line of its own, after the \"\\.\" line.");
        return split_error_at(error, s->source, offset);
    }
    s->begin = s->next;
    return true;
}

static bool scan_line(struct splitter *s, struct error *error)
{
    bool end = false;

    s->at = s->line;
    s->line_standard = s->standard;
    if (s->line_end - s->line > INT_MAX / 2) {
        error_set(error, ERROR_USAGE, "line is too long");
        error_hint(error, "The limit is 1 GB.");
        return split_error_at(error, s->source, s->line);
    }
    setup(s);
    while (!end)
        if (!scan_stretch(s, &end, error))
            return false;
    psql_scan_finish(s->scan);
    return end_line(s, error);
}

/* ---- the end of the file ---- */

static const char *open_name(promptStatus_t prompt)
{
    switch (prompt) {
    case PROMPT_SINGLEQUOTE:
        return "unterminated quoted string";
    case PROMPT_DOUBLEQUOTE:
        return "unterminated quoted identifier";
    case PROMPT_DOLLARQUOTE:
        return "unterminated dollar-quoted string";
    case PROMPT_COMMENT:
        return "unterminated /* comment";
    case PROMPT_PAREN:
        return "parenthesis is never closed";
    default:
        return "BEGIN of a function body without its END";
    }
}

static bool never_closed(const struct splitter *s, size_t statement, const char *what, struct error *error)
{
    size_t open = 0;
    bool known = s->standard && parse_find_open(s->source->text + statement, &open);

    error_set(error, ERROR_USAGE, "%s", what);
    error_hint(error, "It is opened %s and not closed before the end of the script.",
               known ? "here" : "in the statement that begins here");
    return split_error_at(error, s->source, statement + open);
}

/* Scanning nothing tells what is still open. What is merely not ended by a semicolon is run, as psql does. */
static bool end_file(struct splitter *s, struct error *error)
{
    size_t offset, length = collected(s, s->source->size, &offset);
    promptStatus_t prompt = PROMPT_READY;

    if (length == 0)
        return true;
    resetPQExpBuffer(s->output);
    s->at = s->line_end;
    setup(s);
    (void)psql_scan(s->scan, s->output, &prompt);
    psql_scan_finish(s->scan);
    if (prompt == PROMPT_READY) {
        end_statement(s, s->source->size);
        return true;
    }
    return never_closed(s, offset, open_name(prompt), error);
}

static bool split_lines(struct splitter *s, struct error *error)
{
    const char *text = s->source->text;

    while (s->next < s->source->size && !s->stopped) {
        const char *newline = memchr(text + s->next, '\n', s->source->size - s->next);

        s->line = s->next;
        s->line_end = newline ? (size_t)(newline - text) : s->source->size;
        s->next = newline ? s->line_end + 1 : s->line_end;
        if (!scan_line(s, error))
            return false;
    }
    return s->stopped || end_file(s, error);
}

bool split_source(const struct source *source, bool escapes, struct split *ret, struct error *error)
{
    struct splitter s = {
        .source = source,
        .scan = psql_scan_create(&callbacks),
        .output = createPQExpBuffer(),
        .place = {.line = 1, .column = 1},
        .initial = !escapes,
        .standard = !escapes,
        .line_standard = !escapes,
        .split.escapes = escapes,
    };

    psql_scan_set_passthrough(s.scan, &s);
    bool ok = s.output && split_lines(&s, error);
    if (ok)
        *ret = s.split;
    else
        split_clear(&s.split);
    psql_scan_destroy(s.scan);
    destroyPQExpBuffer(s.output);
    free(s.met);
    error_clear(&s.refused);
    return ok;
}
