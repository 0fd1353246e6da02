/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/evidence.h"

#include "common/moment.h"
#include "common/store.h"
#include "deploy/advice.h"
#include "sql.h"
#include <inttypes.h>
#include <string.h>

struct evidence {
    struct store *store;
};

bool evidence_open(const char *path, bool create, struct evidence **ret, struct error *error)
{
    static const char *const scripts[] = {sql_store_evidence_create, NULL};
    OWNED char *folder = path == NULL ? NULL : file_folder(path);
    struct store *store = NULL;
    enum file_kind kind = FILE_OTHER;

    *ret = NULL;
    if (path != NULL && !create && !file_look(path, &kind, error))
        return false;
    if (kind == FILE_MISSING)
        return true;
    if ((folder != NULL && !file_make_folder(folder, 0777, error)) ||
        !store_open(path, scripts, &store, error))
        return false;
    *ret = memory_allocate(1, sizeof **ret);
    (*ret)->store = store;
    return true;
}

void evidence_close(struct evidence *evidence)
{
    if (evidence == NULL)
        return;
    store_close(evidence->store);
    free(evidence);
}

/* ---- a rehearsal ---- */

static char *number(int64_t value)
{
    return text_format("%" PRId64, value);
}

/* Without a locale's comma: all programs run in "C" as far as numbers go. */
static char *fraction(double value)
{
    return text_format("%.6f", value > 0 ? value : 1.0);
}

static bool put_migration(struct evidence *evidence, const struct rehearsal *rehearsal, size_t at,
                          struct error *error)
{
    const struct rehearsed *item = &rehearsal->items[at];
    const struct held_lock *lock = advice_worst_lock(item);
    OWNED char *position = number((int64_t)at), *execution = number(item->execution_ms);
    OWNED char *low = number(item->low_ms), *high = number(item->high_ms);
    OWNED char *correction = fraction(rehearsal->correction);
    OWNED char *held = number(lock == NULL ? -1 : lock->held_us / 1000);
    const char *const values[] = {rehearsal->id,
                                  position,
                                  item->version,
                                  item->checksum,
                                  item->rollback_checksum,
                                  item->verify_checksum,
                                  item->passed ? "1" : "0",
                                  round_trip_name(item->round_trip),
                                  execution,
                                  low,
                                  high,
                                  correction,
                                  lock == NULL ? NULL : lock->relation,
                                  lock == NULL ? NULL : lock->mode,
                                  held,
                                  item->failure.message};

    return store_run(evidence->store, sql_store_evidence_put_migration, sizeof values / sizeof *values,
                     values, NULL, error);
}

static bool put_all(struct evidence *evidence, const struct rehearsal *rehearsal, const char *document,
                    struct error *error)
{
    const char *id = rehearsal->id;
    const char *const values[] = {id,
                                  rehearsal->began_at,
                                  rehearsal->ended_at,
                                  rehearsal->environment,
                                  rehearsal->server,
                                  rehearsal->tool_version,
                                  rehearsal->passed ? "1" : "0",
                                  document};
    AUTO(store_rows_free) struct store_rows *known = NULL;

    if (!store_run(evidence->store, sql_store_evidence_known, 1, &id, &known, error))
        return false;
    if (store_rows_count(known) > 0)
        return true;
    if (!store_run(evidence->store, sql_store_evidence_put, sizeof values / sizeof *values, values, NULL,
                   error))
        return false;
    for (size_t i = 0; i < rehearsal->count; i++)
        if (rehearsal->items[i].checksum != NULL && !put_migration(evidence, rehearsal, i, error))
            return false;
    return store_run(evidence->store, sql_store_evidence_trim, 0, NULL, NULL, error);
}

bool evidence_put(struct evidence *evidence, const struct rehearsal *rehearsal, const char *document,
                  struct error *error)
{
    if (!store_begin(evidence->store, error))
        return false;
    if (put_all(evidence, rehearsal, document, error) && store_commit(evidence->store, error))
        return true;
    store_rollback(evidence->store);
    return false;
}

/* ---- what is known of a migration ---- */

const char *evidence_state_name(enum evidence_state state)
{
    static const char *const names[] = {[EVIDENCE_NONE] = "none",
                                        [EVIDENCE_CHANGED] = "changed",
                                        [EVIDENCE_FAILED] = "failed",
                                        [EVIDENCE_PASSED] = "passed"};
    return names[state];
}

