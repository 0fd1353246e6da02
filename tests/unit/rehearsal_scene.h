/* SPDX-License-Identifier: PostgreSQL */
/* A rehearsal as it could have been: one migration that locks a large table, one without a transaction whose
 * rollback leaves the columns in another order, one that fails, one that is not reached. Names are awkward.
 */
#ifndef REHEARSAL_SCENE_H
#define REHEARSAL_SCENE_H

#include "deploy/rehearsal.h"
#include <string.h>

#define SCENE_MB (INT64_C(1) << 20)

static struct rehearsed_statement *scene_statement(struct rehearsed *item, size_t line, const char *text,
                                                   enum statement_class class, int64_t us)
{
    item->statements = memory_grow(item->statements, item->statement_count, sizeof *item->statements);
    struct rehearsed_statement *added = &item->statements[item->statement_count++];
    *added = (struct rehearsed_statement){.line = line,
                                          .text = text_copy(text),
                                          .class = class,
                                          .us = us,
                                          .rows = -1,
                                          .low_ms = us / 1000 * 2,
                                          .high_ms = us / 1000 * 3,
                                          .basis = text_copy("2.0 times the bytes of public.orders")};
    return added;
}

static void scene_lock(struct rehearsed_statement *statement, const char *relation, const char *mode,
                       int64_t held_us)
{
    statement->locks = memory_grow(statement->locks, statement->lock_count, sizeof *statement->locks);
    statement->locks[statement->lock_count++] =
        (struct held_lock){text_copy(relation), text_copy(mode), 100 * SCENE_MB, 0, held_us};
}

static struct rehearsed *scene_migration(struct rehearsal *rehearsal, const char *version,
                                         const char *checksum)
{
    struct rehearsed *item = &rehearsal->items[rehearsal->count++];
    *item = (struct rehearsed){.version = text_copy(version),
                               .description = text_copy(strchr(version, '_') + 1),
                               .file = text_format("migrations/%s.sql", version),
                               .checksum = text_copy(checksum),
                               .transactional = true,
                               .execution_ms = -1,
                               .lock_wait_ms = -1,
                               .commit_ms = -1,
                               .rollback_ms = -1,
                               .victim_ms = -1,
                               .low_ms = -1,
                               .high_ms = -1,
                               .needs_disk = -1,
                               .needs_wal = -1};
    return item;
}

static void scene_locking(struct rehearsal *rehearsal)
{
    struct rehearsed *item = scene_migration(rehearsal, "042_<orders> & \"more\"", "c042");
    struct rehearsed_statement *statement;

    item->rollback_checksum = text_copy("r042");
    item->passed = true;
    item->execution_ms = 12400;
    item->commit_ms = 100;
    item->rollback_ms = 900;
    item->round_trip = ROUND_TRIP_EXACT;
    item->low_ms = 24000;
    item->high_ms = 37000;
    item->basis = text_copy("the sum of its statements");
    item->needs_disk = 800 * SCENE_MB;
    item->needs_wal = 400 * SCENE_MB;
    item->victim_ms = 12200;
    item->victim_relation = text_copy("public.orders");
    statement =
        scene_statement(item, 3, "ALTER TABLE orders ALTER total TYPE bigint;", CLASS_REWRITE, 12000000);
    statement->wal_bytes = 200 * SCENE_MB;
    scene_lock(statement, "public.orders", "AccessExclusiveLock", 12300000);
    text_list_add(&statement->rewritten, text_copy("public.orders"));
    statement =
        scene_statement(item, 7, "UPDATE orders SET note = '<b>' WHERE note <> '&amp;';", CLASS_DML, 300000);
    statement->rows = 1200000;
    statement->under_exclusive = true;
    scene_lock(statement, "public.orders", "RowExclusiveLock", 300000);
    scene_statement(item, 9, "SELECT 1;", CLASS_OTHER, 400);
    item->touched = memory_allocate(1, sizeof *item->touched);
    item->touched_count = 1;
    item->touched[0] = (struct touched){text_copy("public.orders"), 100 * SCENE_MB, 180 * SCENE_MB};
    item->changes = memory_allocate(1, sizeof *item->changes);
    item->change_count = 1;
    item->changes[0] = (struct change){text_copy("public.orders.note"), text_copy("was dropped")};
    item->advice = memory_allocate(1, sizeof *item->advice);
    item->advice_count = 1;
    item->advice[0] =
        (struct advice){3, text_copy("rewrite"), text_copy("add a column, and fill it in batches")};
}

static void scene_index(struct rehearsal *rehearsal)
{
    struct rehearsed *item = scene_migration(rehearsal, "043_index", "c043");
    struct rehearsed_statement *statement = scene_statement(
        item, 2, "CREATE INDEX CONCURRENTLY orders_total ON orders (total);", CLASS_INDEX_BUILD, 5000000);

    item->rollback_checksum = text_copy("r043");
    item->transactional = false;
    item->passed = true;
    item->execution_ms = 5000;
    item->rollback_ms = 20;
    item->basis = text_copy("\"public.orders\" is not there");
    item->round_trip = ROUND_TRIP_DIFFERS;
    item->differences = memory_allocate(1, sizeof *item->differences);
    item->difference_count = 1;
    item->differences[0] = (struct difference){text_copy("table"), text_copy("public.orders"),
                                               text_copy("columns come in another order"), true};
    scene_lock(statement, "public.orders", "ShareUpdateExclusiveLock", 5000000);
    text_list_add(&statement->built, text_copy("public.orders_total"));
    text_list_add(&statement->phases, text_copy("waiting for old snapshots 120 ms"));
}

/* The caller clears it. */
static void scene_rehearsal(struct rehearsal *ret)
{
    *ret = (struct rehearsal){.id = "0f0e0d0c-0000-4000-8000-000000000042",
                              .began_at = text_copy("2026-11-25T13:00:00.000000Z"),
                              .ended_at = text_copy("2026-11-25T13:00:41.250000Z"),
                              .place = REHEARSAL_SCRATCH,
                              .environment = text_copy("staging"),
                              .server = text_copy("stage.example:5432/shop"),
                              .system_identifier = text_copy("7301234567890123456"),
                              .server_version = text_copy("15.20"),
                              .tool_version = text_copy("0.1.0"),
                              .items = memory_allocate(4, sizeof *ret->items),
                              .window = true,
                              .advice = text_copy("maintenance window: public.orders is locked for 12.3 s"),
                              .correction = 1.5};
    text_list_add(&ret->differing_settings,
                  text_copy("TimeZone is UTC here and Europe/Vienna at the target"));
    scene_locking(ret);
    scene_index(ret);
    struct rehearsed *item = scene_migration(ret, "044_fails", "c044");
    item->execution_ms = 3;
    item->round_trip = ROUND_TRIP_MISSING;
    error_set(&item->failure, ERROR_FAILED, "relation \"no_such\" does not exist");
    error_at(&item->failure, "migrations/044_fails.sql", 1, 13);
    memcpy(item->failure.sqlstate, "42P01", 6);
    scene_migration(ret, "045_not_reached_and_with_a_name_that_is_longer_than_a_phone_is_wide_without_blanks",
                    "c045");
}

#endif
