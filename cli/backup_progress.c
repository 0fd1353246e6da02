/* SPDX-License-Identifier: PostgreSQL */
#include "cli/backup_progress.h"

#include "cli/report.h"
#include "common/interrupt.h"

#define LIVE_EVERY_MS    100
#define SIGN_OF_LIFE_MS  30000 /* in a pipe */
#define WAIT_REPEATED_MS 10000
#define BAR_WIDTH        20
#define RATE_MEANS_MS    500 /* before that a rate is chance */

struct backup_progress {
    const struct invocation *invocation;
    int64_t begun;  /* clock_ms() when copying began */
    int64_t drawn;  /* of the live line */
    int64_t said;   /* of the last sign of life */
    int64_t warned; /* that somebody waits, or we do */
    bool live;
};

struct backup_progress *backup_progress_new(const struct invocation *invocation)
{
    struct backup_progress *progress = memory_allocate(1, sizeof *progress);

    progress->invocation = invocation;
    progress->begun = progress->said = clock_ms();
    return progress;
}

static void take_live_away(struct backup_progress *progress)
{
    if (progress->live)
        report_live("");
    progress->live = false;
}

void backup_progress_free(struct backup_progress *progress)
{
    if (!progress)
        return;
    take_live_away(progress);
    free(progress);
}

/* ---- the line ---- */

static void put_bar(FILE *out, int64_t done, int64_t total)
{
    int filled = (int)(done * BAR_WIDTH / total);

    fputc('[', out);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '-', out);
    fprintf(out, "] %3d%%  ", (int)(done * 100 / total));
}

/* What matters most comes first: a terminal may have no room for the end. */
static void put_numbers(FILE *out, const struct backup_event *event, int64_t ms)
{
    OWNED char *done = text_size(event->done), *written = text_size(event->written);
    int64_t rate = ms < RATE_MEANS_MS ? 0 : event->done * 1000 / ms;

    if (rate > 0 && event->total > event->done) {
        OWNED char *left = text_duration((event->total - event->done) * 1000 / rate);

        fprintf(out, "%s left, ", left);
    }
    if (rate > 0) {
        OWNED char *speed = text_size(rate);

        fprintf(out, "%s/s, ", speed);
    }
    fprintf(out, "%s read, %s written", done, written);
}

static void put_streams(FILE *out, const struct backup_event *event)
{
    for (size_t i = 0, shown = 0; i < event->streams; i++)
        if (event->current[i])
            fprintf(out, "%s%s", shown++ ? ", " : "  ", event->current[i]);
}

/* The tables' sizes on disk are only nearly those of their rows' text: no more than 99 % before the end. */
char *backup_progress_line(const struct backup_event *event, int64_t ms)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int64_t total = event->total > 0 ? event->total : 1;
    int64_t done = event->done < total * 99 / 100 ? event->done : total * 99 / 100;

    put_bar(out, done, total);
    put_numbers(out, event, ms);
    put_streams(out, event);
    fclose(out);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' '; /* a table's name must not move the cursor */
    return text;
}

static void draw(struct backup_progress *progress, const char *text)
{
    int64_t now = clock_ms();

    if (now - progress->drawn < LIVE_EVERY_MS)
        return;
    report_live(text);
    progress->live = true;
    progress->drawn = now;
}

/* ---- events ---- */

static void say(struct backup_progress *progress, enum paint paint, const char *word, const char *text)
{
    take_live_away(progress);
    report_paint(stderr, progress->invocation->color, paint, word);
    fprintf(stderr, " %s\n", text);
}

static void on_progress(struct backup_progress *progress, const struct backup_event *event)
{
    int64_t now = clock_ms();
    OWNED char *line = backup_progress_line(event, now - progress->begun);

    if (progress->invocation->terminal) {
        draw(progress, line);
    } else if (now - progress->said >= SIGN_OF_LIFE_MS) {
        say(progress, PAINT_DIM, "copying:", line);
        progress->said = now;
    }
}

/* What goes on for long is said again only now and then. */
static void on_waiting(struct backup_progress *progress, const char *word, const char *message)
{
    int64_t now = clock_ms();

    if (progress->warned && now - progress->warned < WAIT_REPEATED_MS)
        return;
    progress->warned = now;
    say(progress, PAINT_YELLOW, word, message);
}

static void on_event(void *context, const struct backup_event *event)
{
    struct backup_progress *progress = context;

    if (progress->invocation->verbosity == VERBOSITY_QUIET)
        return;
    switch (event->kind) {
    case BACKUP_WAITING:
        on_waiting(progress, "waiting:", event->message);
        break;
    case BACKUP_BEGUN:
        progress->begun = progress->said = clock_ms();
        progress->warned = 0;
        break;
    case BACKUP_PROGRESS:
    case BACKUP_CLOSING:
        on_progress(progress, event);
        break;
    case BACKUP_BLOCKING:
        on_waiting(progress, "blocking:", event->message);
        break;
    case BACKUP_WARNING:
        take_live_away(progress);
        report_warning(progress->invocation, "%s", event->message);
        break;
    }
}

struct backup_listener backup_progress_listener(struct backup_progress *progress)
{
    return (struct backup_listener){on_event, progress};
}