void evidence_found_clear(struct evidence_found *found)
{
    free(found->rehearsal);
    free(found->at);
    free(found->where);
    free(found->round_trip);
    free(found->lock_relation);
    free(found->lock_mode);
    free(found->failure);
    *found = (struct evidence_found){0};
}

static char *text_of(const struct store_rows *rows, const char *column)
{
    return text_copy(store_rows_text(rows, 0, column));
}

static int64_t age_of(const char *at)
{
    int64_t moment;

    if (!moment_parse(at, &moment))
        return INT64_MAX;
    int64_t age = (moment_now() - moment) / 1000;
    return age > 0 ? age : 0;
}

static void fill(const struct store_rows *rows, struct evidence_found *ret)
{
    const char *environment = store_rows_text(rows, 0, "environment");
    bool same = store_rows_integer(rows, 0, "same") != 0;
    bool passed = store_rows_integer(rows, 0, "passed") != 0;

    *ret = (struct evidence_found){
        .state = !same    ? EVIDENCE_CHANGED
                 : passed ? EVIDENCE_PASSED
                          : EVIDENCE_FAILED,
        .rehearsal = text_of(rows, "id"),
        .at = text_of(rows, "ended_at"),
        .where = environment != NULL ? text_copy(environment) : text_of(rows, "server"),
        .round_trip = text_of(rows, "round_trip"),
        .execution_ms = store_rows_integer(rows, 0, "execution_ms"),
        .low_ms = store_rows_integer(rows, 0, "low_ms"),
        .high_ms = store_rows_integer(rows, 0, "high_ms"),
        .correction = strtod(store_rows_text(rows, 0, "correction"), NULL),
        .lock_relation = text_of(rows, "lock_relation"),
        .lock_mode = text_of(rows, "lock_mode"),
        .lock_ms = store_rows_integer(rows, 0, "lock_ms"),
        .failure = text_of(rows, "failure"),
    };
    ret->age_ms = age_of(ret->at);
}

bool evidence_find(struct evidence *evidence, const struct migration *migration, struct evidence_found *ret,
                   struct error *error)
{
    const char *const values[] = {migration->version.stem, migration->forward.checksum,
                                  migration_has_rollback(migration) ? migration->rollback.checksum : NULL,
                                  migration_has_verify(migration) ? migration->verify.checksum : NULL};
    AUTO(store_rows_free) struct store_rows *rows = NULL;

    *ret = (struct evidence_found){.state = EVIDENCE_NONE};
    if (evidence == NULL)
        return true;
    if (!store_run(evidence->store, sql_store_evidence_find, sizeof values / sizeof *values, values, &rows,
                   error))
        return false;
    if (store_rows_count(rows) > 0)
        fill(rows, ret);
    return true;
}

int64_t evidence_expected_ms(const struct evidence_found *found)
{
    if (found->state != EVIDENCE_PASSED)
        return -1;
    return found->low_ms < 0 ? found->execution_ms : (found->low_ms + found->high_ms) / 2;
}

/* ---- what it took ---- */

bool evidence_applied(struct evidence *evidence, const struct evidence_actual *actual,
                      const struct evidence_found *found, struct error *error)
{
    OWNED char *now = moment_text(moment_now()), *execution = number(actual->execution_ms);
    OWNED char *low = number(found->low_ms), *high = number(found->high_ms);
    OWNED char *correction = fraction(found->correction);
    const char *const values[] = {actual->run_id,   actual->version, now, actual->server, actual->database,
                                  found->rehearsal, execution,       low, high,           correction};

    if (found->state != EVIDENCE_PASSED && found->state != EVIDENCE_FAILED)
        return true;
    return store_run(evidence->store, sql_store_evidence_applied, sizeof values / sizeof *values, values,
                     NULL, error);
}

bool evidence_correction(struct evidence *evidence, const char *database, double *ret, struct error *error)
{
    AUTO(store_rows_free) struct store_rows *rows = NULL;

    *ret = 0;
    if (evidence == NULL || database == NULL)
        return true;
    if (!store_run(evidence->store, sql_store_evidence_ratios, 1, &database, &rows, error))
        return false;
    size_t count = store_rows_count(rows);
    if (count > 0) {
        double low = strtod(store_rows_text(rows, (count - 1) / 2, "ratio"), NULL);
        double high = strtod(store_rows_text(rows, count / 2, "ratio"), NULL);
        *ret = (low + high) / 2;
    }
    return true;
}
