/* SPDX-License-Identifier: PostgreSQL */
#include "cli/commands.h"
#include "cli/report.h"
#include "common/cluster.h"
#include "common/embedded.h"
#include "common/interrupt.h"
#include "common/process.h"
#include <fcntl.h>
#include <sys/stat.h>

#define MOST_ARGUMENTS 8

/* A part of the story: what is said, a file that is written first, and a command with the exit status it must
 * have. */
struct scene {
    const char *say;
    const char *file, *source;             /* source: its text, a name in later_files */
    bool adds;                             /* source is shown, and goes behind what the file has */
    const char *arguments[MOST_ARGUMENTS]; /* after "pgmigrate"; empty: no command */
    int status;
};

static const struct scene story[] = {
    {.say = "A shop with several tenants is about to get its database. Seven migrations wait, each with its "
            "rollback.",
     .arguments = {"status"}},
    {.say = "What would happen, in which order and in which kind of transaction?", .arguments = {"plan"}},
    {.say = "Apply them: each in one transaction together with its line in schema_migrations. 006 builds its "
            "index\n"
            "CONCURRENTLY, outside any transaction; 004 is committed only because its verify script agrees.",
     .arguments = {"apply"}},
    {.say = "Once more, as a deploy script would: there is nothing to do.", .arguments = {"apply"}},
    {.say = "Somebody writes another migration, and makes a mistake.",
     .file = "migrations/008_add_discounts_rollback.sql",
     .source = "008_add_discounts_rollback.sql"},
    {.file = "migrations/008_add_discounts.sql",
     .source = "008_add_discounts_mistaken.sql",
     .arguments = {"apply"},
     .status = 1},
    {.say = "The message says where. Nothing is left of it, also not of its first statement:",
     .arguments = {"status"}},
    {.say = "The mistake is mended. This time it is rehearsed first: applied to a copy and measured, rolled "
            "back, compared,\n"
            "and applied again.",
     .file = "migrations/008_add_discounts.sql",
     .source = "008_add_discounts.sql",
     .arguments = {"rehearse"}},
    {.say = "It does what it should, and so does its rollback. Now for good:", .arguments = {"apply"}},
    {.say = "Going back. The new column holds data by now, so this is refused:",
     .arguments = {"rollback"},
     .status = 10},
    {.say = "With open eyes, then. The script that runs is the one stored when the migration was applied.",
     .arguments = {"rollback", "--accept-data-loss"}},
    {.say = "Who did what, and when:", .arguments = {"history"}},
    {.say = "No tenant may see the rows of another. pgmigrate.conf says whose rows they are, and as whom the "
            "application works:",
     .file = "pgmigrate.conf",
     .source = "rls.conf",
     .adds = true,
     .arguments = {"rls", "--fail-on", "high", "-q"},
     .status = 3},
    {.say = "One table was forgotten. Somebody adds a policy, but it opens when a session has no tenant. "
            "That is "
            "looked for\n"
            "before every COMMIT, so it never comes into force:",
     .file = "migrations/009_isolate_order_lines_rollback.sql",
     .source = "009_isolate_order_lines_rollback.sql"},
    {.file = "migrations/009_isolate_order_lines.sql",
     .source = "009_isolate_order_lines_mistaken.sql",
     .arguments = {"apply"},
     .status = 10},
    {.say = "Mended:",
     .file = "migrations/009_isolate_order_lines.sql",
     .source = "009_isolate_order_lines.sql",
     .arguments = {"apply"}},
    {.say = "And proven: on a copy, one tenant tries to reach the rows of the other in every way there is.",
     .arguments = {"rls", "--fail-on", "high", "--probe", "--scratch"}},
    {.say = "Another migration shall delete what is no longer needed. A backup is taken and verified before.",
     .file = "migrations/010_clean_up_orders_rollback.sql",
     .source = "010_clean_up_rollback.sql"},
    {.file = "migrations/010_clean_up_orders.sql",
     .source = "010_clean_up_mistaken.sql",
     .arguments = {"apply", "--backup"}},
    {.say = "It should have deleted the shipped orders, and deleted all others. No script brings them back, "
            "but:",
     .arguments = {"backup", "list"}},
    {.say = "The last backup from before that migration is restored beside the database, compared, and takes "
            "its place:",
     .arguments = {"restore", "--before", "010", "--swap", "--yes"}},
    {.say = "The orders are back, and the migrations are pending again. Nothing was thrown away.",
     .arguments = {"status"}},
};

static const struct option_spec options[] = {
    {.name = "keep", .summary = "keep the demo's folder and server, and say how to go on with them"},
    {0},
};

/* ---- the stage ---- */

static bool write_shop(const char *folder, struct error *error)
{
    OWNED char *migrations = file_join(folder, "migrations");
    if (!file_make_folder(migrations, 0755, error))
        return false;
    for (const struct embedded_file *file = shop_files; file->name != NULL; file++) {
        OWNED char *path = file_join(migrations, file->name);
        if (!file_write_new(path, file->text, strlen(file->text), 0644, error))
            return false;
    }
    return true;
}

static bool write_config(const char *folder, const char *url, struct error *error)
{
    OWNED char *path = file_join(folder, "pgmigrate.conf");
    OWNED char *text =
        text_format("[migrations]\ndirectory = migrations\n\n[environment demo]\ndatabase = %s\n", url);
    return file_write_new(path, text, strlen(text), 0644, error);
}

/* The server's user must be able to reach its folder in here. */
static bool set_stage(const char *folder, const char *cluster, struct error *error)
{
    AUTO(cluster_status_clear) struct cluster_status status = {0};
    if (chmod(folder, 0711) != 0)
        return error_set(error, ERROR_FAILED, "could not change the mode of \"%s\"", folder);
    return cluster_start(cluster, error) && cluster_status(cluster, &status, error) &&
           write_shop(folder, error) && write_config(folder, status.url, error);
}

