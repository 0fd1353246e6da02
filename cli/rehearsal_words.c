/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rehearsal_words.h"

#include "deploy/advice.h"
#include "deploy/lock_mode.h"
#include <string.h>

#define CLOCK_FROM_MS 10000

char *rehearsal_count_words(const struct rehearsal *rehearsal)
{
    return text_format("%zu migration%s", rehearsal->count, rehearsal->count == 1 ? "" : "s");
}

/* "stage:5432/shop"; a socket's folder says less than it takes room. */
static char *server_words(const char *server)
{
    const char *database = *server == '/' ? strrchr(server, '/') : NULL;

    return database == NULL ? text_copy(server) : text_format("[local]%s", database);
}

char *rehearsal_where_words(const struct rehearsal *rehearsal)
{
    static const char *const places[] = {[REHEARSAL_SCRATCH] = "a scratch database",
                                         [REHEARSAL_BACKUP] = "a restored backup",
                                         [REHEARSAL_EMBEDDED] = "an embedded cluster",
                                         [REHEARSAL_IN_PLACE] = "in place"};
    const char *environment = rehearsal->environment;
    OWNED char *server = rehearsal->server == NULL ? NULL : server_words(rehearsal->server);
    OWNED char *backup =
        rehearsal->backup_id == NULL ? text_copy("") : text_format(", backup %s", rehearsal->backup_id);

    return text_format("%s%s%s (%s%s)", environment == NULL ? "" : environment,
                       environment == NULL || server == NULL ? "" : ", ", server == NULL ? "" : server,
                       places[rehearsal->place], backup);
}

static bool is_exclusive(const struct held_lock *lock)
{
    return lock_mode_of(lock->mode) == LOCK_ACCESS_EXCLUSIVE;
}

static char *lock_words(const struct held_lock *lock)
{
    if (lock == NULL)
        return NULL;
    OWNED char *held = text_duration(lock->held_us / 1000);
    return text_format("nobody %s %s for %s", is_exclusive(lock) ? "reads or writes" : "writes",
                       lock->relation, held);
}

char *rehearsed_lock_words(const struct rehearsed *rehearsed)
{
    return lock_words(advice_worst_lock(rehearsed));
}

char *rehearsal_lock_words(const struct rehearsal *rehearsal)
{
    const struct held_lock *worst = NULL;

    for (size_t i = 0; i < rehearsal->count; i++) {
        const struct held_lock *lock = advice_worst_lock(&rehearsal->items[i]);
        if (lock == NULL || (worst != NULL && is_exclusive(worst) && !is_exclusive(lock)))
            continue;
        if (worst == NULL || is_exclusive(lock) > is_exclusive(worst) || lock->held_us > worst->held_us)
            worst = lock;
    }
    return lock_words(worst);
}

char *rehearsed_estimate_words(int64_t low_ms, int64_t high_ms)
{
    if (low_ms < 0 || high_ms < 0)
        return text_copy("not estimable");
    OWNED char *low = text_duration(low_ms), *high = text_duration(high_ms);
    return text_equal(low, high) ? take(low) : text_format("%s to %s", low, high);
}

void rehearsal_estimate(const struct rehearsal *rehearsal, int64_t *ret_low_ms, int64_t *ret_high_ms)
{
    *ret_low_ms = *ret_high_ms = rehearsal->count > 0 ? 0 : -1;
    for (size_t i = 0; i < rehearsal->count && *ret_low_ms >= 0; i++) {
        bool known = rehearsal->items[i].low_ms >= 0 && rehearsal->items[i].high_ms >= 0;
        *ret_low_ms = known ? *ret_low_ms + rehearsal->items[i].low_ms : -1;
        *ret_high_ms = known ? *ret_high_ms + rehearsal->items[i].high_ms : -1;
    }
}

int64_t rehearsal_ms(const struct rehearsal *rehearsal)
{
    int64_t ms = 0;

    for (size_t i = 0; i < rehearsal->count; i++)
        if (rehearsal->items[i].execution_ms > 0)
            ms += rehearsal->items[i].execution_ms;
    return ms;
}

/* ---- what is known from before ---- */

static char *age_words(int64_t ms)
{
    static const struct {
        int64_t unit;
        const char *name;
    } units[] = {{INT64_C(86400000), "d"}, {3600000, "h"}, {60000, "min"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (ms >= units[i].unit * (units[i].unit == units[0].unit ? 2 : 1))
            return text_format("%lld %s ago", (long long)(ms / units[i].unit), units[i].name);
    return text_copy("just now");
}

/* Hours, minutes and seconds, as a plan of a deployment has them; what takes no time there, exactly. */
static char *clock_words(int64_t ms)
{
    long long seconds = (ms + 500) / 1000;

    if (ms < CLOCK_FROM_MS)
        return text_duration(ms);
    return text_format("%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/* Without "public.", which says nothing. */
static const char *short_name(const char *relation)
{
    return text_starts_with(relation, "public.") ? relation + strlen("public.") : relation;
}

char *evidence_words(const struct evidence_found *found)
{
    OWNED char *where = server_words(found->where == NULL ? "?" : found->where);
    OWNED char *age = NULL, *took = NULL, *held = NULL, *lock = NULL;
    const char *trip = text_equal(found->round_trip, "exact") ? NULL : found->round_trip;

    if (found->state == EVIDENCE_NONE)
        return NULL;
    age = age_words(found->age_ms);
    if (found->state == EVIDENCE_CHANGED)
        return text_format("changed since it was rehearsed %s", age);
    if (found->state == EVIDENCE_FAILED)
        return text_format("rehearsal failed %s on %s", age, where);
    took = clock_words(found->execution_ms);
    if (found->lock_relation != NULL) {
        held = text_duration(found->lock_ms);
        lock = text_format(", %s on %s %s", lock_mode_words(lock_mode_of(found->lock_mode)),
                           short_name(found->lock_relation), held);
    }
    return text_format("rehearsed %s on %s: %s%s%s%s", age, where, took, lock == NULL ? "" : lock,
                       text_equal(trip, "differs") || text_equal(trip, "fails") ? ", rollback " : "",
                       text_equal(trip, "differs") || text_equal(trip, "fails") ? trip : "");
}
