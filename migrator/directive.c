/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/directive.h"

#include "migrator/comment.h"
#include "migrator/rls_check.h"
#include <strings.h>

enum directive {
    NO_TRANSACTION,
    LOCK_TIMEOUT,
    STATEMENT_TIMEOUT,
    ROLE,
    IRREVERSIBLE,
    REQUIRES,
    VARIABLES,
    RLS_ALLOW,
    UNKNOWN
};

const struct directive_info directive_table[] = {
    [NO_TRANSACTION] = {"no-transaction", NULL, "run statement by statement, outside a transaction"},
    [LOCK_TIMEOUT] = {"lock_timeout", "DURATION", "wait this long for a lock at most"},
    [STATEMENT_TIMEOUT] = {"statement_timeout", "DURATION", "let a statement run this long at most"},
    [ROLE] = {"role", "ROLE", "run as this role"},
    [IRREVERSIBLE] = {"irreversible", NULL, "has no rollback, and none is missed"},
    [REQUIRES] = {"requires", "VERSION",
                  "runs only when this version is applied; may be given more than once"},
    [VARIABLES] = {"variables", NULL, "replace :'name' and :\"name\" by values from outside"},
    [RLS_ALLOW] = {"rls-allow", "CHECK OBJECT, REASON",
                   "let this finding on row-level security pass; to the end of the line"},
    [UNKNOWN] = {NULL, NULL, NULL},
};

/* Reads the words of one comment line; offsets are bytes of the source's text. */
struct reader {
    const struct source *source;
    struct directives *result;
    size_t at, end;
    bool in_list; /* the last directive was requires=, so that a bare version adds to it */
};

struct item {
    size_t offset;
    char *name;
    char *value; /* NULL when there is no "=" */
};

static void item_clear(struct item *item)
{
    free(item->name);
    free(item->value);
}
CLEANUP_VALUE(struct item, item_clear)

static struct text_position place(const struct source *source, size_t offset)
{
    struct text_position position = text_position(source->text, offset);
    position.line += source->first_line > 0 ? source->first_line - 1 : 0;
    return position;
}

static bool fail_at(const struct source *source, size_t offset, struct error *error)
{
    struct text_position position = place(source, offset);
    return error_at(error, source->path, position.line, position.column);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\v';
}

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
    while (at < end && is_blank(text[at]))
        at++;
    return at;
}

static enum directive directive_named(const char *name)
{
    enum directive directive = NO_TRANSACTION;
    while (directive < UNKNOWN && strcmp(directive_table[directive].name, name) != 0)
        directive++;
    return directive;
}

static size_t word_length(const char *text, size_t at, size_t end)
{
    size_t begin = at;
    while (at < end && !is_blank(text[at]) && !strchr(",=;\"'", text[at]))
        at++;
    return at - begin;
}

static char *value_read(struct reader *reader)
{
    const char *text = reader->source->text;
    char quote = reader->at < reader->end ? text[reader->at] : '\0';
    size_t begin = reader->at;
    if (quote != '"' && quote != '\'') {
        reader->at += word_length(text, reader->at, reader->end);
        return text_copy_part(text + begin, reader->at - begin);
    }
    const char *close = memchr(text + begin + 1, quote, reader->end - begin - 1);
    if (!close) {
        reader->at = reader->end;
        return text_copy("");
    }
    reader->at = (size_t)(close - text) + 1;
    return text_copy_part(text + begin + 1, reader->at - begin - 2);
}

/* All that is left of the line: a reason is a sentence. */
static char *rest_read(struct reader *reader)
{
    const char *text = reader->source->text;
    size_t begin = reader->at, end = reader->end;
    while (end > begin && is_blank(text[end - 1]))
        end--;
    reader->at = reader->end;
    return text_copy_part(text + begin, end - begin);
}

