/* SPDX-License-Identifier: PostgreSQL */
#include "backup/tasks.h"

#include "common/interrupt.h"
#include <pthread.h>
#include <string.h>
#include <time.h>

#define TICK_MS 100

struct run {
    void *context;
    atomic_bool *stop;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t ended;
    size_t running;
    bool failed;
    struct error error; /* of the first */
};

struct thread {
    pthread_t id;
    struct run *run;
    const struct task *task;
};

static void *work(void *argument)
{
    struct thread *thread = argument;
    struct run *run = thread->run;
    AUTO(error_clear) struct error error = {0};
    bool good = thread->task->run(run->context, thread->task->number, &error);
    pthread_mutex_lock(&run->mutex);
    if (!good && !run->failed) {
        run->failed = true;
        error_move(&run->error, &error);
    }
    if (!good)
        atomic_store(run->stop, true);
    run->running--;
    pthread_cond_signal(&run->ended);
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

static void begin(struct run *run)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&run->mutex, NULL);
    pthread_cond_init(&run->ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

static size_t start_all(struct run *run, const struct task tasks[], size_t count, struct thread *threads)
{
    size_t started = 0;
    pthread_mutex_lock(&run->mutex);
    for (; started < count; started++) {
        threads[started] = (struct thread){.run = run, .task = &tasks[started]};
        int problem = pthread_create(&threads[started].id, NULL, work, &threads[started]);
        if (problem != 0) {
            run->failed = true;
            error_set(&run->error, ERROR_FAILED, "could not start a thread: %s", strerror(problem));
            atomic_store(run->stop, true);
            break;
        }
        run->running++;
    }
    pthread_mutex_unlock(&run->mutex);
    return started;
}

static bool one_tick(struct run *run)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&run->mutex);
    if (run->running > 0)
        pthread_cond_timedwait(&run->ended, &run->mutex, &until);
    bool running = run->running > 0;
    pthread_mutex_unlock(&run->mutex);
    return running;
}

bool tasks_run(const struct task tasks[], size_t count, atomic_bool *stop, void (*tick)(void *context),
               void *context, struct error *error)
{
    struct run run = {.context = context, .stop = stop};
    OWNED struct thread *threads = memory_allocate(count, sizeof *threads);
    begin(&run);
    size_t started = start_all(&run, tasks, count, threads);
    while (one_tick(&run)) {
        if (interrupt_signal() != 0)
            atomic_store(stop, true);
        if (tick != NULL)
            tick(context);
    }
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i].id, NULL);
    pthread_cond_destroy(&run.ended);
    pthread_mutex_destroy(&run.mutex);
    /* One that saw the flag between two pieces of its work has not failed, but it has not done all of it. */
    if (!run.failed && atomic_load(stop))
        run.failed = !error_set(&run.error, ERROR_FAILED, "stopped");
    if (run.failed && interrupt_signal() != 0) {
        error_clear(&run.error);
        return interrupt_error(error);
    }
    if (run.failed)
        error_move(error, &run.error);
    return !run.failed;
}
