/* SPDX-License-Identifier: PostgreSQL */
#include "backup/create.h"

#include "backup/making.h"
#include "common/interrupt.h"
#include "common/process.h"
#include "sql.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 500

static void making_clear(struct making *making)
{
    postgres_free(making->control);
    preflight_clear(&making->preflight);
    for (size_t i = 0; i < making->attached_count; i++) {
        free(making->attached[i].name);
        free(making->attached[i].data);
    }
    free(making->attached);
    text_list_clear(&making->warnings);
}
CLEANUP_VALUE(struct making, making_clear)

static void made_clear(struct made *made)
{
    manifest_free(made->manifest);
}
CLEANUP_VALUE(struct made, made_clear)

/* ---- before anything is locked ---- */

/* A connection of our own: the caller's keeps its settings. */
static bool open_control(const struct postgres *caller, struct making *making, struct error *error)
{
    return postgres_connect_again(caller, &making->control, error) &&
           snapshot_settings(making->control, false, NULL, error) &&
           snapshot_role(making->control, making->options->role, error);
}

static bool name_is_plain(const char *name)
{
    return *name != '\0' && *name != '.' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static bool attach(struct making *making, const struct attachment *attachment, struct error *error)
{
    AUTO(text_list_clear) struct text_list words = {0};
    AUTO(process_result_clear) struct process_result result = {0};
    const char *const *argv;
    if (!name_is_plain(attachment->name)) {
        error_set(error, ERROR_USAGE, "\"%s\" cannot be the name of an attachment", attachment->name);
        return error_hint(error,
                          "It takes letters, digits, \".\", \"_\" and \"-\", and does not begin with a "
                          "dot.");
    }
    if (!process_split(attachment->command, &words, error))
        return error_prefix(error, "attachment \"%s\"", attachment->name);
    text_list_add(&words, NULL);
    memcpy(&argv, &words.items, sizeof argv);
    if (!process_check(&(struct process_request){.argv = argv, .takes_along = true}, &result, error))
        return error_prefix(error, "attachment \"%s\"", attachment->name);
    making->attached[making->attached_count++] =
        (struct attached){.name = text_format("attachments/%s", attachment->name),
                          .data = take(result.output),
                          .size = result.output_size};
    return true;
}

static bool attach_all(struct making *making, struct error *error)
{
    const struct backup_options *options = making->options;
    making->attached = memory_allocate(options->attachment_count + 1, sizeof *making->attached);
    for (size_t i = 0; i < options->attachment_count; i++)
        if (!attach(making, &options->attachments[i], error))
            return false;
    return true;
}

/* ---- attempts ---- */

static bool says(const struct error *error, const char *words)
{
    return (error->message != NULL && strstr(error->message, words) != NULL) ||
           (error->detail != NULL && strstr(error->detail, words) != NULL);
}

/* A standby cancels what stands in the way of its replay; of pg_dump only the words tell, and a session that
 * waits for us to read is ended without any, while the server is well. */
static bool is_of_replay(const struct making *making, const struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    if (!making->standby)
        return false;
    if (strcmp(error->sqlstate, "40001") == 0 || says(error, "conflict with recovery"))
        return true;
    return error->code == ERROR_CONNECTION && postgres_execute(making->control, sql_server_answers, &ignored);
}

/* pg_dump found a lock taken that is ours already: somebody queues between us and it, and only letting go of
 * everything lets him through. */
static bool is_passing(const struct making *making, const struct error *error)
{
    return dump_was_locked(error) || is_of_replay(making, error);
}

static void explain_attempt(const struct making *making, struct error *error)
{
    if (dump_was_locked(error))
        error->code = ERROR_LOCKED;
    if (is_of_replay(making, error))
        error_hint(error,
                   "A standby ends what its replay has waited for longer than max_standby_streaming_delay: "
                   "raise that there while backups are taken, or set hot_standby_feedback = on, which "
                   "keeps most sessions.");
}

static bool make(struct making *making, struct made *ret, struct error *error)
{
    int64_t began = clock_ms();
    for (;;) {
        AUTO(error_clear) struct error failure = {0};
        if (making_attempt(making, ret, &failure))
            return true;
        if (!is_passing(making, &failure) || clock_ms() - began >= making->options->lock_wait_timeout_ms) {
            explain_attempt(making, &failure);
            error_move(error, &failure);
            return false;
        }
        making_tell(making, (struct backup_event){.kind = BACKUP_WAITING, .message = failure.message});
        if (!interrupt_sleep(PAUSE_MS))
            return interrupt_error(error);
    }
}

/* ---- the record ---- */

static char *time_text(int64_t seconds)
{
    time_t value = (time_t)seconds;
    struct tm parts;
    char text[32];
    gmtime_r(&value, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text_copy(text);
}

static struct record *describe(const struct making *making, const struct made *made, int64_t milliseconds)
{
    const struct manifest *manifest = made->manifest;
    const struct backup_options *options = making->options;
    struct record *record = record_new(manifest);
    record->finished_at = time_text((int64_t)time(NULL));
    record->whole = made->archive;
    record->milliseconds = milliseconds;
    record->jobs = options->jobs;
    record->level = options->level;
    record->command = text_copy(options->command);
    record->warnings = (int64_t)making->warnings.count;
    record->incomplete = making->incomplete;
    return record;
}

static bool take_one(struct postgres *caller, struct repository *repository, struct making *making,
                     struct record **ret, struct error *error)
{
    int64_t began = clock_ms();
    AUTO(made_clear) struct made made = {0};
    if (!open_control(caller, making, error) ||
        !preflight_run(making->control, making->folder, making->options, &making->preflight, error) ||
        !attach_all(making, error))
        return false;
    for (size_t i = 0; i < making->preflight.warnings.count; i++)
        making_warn(making, text_copy(making->preflight.warnings.items[i]));
    if (!make(making, &made, error))
        return false;
    AUTO(record_free) struct record *record = describe(making, &made, clock_ms() - began);
    if (!repository_commit(repository, record, error)) {
        unlink(making->part_path);
        return false;
    }
    *ret = take(record);
    return true;
}

/* A database in SQL_ASCII takes any bytes; everything here, and the record, is UTF-8. */
static void explain(struct error *error)
{
    if (text_equal(error->sqlstate, "22021") && error->hint == NULL)
        error_hint(error, "A name in this database (of a table, column, role) is not UTF-8. Rename what has "
                          "it; pg_dump alone can dump it as it is.");
}

bool backup_create(struct postgres *control, struct repository *repository,
                   const struct backup_options *options, const struct backup_listener *listener,
                   struct record **ret, struct error *error)
{
    int64_t now = (int64_t)time(NULL);
    OWNED char *id = record_new_id(now, postgres_database(control));
    OWNED char *part_path = repository_part_path(repository, id);
    AUTO(making_clear)
    struct making making = {.options = options,
                            .listener = listener,
                            .folder = repository_folder(repository),
                            .part_path = part_path,
                            .id = id,
                            .began_at = now};
    if (take_one(control, repository, &making, ret, error))
        return true;
    explain(error);
    repository_note_failure(repository, id, postgres_database(control), error->message);
    return false;
}
