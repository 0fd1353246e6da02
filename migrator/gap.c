/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/gap.h"
#include "migrator/rule.h"
#include <stdio.h>

/* Longer numbers are dates and times. */
#define SEQUENCE_DIGITS 6
#define RANGES_SHOWN    12

static bool sequence_number(const struct migration *migration, int64_t *ret)
{
    return strlen(migration->version.digits) <= SEQUENCE_DIGITS &&
           text_parse_integer(migration->version.number, 0, INT64_MAX, ret);
}

static void print_range(FILE *out, size_t range, int64_t first, int64_t last)
{
    if (range > RANGES_SHOWN)
        return;
    fprintf(out, "%s%s", range > 0 ? ", " : "", range == RANGES_SHOWN ? "…" : "");
    if (range < RANGES_SHOWN && first == last)
        fprintf(out, "%lld", (long long)first);
    else if (range < RANGES_SHOWN)
        fprintf(out, "%lld-%lld", (long long)first, (long long)last);
}

void gap_check(struct folder *folder)
{
    OWNED char *text = NULL;
    size_t size = 0, ranges = 0;
    int64_t missing = 0, last = 0, next = 0;
    const char *file = NULL;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 1; i < folder->count; i++) {
        if (!sequence_number(folder->items[i - 1], &last) || !sequence_number(folder->items[i], &next) ||
            next - last <= 1)
            continue;
        print_range(out, ranges++, last + 1, next - 1);
        missing += next - last - 1;
        file = file ? file : folder->items[i]->forward.path;
    }
    fclose(out);
    if (missing == 1)
        finding_add(&folder->findings, RULE_VERSION_GAP, SEVERITY_NOTICE, file, "number %s is not used",
                    text);
    else if (missing > 0)
        finding_add(&folder->findings, RULE_VERSION_GAP, SEVERITY_NOTICE, file, "numbers %s are not used",
                    text);
}
