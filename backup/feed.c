/* SPDX-License-Identifier: PostgreSQL */
#include "backup/feed.h"

#include "backup/member.h"
#include "common/interrupt.h"
#include "sql.h"
#include <errno.h>
#include <fcntl.h>

static bool is_feed(const struct manifest_member *member)
{
    return text_starts_with(member->name, "data/");
}

bool feed_needed(const struct load *load)
{
    bool found = false;

    for (size_t i = 0; i < load->manifest->member_count && !found; i++)
        found = is_feed(&load->manifest->members[i]);
    return found && !load->second && (!load->data_keys || load->data_keys->count);
}

int64_t feed_bytes(const struct manifest *manifest)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < manifest->member_count; i++)
        if (is_feed(&manifest->members[i]))
            bytes += manifest->members[i].raw_size;
    return bytes;
}

/* ---- the stream ---- */

struct pipe {
    struct process *process; /* or … */
    int descriptor;          /* … a file */
    const atomic_bool *stop;
    atomic_llong *done;
    bool closed; /* the reader has had enough, or has failed */
};

static bool write_pipe(void *context, const char *data, size_t size, struct error *error)
{
    struct pipe *pipe = context;

    if (pipe->done)
        atomic_fetch_add(pipe->done, (long long)size);
    if (!pipe->process)
        return member_write(&pipe->descriptor, data, size, error);
    if (process_write(pipe->process, data, size, pipe->stop, error))
        return true;
    pipe->closed = true;
    return false;
}

/* All frames, in order. A reader that has closed its end is no failure here: it tells the reason itself. */
static bool pour(const struct load *load, struct pipe *pipe, struct error *error)
{
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();
    AUTO(error_clear) struct error broken = {0};

    for (size_t i = 0; i < load->manifest->member_count; i++) {
        const struct manifest_member *member = &load->manifest->members[i];

        if (!is_feed(member) || member_decode(load->archive, member, decompressor, write_pipe, pipe, &broken))
            continue;
        if (pipe->closed && !interrupt_signal() && !atomic_load(pipe->stop))
            return true;
        error_move(error, &broken);
        return false;
    }
    return true;
}

static bool pour_and_finish(const struct load *load, struct process *started, const atomic_bool *stop,
                            atomic_llong *done, struct process_result *ret, struct error *error)
{
    AUTO(process_free) struct process *process = started;
    struct pipe pipe = {.process = process, .descriptor = -1, .stop = stop, .done = done};

    return pour(load, &pipe, error) && process_finish(take(process), stop, ret, error);
}

/* ---- what is to be loaded ---- */

static bool read_contents(const struct load *load, const atomic_bool *stop, struct toc *ret,
                          struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    struct process *process = NULL;

    return pgrestore_start_list(load->pgrestore, &process, error) &&
           pour_and_finish(load, process, stop, NULL, &result, error) && toc_read(result.output, ret, error);
}

static bool is_filled(struct postgres *postgres, const struct manifest_table *table, bool *ret,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *sql = postgres_bind(
        sql_restore_filled, (struct postgres_name[]){{"schema", table->schema}, {"name", table->name}, {0}});

    if (!postgres_query(postgres, sql, 0, NULL, &rows, error))
        return false;
    *ret = rows_bool(rows, 0, "filled");
    return true;
}

static bool empty(struct postgres *postgres, const struct manifest_table *table, struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_restore_truncate,
                      (struct postgres_name[]){{"schema", table->schema}, {"name", table->name}, {0}});

    return postgres_execute(postgres, sql, error);
}

/* Each table is one COPY: it has rows or it has not. Partitions whose rows may be another's are emptied. */
static bool find_done(const struct load *load, struct postgres *postgres, struct text_list *ret,
                      struct error *error)
{
    for (size_t i = 0; i < load->manifest->table_count; i++) {
        const struct manifest_table *table = &load->manifest->tables[i];
        bool filled = false;

        if (table->source != TABLE_DUMP || (load->tables && !load->tables[i]))
            continue;
        if (table->root ? !empty(postgres, table, error) : !is_filled(postgres, table, &filled, error))
            return false;
        if (filled)
            text_list_add(ret, toc_key("TABLE DATA", table->schema, table->name));
    }
    return true;
}

