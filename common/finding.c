/* SPDX-License-Identifier: PostgreSQL */
#include "common/finding.h"
#include "common/text.h"

struct finding *finding_add(struct findings *findings, const char *rule, enum severity severity,
                            const char *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = text_format_list(format, arguments);
    va_end(arguments);

    findings->items = memory_grow(findings->items, findings->count, sizeof *findings->items);
    struct finding *finding = &findings->items[findings->count++];
    *finding =
        (struct finding){.rule = rule, .severity = severity, .file = text_copy(file), .message = message};
    return finding;
}

void finding_at(struct finding *finding, size_t line, size_t column)
{
    finding->line = line;
    finding->column = column;
}

void finding_hint(struct finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *hint = text_format_list(format, arguments);
    va_end(arguments);

    free(finding->hint);
    finding->hint = hint;
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {
        [SEVERITY_NOTICE] = "notice", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"};

    return names[severity];
}

size_t findings_count(const struct findings *findings, enum severity at_least)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].severity >= at_least;
    return count;
}

void findings_clear(struct findings *findings)
{
    if (findings == NULL)
        return;
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].file);
        free(findings->items[i].message);
        free(findings->items[i].hint);
    }
    free(findings->items);
    *findings = (struct findings){0};
}
