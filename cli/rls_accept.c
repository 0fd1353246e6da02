/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_accept.h"

#include "cli/document.h"
#include "cli/report.h"
#include "common/moment.h"
#include "migrator/rls_baseline.h"
#include <string.h>

#define ACCEPTED_US ((int64_t)90 * 86400 * 1000000)
#define DATE_LENGTH 10

static bool was_made(const struct rls_result *result, const char *check)
{
    for (size_t i = 0; i < result->count; i++)
        if (text_equal(result->tallies[i].check, check))
            return !result->tallies[i].left_out;
    return false;
}

static void judge(const char *file, const struct rls_acceptance *item, const struct rls_result *result,
                  struct findings *notices)
{
    const char *as = item->role != NULL ? " as " : "", *role = item->role != NULL ? item->role : "";
    struct finding *notice = NULL;

    if (item->expired && item->matched) {
        notice =
            finding_add(notices, "acceptance-over", SEVERITY_WARNING, file, "%s%s%s %s was accepted until %s",
                        item->check, as, role, item->object, item->until);
        finding_hint(notice, "Mend it, or give it another day.");
    } else if (!item->matched && was_made(result, item->check)) {
        notice = finding_add(notices, "acceptance-unused", SEVERITY_NOTICE, file,
                             "nothing is found any more of %s%s%s %s", item->check, as, role, item->object);
        finding_hint(notice, "Take the line out.");
    }
    if (notice != NULL)
        finding_at(notice, item->line, 0);
}

static void tell(const struct invocation *invocation, const char *file, const struct rls_baseline *baseline,
                 const struct rls_result *result)
{
    AUTO(findings_clear) struct findings notices = {0};

    for (size_t i = 0; i < baseline->count; i++)
        judge(file, &baseline->items[i], result, &notices);
    if (invocation->json)
        json_object_set_new(invocation->document, "baseline", document_findings(&notices));
    else if (invocation->verbosity != VERBOSITY_QUIET)
        report_findings(stderr, invocation->color, &notices);
}

static char *day(int64_t moment)
{
    OWNED char *text = moment_text(moment);

    return text_copy_part(text, DATE_LENGTH);
}

static bool write_baseline(const char *file, struct rls_result *result, struct error *error)
{
    AUTO(rls_baseline_clear) struct rls_baseline before = {0}, after = {0};
    int64_t now = moment_now();
    OWNED char *today = day(now), *until = day(now + ACCEPTED_US);
    OWNED char *reason = text_format("found on %s; nobody has looked at it yet", today);

    if (file_exists(file) && !rls_baseline_read(file, now, &before, error))
        return false;
    rls_findings_sort(&result->findings);
    OWNED char *text = rls_baseline_text(&before, &result->findings, until, reason);
    if (!rls_baseline_parse(file, text, now, &after, error))
        return false;
    rls_baseline_accept(&after, &result->findings);
    return file_write_atomic(file, text, strlen(text), 0644, error);
}

bool rls_accept(struct invocation *invocation, struct rls_result *result, struct error *error)
{
    AUTO(rls_baseline_clear) struct rls_baseline baseline = {0};
    const char *written = invocation_option(invocation, "write-baseline");
    OWNED char *file = config_path(invocation->config, "baseline");

    if (written != NULL)
        return write_baseline(written, result, error);
    if (file == NULL)
        return true;
    if (!rls_baseline_read(file, moment_now(), &baseline, error))
        return false;
    rls_baseline_accept(&baseline, &result->findings);
    tell(invocation, file, &baseline, result);
    return true;
}
