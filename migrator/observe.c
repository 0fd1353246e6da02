/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/observe.h"

#include "common/interrupt.h"
#include "sql.h"
#include <stdio.h>

#define PAUSE_FIRST_MS   1000
#define PAUSE_LONGEST_MS 60000

static void pause_observing(struct observer *observer)
{
    postgres_free(observer->postgres);
    observer->postgres = NULL;
    observer->pause_ms = observer->pause_ms == 0 ? PAUSE_FIRST_MS : observer->pause_ms * 2;
    if (observer->pause_ms > PAUSE_LONGEST_MS)
        observer->pause_ms = PAUSE_LONGEST_MS;
    observer->again_ms = clock_ms() + observer->pause_ms;
}

static bool is_open(struct observer *observer)
{
    AUTO(error_clear) struct error ignored = {0};
    if (observer->postgres != NULL)
        return true;
    if (clock_ms() < observer->again_ms)
        return false;
    if (postgres_connect_again(observer->watched, &observer->postgres, &ignored))
        return true;
    pause_observing(observer);
    return false;
}

/* $1 is the process that is watched, what follows null. */
static struct rows *look(struct observer *observer, const char *sql, size_t count)
{
    AUTO(error_clear) struct error ignored = {0};
    struct rows *rows = NULL;
    if (!is_open(observer))
        return NULL;
    OWNED char *pid = text_format("%d", observer->pid);
    if (!postgres_query(observer->postgres, sql, count, (const char *const[]){pid, NULL, NULL}, &rows,
                        &ignored) &&
        postgres_is_lost(observer->postgres))
        pause_observing(observer);
    return rows;
}

static const char *or_unknown(const char *text)
{
    return text == NULL || *text == '\0' ? "?" : text;
}

char *observer_describe(const struct rows *rows)
{
    if (rows == NULL || rows_count(rows) == 0)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < rows_count(rows); i++) {
        OWNED char *age = rows_age(rows, i, ", transaction open for ");
        const char *state = rows_text(rows, i, "state");
        fprintf(stream, "%spid %s (%s, user %s%s", i == 0 ? "blocked by " : "; ",
                or_unknown(rows_text(rows, i, "pid")), or_unknown(rows_text(rows, i, "application")),
                or_unknown(rows_text(rows, i, "user")), age);
        if (state != NULL)
            fprintf(stream, ", %s: %s", state, or_unknown(rows_text(rows, i, "query")));
        fputc(')', stream);
    }
    fclose(stream);
    return text;
}

char *observer_blockers(struct observer *observer)
{
    AUTO(rows_free) struct rows *rows = look(observer, sql_session_blockers, 3);
    return observer_describe(rows);
}

char *observer_progress(struct observer *observer)
{
    AUTO(rows_free) struct rows *rows = look(observer, sql_session_progress, 1);
    if (rows == NULL || rows_count(rows) == 0)
        return NULL;
    const char *percent = rows_text(rows, 0, "percent");
    return text_format("%s%s%s%s", rows_text(rows, 0, "phase"), percent == NULL ? "" : ", ",
                       percent == NULL ? "" : percent, percent == NULL ? "" : " %");
}

void observer_prepare(struct observer *observer)
{
    free(observer_blockers(observer));
}

void observer_done(struct observer *observer)
{
    postgres_free(observer->postgres);
    observer->postgres = NULL;
}
