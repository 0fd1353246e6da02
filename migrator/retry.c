/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/retry.h"

#include "common/interrupt.h"
#include <string.h>
#include <sys/random.h>

#define PAUSE_LONGEST_MS 60000
#define PAUSE_FACTOR_MIN 5
#define PAUSE_FACTOR_MAX 20

int64_t retry_lock_timeout(size_t attempt, int64_t limit_ms)
{
    static const int64_t rising[] = {100, 100, 200, 300, 400, 500, 700, 1000, 1400, 2000};
    size_t last = sizeof rising / sizeof *rising - 1;
    int64_t timeout = rising[attempt < last ? attempt : last];
    for (size_t i = last; i < attempt && timeout < limit_ms; i++)
        timeout = timeout * 3 / 2;
    return timeout < limit_ms ? timeout : limit_ms;
}

int64_t retry_pause(int64_t lock_timeout_ms, uint64_t random)
{
    int64_t base = lock_timeout_ms > 0 ? lock_timeout_ms : 100;
    int64_t least = base * PAUSE_FACTOR_MIN, most = base * PAUSE_FACTOR_MAX;
    int64_t pause = least + (int64_t)(random % (uint64_t)(most - least + 1));
    return pause < PAUSE_LONGEST_MS ? pause : PAUSE_LONGEST_MS;
}

bool retry_makes_sense(const struct error *error)
{
    return strcmp(error->sqlstate, "55P03") == 0 || strcmp(error->sqlstate, "40P01") == 0 ||
           strcmp(error->sqlstate, "40001") == 0;
}

static bool give_up(struct execution *execution, size_t attempts, struct error *error)
{
    error->code = ERROR_LOCKED;
    OWNED char *most = text_duration(execution->options->max_wait_ms);
    const char *blockers = execution_blockers(execution);
    if (blockers != NULL)
        error_detail(error, "Given up after %zu attempts in %s; last %s.", attempts, most, blockers);
    else
        error_detail(error, "Given up after %zu attempts in %s.", attempts, most);
    return error_hint(
        error, "Nothing of this attempt was kept. Try again when the tables are less busy, end what blocks, "
               "or allow more time with --max-wait.");
}

bool retry_wait(struct execution *execution, size_t attempt, int64_t lock_timeout_ms, int64_t deadline_ms,
                struct error *error)
{
    uint64_t random = 0;
    while (getrandom(&random, sizeof random, 0) != sizeof random)
        ;
    int64_t left = deadline_ms - clock_ms();
    if (left <= 0)
        return give_up(execution, attempt + 1, error);
    int64_t pause = retry_pause(lock_timeout_ms, random);
    pause = pause < left ? pause : left;
    execution_tell(
        execution,
        (struct run_event){.type = RUN_RETRY, .text = error->message, .ms = pause, .attempt = attempt + 1});
    execution->now.at_once = execution_blockers(execution) == NULL;
    observer_prepare(&execution->observer); /* an attempt may be over before it could say who blocks */
    return interrupt_sleep(pause) || interrupt_error(error);
}

/* Another attempt makes sense: at once, or after a pause. */
static bool again(struct execution *execution, size_t attempt, int64_t lock_timeout_ms, int64_t deadline_ms,
                  struct error *error)
{
    if (postgres_is_lost(execution->postgres) || execution->dry_run)
        return false;
    return execute_forgotten(execution, error) ||
           (retry_makes_sense(error) && retry_wait(execution, attempt, lock_timeout_ms, deadline_ms, error));
}

bool execute_with_retries(struct execution *execution, struct job *job, struct error *error)
{
    int64_t limit = job->lock_timeout_ms, deadline = clock_ms() + execution->options->max_wait_ms;
    bool good = false, trying = true;
    for (size_t attempt = 0; !good && trying; attempt++) {
        AUTO(error_clear) struct error failure = {0};
        size_t done = 0;
        job->lock_timeout_ms = retry_lock_timeout(attempt, limit);
        good = execute_jobs(execution, job, 1, 1, &done, &failure);
        trying = !good && again(execution, attempt, job->lock_timeout_ms, deadline, &failure);
        if (!good && !trying)
            error_move(error, &failure);
    }
    job->lock_timeout_ms = limit;
    return good;
}
