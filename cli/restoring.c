/* SPDX-License-Identifier: PostgreSQL */
#include "cli/restoring.h"

#include "cli/report.h"
#include "cli/secret.h"
#include "common/interrupt.h"
#include <ctype.h>

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
        report_live("");
    progress->live = false;
}

char *restoring_progress_line(const struct restore_event *event, int64_t ms)
{
    OWNED char *done = text_size(event->done), *total = text_size(event->total);
    OWNED char *rate = text_size(event->done * 1000 / (ms ? ms : 1));
    double share = event->total > 0 ? (double)event->done / (double)event->total : 0;

    if (share <= 0)
        return text_copy(phase_name(event->phase));
    OWNED char *left = text_duration(share < 1 ? (int64_t)((double)ms / share * (1 - share)) : 0);
    return text_format("%s: %d%%, %s left, %s/s, %s of %s", phase_name(event->phase),
                       share < 1 ? (int)(share * 100) : 100, left, rate, done, total);
}

static void draw(struct restoring_progress *progress, const struct restore_event *event)
{
    int64_t now = clock_ms(), passed = now - progress->phase_began;

    if (now - progress->drawn < DRAW_EVERY_MS && progress->live)
        return;
    progress->drawn = now;
    progress->live = true;
    OWNED char *line = restoring_progress_line(event, passed);
    report_live(line);
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

/* ---- going on ---- */

/* As a shell reads it: plain words as they are, else in quotes. */
static void put_word(FILE *out, const char *word)
{
    bool plain = *word != '\0';

    for (const char *at = word; *at != '\0'; at++)
        plain = plain && (isalnum((unsigned char)*at) || strchr("_-./:@%+,", *at) != NULL);
    fputs(plain ? " " : " '", out);
    for (const char *at = word; *at != '\0'; at++)
        fputs(*at == '\'' ? "'\\''" : (const char[]){*at, '\0'}, out);
    if (!plain)
        fputc('\'', out);
}

/* Not of what goes on: it is named by its id and its database, and is to be done. */
static bool is_repeated(const struct option_spec *spec)
{
    static const char *const others[] = {"to", "resume", "before", "before-time", "dry-run", "json", NULL};

    for (size_t i = 0; others[i] != NULL; i++)
        if (text_equal(spec->name, others[i]))
            return false;
    return true;
}

/* As it was given, but for passwords: those are looked for in PGPASSWORD or the password file then. */
static void put_value(FILE *out, const char *value)
{
    OWNED char *masked = text_copy(value);
    OWNED char *safe = secret_overwrite(masked) ? postgres_conninfo_safe(value) : text_copy(value);

    put_word(out, safe);
}

static void put_option(FILE *out, const struct option_value *option)
{
    size_t first = option->spec->repeats ? 0 : option->values.count - 1;

    for (size_t i = first; i < option->values.count; i++) {
        fprintf(out, " --%s", option->spec->name);
        if (option->spec->argument != NULL)
            put_value(out, option->values.items[i]);
    }
}

char *restoring_command(const struct invocation *invocation, const char *id, const char *to)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fprintf(out, "pgmigrate restore %s --to", id);
    put_word(out, to);
    fputs(" --resume", out);
    for (size_t i = 0; i < invocation->option_count; i++)
        if (is_repeated(invocation->options[i].spec))
            put_option(out, &invocation->options[i]);
    fclose(out);
    return text;
}
