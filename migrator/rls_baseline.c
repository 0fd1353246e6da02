/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_baseline.h"

#include "common/moment.h"
#include "common/quote.h"
#include <stdio.h>
#include <string.h>

#define DAY_US      ((int64_t)86400 * 1000000)
#define UNTIL       " until "
#define DATE_LENGTH 10
#define BLANKS      " \t"

static void acceptance_clear(struct rls_acceptance *acceptance)
{
    free(acceptance->check);
    free(acceptance->object);
    free(acceptance->role);
    free(acceptance->until);
    free(acceptance->reason);
}
CLEANUP_VALUE(struct rls_acceptance, acceptance_clear)

/* ---- reading ---- */

/* One line, without its end. */
struct reader {
    const char *name;
    char *line;
    size_t number;
    const char *at;
    int64_t now;
};

static bool refuse(const struct reader *reader, const char *what, struct error *error)
{
    OWNED char *before = text_copy_part(reader->line, (size_t)(reader->at - reader->line));

    error_set(error, ERROR_USAGE, "the baseline wants %s", what);
    error_hint(error, "A line is CHECK OBJECT until YYYY-MM-DD: REASON, or CHECK as ROLE OBJECT until …");
    return error_at(error, reader->name, reader->number, text_width(before) + 1);
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, BLANKS);
}

/* The end of a name at this place: behind its closing quote, or before a blank. NULL where none closes it. */
static const char *name_end(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, BLANKS);
    for (at++; *at != '\0'; at++) {
        if (*at != '"')
            continue;
        if (at[1] != '"')
            return at + 1;
        at++;
    }
    return NULL;
}

static char *unquote(const char *begin, const char *end)
{
    char *name = memory_allocate((size_t)(end - begin) + 1, 1), *out = name;

    if (*begin != '"')
        return memcpy(name, begin, (size_t)(end - begin));
    for (const char *at = begin + 1; at < end - 1; at++) {
        *out++ = *at;
        at += *at == '"';
    }
    return name;
}

static bool read_role(struct reader *reader, char **ret, struct error *error)
{
    const char *end;

    if (!text_starts_with(reader->at, "as "))
        return true;
    reader->at += strlen("as ");
    skip_blanks(reader);
    end = name_end(reader->at);
    if (end == NULL || end == reader->at || strchr(BLANKS, *end) == NULL)
        return refuse(reader, "a role after \"as\"", error);
    *ret = unquote(reader->at, end);
    reader->at = end;
    skip_blanks(reader);
    return true;
}

/* " until 2027-01-31:", as an object's name has it only between quotes. */
static const char *find_until(const char *at)
{
    bool quoted = false;

    for (; *at != '\0'; at++) {
        quoted ^= *at == '"';
        if (!quoted && text_starts_with(at, UNTIL))
            return at;
    }
    return NULL;
}

static bool read_object(struct reader *reader, char **ret, struct error *error)
{
    const char *until = find_until(reader->at), *end = until;

    if (*reader->at == '\0' || until == reader->at || text_starts_with(reader->at, &UNTIL[1]))
        return refuse(reader, "an object after the check", error);
    if (until == NULL) {
        reader->at += strlen(reader->at);
        return refuse(reader, "\"until\" and a day after the object", error);
    }
    while (strchr(BLANKS, end[-1]) != NULL)
        end--;
    *ret = text_copy_part(reader->at, (size_t)(end - reader->at));
    reader->at = until + strlen(UNTIL);
    skip_blanks(reader);
    return true;
}

static bool read_day(struct reader *reader, struct rls_acceptance *acceptance, struct error *error)
{
    OWNED char *day = text_copy_part(reader->at, strcspn(reader->at, ":" BLANKS));
    OWNED char *moment = text_format("%sT00:00:00Z", day);
    int64_t begin;

    if (strlen(day) != DATE_LENGTH || !moment_parse(moment, &begin))
        return refuse(reader, "a day such as 2027-01-31 after \"until\"", error);
    reader->at += DATE_LENGTH;
    if (*reader->at != ':')
        return refuse(reader, "a colon after the day", error);
    reader->at++;
    acceptance->expired = reader->now >= begin + DAY_US;
    acceptance->until = take(day);
    return true;
}

static bool read_line(struct reader *reader, struct rls_acceptance *ret, struct error *error)
{
    size_t length = strcspn(reader->at, BLANKS);

    ret->line = reader->number;
    ret->check = text_copy_part(reader->at, length);
    reader->at += length;
    skip_blanks(reader);
    if (!read_role(reader, &ret->role, error) || !read_object(reader, &ret->object, error) ||
        !read_day(reader, ret, error))
        return false;
    skip_blanks(reader);
    if (*reader->at == '\0')
        return refuse(reader, "a reason after the day", error);
    ret->reason = text_copy(reader->at);
    return true;
}