/* What an extension had in its tables from the beginning cannot be told from what was loaded. */
static bool refuse_members(const struct toc *toc, struct postgres *postgres, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql_restore_members, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *schema = rows_text(rows, i, "schema"), *name = rows_text(rows, i, "name");
        OWNED char *key = toc_key("TABLE DATA", schema, name);

        if (!toc_find(toc, key))
            continue;
        error_set(error, ERROR_CONFLICT,
                  "table \"%s.%s\" of an extension was being loaded when the restore stopped", schema, name);
        return error_hint(error, "Drop the database and restore again, without --resume.");
    }
    return true;
}

/* pg_dump 17 and later make large objects with the data. */
static bool unlink_objects(const struct load *load, struct postgres *postgres, struct error *error)
{
    int64_t removed = 1;

    while (removed && strtol(load->manifest->pg_dump_version, NULL, 10) >= 17) {
        AUTO(rows_free) struct rows *rows = NULL;

        if (!postgres_query(postgres, sql_restore_unlink, 0, NULL, &rows, error))
            return false;
        removed = rows_integer(rows, 0, "objects");
    }
    return true;
}

static bool make_list(const struct load *load, struct postgres *postgres, bool again, const atomic_bool *stop,
                      char **ret, struct error *error)
{
    AUTO(text_list_clear) struct text_list done = {0};
    AUTO(toc_clear) struct toc toc = {0};
    OWNED bool *chosen = NULL;
    OWNED char *objects = NULL, *privileges = NULL;

    if (!read_contents(load, stop, &toc, error))
        return false;
    toc.roles = &load->manifest->roles;
    if (again && (!refuse_members(&toc, postgres, error) || !find_done(load, postgres, &done, error) ||
                  !unlink_objects(load, postgres, error)))
        return false;
    chosen = memory_allocate(toc.count, sizeof *chosen);
    for (size_t i = 0; i < toc.count; i++) {
        chosen[i] = !load->data_keys;
        for (size_t j = 0; load->data_keys && j < load->data_keys->count && !chosen[i]; j++)
            chosen[i] = toc_is(&toc, &toc.items[i], load->data_keys->items[j]);
    }
    objects = toc_list(&toc, TOC_OBJECTS, chosen, &done);
    privileges = toc_list(&toc, TOC_PRIVILEGES, chosen, NULL); /* of large objects */
    *ret = text_format("%s%s", objects, privileges);
    return true;
}

/* ---- loading ---- */

static bool run_from_file(const struct load *load, struct pgrestore_job *job, const atomic_bool *stop,
                          atomic_llong *done, struct error *error)
{
    OWNED char *path = file_join(load->folder, "data.dump");
    struct pipe pipe = {
        .descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), .stop = stop, .done = done};
    bool ok;

    if (pipe.descriptor < 0)
        return error_set(error, ERROR_FAILED, "could not create \"%s\": %s", path, strerror(errno));
    ok = pour(load, &pipe, error);
    close(pipe.descriptor);
    job->archive = path;
    ok = ok && pgrestore_run(load->pgrestore, job, stop, error);
    unlink(path);
    return ok;
}

bool feed_run(const struct load *load, struct postgres *postgres, bool again, const atomic_bool *stop,
              atomic_llong *done, struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    struct process *process = NULL;
    OWNED char *list = NULL;
    struct pgrestore_job job = {.server = load->server,
                                .database = load->database,
                                .section = "data",
                                .folder = load->folder,
                                .no_owner = load->no_owner,
                                .no_privileges = load->no_privileges};

    if ((again || load->data_keys) && !make_list(load, postgres, again, stop, &list, error))
        return false;
    if (list && !*list)
        return true;
    job.list = list;
    if (load->pgrestore->through_psql)
        return run_from_file(load, &job, stop, done, error);
    return pgrestore_start(load->pgrestore, &job, &process, error) &&
           pour_and_finish(load, process, stop, done, &result, error);
}
