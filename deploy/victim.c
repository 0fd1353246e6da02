/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/victim.h"

#include "common/interrupt.h"
#include "sql.h"
#include <pthread.h>
#include <string.h>

#define PAUSE_MS     10
#define LOCK_TIMEOUT "50ms"

struct place {
    int64_t oid;
    bool visited;          /* at the moment */
    bool known;            /* what follows is filled */
    char *name;            /* NULL: no table, or none to be used */
    char *read, *write;    /* the statements */
    int64_t held_up_since; /* 0: not */
};

struct victim {
    struct postgres *postgres; /* the thread's alone */
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below; texts of a place are the thread's once known */
    pthread_cond_t changed;
    bool started, stop;
    size_t number; /* of the transaction, so that a visit which ends too late is known */
    struct place *places;
    size_t count;
    int64_t longest_us;
    size_t longest; /* in places; count: none */
};

/* ---- a visit, without the mutex ---- */

static char *bind(const char *sql, const struct rows *rows)
{
    return postgres_bind(sql, (struct postgres_name[]){{"schema", rows_text(rows, 0, "schema")},
                                                       {"table", rows_text(rows, 0, "table")},
                                                       {"column", rows_text(rows, 0, "column")},
                                                       {0}});
}

static void get_to_know(struct victim *victim, struct place *place)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *oid = text_format("%lld", (long long)place->oid);
    const char *values[] = {oid};
    place->known = true;
    if (!postgres_query(victim->postgres, sql_victim_target, 1, values, &rows, &ignored) ||
        rows_count(rows) == 0)
        return;
    place->name = text_copy(rows_text(rows, 0, "name"));
    place->read = bind(sql_victim_read, rows);
    place->write = bind(sql_victim_write, rows);
}

static bool use(struct victim *victim, const struct place *place, struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    bool good = postgres_query(victim->postgres, place->read, 0, NULL, NULL, error) &&
                postgres_execute(victim->postgres, sql_begin, error) &&
                postgres_query(victim->postgres, place->write, 0, NULL, NULL, error);
    if (!postgres_is_lost(victim->postgres) && postgres_transaction(victim->postgres) != POSTGRES_IDLE)
        good = postgres_execute(victim->postgres, sql_rollback, good ? error : &ignored) && good;
    return good;
}

static bool is_held_up(const struct error *error)
{
    return strcmp(error->sqlstate, "55P03") == 0 || strcmp(error->sqlstate, "40P01") == 0;
}

/* ---- the thread ---- */

static void count_stall(struct victim *victim, size_t at, int64_t us)
{
    if (victim->longest < victim->count && us <= victim->longest_us)
        return;
    victim->longest_us = us;
    victim->longest = at;
}

/* With the mutex held, but not meanwhile. */
static void visit(struct victim *victim, size_t at)
{
    AUTO(error_clear) struct error error = {0};
    struct place place = victim->places[at];
    size_t number = victim->number;
    int64_t began = clock_us();
    pthread_mutex_unlock(&victim->mutex);
    if (!place.known)
        get_to_know(victim, &place);
    bool good = place.name != NULL && use(victim, &place, &error);
    pthread_mutex_lock(&victim->mutex);

    struct place *kept = &victim->places[at];
    int64_t since = kept->held_up_since != 0 ? kept->held_up_since : began;
    kept->known = true;
    kept->name = place.name;
    kept->read = place.read;
    kept->write = place.write;
    if (victim->number != number)
        return;
    bool held_up = !good && is_held_up(&error);
    if (good || (!held_up && kept->held_up_since != 0)) /* a table may be gone when its lock is */
        count_stall(victim, at, clock_us() - since);
    kept->held_up_since = held_up ? since : 0;
    kept->visited = good || held_up; /* what may not be used holds nobody up */
}

/* Where the next visit goes; count when there is nothing to visit. */
static size_t next(const struct victim *victim, size_t after)
{
    for (size_t i = 1; i <= victim->count; i++)
        if (victim->places[(after + i) % victim->count].visited)
            return (after + i) % victim->count;
    return victim->count;
}

