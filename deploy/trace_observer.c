/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/trace_observer.h"

#include "common/interrupt.h"
#include "sql.h"
#include <pthread.h>
#include <string.h>

#define FIRST_PAUSE_US 5000
#define PAUSE_PART     20

struct phase {
    char *name;
    int64_t us;
};

struct trace_observer {
    struct postgres *postgres; /* the thread's alone */
    struct victim *victim;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t changed;
    bool stop, running, held, lost;
    int pid;
    size_t number; /* of the statement, so that a sample which comes too late is known */
    int64_t began_us, sampled_us;
    bool waiting; /* when the last sample was taken */
    struct seen seen;
    struct phase *phases;
    size_t phase_count;
};

void seen_clear(struct seen *seen)
{
    free(seen->locks);
    text_list_clear(&seen->phases);
    *seen = (struct seen){0};
}

/* ---- a sample ---- */

static struct seen_lock *lock_of(struct seen *seen, int64_t oid, enum lock_mode mode)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->locks[i].oid == oid && seen->locks[i].mode == mode)
            return &seen->locks[i];
    seen->locks = memory_grow(seen->locks, seen->count, sizeof *seen->locks);
    seen->locks[seen->count] = (struct seen_lock){.oid = oid, .mode = mode};
    return &seen->locks[seen->count++];
}

/* Since the wait began, or since the last sample, which has counted the time before. */
static bool count_wait(struct trace_observer *observer, struct seen_lock *lock, int64_t waited, int64_t now)
{
    int64_t us = observer->waiting ? now - observer->sampled_us : waited;
    lock->wait_us += us;
    observer->seen.wait_us += us;
    return true;
}

static void count_phase(struct trace_observer *observer, const char *name, int64_t now)
{
    struct phase *last = observer->phase_count == 0 ? NULL : &observer->phases[observer->phase_count - 1];
    if (last == NULL || strcmp(last->name, name) != 0) {
        observer->phases = memory_grow(observer->phases, observer->phase_count, sizeof *observer->phases);
        last = &observer->phases[observer->phase_count++];
        *last = (struct phase){.name = text_copy(name)};
    }
    last->us += now - observer->sampled_us;
}

static void count_sample(struct trace_observer *observer, const struct rows *rows)
{
    int64_t now = clock_us();
    bool waiting = false;
    for (size_t row = 0; row < rows_count(rows); row++) {
        enum lock_mode mode = (enum lock_mode)rows_integer(rows, row, "mode");
        if (mode == LOCK_NONE)
            continue;
        if (observer->victim != NULL && mode >= LOCK_ROW_EXCLUSIVE)
            victim_visit(observer->victim, rows_integer(rows, row, "oid"));
        struct seen_lock *lock = lock_of(&observer->seen, rows_integer(rows, row, "oid"), mode);
        if (rows_text(rows, row, "waited") != NULL) {
            waiting = count_wait(observer, lock, rows_integer(rows, row, "waited"), now);
            continue;
        }
        lock->first_us = lock->first_us == 0 ? now : lock->first_us;
        lock->last_us = now;
    }
    const char *phase = rows_text(rows, 0, "phase");
    if (phase != NULL)
        count_phase(observer, phase, now);
    observer->waiting = waiting;
    observer->sampled_us = now;
}

/* ---- the thread ---- */

/* With the mutex held, but not meanwhile. */
static void sample(struct trace_observer *observer)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    size_t number = observer->number;
    OWNED char *pid = text_format("%d", observer->pid);
    const char *values[] = {pid, observer->held || observer->victim != NULL ? "t" : "f"};
    pthread_mutex_unlock(&observer->mutex);
    bool good = postgres_query(observer->postgres, sql_trace_sample, 2, values, &rows, &ignored);
    bool lost = postgres_is_lost(observer->postgres);
    pthread_mutex_lock(&observer->mutex);
    observer->lost = lost;
    if (observer->number != number || !observer->running)
        return;
    if (good)
        count_sample(observer, rows);
    else
        observer->running = false; /* what cannot be seen is not asked for again and again */
}

static void wait_until(struct trace_observer *observer, int64_t us)
{
    struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    size_t number = observer->number;
    while (!observer->stop && observer->running && observer->number == number && clock_us() < us)
        pthread_cond_timedwait(&observer->changed, &observer->mutex, &until);
}

static void *observe(void *context)
{
    struct trace_observer *observer = context;
    pthread_mutex_lock(&observer->mutex);
    while (!observer->stop) {
        if (!observer->running) {
            pthread_cond_wait(&observer->changed, &observer->mutex);
            continue;
        }
        int64_t pause = (clock_us() - observer->began_us) / PAUSE_PART;
        size_t number = observer->number;
        wait_until(observer, clock_us() + (pause > FIRST_PAUSE_US ? pause : FIRST_PAUSE_US));
        if (!observer->stop && observer->running && observer->number == number)
            sample(observer);
    }
    pthread_mutex_unlock(&observer->mutex);
    return NULL;
}

bool trace_observer_new(const struct postgres *watched, struct victim *victim, struct trace_observer **ret,
                        struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    if (!postgres_connect_again(watched, &postgres, error))
        return false;
    struct trace_observer *observer = memory_allocate(1, sizeof *observer);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&observer->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&observer->mutex, NULL);
    observer->postgres = take(postgres);
    observer->victim = victim;
    if (pthread_create(&observer->thread, NULL, observe, observer) != 0) {
        observer->stop = true;
        trace_observer_free(observer);
        return error_set(error, ERROR_FAILED, "could not start a thread");
    }
    *ret = observer;
    return true;
}

static void forget(struct trace_observer *observer)
{
    for (size_t i = 0; i < observer->phase_count; i++)
        free(observer->phases[i].name);
    free(take(observer->phases));
    observer->phase_count = 0;
    seen_clear(&observer->seen);
}

void trace_observer_free(struct trace_observer *observer)
{
    if (observer == NULL)
        return;
    pthread_mutex_lock(&observer->mutex);
    bool started = !observer->stop;
    observer->stop = true;
    pthread_cond_signal(&observer->changed);
    pthread_mutex_unlock(&observer->mutex);
    if (started)
        pthread_join(observer->thread, NULL);
    forget(observer);
    postgres_free(observer->postgres);
    pthread_cond_destroy(&observer->changed);
    pthread_mutex_destroy(&observer->mutex);
    free(observer);
}

void trace_observer_begin(struct trace_observer *observer, int pid, bool held)
{
    pthread_mutex_lock(&observer->mutex);
    forget(observer);
    observer->number++;
    observer->running = !observer->lost;
    observer->waiting = false;
    observer->held = held;
    observer->pid = pid;
    observer->began_us = observer->sampled_us = clock_us();
    pthread_cond_signal(&observer->changed);
    pthread_mutex_unlock(&observer->mutex);
}

void trace_observer_end(struct trace_observer *observer, struct seen *ret)
{
    pthread_mutex_lock(&observer->mutex);
    *ret = observer->seen;
    observer->seen = (struct seen){0};
    for (size_t i = 0; i < observer->phase_count; i++) {
        OWNED char *time = text_duration(observer->phases[i].us / 1000);
        text_list_add(&ret->phases, text_format("%s %s", observer->phases[i].name, time));
    }
    forget(observer);
    observer->running = false;
    pthread_cond_signal(&observer->changed);
    pthread_mutex_unlock(&observer->mutex);
}
