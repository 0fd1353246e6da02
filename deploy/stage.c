/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/stage.h"

#include "common/throwaway.h"
#include "deploy/interim.h"
#include "deploy/scratch.h"
#include "sql.h"

#define DATABASE "rehearsal" /* of a throwaway cluster */

/* Jobs and subscriptions of what is restored must not begin to work. */
static const char settings[] = "listen_addresses = ''\n"
                               "shared_preload_libraries = ''\n"
                               "cron.launch_active_jobs = off\n"
                               "max_logical_replication_workers = 0\n"
                               "max_wal_size = 4GB\n"
                               "shared_buffers = 128MB\n"
                               "max_locks_per_transaction = 1024\n";

struct stage {
    enum rehearsal_place place;
    char *server;
    char *note;
    struct scratch *scratch;
    struct throwaway cluster;
    struct postgres *postgres;
};

void stage_free(struct stage *stage)
{
    if (!stage)
        return;
    postgres_free(stage->postgres);
    scratch_free(stage->scratch);
    throwaway_end(&stage->cluster);
    free(stage->server);
    free(stage->note);
    free(stage);
}

struct postgres *stage_postgres(struct stage *stage)
{
    return stage->postgres;
}

enum rehearsal_place stage_place(const struct stage *stage)
{
    return stage->place;
}

const char *stage_server(const struct stage *stage)
{
    return stage->server;
}

const char *stage_note(const struct stage *stage)
{
    return stage->note;
}

bool stage_keep(struct stage *stage, char **ret_database, struct error *error)
{
    if (!stage->scratch)
        return error_set(error, ERROR_USAGE, "there is no scratch database to keep");
    if (!scratch_keep(stage->scratch, error))
        return false;
    *ret_database = text_copy(scratch_name(stage->scratch));
    return true;
}

/* Subscriptions would fetch from, and publications be counted on by, servers that are not ours. */
static bool restore(struct postgres *server, const char *database, const struct stage_options *options,
                    bool create_roles, struct error *error)
{
    AUTO(restore_result_clear) struct restore_result result = {0};
    struct restore_options wanted = {.to = database,
                                     .jobs = options->jobs,
                                     .create_missing_roles = create_roles,
                                     .no_compare = true,
                                     .no_subscriptions = true};

    return restore_run(server, options->archive, options->record, &wanted, options->listener, &result, error);
}

/* A staging database that others use, as most are, is copied through a backup. */
static bool copy(struct stage *stage, const char *source, const struct stage_options *options,
                 struct error *error)
{
    AUTO(interim_clear) struct interim interim = {0};
    struct postgres *server = scratch_server(stage->scratch);
    struct stage_options from = *options;
    OWNED char *users = NULL;

    if (!scratch_copy(stage->scratch, source, &users, error))
        return false;
    if (!users)
        return true;
    stage->note = text_format("\"%s\" is in use (%s); it was copied through a backup", source,
                              *users ? users : "by sessions that have ended meanwhile");
    if (!interim_take(server, source, options->jobs, &interim, error)) {
        error_prefix(error, "\"%s\" is in use (%s) and could not be copied through a backup", source, users);
        return error_hint_more(error, "Or end these sessions; or name a backup with --from-backup.");
    }
    from.archive = interim.archive;
    from.record = interim.record;
    return restore(server, scratch_name(stage->scratch), &from, false, error);
}

/* The server's database that is not the one to be copied. */
static bool connect_beside(const struct postgres *staging, struct postgres **ret, struct error *error)
{
    const char *other = text_equal(postgres_database(staging), "postgres") ? "template1" : "postgres";

    return postgres_connect_database(staging, other, ret, error);
}

static bool open_scratch(struct stage *stage, struct postgres *staging, const struct stage_options *options,
                         struct error *error)
{
    AUTO(postgres_free) struct postgres *owned = staging;
    OWNED char *source = text_copy(postgres_database(staging));
    struct postgres *server = NULL;

