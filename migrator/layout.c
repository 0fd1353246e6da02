/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/layout.h"
#include "common/text.h"
#include "migrator/comment.h"
#include "migrator/mark.h"
#include "migrator/rule.h"
#include <strings.h>

static const char *const layout_names[] = {
    [LAYOUT_AUTO] = "auto",         [LAYOUT_NATIVE] = "native", [LAYOUT_UPDOWN] = "updown",
    [LAYOUT_SECTIONS] = "sections", [LAYOUT_FLYWAY] = "flyway",
};
#define LAYOUT_COUNT (sizeof layout_names / sizeof *layout_names)

static const char digit_set[] = "0123456789";
static const char letter_set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const char *layout_name(enum layout layout)
{
    return layout_names[layout];
}

bool layout_from_name(const char *name, enum layout *ret)
{
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        if (text_equal(name, layout_names[i])) {
            *ret = (enum layout)i;
            return true;
        }
    }
    return false;
}

/* A name's part without its suffix. */
struct stem {
    const char *text;
    size_t length;
};

static bool cut_suffix(struct stem *stem, const char *suffix)
{
    size_t length = strlen(suffix);
    if (stem->length <= length || memcmp(stem->text + stem->length - length, suffix, length) != 0)
        return false;
    stem->length -= length;
    return true;
}

/* NNN[letters]_description */
static bool is_numbered(const struct stem *stem)
{
    size_t digits = strspn(stem->text, digit_set);
    size_t at = digits + strspn(stem->text + digits, letter_set);
    return digits > 0 && at + 1 < stem->length && stem->text[at] == '_';
}

/* V1.2__description, with the given letter. */
static bool is_flyway(const struct stem *stem, char letter)
{
    if (stem->text[0] != letter)
        return false;
    size_t at = 0, digits;
    do {
        at++;
        digits = strspn(stem->text + at, digit_set);
        if (digits == 0)
            return false;
        at += digits;
    } while (stem->text[at] == '.' || (stem->text[at] == '_' && stem->text[at + 1] != '_'));
    return at + 2 < stem->length && stem->text[at] == '_' && stem->text[at + 1] == '_';
}

static enum file_role flyway_role(const struct stem *name, char **ret_stem)
{
    enum file_role role = is_flyway(name, 'V')   ? ROLE_FORWARD
                          : is_flyway(name, 'U') ? ROLE_ROLLBACK
                                                 : ROLE_STRAY;
    if (role == ROLE_STRAY)
        return ROLE_STRAY;
    *ret_stem = text_copy_part(name->text, name->length);
    (*ret_stem)[0] = 'V';
    return role;
}

static enum file_role suffixed_role(struct stem name, const char *const suffixes[3], char **ret_stem)
{
    static const enum file_role roles[] = {ROLE_FORWARD, ROLE_ROLLBACK, ROLE_VERIFY};
    for (size_t i = 3; i-- > 0;) {
        struct stem stem = name;
        if (!suffixes[i] || (*suffixes[i] && !cut_suffix(&stem, suffixes[i])) || !is_numbered(&stem))
            continue;
        *ret_stem = text_copy_part(stem.text, stem.length);
        return roles[i];
    }
    return ROLE_STRAY;
}

enum file_role migration_file_role(const char *name, enum layout layout, char **ret_stem,
                                   enum layout *ret_layout)
{
    static const char *const native[] = {"", "_rollback", "_verify"};
    static const char *const updown[] = {".up", ".down", "_verify"};
    static const char *const only_up_and_down[] = {".up", ".down", NULL};
    static const char *const plain[] = {"", NULL, NULL};
    struct stem stem = {name, strlen(name)};
    enum file_role role = ROLE_STRAY;
    bool any = layout == LAYOUT_AUTO;
    if (!cut_suffix(&stem, ".sql"))
        return ROLE_STRAY;
    if (any || layout == LAYOUT_FLYWAY) {
        role = flyway_role(&stem, ret_stem);
        *ret_layout = LAYOUT_FLYWAY;
    }
    if (role == ROLE_STRAY && (any || layout == LAYOUT_UPDOWN)) {
        role = suffixed_role(stem, any ? only_up_and_down : updown, ret_stem);
        *ret_layout = LAYOUT_UPDOWN;
    }
    if (role == ROLE_STRAY && (any || layout == LAYOUT_NATIVE)) {
        role = suffixed_role(stem, native, ret_stem);
        *ret_layout = LAYOUT_NATIVE;
    }
    if (layout == LAYOUT_SECTIONS && suffixed_role(stem, plain, ret_stem) == ROLE_FORWARD) {
        role = ROLE_SECTIONS;
        *ret_layout = LAYOUT_SECTIONS;
    }
    return role;
}