/* The next "name" or "name=value"; false at the end of the line. */
static bool item_next(struct reader *reader, struct item *ret)
{
    const char *text = reader->source->text;
    while (reader->at < reader->end && (is_blank(text[reader->at]) || strchr(",;", text[reader->at])))
        reader->at++;
    if (reader->at >= reader->end)
        return false;
    size_t length = word_length(text, reader->at, reader->end);
    ret->offset = reader->at;
    /* A character that begins no word is a name of its own, and an unknown one. */
    length += length == 0 ? 1 : 0;
    ret->name = text_copy_part(text + reader->at, length);
    reader->at += length;
    size_t equals = skip_blanks(text, reader->at, reader->end);
    if (equals < reader->end && text[equals] == '=') {
        reader->at = skip_blanks(text, equals + 1, reader->end);
        ret->value = directive_named(ret->name) == RLS_ALLOW ? rest_read(reader) : value_read(reader);
    }
    return true;
}

static bool unknown(struct reader *reader, const struct item *item, struct error *error)
{
    const char *names[UNKNOWN + 1] = {0};
    for (size_t i = 0; i < UNKNOWN; i++)
        names[i] = directive_table[i].name;
    const char *near = text_nearest(item->name, names);
    error_set(error, ERROR_USAGE, "unknown directive \"%s\"", item->name);
    if (near)
        error_hint(error, "Did you mean \"%s\"?", near);
    else
        error_hint(error, "Directives are no-transaction, lock_timeout=…, statement_timeout=…, role=…, "
                          "irreversible, requires=…, variables and rls-allow=….");
    return fail_at(reader->source, item->offset, error);
}

static bool duration(struct reader *reader, const struct item *item, int64_t *ret, struct error *error)
{
    if (*ret >= 0) {
        error_set(error, ERROR_USAGE, "directive \"%s\" is given twice", item->name);
        return fail_at(reader->source, item->offset, error);
    }
    bool is_one = text_parse_duration(item->value, ret);
    if (is_one && *ret <= INT32_MAX)
        return true;
    *ret = -1;
    if (is_one) {
        error_set(error, ERROR_USAGE, "duration \"%s\" for directive \"%s\" is longer than the server takes",
                  item->value, item->name);
        error_hint(error, "At most 24 days; 0 has no limit.");
        return fail_at(reader->source, item->offset, error);
    }
    error_set(error, ERROR_USAGE, "invalid duration \"%s\" for directive \"%s\"", item->value, item->name);
    error_hint(error, "Write a number with a unit: 500ms, 5s, 2min, 1h.");
    return fail_at(reader->source, item->offset, error);
}

static bool set_role(struct reader *reader, struct item *item, struct error *error)
{
    if (reader->result->role) {
        error_set(error, ERROR_USAGE, "directive \"role\" is given twice");
        return fail_at(reader->source, item->offset, error);
    }
    reader->result->role = take(item->value);
    return true;
}

/* "S1 core.orders, is everybody's": nothing is allowed without a reason. */
static bool allow(struct reader *reader, struct item *item, struct error *error)
{
    const char *blank = strchr(item->value, ' '), *comma = blank == NULL ? NULL : strchr(blank, ',');
    OWNED char *check = text_copy_part(item->value, strcspn(item->value, " ,"));
    if (!rls_check_is_of_gate(check)) {
        error_set(error, ERROR_USAGE, "directive \"rls-allow\": no check \"%s\" could refuse a migration",
                  check);
        error_hint(error,
                   "The refusal names the check, such as S1; S1 to S28, M1, M2, M5 and M7 may be allowed.");
        return fail_at(reader->source, item->offset, error);
    }
    if (comma != NULL && comma[1 + strspn(comma + 1, " ")] != '\0') {
        text_list_add(&reader->result->rls_allow, take(item->value));
        return true;
    }
    error_set(error, ERROR_USAGE, "directive \"rls-allow\" needs a check, an object and a reason");
    error_hint(error, "Write rls-allow=S1 core.orders, then a comma and why.");
    return fail_at(reader->source, item->offset, error);
}

static bool store(struct reader *reader, enum directive directive, struct item *item, struct error *error)
{
    struct directives *result = reader->result;
    switch (directive) {
    case NO_TRANSACTION:
        return result->no_transaction = true;
    case IRREVERSIBLE:
        return result->irreversible = true;
    case VARIABLES:
        return result->variables = true;
    case LOCK_TIMEOUT:
        return duration(reader, item, &result->lock_timeout_ms, error);
    case STATEMENT_TIMEOUT:
        return duration(reader, item, &result->statement_timeout_ms, error);
    case ROLE:
        return set_role(reader, item, error);
    case REQUIRES:
        text_list_add(&result->requires, take(item->value));
        return true;
    case RLS_ALLOW:
        return allow(reader, item, error);
    case UNKNOWN:
        break;
    }
    return unknown(reader, item, error);
}

