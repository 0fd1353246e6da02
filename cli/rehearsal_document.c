/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rehearsal_document.h"

#include "cli/document.h"
#include "common/digest.h"
#include "common/moment.h"
#include "deploy/advice.h"
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA 1

static void json_free_cleanup(json_t **json)
{
    json_decref(*json);
}

static int64_t whole_ms(int64_t us)
{
    return us < 0 ? -1 : (us + 500) / 1000;
}

/* ---- writing ---- */

static void set_list(json_t *object, const char *name, const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, document_string(list->items[i]));
    json_object_set_new(object, name, array);
}

static json_t *lock_object(const struct held_lock *lock)
{
    json_t *object = json_object();

    document_text(object, "relation", lock->relation);
    document_text(object, "mode", lock->mode);
    document_known(object, "held_ms", whole_ms(lock->held_us));
    document_known(object, "wait_ms", whole_ms(lock->wait_us));
    document_known(object, "bytes", lock->bytes);
    return object;
}

static json_t *estimate_object(int64_t low_ms, int64_t high_ms, const char *basis)
{
    json_t *object = json_object();

    document_known(object, "low_ms", low_ms);
    document_known(object, "high_ms", high_ms);
    document_text(object, "basis", basis);
    return object;
}

static json_t *statement_object(const struct rehearsed_statement *statement)
{
    json_t *object = json_object(), *locks = json_array();

    document_integer(object, "line", (int64_t)statement->line);
    document_text(object, "text", statement->text);
    document_known(object, "ms", whole_ms(statement->us));
    document_known(object, "lock_wait_ms", whole_ms(statement->lock_wait_us));
    document_text(object, "class", statement_class_name(statement->class));
    document_known(object, "rows", statement->rows);
    document_known(object, "wal_bytes", statement->wal_bytes);
    document_known(object, "temp_bytes", statement->temp_bytes);
    document_bool(object, "under_exclusive", statement->under_exclusive);
    for (size_t i = 0; i < statement->lock_count; i++)
        json_array_append_new(locks, lock_object(&statement->locks[i]));
    json_object_set_new(object, "locks", locks);
    set_list(object, "rewritten", &statement->rewritten);
    set_list(object, "scanned", &statement->scanned);
    set_list(object, "built", &statement->built);
    set_list(object, "written", &statement->written);
    set_list(object, "phases", &statement->phases);
    json_object_set_new(object, "estimate",
                        estimate_object(statement->low_ms, statement->high_ms, statement->basis));
    return object;
}