static const char *expected_name(enum layout layout)
{
    switch (layout) {
    case LAYOUT_UPDOWN:
        return "NNN_description.up.sql";
    case LAYOUT_FLYWAY:
        return "V1__description.sql";
    default:
        return "NNN_description.sql";
    }
}

static char *flyway_reason(const char *name)
{
    bool digits = name[1] >= '0' && name[1] <= '9';
    if (text_starts_with(name, "R__"))
        return text_copy("repeatable migrations are not supported");
    if (name[0] == 'B' && digits)
        return text_copy("baseline migrations are not supported");
    if ((name[0] == 'V' || name[0] == 'U') && digits)
        return text_copy("two underscores and a description must follow the number");
    return NULL;
}

char *layout_stray_reason(const char *name, enum layout layout)
{
    size_t length = strlen(name);
    if (length < 4 || strcasecmp(name + length - 4, ".sql") != 0)
        return NULL;
    if (strcmp(name + length - 4, ".sql") != 0)
        return text_copy("its suffix must be \".sql\", in lower case");
    OWNED char *stem = NULL;
    enum layout other;
    if (migration_file_role(name, LAYOUT_AUTO, &stem, &other) != ROLE_STRAY)
        return text_format("layout \"%s\" has names such as %s", layout_name(layout), expected_name(layout));
    char *reason = flyway_reason(name);
    if (reason)
        return reason;
    size_t digits = strspn(name, digit_set);
    size_t at = digits + strspn(name + digits, letter_set);
    if (digits == 0)
        return text_copy("its name does not begin with a number");
    if (strcmp(name + at, ".sql") == 0 || name[at] == '_' || text_starts_with(name + at, ".up.sql") ||
        text_starts_with(name + at, ".down.sql"))
        return text_format("a description must follow the number, as in %.*s_add_orders.sql", (int)at, name);
    return text_copy("an underscore must follow the number");
}

/* A text that is looked through for marks. */
struct reading {
    const struct source *whole;
    enum layout layout;
    struct sections sections;
    bool mark, down; /* one was there; a down section began */
    bool divided;    /* by marks that may be a remark, too: the first is here */
    size_t offset;
    const char *tool;
};

static bool fail_at(const struct reading *reading, size_t offset, struct error *error)
{
    struct text_position position = text_position(reading->whole->text, offset);
    return error_at(error, reading->whole->path, position.line, position.column);
}

static bool misplaced(const struct reading *reading, size_t offset, const char *what, struct error *error)
{
    error_set(error, ERROR_USAGE, "%s", what);
    error_hint(error,
               "A file with sections has \"-- migrate:up\" before its first statement, and at most one "
               "\"-- migrate:down\" after it.");
    return fail_at(reading, offset, error);
}

static bool misspelt(const struct reading *reading, size_t offset, struct error *error)
{
    error_set(error, ERROR_USAGE,
              "this looks like the mark of a section but is not read as one: both sections would run");
    error_hint(
        error,
        "Marks are \"-- migrate:up\" and \"-- migrate:down\", at the beginning of a line, in lower case, "
        "with nothing but options behind them.");
    return fail_at(reading, offset, error);
}

static bool foreign_sections(const struct reading *reading, size_t offset, const char *tool,
                             struct error *error)
{
    error_set(error, ERROR_USAGE, "the file has sections of %s, which are not read: both would run", tool);
    error_hint(error, "Mark the sections with \"-- migrate:up\" and \"-- migrate:down\", or use two files.");
    return fail_at(reading, offset, error);
}

static bool whole_sections(const struct reading *reading, size_t offset, struct error *error)
{
    error_set(error, ERROR_USAGE, "a file of this name is not divided into sections: both would run");
    error_hint(error, "Name it NNN_description.sql, or use two files.");
    return fail_at(reading, offset, error);
}

static bool native_sections(const struct reading *reading, size_t offset, struct error *error)
{
    error_set(error, ERROR_USAGE, "layout \"native\" does not divide a file into sections: both would run");
    error_hint(error, "Set \"layout = auto\", or use two files.");
    return fail_at(reading, offset, error);
}