static bool is_version(const char *word)
{
    word += *word == 'V' ? 1 : 0;
    return *word >= '0' && *word <= '9';
}

static bool item_apply(struct reader *reader, struct item *item, struct error *error)
{
    enum directive directive = directive_named(item->name);
    if (directive == UNKNOWN && reader->in_list && !item->value && is_version(item->name)) {
        text_list_add(&reader->result->requires, take(item->name));
        return true;
    }
    reader->in_list = directive == REQUIRES;
    bool wants = directive_table[directive].value != NULL;
    bool has = item->value && *item->value;
    if (directive == UNKNOWN || (wants && has) || (!wants && !item->value))
        return store(reader, directive, item, error);
    if (wants) {
        error_set(error, ERROR_USAGE, "directive \"%s\" needs a value", item->name);
        error_hint(error, "Write %s=%s.", item->name, directive_table[directive].value);
    } else {
        error_set(error, ERROR_USAGE, "directive \"%s\" takes no value", item->name);
    }
    return fail_at(reader->source, item->offset, error);
}

static bool items_read(struct reader *reader, struct error *error)
{
    while (true) {
        AUTO(item_clear) struct item item = {0};
        if (!item_next(reader, &item))
            return true;
        if (!item_apply(reader, &item, error))
            return false;
    }
}

/* Where the directives of a comment line begin: behind "pgmigrate:"; 0 when it holds none. */
static size_t directive_start(const char *text, size_t at, size_t end)
{
    static const char name[] = "pgmigrate";
    at = skip_blanks(text, at, end);
    if (end - at < sizeof name || strncasecmp(text + at, name, sizeof name - 1) != 0)
        return 0;
    at = skip_blanks(text, at + sizeof name - 1, end);
    return at < end && text[at] == ':' ? at + 1 : 0;
}

static size_t skip_any(const char *text, size_t at, size_t end, const char *set)
{
    while (at < end && text[at] != '\0' && strchr(set, text[at]))
        at++;
    return at;
}

/* "-- pgmigrate no-transaction", "pg_migrate: …" and "pgmigrate; …" would be ignored without a word. */
static bool is_meant(const struct source *source, size_t at, size_t end)
{
    const char *text = source->text;
    at = skip_any(text, at, end, " \t\f\v@+#!");
    for (const char *name = "pgmigrate"; *name; name++, at++) {
        at = skip_any(text, at, end, *name == 'm' ? "_- " : "");
        if (at >= end || strncasecmp(text + at, name, 1) != 0)
            return false;
    }
    size_t word = skip_any(text, at, end, " \t\f\v:;,.=-");
    OWNED char *directive = text_copy_part(text + word, word_length(text, word, end));
    return word > at && directive_named(directive) != UNKNOWN;
}

/* dbmate's options behind the marker of a section. */
static bool section_options(struct reader *reader, struct error *error)
{
    const char *text = reader->source->text;
    while (true) {
        size_t at = reader->at = skip_blanks(text, reader->at, reader->end);
        while (reader->at < reader->end && !is_blank(text[reader->at]))
            reader->at++;
        if (at == reader->at)
            return true;
        OWNED char *option = text_copy_part(text + at, reader->at - at);
        if (text_equal(option, "transaction:false")) {
            reader->result->no_transaction = true;
        } else if (!text_equal(option, "transaction:true")) {
            error_set(error, ERROR_USAGE, "unknown option \"%s\" of a section", option);
            error_hint(
                error,
                "The option is transaction:false; directives go on a \"-- pgmigrate:\" line of their own.");
            return fail_at(reader->source, at, error);
        }
    }
}

static size_t section_start(const struct source *source, size_t at, size_t end)
{
    static const char *const markers[] = {"migrate:up", "migrate:down"};
    at = skip_blanks(source->text, at, end);
    for (size_t i = 0; source->part != SOURCE_WHOLE && i < 2; i++) {
        size_t length = strlen(markers[i]);
        if (end - at >= length && memcmp(source->text + at, markers[i], length) == 0)
            return at + length;
    }
    return 0;
}

