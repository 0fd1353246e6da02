/* SPDX-License-Identifier: PostgreSQL */
#include "backup/making.h"

#include "backup/guide.h"
#include "backup/tasks.h"
#include "common/interrupt.h"
#include "common/test_point.h"
#include "sql.h"
#include <string.h>
#include <unistd.h>

#define STREAM_LARGER_THAN ((int64_t)1 << 20)
#define STREAMED_AT_MOST   2000
#define LOOK_EVERY_MS      1000 /* for sessions that wait for us */

struct attempt {
    struct making *making;
    struct snapshot *snapshot;
    struct archive_writer *writer;
    struct manifest *manifest;
    struct facts facts;
    struct streams *streams;
    struct member_list members; /* besides data and tables */
    struct member_list data;
    char *schema_path;
    char *listing;         /* of pg_dump's data */
    char *globals;         /* roles, or NULL … */
    char *globals_problem; /* … and why */
    atomic_bool stop;
    atomic_int_fast64_t bytes;
    int64_t total;
    int64_t looked; /* clock_ms() of the last look for waiting sessions */
    struct error given_up;
};

static void attempt_clear(struct attempt *attempt)
{
    streams_free(attempt->streams);
    archive_writer_free(attempt->writer);
    snapshot_free(attempt->snapshot);
    manifest_free(attempt->manifest);
    member_list_clear(&attempt->members);
    member_list_clear(&attempt->data);
    if (attempt->schema_path != NULL)
        unlink(attempt->schema_path);
    free(attempt->schema_path);
    free(attempt->listing);
    free(attempt->globals);
    free(attempt->globals_problem);
    error_clear(&attempt->given_up);
}
CLEANUP_VALUE(struct attempt, attempt_clear)

/* ---- telling ---- */

void making_tell(const struct making *making, struct backup_event event)
{
    if (making->listener != NULL && making->listener->event != NULL)
        making->listener->event(making->listener->context, &event);
}

void making_warn(struct making *making, char *text)
{
    making_tell(making, (struct backup_event){.kind = BACKUP_WARNING, .message = text});
    text_list_add(&making->warnings, text);
}

void making_miss(struct making *making, char *text)
{
    making->incomplete = true;
    making_warn(making, text);
}

static void tell_progress(struct attempt *attempt, enum backup_event_kind kind)
{
    size_t count = attempt->snapshot->count;
    OWNED const char **current = memory_allocate(count, sizeof *current);
    for (size_t i = 0; i < count && attempt->streams != NULL; i++)
        current[i] = streams_current(attempt->streams, i);
    making_tell(attempt->making, (struct backup_event){.kind = kind,
                                                       .done = atomic_load(&attempt->bytes),
                                                       .total = attempt->total,
                                                       .written = archive_writer_bytes(attempt->writer),
                                                       .streams = count,
                                                       .current = current});
}

static void told_waiting(void *context, const char *why)
{
    making_tell(context, (struct backup_event){.kind = BACKUP_WAITING, .message = why});
}

/* ---- who waits for us ---- */

static char *blocked_text(const struct rows *rows)
{
    const char *application = rows_text(rows, 0, "application"), *user = rows_text(rows, 0, "user");
    const char *query = rows_text(rows, 0, "query");
    OWNED char *waited = text_duration(rows_integer(rows, 0, "seconds") * 1000);
    return text_format(
        "pid %s (%s, user %s) has waited %s for a lock of this backup%s%s", rows_text(rows, 0, "pid"),
        application == NULL || *application == '\0' ? "?" : application, user == NULL ? "?" : user, waited,
        query == NULL || *query == '\0' ? "" : ": ", query == NULL ? "" : query);
}