/* ---- the play ---- */

static void say(const struct invocation *invocation, const char *text)
{
    putchar('\n');
    report_paint(stdout, invocation->color_output, PAINT_BOLD, text);
    putchar('\n');
}

static void show_command(const struct invocation *invocation, const struct scene *scene)
{
    OWNED char *line = text_copy("$ pgmigrate");
    for (size_t i = 0; i < MOST_ARGUMENTS && scene->arguments[i] != NULL; i++) {
        char *longer = text_format("%s %s", line, scene->arguments[i]);
        free(line);
        line = longer;
    }
    putchar('\n');
    report_paint(stdout, invocation->color_output, PAINT_GREEN, line);
    putchar('\n');
    fflush(stdout);
}

/* What this user has set for his own databases must not reach into the demo. */
static const char *const clean_environment[] = {"PGMIGRATE_ENVIRONMENT=demo",
                                                "DATABASE_URL",
                                                "PGMIGRATE_DATABASE",
                                                "PGMIGRATE_DIRECTORY",
                                                "PGMIGRATE_HISTORY_TABLE",
                                                "PGSERVICE",
                                                "PGOPTIONS",
                                                "PGMIGRATE_ROLE",
                                                "PGMIGRATE_LAYOUT",
                                                "PGMIGRATE_BATCH",
                                                "PGMIGRATE_LOCK_TIMEOUT",
                                                "PGMIGRATE_REPOSITORY",
                                                "PGMIGRATE_JOBS",
                                                NULL};

static bool run_scene(const struct invocation *invocation, const char *folder, const struct scene *scene,
                      struct error *error)
{
    AUTO(process_result_clear) struct process_result result = {0};
    const char *argv[MOST_ARGUMENTS + 4] = {"/proc/self/exe",
                                            invocation->color_output ? "--color=always" : "--color=never"};
    for (size_t i = 0; i < MOST_ARGUMENTS && scene->arguments[i] != NULL; i++)
        argv[i + 2] = scene->arguments[i];
    struct process_request request = {
        .argv = argv, .environment = clean_environment, .folder = folder, .inherits = true};
    show_command(invocation, scene);
    if (!process_run(&request, &result, error))
        return false;
    if (result.status == scene->status)
        return true;
    return error_set(error, ERROR_FAILED, "the demo's \"%s\" ended with exit status %d instead of %d",
                     scene->arguments[0], result.status, scene->status);
}

static const char *later(const char *name)
{
    const struct embedded_file *file = later_files;
    while (strcmp(file->name, name) != 0)
        file++;
    return file->text;
}

static bool write_scene(const char *folder, const struct scene *scene, struct error *error)
{
    OWNED char *path = file_join(folder, scene->file);
    OWNED char *before = NULL;
    size_t size = 0;
    if (scene->adds && !file_read(path, &before, &size, error))
        return false;
    OWNED char *text = text_format("%s%s", before == NULL ? "" : before, later(scene->source));
    if (scene->adds)
        fputs(later(scene->source), stdout);
    return file_write_atomic(path, text, strlen(text), 0644, error);
}

static bool play(const struct invocation *invocation, const char *folder, struct error *error)
{
    for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
        const struct scene *scene = &story[i];
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        if (scene->say != NULL)
            say(invocation, scene->say);
        if (scene->file != NULL && !write_scene(folder, scene, error))
            return false;
        if (scene->arguments[0] != NULL && !run_scene(invocation, folder, scene, error))
            return false;
    }
    return true;
}

static void say_how_to_go_on(const struct invocation *invocation, const char *folder)
{
    OWNED char *text =
        text_format("It is all in %s: go there, and try \"pgmigrate -e demo status\".\n"
                    "\"pgmigrate cluster stop --folder %s/cluster --remove\" takes the server away.",
                    folder, folder);
    say(invocation, text);
}

static bool perform(const struct invocation *invocation, struct error *error)
{
    OWNED char *folder = NULL;
    bool keep = invocation_flag(invocation, "keep");
    if (!file_make_temporary("pgmigrate-demo", &folder, error))
        return false;
    OWNED char *cluster = file_join(folder, "cluster");
    bool good = set_stage(folder, cluster, error) && play(invocation, folder, error);
    if (good && keep) {
        say_how_to_go_on(invocation, folder);
        return true;
    }
    AUTO(error_clear) struct error cleaning = {0};
    bool cleaned = cluster_destroy(cluster, &cleaning) && file_remove_tree(folder, &cleaning);
    if (good && !cleaned)
        error_move(error, &cleaning);
    if (good && cleaned)
        say(invocation, "That was the demo; its server and its folder are gone again.");
    return good && cleaned;
}

/* With --json stdout is the document's, so the story, its commands' output with it, goes to stderr. */
static bool run(struct invocation *invocation, struct error *error)
{
    int output = invocation->json ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
    if (output >= 0)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    bool good = perform(invocation, error);
    if (output >= 0) {
        fflush(stdout);
        dup2(output, STDOUT_FILENO);
        close(output);
    }
    return good;
}

const struct command cmd_demo = {
    .name = "demo",
    .summary = "show the whole story on an embedded server",
    .details =
        "Starts a private PostgreSQL in a temporary folder, writes the migrations of a small shop "
        "there, and runs "
        "pgmigrate on them as a person would: status, plan, apply, a migration that fails, a rehearsal, "
        "rollback, history, row-level security, a backup, a restore. "
        "Everything is removed at the end.",
    .group = "Server",
    .options = options,
    .run = run,
};
