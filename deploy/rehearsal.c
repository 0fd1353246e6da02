/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/rehearsal.h"

const char *statement_class_name(enum statement_class class)
{
    static const char *const names[] = {
        [CLASS_REWRITE] = "rewrite", [CLASS_INDEX_BUILD] = "index build", [CLASS_SCAN] = "scan",
        [CLASS_DML] = "dml",         [CLASS_METADATA] = "metadata",       [CLASS_OTHER] = "other",
    };
    return names[class];
}

const char *round_trip_name(enum round_trip result)
{
    static const char *const names[] = {
        [ROUND_TRIP_NONE] = "not tried", [ROUND_TRIP_EXACT] = "exact",     [ROUND_TRIP_DIFFERS] = "differs",
        [ROUND_TRIP_FAILS] = "fails",    [ROUND_TRIP_MISSING] = "missing",
    };
    return names[result];
}

static void clear_statement(struct rehearsed_statement *statement)
{
    for (size_t i = 0; i < statement->lock_count; i++) {
        free(statement->locks[i].relation);
        free(statement->locks[i].mode);
    }
    free(statement->locks);
    free(statement->text);
    free(statement->basis);
    text_list_clear(&statement->rewritten);
    text_list_clear(&statement->scanned);
    text_list_clear(&statement->built);
    text_list_clear(&statement->written);
    text_list_clear(&statement->phases);
}

static void free_changes(struct change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(changes[i].object);
        free(changes[i].what);
    }
    free(changes);
}

static void clear_changes(struct rehearsed *rehearsed)
{
    for (size_t i = 0; i < rehearsed->touched_count; i++)
        free(rehearsed->touched[i].relation);
    for (size_t i = 0; i < rehearsed->difference_count; i++) {
        free(rehearsed->differences[i].kind);
        free(rehearsed->differences[i].object);
        free(rehearsed->differences[i].what);
    }
    free_changes(rehearsed->changes, rehearsed->change_count);
    free_changes(rehearsed->weaknesses, rehearsed->weakness_count);
    for (size_t i = 0; i < rehearsed->advice_count; i++) {
        free(rehearsed->advice[i].rule);
        free(rehearsed->advice[i].text);
    }
    free(rehearsed->touched);
    free(rehearsed->differences);
    free(rehearsed->advice);
}

void rehearsed_clear(struct rehearsed *rehearsed)
{
    for (size_t i = 0; i < rehearsed->statement_count; i++)
        clear_statement(&rehearsed->statements[i]);
    free(rehearsed->statements);
    clear_changes(rehearsed);
    error_clear(&rehearsed->failure);
    free(rehearsed->version);
    free(rehearsed->description);
    free(rehearsed->file);
    free(rehearsed->checksum);
    free(rehearsed->rollback_checksum);
    free(rehearsed->verify_checksum);
    free(rehearsed->victim_relation);
    free(rehearsed->basis);
    *rehearsed = (struct rehearsed){0};
}

void rehearsal_clear(struct rehearsal *rehearsal)
{
    for (size_t i = 0; i < rehearsal->count; i++)
        rehearsed_clear(&rehearsal->items[i]);
    free(rehearsal->items);
    free(rehearsal->began_at);
    free(rehearsal->ended_at);
    free(rehearsal->environment);
    free(rehearsal->server);
    free(rehearsal->system_identifier);
    free(rehearsal->server_version);
    free(rehearsal->tool_version);
    free(rehearsal->backup_id);
    free(rehearsal->advice);
    text_list_clear(&rehearsal->differing_settings);
    *rehearsal = (struct rehearsal){0};
}