/* Whoever waits for us has others waiting behind him. */
static void look_for_blocked(struct attempt *attempt)
{
    const struct backup_options *options = attempt->making->options;
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(error_clear) struct error ignored = {0};
    attempt->looked = clock_ms();
    if (!snapshot_blocked(attempt->making->control, attempt->snapshot, &rows, &ignored) ||
        rows_count(rows) == 0 || rows_integer(rows, 0, "seconds") < 1)
        return;
    OWNED char *text = blocked_text(rows);
    making_tell(attempt->making, (struct backup_event){.kind = BACKUP_BLOCKING, .message = text});
    if (options->max_block_ms == 0 || rows_integer(rows, 0, "seconds") * 1000 < options->max_block_ms ||
        attempt->given_up.message != NULL)
        return;
    error_set(&attempt->given_up, ERROR_LOCKED,
              "the backup was given up, because another session waits for it");
    error_detail(&attempt->given_up, "%c%s.", 'P', text + 1);
    error_hint(&attempt->given_up, "--max-block says how long others may wait; 0 lets them wait.");
    atomic_store(&attempt->stop, true);
}

static void tick(void *context)
{
    struct attempt *attempt = context;
    tell_progress(attempt, BACKUP_PROGRESS);
    if (clock_ms() - attempt->looked >= LOOK_EVERY_MS && interrupt_signal() == 0)
        look_for_blocked(attempt);
}

/* ---- the work, side by side ---- */

static struct dump_options dump_options_of(struct attempt *attempt)
{
    const struct making *making = attempt->making;
    return (struct dump_options){.programs = &making->preflight.programs,
                                 .control = making->control,
                                 .snapshot = attempt->snapshot,
                                 .encoding = attempt->manifest->encoding,
                                 .role = making->options->role,
                                 .stop = &attempt->stop,
                                 .bytes = &attempt->bytes};
}

static bool stream_task(void *context, size_t number, struct error *error)
{
    struct attempt *attempt = context;
    return streams_run(attempt->streams, number, error);
}

static bool data_task(void *context, size_t number, struct error *error)
{
    struct attempt *attempt = context;
    struct dump_options options = dump_options_of(attempt);
    AUTO(compressor_free) struct compressor *compressor = compressor_new(attempt->making->options->level);
    AUTO(frames_clear)
    struct frames frames = {.writer = attempt->writer, .compressor = compressor, .prefix = "data/"};
    (void)number;
    if (!dump_data(&options, &frames, &attempt->listing, error))
        return false;
    attempt->data = frames.members;
    frames.members = (struct member_list){0};
    return true;
}

static bool add_file(struct attempt *attempt, const char *name, const char *path, struct error *error)
{
    struct archive_place place;
    if (!archive_writer_add_file(attempt->writer, name, path, &place, error))
        return false;
    member_list_add(&attempt->members, text_copy(name), &place, place.size, 0);
    return true;
}

/* Where locks are few, the two pg_dump hold theirs one after the other. */
static bool schema_task(void *context, size_t number, struct error *error)
{
    struct attempt *attempt = context;
    struct dump_options options = dump_options_of(attempt);
    return dump_schema(&options, attempt->schema_path, error) &&
           add_file(attempt, "schema.dump", attempt->schema_path, error) &&
           dump_globals(&options, attempt->making->options->role_passwords, &attempt->globals,
                        &attempt->globals_problem, error) &&
           (!attempt->snapshot->few_locks || data_task(attempt, number, error));
}

/* A pg_dump that has lost its server or our snapshot says so in words only, and maybe before one of our own
 * sessions notices. */
static bool blame_connection(struct attempt *attempt, struct error *error)
{
    AUTO(error_clear) struct error lost = {0};
    if (error->code != ERROR_FAILED ||
        postgres_execute(attempt->snapshot->connections[0], sql_savepoint_back, &lost) ||
        lost.code != ERROR_CONNECTION)
        return false;
    error_detail(&lost, "%s.", error->message);
    error_move(error, &lost);
    return false;
}

static bool work_side_by_side(struct attempt *attempt, struct error *error)
{
    size_t streams = attempt->snapshot->count, count = 0;
    OWNED struct task *tasks = memory_allocate(streams + 2, sizeof *tasks);
    tasks[count++] = (struct task){schema_task, 0};
    if (!attempt->snapshot->few_locks)
        tasks[count++] = (struct task){data_task, 0};
    for (size_t i = 0; i < streams; i++)
        tasks[count++] = (struct task){stream_task, i};
    attempt->looked = clock_ms();
    if (tasks_run(tasks, count, &attempt->stop, tick, attempt, error))
        return true;
    if (attempt->given_up.message != NULL && interrupt_signal() == 0)
        error_move(error, &attempt->given_up);
    return blame_connection(attempt, error);
}