static bool read_lines(struct reader *reader, const char *text, struct rls_baseline *ret, struct error *error)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), end = length;
        AUTO(acceptance_clear) struct rls_acceptance acceptance = {0};

        while (end > 0 && strchr(" \t\r", text[end - 1]) != NULL)
            end--;
        OWNED char *line = text_copy_part(text, end);
        text += length + (text[length] == '\n');
        reader->number++;
        reader->at = reader->line = line;
        skip_blanks(reader);
        if (*reader->at == '\0' || *reader->at == '#')
            continue;
        if (!read_line(reader, &acceptance, error))
            return false;
        ret->items = memory_grow(ret->items, ret->count, sizeof *ret->items);
        ret->items[ret->count++] = acceptance;
        acceptance = (struct rls_acceptance){0};
    }
    return true;
}

bool rls_baseline_parse(const char *name, const char *text, int64_t now, struct rls_baseline *ret,
                        struct error *error)
{
    AUTO(rls_baseline_clear) struct rls_baseline baseline = {0};
    struct reader reader = {.name = name, .now = now};

    if (!read_lines(&reader, text, &baseline, error))
        return false;
    *ret = baseline;
    baseline = (struct rls_baseline){0};
    return true;
}

bool rls_baseline_read(const char *path, int64_t now, struct rls_baseline *ret, struct error *error)
{
    OWNED char *text = NULL;
    size_t size;

    if (!file_read(path, &text, &size, error)) {
        error->code = ERROR_USAGE;
        return false;
    }
    return rls_baseline_parse(path, text, now, ret, error);
}

/* ---- use ---- */

static bool is_about(const struct rls_acceptance *acceptance, const struct rls_finding *finding)
{
    return text_equal(acceptance->check, finding->check) && text_equal(acceptance->object, finding->object) &&
           text_equal(acceptance->role, finding->role);
}

void rls_baseline_accept(struct rls_baseline *baseline, struct rls_findings *findings)
{
    for (size_t i = 0; i < baseline->count; i++) {
        struct rls_acceptance *acceptance = &baseline->items[i];
        for (size_t j = 0; j < findings->count; j++) {
            struct rls_finding *finding = &findings->items[j];
            if (!is_about(acceptance, finding))
                continue;
            acceptance->matched = true;
            if (!acceptance->expired && !finding->inconclusive && finding->accepted == NULL)
                finding->accepted = text_copy(acceptance->reason);
        }
    }
}

static const struct rls_acceptance *known(const struct rls_baseline *baseline,
                                          const struct rls_finding *finding)
{
    for (size_t i = 0; i < baseline->count; i++)
        if (is_about(&baseline->items[i], finding))
            return &baseline->items[i];
    return NULL;
}

/* A name with a line feed has no place in a file of lines: such a finding is not accepted. */
static bool can_be_written(const struct rls_finding *finding)
{
    return !finding->inconclusive && strchr(finding->object, '\n') == NULL &&
           (finding->role == NULL || strchr(finding->role, '\n') == NULL);
}

static bool is_first(const struct rls_findings *findings, const struct rls_finding *finding)
{
    const struct rls_finding *other = findings->items;

    while (!rls_finding_same(other, finding))
        other++;
    return other == finding;
}

static void put_line(FILE *out, const struct rls_finding *finding, const char *until, const char *reason)
{
    fprintf(out, "%s ", finding->check);
    if (finding->role != NULL) {
        bool plain = *finding->role != '\0' &&
                     finding->role[strspn(finding->role, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
        OWNED char *quoted = plain ? text_copy(finding->role) : postgres_quote_name(finding->role);
        fprintf(out, "as %s ", quoted);
    }
    fprintf(out, "%s" UNTIL "%s: %s\n", finding->object, until, reason);
}

char *rls_baseline_text(const struct rls_baseline *baseline, const struct rls_findings *findings,
                        const char *until, const char *reason)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fputs("# Findings of \"pgmigrate rls\" that are accepted: CHECK [as ROLE] OBJECT until YYYY-MM-DD: "
          "REASON\n",
          out);
    for (size_t i = 0; i < findings->count; i++) {
        const struct rls_finding *finding = &findings->items[i];
        const struct rls_acceptance *before = known(baseline, finding);
        if (can_be_written(finding) && is_first(findings, finding))
            put_line(out, finding, before != NULL && !before->expired ? before->until : until,
                     before != NULL ? before->reason : reason);
    }
    fclose(out);
    return text;
}

void rls_baseline_clear(struct rls_baseline *baseline)
{
    for (size_t i = 0; i < baseline->count; i++)
        acceptance_clear(&baseline->items[i]);
    free(baseline->items);
    *baseline = (struct rls_baseline){0};
}
