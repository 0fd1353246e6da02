/* SPDX-License-Identifier: PostgreSQL */
#include "cli/progress.h"

#include "cli/report.h"
#include "common/interrupt.h"

#define LIVE_EVERY_MS    100   /* a terminal line is drawn this often at most */
#define SIGN_OF_LIFE_MS  30000 /* in a pipe, where nothing else happens */
#define WAIT_REPEATED_MS 10000 /* in a pipe, what is waited for is said again */

struct progress {
    const struct invocation *invocation;
    const char *done;
    char *version;   /* of the migration that runs, as below */
    char *statement; /* first line of the statement that runs; NULL between */
    char *doing;     /* what the server says it is at, or NULL */
    size_t index, total, line;
    int64_t begun; /* clock_ms() at its begin */
    int64_t drawn; /* of the live line */
    int64_t said;  /* of the last sign of life or wait line; 0: none for this migration */
    bool live;     /* a live line stands on the terminal */
};

struct progress *progress_new(const struct invocation *invocation, const char *done)
{
    struct progress *progress = memory_allocate(1, sizeof *progress);

    progress->invocation = invocation;
    progress->done = done;
    return progress;
}

static void take_live_away(struct progress *progress)
{
    if (progress->live)
        report_live("");
    progress->live = false;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    take_live_away(progress);
    free(progress->version);
    free(progress->statement);
    free(progress->doing);
    free(progress);
}