/* ---- before and after ---- */

static bool take_snapshot(struct attempt *attempt, struct error *error)
{
    const struct making *making = attempt->making;
    const struct backup_options *options = making->options;
    int64_t least = options->split_larger_than / 64;
    struct snapshot_options wanted = {
        .streams = (size_t)options->jobs,
        .lock_wait_timeout_ms = options->lock_wait_timeout_ms,
        .tables = {.stream_larger_than = making->preflight.hooked     ? INT64_MAX
                                         : least < STREAM_LARGER_THAN ? least
                                                                      : STREAM_LARGER_THAN,
                   .most_streamed = STREAMED_AT_MOST},
        .role = options->role,
        .id = making->id,
        .few_locks = making->preflight.few_locks,
    };
    if (!snapshot_take(making->control, &wanted, told_waiting, attempt->making, &attempt->snapshot, error))
        return false;
    attempt->making->standby = attempt->snapshot->standby;
    if (attempt->snapshot->few_locks && !making->preflight.few_locks) {
        attempt->making->preflight.few_locks = true;
        making_warn(
            attempt->making,
            text_copy("the server ran out of locks: only large tables are locked beforehand, and pg_dump "
                      "runs twice, one after the other; raise max_locks_per_transaction"));
    }
    for (size_t i = 0; i < attempt->snapshot->tables.count; i++)
        attempt->total += attempt->snapshot->tables.items[i].bytes;
    return true;
}

static bool read_facts(struct attempt *attempt, struct error *error)
{
    const struct making *making = attempt->making;
    const struct backup_options *options = making->options;
    struct manifest *manifest = attempt->manifest = memory_allocate(1, sizeof *manifest);
    manifest->format = MANIFEST_FORMAT;
    manifest->id = text_copy(making->id);
    manifest->tool_version = text_copy(PGMIGRATE_VERSION);
    manifest->pg_dump_version = text_copy(making->preflight.programs.version);
    manifest->tag = text_copy(options->tag);
    for (size_t i = 0; options->before != NULL && i < options->before->count; i++)
        text_list_add(&manifest->before, text_copy(options->before->items[i]));
    return facts_read(attempt->snapshot, manifest, &attempt->facts, error) &&
           (options->migrations == NULL ||
            options->migrations(options->migrations_context, attempt->snapshot->connections[0], manifest,
                                error));
}

static bool begin_archive(struct attempt *attempt, struct error *error)
{
    struct making *making = attempt->making;
    if (!archive_writer_open(making->part_path, making->began_at, &attempt->writer, error) ||
        !guide_begin(attempt->writer, attempt->manifest, &attempt->members, error))
        return false;
    for (size_t i = 0; i < making->attached_count; i++) {
        const struct attached *attached = &making->attached[i];
        if (!guide_add(attempt->writer, attached->name, attached->data, attached->size, &attempt->members,
                       error))
            return false;
    }
    attempt->schema_path = text_format("%s/%s.schema.part", making->folder, making->id);
    if (!file_write_atomic(attempt->schema_path, "", 0, 0600, error)) /* pg_dump would let others read it */
        return false;
    attempt->streams = streams_new(&(struct streams_options){
        .snapshot = attempt->snapshot,
        .writer = attempt->writer,
        .encoding = attempt->manifest->encoding,
        .level = making->options->level,
        .split_larger_than = making->options->split_larger_than,
        .stop = &attempt->stop,
        .bytes = &attempt->bytes,
    });
    return true;
}

