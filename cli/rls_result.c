/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_result.h"

#include "common/text.h"

void rls_result_add(struct rls_result *result, const char *check, const char *title, bool left_out)
{
    result->tallies = memory_grow(result->tallies, result->count, sizeof *result->tallies);
    result->tallies[result->count++] =
        (struct rls_tally){.check = check, .title = title, .left_out = left_out};
}

static struct rls_tally *tally_of(struct rls_result *result, const char *check)
{
    for (size_t i = 0; i < result->count; i++)
        if (text_equal(result->tallies[i].check, check))
            return &result->tallies[i];
    rls_result_add(result, check, "", false);
    return &result->tallies[result->count - 1];
}

void rls_result_tally(struct rls_result *result)
{
    rls_findings_sort(&result->findings);
    for (size_t i = 0; i < result->findings.count; i++) {
        const struct rls_finding *finding = &result->findings.items[i];
        struct rls_tally *tally = tally_of(result, finding->check);
        if (finding->inconclusive) {
            tally->inconclusive++;
        } else if (finding->accepted != NULL) {
            tally->accepted++;
        } else {
            tally->found++;
            tally->worst = finding->severity > tally->worst ? finding->severity : tally->worst;
        }
    }
}

char *rls_tally_words(const struct rls_tally *tally)
{
    const struct {
        size_t count;
        const char *word;
    } parts[] = {
        {tally->found, "found"}, {tally->inconclusive, "inconclusive"}, {tally->accepted, "accepted"}};
    AUTO(text_list_clear) struct text_list words = {0};

    if (tally->left_out)
        return text_copy("left out");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count > 0)
            text_list_add(&words, text_format("%zu %s", parts[i].count, parts[i].word));
    return words.count == 0 ? text_copy("passed") : text_list_join(&words, ", ");
}

void rls_result_clear(struct rls_result *result)
{
    rls_findings_clear(&result->findings);
    free(result->tallies);
    *result = (struct rls_result){0};
}