    if (!connect_beside(owned, &server, error) || !scratch_new(server, &stage->scratch, error))
        return false;
    postgres_free(take(owned));
    const char *name = scratch_name(stage->scratch);
    server = scratch_server(stage->scratch);
    if (options->archive ? !restore(server, name, options, false, error)
                         : !copy(stage, source, options, error))
        return false;
    return postgres_connect_with(server, name, options->settings, &stage->postgres, error);
}

static bool open_embedded(struct stage *stage, const struct stage_options *options, struct error *error)
{
    const struct postgres_name names[] = {{"database", DATABASE}, {0}};
    struct cluster_options wanted = {.major = options->major, .settings = settings, .no_network = true};
    AUTO(postgres_free) struct postgres *server = NULL;
    OWNED char *create = postgres_bind(sql_rehearsal_database, names);

    if (!throwaway_start("pgmigrate-rehearsal", &wanted, &stage->cluster, error) ||
        !postgres_connect(stage->cluster.url, "pgmigrate", &server, error))
        return false;
    if (options->archive ? !restore(server, DATABASE, options, true, error)
                         : !postgres_execute(server, create, error))
        return false;
    return postgres_connect_with(server, DATABASE, options->settings, &stage->postgres, error);
}

static enum rehearsal_place place_of(const struct stage_options *options)
{
    if (options->in_place)
        return REHEARSAL_IN_PLACE;
    if (!options->staging)
        return REHEARSAL_EMBEDDED;
    return options->archive ? REHEARSAL_BACKUP : REHEARSAL_SCRATCH;
}

bool stage_open(const struct stage_options *options, struct stage **ret, struct error *error)
{
    AUTO(stage_free) struct stage *stage = memory_allocate(1, sizeof *stage);
    AUTO(postgres_free) struct postgres *staging = options->staging;
    bool good;

    stage->place = place_of(options);
    stage->server = staging ? text_format("%s/%s", postgres_address(staging), postgres_database(staging))
                            : text_copy("embedded");
    switch (stage->place) {
    case REHEARSAL_IN_PLACE:
        good = postgres_connect_with(staging, NULL, options->settings, &stage->postgres, error);
        break;
    case REHEARSAL_EMBEDDED:
        good = open_embedded(stage, options, error);
        break;
    default:
        good = open_scratch(stage, take(staging), options, error);
    }
    if (good)
        *ret = take(stage);
    return good;
}

/* ---- where the target is ---- */

/* The folder without what the target has not had; both lists are the caller's to free. */
static struct folder had_by(const struct folder *folder, const struct history *target)
{
    struct folder had = *folder;

    had.findings = (struct findings){0}; /* a rollback that is required, and missing: it need not go back */
    had.items = memory_allocate(folder->count + 1, sizeof(struct migration *));
    had.by_stem = memory_allocate(folder->count + 1, sizeof(struct migration *));
    had.count = 0;
    for (size_t i = 0; i < folder->count; i++)
        if (history_find(target, folder, folder->items[i]))
            had.items[had.count++] = folder->items[i];
    for (size_t i = 0, k = 0; i < folder->count; i++)
        if (history_find(target, folder, folder->by_stem[i]))
            had.by_stem[k++] = folder->by_stem[i];
    return had;
}

bool stage_catch_up(struct stage *stage, const struct folder *folder, const struct history *target,
                    const struct run_options *options, const char *history_table, struct error *error)
{
    struct folder had = had_by(folder, target);
    OWNED struct migration **items = had.items, **by_stem = had.by_stem;
    AUTO(history_free) struct history *history = NULL;
    AUTO(run_result_clear) struct run_result result = {0};
    struct apply_options wanted = {.run = *options, .batch = 16};

    (void)items;
    (void)by_stem;
    return had.count == 0 ||
           (history_open(stage->postgres, history_table, &history, error) &&
            apply_run(stage->postgres, history, &had, &wanted, NULL, &result, error)) ||
           error_prefix(error, "could not bring the rehearsal to where the target is");
}
