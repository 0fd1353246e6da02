/* SPDX-License-Identifier: PostgreSQL */
#include "backup/crew.h"

#include "backup/snapshot.h"
#include "backup/tasks.h"

struct crew {
    const struct crew_job *job;
    atomic_size_t next; /* item */
    atomic_bool stop;
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
        if ((worker->postgres == NULL && !crew_connect(crew->job, &worker->postgres, error)) ||
            !crew->job->work(crew->job->context, worker, item, error))
            return false;
    return true;
}

static bool run_worker(void *context, size_t number, struct error *error)
{
    struct crew *crew = context;
    struct crew_worker worker = {.stop = &crew->stop, .number = number};
    bool good = work(crew, &worker, error);
    postgres_free(worker.postgres);
    return good;
}

static void tick(void *context)
{
    struct crew *crew = context;
    if (crew->job->tick != NULL)
        crew->job->tick(crew->job->context);
}

bool crew_run(const struct crew_job *job, struct error *error)
{
    struct crew crew = {.job = job};
    size_t count = job->workers < job->items ? job->workers : job->items;
    OWNED struct task *tasks = memory_allocate(count + 1, sizeof *tasks);
    for (size_t i = 0; i < count; i++)
        tasks[i] = (struct task){run_worker, i};
    return tasks_run(tasks, count, &crew.stop, tick, &crew, error);
}