/* Text of the server or of a file must not move the cursor. */
static char *printable(const char *text)
{
    char *clean = text_copy(text ? text : "");

    for (char *at = clean; *at; at++)
        if (((unsigned char)*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7f)
            *at = ' ';
    return clean;
}

static void say(struct progress *progress, enum paint paint, const char *word, const char *rest)
{
    OWNED char *clean = printable(rest);

    take_live_away(progress);
    report_paint(stderr, progress->invocation->color, paint, word);
    fprintf(stderr, "%s%s\n", *word ? " " : "", clean);
}

/* ---- the live line ---- */

static void draw(struct progress *progress, const char *waiting)
{
    int64_t now = clock_ms();
    OWNED char *elapsed = NULL, *text = NULL;

    if (!progress->invocation->terminal || now - progress->drawn < LIVE_EVERY_MS)
        return;
    elapsed = text_duration(now - progress->begun);
    if (waiting)
        text = text_format("%s  %s", elapsed, waiting);
    else if (!progress->total) /* before the first one: rollback tries its scripts */
        text = text_format("trying  %s  %s", elapsed, progress->statement ? progress->statement : "");
    else
        text = text_format("[%zu/%zu] %s  %s  %s%s%s", progress->index, progress->total,
                           progress->version ? progress->version : "", elapsed,
                           progress->doing ? progress->doing : "", progress->doing ? "  " : "",
                           progress->statement ? progress->statement : "");
    report_live(text);
    progress->live = true;
    progress->drawn = now;
}

/* Whether a line that repeats itself is due again; only where no live line shows it. */
static bool is_due(struct progress *progress, int64_t every_ms, bool at_once)
{
    int64_t now = clock_ms();

    if (progress->said ? now - progress->said < every_ms : !at_once && now - progress->begun < every_ms)
        return false;
    progress->said = now;
    return true;
}

static void wait_for(struct progress *progress, const struct run_event *event, const char *what)
{
    OWNED char *elapsed = text_duration(event->ms);
    OWNED char *line = text_format("%s%s%s%s (waited %s)", event->version ? event->version : "",
                                   event->version ? ": " : "", what, event->text ? event->text : "", elapsed);

    if (progress->invocation->terminal)
        draw(progress, line);
    else if (is_due(progress, WAIT_REPEATED_MS, true))
        say(progress, PAINT_YELLOW, "waiting:", line);
}

/* ---- events ---- */

static void replace(char **text, const char *with)
{
    free(*text);
    *text = text_copy(with);
}

static void on_begin(struct progress *progress, const struct run_event *event)
{
    replace(&progress->version, event->version);
    replace(&progress->statement, NULL);
    replace(&progress->doing, NULL);
    progress->index = event->index + 1;
    progress->total = event->total;
    progress->begun = clock_ms();
    progress->said = 0;
    draw(progress, NULL);
}

static void on_statement(struct progress *progress, const struct run_event *event)
{
    replace(&progress->statement, event->text);
    replace(&progress->doing, NULL);
    progress->line = event->line;
    if (!progress->begun)
        progress->begun = clock_ms();
    if (progress->invocation->verbosity == VERBOSITY_VERBOSE) {
        OWNED char *path = event->file ? report_path(event->file) : text_copy(event->version);
        OWNED char *text = text_format("%s:%zu: %s", path, event->line, event->text ? event->text : "");

        say(progress, PAINT_DIM, progress->total ? "running:" : "trying:", text);
    }
    draw(progress, NULL);
}

static void on_progress(struct progress *progress, const struct run_event *event)
{
    replace(&progress->doing, event->text);
    if (!progress->begun)
        progress->begun = clock_ms();
    if (progress->invocation->terminal)
        draw(progress, NULL);
    else if (is_due(progress, SIGN_OF_LIFE_MS, false)) {
        OWNED char *elapsed = text_duration(clock_ms() - progress->begun);
        OWNED char *text =
            text_format("%s for %s, at line %zu%s%s", event->version ? event->version : "trying the scripts",
                        elapsed, progress->line, event->text ? ": " : "", event->text ? event->text : "");

        say(progress, PAINT_DIM, "running:", text);
    }
}

static void on_retry(struct progress *progress, const struct run_event *event)
{
    OWNED char *pause = text_duration(event->ms);
    OWNED char *text = text_format("%s, attempt %zu rolled back: %s; next in %s", event->version,
                                   event->attempt, event->text ? event->text : "", pause);

    say(progress, PAINT_YELLOW, "retry:", text);
}

/* "NOTICE" of the server as "notice". */
static char *severity_word(const struct run_event *event)
{
    const struct notice *notice = event->notice;
    char *word = text_copy(notice && notice->severity ? notice->severity
                           : event->warning           ? "warning"
                                                      : "notice");

    for (char *at = word; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    return word;
}

static void on_notice(struct progress *progress, const struct run_event *event)
{
    const struct notice *notice = event->notice;
    OWNED char *path =
        event->file ? report_path(event->file) : text_copy(event->version ? event->version : "");
    OWNED char *severity = severity_word(event);
    OWNED char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (event->line)
        fprintf(out, "%s:%zu: %s: ", path, event->line, severity);
    else
        fprintf(out, "%s%s%s: ", path, *path ? ": " : "", severity);
    if (notice) {
        fputs(notice->message, out);
        fprintf(out, "%s%s", *notice->detail ? "\ndetail: " : "", notice->detail);
        fprintf(out, "%s%s", *notice->hint ? "\nhint: " : "", notice->hint);
    } else {
        fputs(event->text ? event->text : "", out);
    }
    fclose(out);
    say(progress, PAINT_NONE, "", text);
}

static void on_done(struct progress *progress, const struct run_event *event)
{
    OWNED char *duration = text_duration(event->ms);
    OWNED char *text = text_format("%s (%s)", event->version, duration);

    say(progress, PAINT_GREEN, progress->done, text);
}

static void on_event(void *context, const struct run_event *event)
{
    struct progress *progress = context;

    if (progress->invocation->verbosity == VERBOSITY_QUIET)
        return;
    switch (event->type) {
    case RUN_LOCK_WAIT:
        if (!progress->begun)
            progress->begun = clock_ms() - event->ms;
        wait_for(progress, event, "the run lock is held by ");
        break;
    case RUN_BEGIN:
        on_begin(progress, event);
        break;
    case RUN_STATEMENT:
        on_statement(progress, event);
        break;
    case RUN_PROGRESS:
        on_progress(progress, event);
        break;
    case RUN_BLOCKED:
        wait_for(progress, event, "");
        break;
    case RUN_RETRY:
        on_retry(progress, event);
        break;
    case RUN_NOTICE:
        on_notice(progress, event);
        break;
    case RUN_ECHO:
        say(progress, PAINT_NONE, "", event->text);
        break;
    case RUN_DONE:
        on_done(progress, event);
        break;
    case RUN_FAILED:
        say(progress, PAINT_RED, "failed", event->version);
        break;
    }
}

struct run_listener progress_listener(struct progress *progress)
{
    return (struct run_listener){progress, on_event};
}