static bool add_globals(struct attempt *attempt, struct error *error)
{
    struct making *making = attempt->making;
    if (attempt->globals == NULL) {
        const char *problem = attempt->globals_problem;
        making_miss(making,
                    text_format("pg_dumpall could not read all roles, so globals.sql holds only those of "
                                "this database: %.*s",
                                (int)strcspn(problem, "\n"), problem));
        if (!facts_globals(attempt->snapshot->connections[0], attempt->manifest, &attempt->globals, error))
            return false;
    }
    return guide_add(attempt->writer, "globals.sql", attempt->globals, strlen(attempt->globals),
                     &attempt->members, error);
}

/* The window that locking first closes is open where there were too few locks, so it is looked through. */
static bool check_rewritten(struct attempt *attempt, struct error *error)
{
    AUTO(tables_clear) struct tables now = {0};
    struct tables_options options = {.stream_larger_than = 0, .most_streamed = 0};
    if (!attempt->snapshot->few_locks)
        return true;
    if (!tables_read(attempt->making->control, &options, &now, error))
        return false;
    OWNED char *rewritten = tables_rewritten(&attempt->snapshot->tables, &now);
    if (rewritten == NULL)
        return true;
    error_set(error, ERROR_FAILED, "%s during the backup, and may look empty in it", rewritten);
    return error_hint(error, "Raise max_locks_per_transaction, so that all tables can be locked before the "
                             "snapshot is taken, or take the backup when nobody changes tables.");
}

static void warn_of_skipped(struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->manifest->table_count; i++) {
        const struct manifest_table *table = &attempt->manifest->tables[i];
        if (table->source == TABLE_SKIPPED)
            making_miss(attempt->making, text_format("the rows of table \"%s.%s\" are not in this backup: %s",
                                                     table->schema, table->name, table->reason));
    }
    if (!attempt->facts.superuser && attempt->facts.subscriptions > 0)
        making_miss(attempt->making,
                    text_copy("subscriptions are not in this backup: only a superuser can read "
                              "them"));
    if (attempt->facts.mappings > 0)
        making_miss(
            attempt->making,
            text_format("the options of %lld user mapping%s, if any, are not in this backup: the role "
                        "may not read them",
                        (long long)attempt->facts.mappings, attempt->facts.mappings == 1 ? "" : "s"));
}

static bool finish_archive(struct attempt *attempt, struct made *ret, struct error *error)
{
    struct manifest *manifest = attempt->manifest;
    struct making *making = attempt->making;
    if (!streams_check(attempt->streams, error))
        return false;
    member_list_move(&attempt->members, manifest);
    member_list_move(&attempt->data, manifest);
    streams_fill(attempt->streams, manifest);
    warn_of_skipped(attempt);
    for (size_t i = 0; i < making->warnings.count; i++)
        text_list_add(&manifest->warnings, text_copy(making->warnings.items[i]));
    AUTO(text_list_clear) struct text_list folders = {0};
    streams_folders(attempt->streams, &folders);
    if (!guide_end(attempt->writer, manifest, folders.items, error))
        return false;
    size_t size = 0;
    OWNED char *text = manifest_write(manifest, &size);
    if (!archive_writer_finish(attempt->writer, text, size, &ret->archive, error))
        return false;
    test_point("backup-finished");
    ret->manifest = take(attempt->manifest);
    return true;
}

static bool copy_all(struct attempt *attempt, struct made *ret, struct error *error)
{
    if (!read_facts(attempt, error) || !begin_archive(attempt, error))
        return false;
    test_point("backup-locked");
    tell_progress(attempt, BACKUP_BEGUN);
    if (!work_side_by_side(attempt, error))
        return false;
    test_point("backup-copied");
    tell_progress(attempt, BACKUP_CLOSING);
    return check_rewritten(attempt, error) &&
           dump_covers(attempt->listing, &attempt->snapshot->tables, attempt->facts.sequences,
                       attempt->manifest->large_objects, error) &&
           add_globals(attempt, error) && finish_archive(attempt, ret, error);
}

bool making_attempt(struct making *making, struct made *ret, struct error *error)
{
    AUTO(attempt_clear) struct attempt attempt = {.making = making};
    return take_snapshot(&attempt, error) && copy_all(&attempt, ret, error);
}
