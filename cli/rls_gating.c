/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rls_gating.h"

#include "cli/rls.h"
#include "common/moment.h"

void rls_gating_clear(struct rls_gating *gating)
{
    rls_settings_clear(&gating->settings);
    rls_baseline_clear(&gating->baseline);
    *gating = (struct rls_gating){0};
}

static void accept(void *context, struct rls_findings *findings)
{
    rls_baseline_accept(context, findings);
}

bool rls_gating_read(const struct invocation *invocation, struct rls_gating *ret, struct error *error)
{
    const char *mode = config_text(invocation->config, "rls_gate");
    OWNED char *baseline = config_path(invocation->config, "baseline");

    ret->options = (struct rls_gate_options){
        .settings = &ret->settings, .at_least = RLS_MEDIUM, .accept = accept, .context = &ret->baseline};
    if (mode == NULL)
        mode = rls_is_configured(invocation->config) ? "new" : "off";
    ret->on = !text_equal(mode, "off") &&
              rls_severity_parse(config_text(invocation->config, "fail_on"), &ret->options.at_least);
    ret->options.all = text_equal(mode, "all");
    return !ret->on ||
           ((baseline == NULL || rls_baseline_read(baseline, moment_now(), &ret->baseline, error)) &&
            rls_read_settings(invocation, &ret->settings, error));
}
