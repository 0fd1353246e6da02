/* SPDX-License-Identifier: PostgreSQL */
#include "backup/crew.h"

#include "backup/snapshot.h"
#include "common/interrupt.h"
#include <pthread.h>

#define TICK_MS 100

struct crew {
    const struct crew_job *job;
    atomic_size_t next; /* item */
    atomic_size_t numbers;
    atomic_bool stop;

    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t ended;
    size_t running;
    bool failed;
    struct error error; /* the first */
};

bool crew_connect(const struct crew_job *job, struct postgres **ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;

    if (!postgres_connect_database(job->server, job->database, &postgres, error) ||
        !snapshot_settings(postgres, true, NULL, error))
        return false;
    *ret = take(postgres);
    return true;
}

static bool work(struct crew *crew, struct crew_worker *worker, struct error *error)
{
    size_t item;

    while (!atomic_load(&crew->stop) && (item = atomic_fetch_add(&crew->next, 1)) < crew->job->items)
        if ((!worker->postgres && !crew_connect(crew->job, &worker->postgres, error)) ||
            !crew->job->work(crew->job->context, worker, item, error))
            return false;
    return true;
}

static void *run_worker(void *context)
{
    struct crew *crew = context;
    struct crew_worker worker = {.stop = &crew->stop, .number = atomic_fetch_add(&crew->numbers, 1)};
    AUTO(error_clear) struct error error = {0};
    bool ok = work(crew, &worker, &error);

    postgres_free(worker.postgres);
    pthread_mutex_lock(&crew->mutex);
    if (!ok && !crew->failed) {
        crew->failed = true;
        error_move(&crew->error, &error);
    }
    if (!ok) /* after the error, or another's "stopped" would be the first */
        atomic_store(&crew->stop, true);
    crew->running--;
    pthread_cond_signal(&crew->ended);
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

static void wait_a_tick(struct crew *crew)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&crew->ended, &crew->mutex, &until);
}

static void wait_for_all(struct crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    while (crew->running) {
        wait_a_tick(crew);
        pthread_mutex_unlock(&crew->mutex);
        if (interrupt_signal())
            atomic_store(&crew->stop, true);
        if (crew->job->tick)
            crew->job->tick(crew->job->context);
        pthread_mutex_lock(&crew->mutex);
    }
    pthread_mutex_unlock(&crew->mutex);
}

static void initialize(struct crew *crew)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Without a second thread there is still one: the calling thread is left to ticks and signals. */
static size_t start(struct crew *crew, pthread_t *threads, size_t wanted)
{
    size_t count = 0;

    crew->running = wanted;
    while (count < wanted && pthread_create(&threads[count], NULL, run_worker, crew) == 0)
        count++;
    pthread_mutex_lock(&crew->mutex);
    crew->running -= wanted - count;
    pthread_mutex_unlock(&crew->mutex);
    return count;
}

bool crew_run(const struct crew_job *job, struct error *error)
{
    struct crew crew = {.job = job};
    size_t wanted = job->workers < job->items ? job->workers : job->items, count;
    OWNED pthread_t *threads = memory_allocate(wanted, sizeof *threads);

    initialize(&crew);
    count = start(&crew, threads, wanted);
    wait_for_all(&crew);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&crew.ended);
    pthread_mutex_destroy(&crew.mutex);
    if (interrupt_signal()) {
        error_clear(&crew.error);
        return interrupt_error(error);
    }
    if (crew.failed) {
        error_move(error, &crew.error);
        return false;
    }
    return (count || !wanted) || error_set(error, ERROR_FAILED, "could not start a thread");
}