static void pause_between(struct victim *victim)
{
    int64_t us = clock_us() + PAUSE_MS * 1000;
    struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    if (!victim->stop)
        pthread_cond_timedwait(&victim->changed, &victim->mutex, &until);
}

static void *suffer(void *context)
{
    struct victim *victim = context;
    size_t at = 0;
    pthread_mutex_lock(&victim->mutex);
    while (!victim->stop) {
        at = next(victim, at);
        if (at == victim->count) {
            at = 0;
            pthread_cond_wait(&victim->changed, &victim->mutex);
            continue;
        }
        visit(victim, at);
        if (victim->places[at].held_up_since == 0)
            pause_between(victim);
    }
    pthread_mutex_unlock(&victim->mutex);
    return NULL;
}

/* ---- from outside ---- */

bool victim_new(const struct postgres *postgres, struct victim **ret, struct error *error)
{
    AUTO(victim_free) struct victim *victim = memory_allocate(1, sizeof *victim);
    OWNED char *timeout =
        postgres_bind(sql_set_session_lock_timeout, (struct postgres_name[]){{"value", LOCK_TIMEOUT}, {0}});
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&victim->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&victim->mutex, NULL);
    if (!postgres_connect_again(postgres, &victim->postgres, error) ||
        !postgres_execute(victim->postgres, timeout, error))
        return false;
    if (pthread_create(&victim->thread, NULL, suffer, victim) != 0)
        return error_set(error, ERROR_FAILED, "could not start a thread");
    victim->started = true;
    *ret = take(victim);
    return true;
}

void victim_free(struct victim *victim)
{
    if (victim == NULL)
        return;
    pthread_mutex_lock(&victim->mutex);
    victim->stop = true;
    pthread_cond_signal(&victim->changed);
    pthread_mutex_unlock(&victim->mutex);
    if (victim->started)
        pthread_join(victim->thread, NULL);
    for (size_t i = 0; i < victim->count; i++) {
        free(victim->places[i].name);
        free(victim->places[i].read);
        free(victim->places[i].write);
    }
    free(victim->places);
    postgres_free(victim->postgres);
    pthread_cond_destroy(&victim->changed);
    pthread_mutex_destroy(&victim->mutex);
    free(victim);
}

static struct place *find(struct victim *victim, int64_t oid)
{
    for (size_t i = 0; i < victim->count; i++)
        if (victim->places[i].oid == oid)
            return &victim->places[i];
    bool none = victim->longest == victim->count;
    victim->places = memory_grow(victim->places, victim->count, sizeof *victim->places);
    victim->places[victim->count] = (struct place){.oid = oid};
    victim->count++;
    if (none)
        victim->longest = victim->count;
    return &victim->places[victim->count - 1];
}

void victim_visit(struct victim *victim, int64_t oid)
{
    pthread_mutex_lock(&victim->mutex);
    struct place *place = find(victim, oid);
    if (!place->visited && (!place->known || place->name != NULL)) {
        place->visited = true;
        pthread_cond_signal(&victim->changed);
    }
    pthread_mutex_unlock(&victim->mutex);
}

void victim_rest(struct victim *victim, int64_t *ret_us, char **ret_relation)
{
    pthread_mutex_lock(&victim->mutex);
    for (size_t i = 0; i < victim->count; i++) {
        struct place *place = &victim->places[i];
        if (place->held_up_since != 0)
            count_stall(victim, i, clock_us() - place->held_up_since);
        place->visited = false;
        place->held_up_since = 0;
    }
    bool none = victim->longest == victim->count;
    *ret_us = none ? 0 : victim->longest_us;
    *ret_relation = none ? NULL : text_copy(victim->places[victim->longest].name);
    victim->longest = victim->count;
    victim->longest_us = 0;
    victim->number++;
    pthread_mutex_unlock(&victim->mutex);
}
