/* SPDX-License-Identifier: PostgreSQL */
#include "backup/ledger.h"

#include "sql.h"

void ledger_clear(struct ledger *ledger)
{
    free(ledger->backup);
    free(ledger->options);
    free(ledger->step);
    free(ledger->chunks);
    *ledger = (struct ledger){0};
}

bool ledger_create(struct postgres *postgres, const struct ledger *ledger, struct error *error)
{
    const char *values[] = {ledger->backup, ledger->options, ledger->created ? "true" : "false"};

    return postgres_execute(postgres, sql_begin, error) &&
           postgres_execute(postgres, sql_restore_ledger_create, error) &&
           postgres_query(postgres, sql_restore_ledger_begin, 3, values, NULL, error) &&
           postgres_execute(postgres, sql_commit, error);
}

static bool is_number(const char *text, int64_t maximum, int64_t *ret)
{
    return text && text_parse_integer(text, 0, maximum, ret);
}

/* The database is the user's: what stands in it may have been changed. */
static bool read_chunk(const struct rows *rows, size_t row, struct ledger_chunk *ret)
{
    int64_t table, chunk;
    const char *sum = rows_text(rows, row, "fingerprint");

    if (!is_number(rows_text(rows, row, "part"), INT32_MAX, &table) ||
        !is_number(rows_text(rows, row, "chunk"), INT32_MAX, &chunk) ||
        !is_number(rows_text(rows, row, "rows"), INT64_MAX, &ret->fingerprint.rows) ||
        !is_number(rows_text(rows, row, "bytes"), INT64_MAX, &ret->fingerprint.bytes) || !sum ||
        !fingerprint_parse(sum, &ret->fingerprint.sum))
        return false;
    ret->table = (size_t)table;
    ret->chunk = (size_t)chunk;
    return true;
}

static int compare_chunks(const void *a, const void *b)
{
    const struct ledger_chunk *left = a, *right = b;

    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return (left->chunk > right->chunk) - (left->chunk < right->chunk);
}

static bool read_chunks(struct postgres *postgres, struct ledger *ledger, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql_restore_ledger_chunks, 0, NULL, &rows, error))
        return false;
    ledger->chunks = memory_allocate(rows_count(rows), sizeof *ledger->chunks);
    for (size_t i = 0; i < rows_count(rows); i++)
        if (!read_chunk(rows, i, &ledger->chunks[ledger->chunk_count++]))
            return error_set(error, ERROR_CONFLICT, "the ledger in schema pgmigrate_restore is damaged");
    qsort(ledger->chunks, ledger->chunk_count, sizeof *ledger->chunks, compare_chunks);
    return true;
}

bool ledger_read(struct postgres *postgres, bool *ret_present, struct ledger *ret, struct error *error)
{
    AUTO(ledger_clear) struct ledger ledger = {0};
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql_restore_ledger_read, 0, NULL, &rows, error))
        return false;
    *ret_present = rows_count(rows) == 1;
    if (!*ret_present)
        return true;
    ledger.backup = text_copy(rows_text(rows, 0, "backup"));
    ledger.options = text_copy(rows_text(rows, 0, "options"));
    ledger.step = text_copy(rows_text(rows, 0, "step"));
    ledger.created = rows_bool(rows, 0, "created");
    if (!read_chunks(postgres, &ledger, error))
        return false;
    *ret = ledger;
    ledger = (struct ledger){0};
    return true;
}

bool ledger_step(struct postgres *postgres, const char *step, struct error *error)
{
    return postgres_execute(postgres, sql_restore_durable, error) &&
           postgres_query(postgres, sql_restore_ledger_step, 1, &step, NULL, error);
}

bool ledger_add(struct postgres *postgres, const struct ledger_chunk *chunk, struct error *error)
{
    char sum[FINGERPRINT_TEXT_SIZE];
    OWNED char *table = text_format("%zu", chunk->table), *number = text_format("%zu", chunk->chunk);
    OWNED char *rows = text_format("%lld", (long long)chunk->fingerprint.rows);
    OWNED char *bytes = text_format("%lld", (long long)chunk->fingerprint.bytes);
    const char *values[] = {table, number, rows, bytes, sum};

    fingerprint_text(&chunk->fingerprint, sum);
    return postgres_query(postgres, sql_restore_ledger_chunk, 5, values, NULL, error);
}

bool ledger_has(struct postgres *postgres, size_t table, size_t chunk, bool *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *part = text_format("%zu", table), *number = text_format("%zu", chunk);
    const char *values[] = {part, number};

    if (!postgres_query(postgres, sql_restore_ledger_find, 2, values, &rows, error))
        return false;
    *ret = rows_bool(rows, 0, "present");
    return true;
}

const struct ledger_chunk *ledger_chunk(const struct ledger *ledger, size_t table, size_t chunk)
{
    struct ledger_chunk wanted = {.table = table, .chunk = chunk};

    if (!ledger->chunk_count)
        return NULL;
    return bsearch(&wanted, ledger->chunks, ledger->chunk_count, sizeof wanted, compare_chunks);
}

static bool switch_triggers(struct postgres *postgres, const struct rows *triggers, bool off,
                            struct error *error)
{
    for (size_t i = 0; i < rows_count(triggers); i++) {
        const char *how = off ? "DISABLE" : rows_text(triggers, i, "enabled");
        OWNED char *sql = postgres_bind(
            sql_restore_event_trigger,
            (struct postgres_name[]){{"name", rows_text(triggers, i, "name")}, {"how", how}, {0}});
        if (!postgres_execute(postgres, sql, error))
            return false;
    }
    return true;
}

/* The database's event triggers, which are there by now, must not see it. */
static bool drop_unseen(struct postgres *postgres, struct error *error)
{
    AUTO(rows_free) struct rows *triggers = NULL;

    return postgres_execute(postgres, sql_restore_replica, error) &&
           postgres_query(postgres, sql_restore_event_triggers, 0, NULL, &triggers, error) &&
           switch_triggers(postgres, triggers, true, error) &&
           postgres_execute(postgres, sql_restore_ledger_drop, error) &&
           switch_triggers(postgres, triggers, false, error);
}

bool ledger_drop(struct postgres *postgres, bool superuser, struct error *error)
{
    return superuser ? drop_unseen(postgres, error)
                     : postgres_execute(postgres, sql_restore_ledger_drop, error);
}