static bool line_read(struct reader *reader, size_t at, size_t end, struct error *error)
{
    const struct source *source = reader->source;
    reader->end = end;
    reader->in_list = false;
    reader->at = directive_start(source->text, at, end);
    if (reader->at > 0)
        return items_read(reader, error);
    reader->at = section_start(source, at, end);
    if (reader->at > 0)
        return section_options(reader, error);
    if (!is_meant(source, at, end))
        return true;
    error_set(error, ERROR_USAGE, "this looks like a directive but does not begin with \"pgmigrate:\"");
    error_hint(error, "Write -- pgmigrate: followed by the directives.");
    return fail_at(source, skip_blanks(source->text, at, end), error);
}

/*
 * The next line of a comment, without what makes it one: dashes, or the block's slashes and leading stars.
 * *at begins at the comment's offset; false behind its end.
 */
static bool comment_line(const struct source *source, const struct comment_walk *comment, size_t *at,
                         size_t *ret_end)
{
    const char *text = source->text;
    size_t end = comment->offset + comment->length;
    bool block = text[comment->offset] == '/';
    bool closed = block && comment->length >= 4 && memcmp(text + end - 2, "*/", 2) == 0;
    end -= closed ? 2 : 0;
    if (*at >= end)
        return false;
    if (*at == comment->offset) {
        *at = skip_any(text, *at + 2, end, block ? "*" : "-");
    } else {
        *at = skip_blanks(text, *at, end);
        *at += *at < end && text[*at] == '*' ? 1 : 0;
    }
    size_t line = *at;
    while (line < end && text[line] != '\n' && text[line] != '\r')
        line++;
    *ret_end = line;
    return true;
}

bool directives_read(const struct source *source, struct directives *ret, struct error *error)
{
    AUTO(directives_clear)
    struct directives result = {.lock_timeout_ms = -1, .statement_timeout_ms = -1};
    struct reader reader = {.source = source, .result = &result};
    struct comment_walk comment = {.text = source->text, .size = source->size, .head_only = true};
    while (comment_next(&comment)) {
        size_t end = 0;
        for (size_t at = comment.offset; comment_line(source, &comment, &at, &end); at = end + 1)
            if (!line_read(&reader, at, end, error))
                return false;
    }
    *ret = result;
    result = (struct directives){0};
    return true;
}

bool directives_equal(const struct directives *a, const struct directives *b)
{
    OWNED char *requires_a = text_list_join(&a->requires, " "),
               *requires_b = text_list_join(&b->requires, " ");
    return a->no_transaction == b->no_transaction && a->irreversible == b->irreversible &&
           a->variables == b->variables && a->lock_timeout_ms == b->lock_timeout_ms &&
           a->statement_timeout_ms == b->statement_timeout_ms && text_equal(a->role, b->role) &&
           text_equal(requires_a, requires_b);
}

bool directives_too_late(const struct source *source, size_t *offset, struct text_position *ret_place)
{
    /* Few scripts name pgmigrate at all; the walk over the whole text is for those. */
    const char *text = source->text;
    if (!strcasestr(text + (*offset < source->size ? *offset : source->size), "pgmigrate"))
        return false;
    struct comment_walk comment = {.text = text, .size = source->size};
    while (comment_next(&comment)) {
        size_t end = 0;
        if (!comment.in_body || comment.offset < *offset)
            continue;
        for (size_t at = comment.offset; comment_line(source, &comment, &at, &end); at = end + 1) {
            if (directive_start(text, at, end) == 0)
                continue;
            *ret_place = place(source, skip_blanks(text, at, end));
            *offset = comment.offset + comment.length;
            return true;
        }
    }
    return false;
}

void directives_clear(struct directives *directives)
{
    if (!directives)
        return;
    free(directives->role);
    text_list_clear(&directives->requires);
    text_list_clear(&directives->rls_allow);
    *directives = (struct directives){.lock_timeout_ms = -1, .statement_timeout_ms = -1};
}
