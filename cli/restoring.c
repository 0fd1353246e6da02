/* SPDX-License-Identifier: PostgreSQL */
#include "cli/restoring.h"

#include "cli/report.h"
#include "common/interrupt.h"

#define DRAW_EVERY_MS 100

static const char *phase_name(enum restore_phase phase)
{
    static const char *const names[] = {
        [RESTORE_CHECKING] = "checking the backup",
        [RESTORE_CREATING] = "creating the database",
        [RESTORE_PRE_DATA] = "creating tables",
        [RESTORE_DATA] = "loading rows",
        [RESTORE_POST_DATA] = "building indexes and constraints",
        [RESTORE_PRIVILEGES] = "setting privileges and properties",
        [RESTORE_LATE] = "filling materialized views",
        [RESTORE_ANALYZE] = "analyzing",
        [RESTORE_COMPARING] = "comparing rows with the backup",
        [RESTORE_TRIGGERS] = "making event triggers",
        [RESTORE_SWAPPING] = "swapping databases",
    };

    return names[phase];
}

void restoring_progress_end(struct restoring_progress *progress)
{
    if (progress->live)
        fputs("\r\033[K", stderr);
    progress->live = false;
}

static void draw(struct restoring_progress *progress, const struct restore_event *event)
{
    int64_t now = clock_ms(), passed = now - progress->phase_began;

    if (now - progress->drawn < DRAW_EVERY_MS && progress->live)
        return;
    progress->drawn = now;
    progress->live = true;
    fprintf(stderr, "\r\033[K%s", phase_name(event->phase));
    if (event->total > 0 && event->done > 0) {
        OWNED char *done = text_size(event->done);
        OWNED char *total = text_size(event->total);
        OWNED char *rate = text_size(event->done * 1000 / (passed ? passed : 1));
        int64_t left = (int64_t)((double)passed / (double)event->done * (double)(event->total - event->done));
        OWNED char *rest = text_duration(left > 0 ? left : 0);

        fprintf(stderr, ": %s of %s, %s/s, %s left", done, total, rate, rest);
    }
    fflush(stderr);
}

static void on_event(void *context, const struct restore_event *event)
{
    struct restoring_progress *progress = context;
    const struct invocation *invocation = progress->invocation;
    bool changed = !progress->begun || event->phase != progress->phase;

    if (changed)
        progress->phase_began = clock_ms();
    progress->begun = true;
    progress->phase = event->phase;
    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    if (invocation->terminal)
        draw(progress, event);
    else if (changed)
        fprintf(stderr, "%s\n", phase_name(event->phase));
}

struct restore_listener restoring_listener(struct restoring_progress *progress)
{
    return (struct restore_listener){.event = on_event, .context = progress};
}