static const char *mark_problem(const struct reading *reading, enum mark_kind kind, bool in_body)
{
    if (kind == MARK_UP && reading->sections.up)
        return "a second \"-- migrate:up\"";
    if (kind == MARK_UP && in_body)
        return "statements stand before \"-- migrate:up\"";
    if (kind == MARK_DOWN && reading->down)
        return "a second \"-- migrate:down\"";
    if (kind == MARK_DOWN && !reading->sections.up)
        return "\"-- migrate:down\" without \"-- migrate:up\" before it";
    return NULL;
}

/* Whether the text falls apart here: a heading has nothing before it, a remark at the end nothing behind it.
 */
static bool divides(const struct reading *reading, const struct comment_walk *at)
{
    return (at->in_body || reading->mark) && !comment_only(at->text + at->offset, at->size - at->offset);
}

/* The file's name says that it is one half. */
static bool is_whole(const struct reading *reading)
{
    return reading->layout == LAYOUT_UPDOWN || reading->layout == LAYOUT_FLYWAY;
}

static bool own_mark(struct reading *reading, const struct comment_walk *at, enum mark_kind kind,
                     struct error *error)
{
    if (is_whole(reading))
        return divides(reading, at) ? whole_sections(reading, at->offset, error) : true;
    if (kind == MARK_MISSPELT)
        return misspelt(reading, at->offset, error);
    const char *problem = mark_problem(reading, kind, at->in_body);
    if (problem)
        return misplaced(reading, at->offset, problem, error);
    reading->sections.up = true;
    if (kind == MARK_DOWN) {
        reading->down = true;
        reading->sections.down = at->offset;
    }
    return true;
}

/* What divides no file is a comment there. */
static bool native_mark(struct reading *reading, const struct comment_walk *at, const struct mark *mark,
                        struct error *error)
{
    if (!divides(reading, at))
        return true;
    return mark->kind == MARK_FOREIGN ? foreign_sections(reading, at->offset, mark->tool, error)
                                      : native_sections(reading, at->offset, error);
}

static bool comment_take(struct reading *reading, const struct comment_walk *at, const char **ret_rule,
                         struct error *error)
{
    struct mark mark = mark_read(at->text, at->offset);
    bool native = reading->layout == LAYOUT_NATIVE;
    if (mark.kind == MARK_NONE || (native && mark.kind == MARK_WORDS))
        return true;
    *ret_rule = mark.tool ? RULE_FOREIGN_SECTIONS : RULE_SECTIONS;
    bool taken = true;
    if (native)
        taken = native_mark(reading, at, &mark, error);
    else if (mark.kind == MARK_FOREIGN)
        taken = foreign_sections(reading, at->offset, mark.tool, error);
    else if (mark.kind != MARK_WORDS)
        taken = own_mark(reading, at, mark.kind, error);
    else if (!reading->divided && divides(reading, at)) {
        reading->divided = true;
        reading->offset = at->offset;
        reading->tool = mark.tool;
    }
    reading->mark = true;
    return taken;
}

/* What can be said only when all marks are known: words are a remark in a file that has real ones. */
static bool check_all(const struct reading *reading, const char **ret_rule, struct error *error)
{
    if (reading->divided && !reading->sections.up) {
        *ret_rule = RULE_FOREIGN_SECTIONS;
        return foreign_sections(reading, reading->offset, reading->tool, error);
    }
    *ret_rule = RULE_SECTIONS;
    if (reading->sections.up || reading->layout != LAYOUT_SECTIONS)
        return true;
    error_set(error, ERROR_USAGE, "\"-- migrate:up\" is missing");
    error_hint(error, "Layout \"sections\" wants it on a line of its own before the first statement.");
    return error_at(error, reading->whole->path, 1, 1);
}

bool sections_read(const struct source *whole, enum layout layout, struct sections *ret,
                   const char **ret_rule, struct error *error)
{
    struct reading reading = {
        .whole = whole, .layout = layout, .sections = {.down = whole->size, .first_line = 1}};
    struct comment_walk comment = {.text = whole->text, .size = whole->size};
    bool look = mark_possible(whole->text);
    while (look && comment_next(&comment))
        if (!comment_take(&reading, &comment, ret_rule, error))
            return false;
    if (!check_all(&reading, ret_rule, error))
        return false;
    struct sections *sections = &reading.sections;
    if (reading.down) {
        sections->first_line = text_position(whole->text, sections->down).line;
        sections->rollback = !comment_only(whole->text + sections->down, whole->size - sections->down);
    }
    *ret = *sections;
    return true;
}