static json_t *differences_array(const struct rehearsed *item)
{
    json_t *array = json_array();

    for (size_t i = 0; i < item->difference_count; i++) {
        json_t *object = json_object();

        document_text(object, "kind", item->differences[i].kind);
        document_text(object, "object", item->differences[i].object);
        document_text(object, "what", item->differences[i].what);
        document_bool(object, "mild", item->differences[i].mild);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *changes_array(const struct change *changes, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();

        document_text(object, "object", changes[i].object);
        document_text(object, "what", changes[i].what);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *advice_array(const struct rehearsed *item)
{
    json_t *array = json_array();

    for (size_t i = 0; i < item->advice_count; i++) {
        json_t *object = json_object();

        if (item->advice[i].line > 0)
            document_integer(object, "line", (int64_t)item->advice[i].line);
        document_text(object, "rule", item->advice[i].rule);
        document_text(object, "text", item->advice[i].text);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *touched_array(const struct rehearsed *item)
{
    json_t *array = json_array();

    for (size_t i = 0; i < item->touched_count; i++) {
        json_t *object = json_object();

        document_text(object, "relation", item->touched[i].relation);
        document_known(object, "bytes_before", item->touched[i].before);
        document_known(object, "bytes_after", item->touched[i].after);
        json_array_append_new(array, object);
    }
    return array;
}

/* What was found; the files and their checksums are set already. */
static void set_found(json_t *object, const struct rehearsed *item)
{
    json_t *statements = json_array();
    json_t *estimate = estimate_object(item->low_ms, item->high_ms, item->basis);

    document_known(estimate, "disk_bytes", item->needs_disk);
    document_known(estimate, "wal_bytes", item->needs_wal);
    for (size_t i = 0; i < item->statement_count; i++)
        json_array_append_new(statements, statement_object(&item->statements[i]));
    json_object_set_new(object, "statements", statements);
    json_object_set_new(object, "touched", touched_array(item));
    json_object_set_new(object, "differences", differences_array(item));
    json_object_set_new(object, "changes", changes_array(item->changes, item->change_count));
    json_object_set_new(object, "weaknesses", changes_array(item->weaknesses, item->weakness_count));
    json_object_set_new(object, "estimate", estimate);
    json_object_set_new(object, "advice", advice_array(item));
    if (item->victim_ms >= 0) {
        json_t *victim = json_object();

        document_text(victim, "relation", item->victim_relation);
        document_integer(victim, "ms", item->victim_ms);
        json_object_set_new(object, "victim", victim);
    }
    if (item->failure.code != ERROR_NONE)
        json_object_set_new(object, "error", document_error(&item->failure));
}

static json_t *migration_object(const struct rehearsed *item)
{
    const struct held_lock *worst = advice_worst_lock(item);
    json_t *object = json_object();

    document_text(object, "version", item->version);
    document_text(object, "description", item->description);
    document_text(object, "file", item->file);
    document_text(object, "checksum", item->checksum);
    document_text(object, "rollback_checksum", item->rollback_checksum);
    document_text(object, "verify_checksum", item->verify_checksum);
    document_bool(object, "transactional", item->transactional);
    document_bool(object, "passed", item->passed);
    document_known(object, "execution_ms", item->execution_ms);
    document_known(object, "lock_wait_ms", item->lock_wait_ms);
    document_known(object, "commit_ms", item->commit_ms);
    document_known(object, "rollback_ms", item->rollback_ms);
    if (item->round_trip != ROUND_TRIP_NONE)
        document_text(object, "rollback", round_trip_name(item->round_trip));
    if (worst != NULL)
        json_object_set_new(object, "worst_lock", lock_object(worst));
    set_found(object, item);
    return object;
}

static const char *place_name(enum rehearsal_place place)
{
    static const char *const names[] = {[REHEARSAL_SCRATCH] = "scratch",
                                        [REHEARSAL_BACKUP] = "backup",
                                        [REHEARSAL_EMBEDDED] = "embedded",
                                        [REHEARSAL_IN_PLACE] = "in_place"};
    return names[place];
}

void rehearsal_fill(json_t *document, const struct rehearsal *rehearsal)
{
    json_t *migrations = json_array();

    document_text(document, "id", rehearsal->id);
    document_text(document, "began_at", rehearsal->began_at);
    document_text(document, "ended_at", rehearsal->ended_at);
    document_text(document, "place", place_name(rehearsal->place));
    document_text(document, "environment", rehearsal->environment);
    document_text(document, "server", rehearsal->server);
    document_text(document, "system_identifier", rehearsal->system_identifier);
    document_text(document, "server_version", rehearsal->server_version);
    document_text(document, "tool_version", rehearsal->tool_version);
    document_text(document, "backup_id", rehearsal->backup_id);
    set_list(document, "differing_settings", &rehearsal->differing_settings);
    if (rehearsal->correction > 0)
        json_object_set_new(document, "correction", json_real(rehearsal->correction));
    for (size_t i = 0; i < rehearsal->count; i++)
        json_array_append_new(migrations, migration_object(&rehearsal->items[i]));
    json_object_set_new(document, "migrations", migrations);
    document_bool(document, "passed", rehearsal->passed);
    document_bool(document, "window", rehearsal->window);
    document_text(document, "advice", rehearsal->advice);
}

/* ---- evidence ---- */

/* Of everything but the digest itself, in an order that does not depend on who wrote the file. */
static void digest_document(json_t *document, char ret_hex[DIGEST_HEX_SIZE])
{
    json_t *signature = json_object_get(document, "signed_off");
    AUTO(json_free) json_t *digest = json_incref(json_object_get(signature, "sha256"));
    OWNED char *text = NULL;

    json_object_del(signature, "sha256");
    text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    digest_sha256(text, strlen(text), ret_hex);
    if (digest != NULL)
        json_object_set(signature, "sha256", digest);
}

/* "app@build-7": whose process wrote it, and where. */
static char *writer(void)
{
    const struct passwd *user = getpwuid(geteuid());
    char host[256] = "";

    if (gethostname(host, sizeof host - 1) != 0)
        *host = '\0';
    return user != NULL ? text_format("%s@%s", user->pw_name, host)
                        : text_format("%ld@%s", (long)geteuid(), host);
}

char *rehearsal_evidence(const struct rehearsal *rehearsal)
{
    AUTO(json_free) json_t *document = json_object();
    json_t *signature = json_object();
    OWNED char *by = writer(), *at = moment_text(moment_now()), *text = NULL;
    char hex[DIGEST_HEX_SIZE];

    document_integer(document, "pgmigrate_rehearsal", SCHEMA);
    rehearsal_fill(document, rehearsal);
    document_text(signature, "by", by);
    document_text(signature, "at", at);
    json_object_set_new(document, "signed_off", signature);
    digest_document(document, hex);
    document_text(signature, "sha256", hex);
    text = json_dumps(document, JSON_INDENT(2));
    return text_format("%s\n", text);
}

/* ---- reading ---- */

static char *read_text(const json_t *object, const char *name)
{
    return text_copy(json_string_value(json_object_get(object, name)));
}

static int64_t read_integer(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool read_bool(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static enum round_trip read_round_trip(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "rollback"));

    for (enum round_trip result = ROUND_TRIP_EXACT; result <= ROUND_TRIP_MISSING; result++)
        if (text_equal(name, round_trip_name(result)))
            return result;
    return ROUND_TRIP_NONE;
}

/* The worst lock is all that is asked for later: one statement that holds it. */
static void read_lock(const json_t *lock, struct rehearsed *ret)
{
    if (!json_is_object(lock))
        return;
    ret->statements = memory_allocate(1, sizeof *ret->statements);
    ret->statement_count = 1;
    ret->statements[0].locks = memory_allocate(1, sizeof *ret->statements[0].locks);
    ret->statements[0].lock_count = 1;
    ret->statements[0].locks[0] = (struct held_lock){.relation = read_text(lock, "relation"),
                                                     .mode = read_text(lock, "mode"),
                                                     .bytes = read_integer(lock, "bytes"),
                                                     .held_us = read_integer(lock, "held_ms") * 1000};
}

static void read_migration(const json_t *object, struct rehearsed *ret)
{
    const json_t *estimate = json_object_get(object, "estimate");
    const char *failure = json_string_value(json_object_get(json_object_get(object, "error"), "message"));

    *ret = (struct rehearsed){
        .version = read_text(object, "version"),
        .description = read_text(object, "description"),
        .file = read_text(object, "file"),
        .checksum = read_text(object, "checksum"),
        .rollback_checksum = read_text(object, "rollback_checksum"),
        .verify_checksum = read_text(object, "verify_checksum"),
        .transactional = read_bool(object, "transactional"),
        .passed = read_bool(object, "passed"),
        .execution_ms = read_integer(object, "execution_ms"),
        .lock_wait_ms = read_integer(object, "lock_wait_ms"),
        .commit_ms = read_integer(object, "commit_ms"),
        .rollback_ms = read_integer(object, "rollback_ms"),
        .round_trip = read_round_trip(object),
        .victim_ms = -1,
        .low_ms = read_integer(estimate, "low_ms"),
        .high_ms = read_integer(estimate, "high_ms"),
        .basis = read_text(estimate, "basis"),
        .needs_disk = -1,
        .needs_wal = -1,
    };
    read_lock(json_object_get(object, "worst_lock"), ret);
    if (failure != NULL)
        error_set(&ret->failure, ERROR_FAILED, "%s", failure);
}

static void read_document(const json_t *document, struct rehearsal *ret)
{
    const json_t *migrations = json_object_get(document, "migrations");
    size_t count = json_array_size(migrations);

    *ret = (struct rehearsal){
        .began_at = read_text(document, "began_at"),
        .ended_at = read_text(document, "ended_at"),
        .environment = read_text(document, "environment"),
        .server = read_text(document, "server"),
        .system_identifier = read_text(document, "system_identifier"),
        .server_version = read_text(document, "server_version"),
        .tool_version = read_text(document, "tool_version"),
        .backup_id = read_text(document, "backup_id"),
        .passed = read_bool(document, "passed"),
        .window = read_bool(document, "window"),
        .advice = read_text(document, "advice"),
        .correction = json_number_value(json_object_get(document, "correction")),
        .items = memory_allocate(count + 1, sizeof *ret->items),
        .count = count,
    };
    snprintf(ret->id, sizeof ret->id, "%s", json_string_value(json_object_get(document, "id")));
    for (enum rehearsal_place place = REHEARSAL_SCRATCH; place <= REHEARSAL_IN_PLACE; place++)
        if (text_equal(json_string_value(json_object_get(document, "place")), place_name(place)))
            ret->place = place;
    for (size_t i = 0; i < count; i++)
        read_migration(json_array_get(migrations, i), &ret->items[i]);
}

static bool is_complete(const json_t *document)
{
    static const char *const texts[] = {"id", "began_at", "ended_at"};
    const json_t *migrations = json_object_get(document, "migrations");
    int64_t moment;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!json_is_string(json_object_get(document, texts[i])))
            return false;
    if (!moment_parse(json_string_value(json_object_get(document, "ended_at")), &moment))
        return false;
    for (size_t i = 0; i < json_array_size(migrations); i++)
        if (!json_is_string(json_object_get(json_array_get(migrations, i), "version")))
            return false;
    return json_is_array(migrations);
}

bool rehearsal_evidence_read(const char *name, const char *text, size_t size, struct rehearsal *ret,
                             struct error *error)
{
    AUTO(json_free) json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *signature = json_object_get(document, "signed_off");
    int64_t schema = read_integer(document, "pgmigrate_rehearsal");
    char hex[DIGEST_HEX_SIZE];

    if (schema < 0) {
        error_set(error, ERROR_USAGE, "\"%s\" is no evidence of a rehearsal", name);
        return error_hint(error, "\"pgmigrate rehearse --evidence FILE\" writes one.");
    }
    if (schema > SCHEMA) {
        error_set(error, ERROR_USAGE, "\"%s\" was written by a newer pgmigrate", name);
        return error_hint(error, "Use that version.");
    }
    digest_document(document, hex);
    if (!text_equal(hex, json_string_value(json_object_get(signature, "sha256"))) || !is_complete(document)) {
        error_set(error, ERROR_USAGE, "\"%s\" is not as it was written: its digest does not fit", name);
        return error_hint(error, "Rehearse again.");
    }
    read_document(document, ret);
    return true;
}
