/* SPDX-License-Identifier: PostgreSQL */
#include "backup/verify.h"
#include "cli/backups.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/report.h"
#include "common/interrupt.h"

struct progress {
    const struct invocation *invocation;
    int64_t next_ms;
    bool shown;
};

static void tick(void *context, int64_t done, int64_t total)
{
    struct progress *progress = context;
    OWNED char *size = text_size(done);

    if (!progress->invocation->terminal || progress->invocation->verbosity == VERBOSITY_QUIET ||
        clock_ms() < progress->next_ms)
        return;
    OWNED char *line = text_format("%3d %%  %s", total ? (int)(done * 100 / total) : 100, size);
    report_live(line);
    progress->next_ms = clock_ms() + 200;
    progress->shown = true;
}

static json_t *problem_list(const struct verify_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->count; i++) {
        json_t *object = json_object();
        document_text(object, "member", result->problems[i].member);
        document_text(object, "problem", result->problems[i].problem);
        json_array_append_new(list, object);
    }
    return list;
}

static void tell(const struct invocation *invocation, const char *id, const struct verify_result *result)
{
    if (invocation->json) {
        document_text(invocation->document, "id", id);
        document_integer(invocation->document, "members", (int64_t)result->members);
        document_integer(invocation->document, "bytes", result->bytes);
        document_text(invocation->document, "result", result->count ? "corrupt" : "ok");
        json_object_set_new(invocation->document, "problems", problem_list(result));
        return;
    }
    for (size_t i = 0; i < result->count; i++) {
        report_paint(stdout, invocation->color_output, PAINT_RED, result->problems[i].member);
        printf(": %s\n", result->problems[i].problem);
    }
    OWNED char *size = text_size(result->bytes);
    if (result->count)
        printf("%s is damaged: %zu %s\n", id, result->count, result->count == 1 ? "problem" : "problems");
    else
        printf("%s is whole: %zu members, %s\n", id, result->members, size);
}

static bool run(struct invocation *invocation, struct error *error)
{
    AUTO(repository_free) struct repository *repository = NULL;
    AUTO(record_free) struct record *record = NULL;
    AUTO(verify_result_clear) struct verify_result result = {0};
    OWNED char *folder = config_path(invocation->config, "repository"), *archive = NULL;
    const char *word = invocation->operands.count ? invocation->operands.items[0] : "latest";
    struct progress progress = {.invocation = invocation};
    struct verify_options options = {
        .decode = invocation_flag(invocation, "decode"), .tick = tick, .context = &progress};

    if (!backups_jobs(invocation->config, &options.jobs, error) ||
        !repository_open(folder, false, &repository, error) ||
        !(text_equal(word, "latest") ? repository_find_unverified(repository, &record, &archive, error)
                                     : repository_find(repository, word, NULL, &record, &archive, error)))
        return false;
    backups_warn(invocation, repository);
    bool done = verify_run(archive, record, &options, &result, error);
    if (progress.shown)
        report_live("");
    if (!done)
        return false;
    backups_mark_verified(invocation, repository, record, archive,
                          result.count     ? "damaged"
                          : options.decode ? "decode"
                                           : "digest");
    tell(invocation, record ? record->id : archive, &result);
    invocation->exit_code = result.count ? ERROR_FINDINGS : 0;
    return true;
}

static const struct option_spec options[] = {
    {.name = "decode", .summary = "also decode every frame and recompute rows and fingerprints"},
    {.name = "jobs", .letter = 'j', .argument = "N", .key = "jobs"},
    {.name = "repository", .argument = "PATH", .key = "repository"},
    {0},
};

const struct command cmd_backup_verify = {
    .name = "backup verify",
    .operands = "[BACKUP]",
    .max_operands = 1,
    .summary = "look whether a backup is whole",
    .details = "BACKUP is an id, its unambiguous beginning, \"latest\" (default; of those not found damaged "
               "yet), or "
               "the path of an archive. Compared are sizes, the SHA-256 of the archive and of every member, "
               "the tar's headers and the manifest. All "
               "problems are listed, by member; the exit status is 3 then.",
    .options = options,
    .group = "Backups",
    .run = run,
};
