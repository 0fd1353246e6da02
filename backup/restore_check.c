/* SPDX-License-Identifier: PostgreSQL */
#include "backup/restoring.h"

#include "backup/member.h"
#include "backup/repository.h"
#include "backup/target.h"
#include "backup/verify.h"
#include "common/quote.h"
#include "sql.h"

static void tick(void *context, int64_t done, int64_t total)
{
    restoring_tell(context, done, total, NULL);
}

static bool damaged(const struct restoring *restoring, const struct verify_result *result,
                    struct error *error)
{
    AUTO(text_list_clear) struct text_list all = {0};
    OWNED char *joined = NULL;

    restoring->result->damaged = true;
    for (size_t i = 0; i < result->count && i < 20; i++)
        text_list_add(&all, text_format("%s: %s", result->problems[i].member, result->problems[i].problem));
    joined = text_list_join(&all, "\n");
    error_set(error, ERROR_BACKUP, "the backup is damaged: \"%s\": %s", result->problems[0].member,
              result->problems[0].problem);
    if (result->count > 1)
        error_detail(error, "%s", joined);
    return error_hint(error, "Nothing was restored. Choose another backup (\"pgmigrate backup list\").");
}

/* All of the archive, before the target is touched. Of a few tables only what is read of it is looked at,
 * while it is read: that is what they are restored alone for. */
static bool check_archive(struct restoring *restoring, const char *path, const struct record *record,
                          struct error *error)
{
    AUTO(verify_result_clear) struct verify_result result = {0};
    struct verify_options options = {.jobs = restoring->options->jobs, .tick = tick, .context = restoring};

    if (restoring->options->tables && restoring->options->tables->count)
        return true;
    if (!verify_run(path, record, &options, &result, error))
        return false;
    for (size_t i = 0; i < result.count; i++) /* that there is no record was decided by the caller */
        if (record || !text_equal(result.problems[i].member, "record"))
            return damaged(restoring, &result, error);
    return true;
}

static bool read_archive(struct restoring *restoring, const char *path, const struct record *record,
                         struct error *error)
{
    OWNED char *text = NULL;
    size_t size;

    return archive_reader_open(path, &restoring->archive, error) &&
           archive_reader_manifest(restoring->archive, &text, &size, error) &&
           manifest_read(text, size, archive_reader_bytes(restoring->archive), &restoring->manifest, error) &&
           (!record || record_matches(record, restoring->manifest, error));
}

/* A tablespace that is not there would end the restore in the middle of it. */
static bool look_for_tablespaces(struct restoring *restoring, const char *script, struct error *error)
{
    static const char setting[] = "SET default_tablespace = ";
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(text_list_clear) struct text_list there = {0};

    if (!postgres_query(restoring->server, sql_restore_tablespaces, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(&there, text_copy(rows_text(rows, i, "name")));
    for (const char *at = strstr(script, setting); at; at = strstr(at + 1, setting)) {
        const char *name = at + strlen(setting);
        size_t length = strcspn(name, ";\n");
        bool quoted = length >= 2 && (*name == '"' || *name == '\'');
        OWNED char *plain = text_copy_part(name + quoted, length - 2 * quoted);

        if (!*plain || text_list_contains(&there, plain))
            continue;
        restoring->no_tablespaces = true;
        text_list_add(&restoring->result->notes,
                      text_format("Tablespace \"%s\" is missing: everything is in the default one.", plain));
        return true;
    }
    return true;
}

static bool select_objects(struct restoring *restoring, struct error *error)
{
    struct selection *selection = &restoring->selection;
    OWNED char *list = NULL, *script = NULL;

    if (!selection_make(restoring->manifest, &restoring->toc, restoring->options->tables, selection, error))
        return false;
    for (size_t i = 0; i < selection->left_out.count; i++)
        text_list_add(&restoring->result->notes, text_copy(selection->left_out.items[i]));
    list = selection->partial ? toc_list(&restoring->toc, TOC_OBJECTS, selection->chosen, NULL) : NULL;
    struct pgrestore_job job = {.archive = restoring->schema, .list = list, .folder = restoring->folder};
    if (!pgrestore_script(&restoring->pgrestore, &job, &script, error))
        return false;
    selection_add_extensions(restoring->manifest, &restoring->toc, script, selection);
    return look_for_tablespaces(restoring, script, error);
}

static bool prepare(struct restoring *restoring, struct error *error)
{
    const struct manifest *manifest = restoring->manifest;
    const struct manifest_member *schema = manifest_member(manifest, "schema.dump");
    int from = (int)strtol(manifest->pg_dump_version, NULL, 10);
    int to = postgres_server_version(restoring->server) / 10000;

    if (!schema)
        return error_set(error, ERROR_BACKUP, "the backup has no member \"schema.dump\"");
    if (!pgrestore_choose(from, to, &restoring->pgrestore, error) ||
        !file_make_temporary("pgmigrate-restore", &restoring->folder, error))
        return false;
    restoring->schema = file_join(restoring->folder, "schema.dump");
    if (!member_extract(restoring->archive, schema, restoring->schema, error) ||
        !pgrestore_list(&restoring->pgrestore, restoring->schema, &restoring->toc, error))
        return false;
    restoring->toc.roles = &manifest->roles;
    return select_objects(restoring, error);
}

static bool refuse_problems(const struct text_list *problems, struct error *error)
{
    OWNED char *all = NULL;

    if (!problems->count)
        return true;
    all = text_list_join(problems, "\n");
    error_set(error, ERROR_REFUSED, "%s", problems->items[0]);
    if (problems->count > 1)
        error_detail(error, "All that is in the way:\n%s", all);
    return false;
}

static bool refuse(const struct restoring *restoring, struct error *error)
{
    AUTO(text_list_clear) struct text_list problems = {0};

    return target_problems(restoring->server, restoring->manifest, restoring->options, &problems, error) &&
           refuse_problems(&problems, error);
}

static bool refuse_strangers(const struct restoring *restoring, const struct text_list *owners,
                             const char *options, bool grantable, struct error *error)
{
    const char *user = postgres_user(restoring->server);
    OWNED char *names = text_list_join(owners, ", "), *name = postgres_quote_name(user);
    OWNED char *grant = grantable ? text_format(" (GRANT %s TO %s)", names, name) : text_copy("");

    error_set(error, ERROR_REFUSED, "role \"%s\" cannot make what belongs to other roles: %s", user, names);
    return error_hint(error, "Restore with %s, or as a role that inherits from them%s, or as a superuser.",
                      options, grant);
}

/* Who makes things for another role must be able to act as that one. Before PostgreSQL 15 the schema public
 * of a new database is the superuser's, as it is in most backups of such servers: nothing is done to it then.
 */
static bool check_owners(const struct restoring *restoring, struct error *error)
{
    const struct restore_options *options = restoring->options;
    AUTO(text_list_clear) struct text_list owners = {0}, defaults = {0}, lacking = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    bool grantable = true, owns = false, by_default = false;
    bool gives_public = postgres_server_version(restoring->server) >= 150000;

    if (!postgres_query(restoring->server, sql_restore_strangers, 0, NULL, &rows, error))
        return false;
    if (!options->no_owner)
        toc_owners(&restoring->toc, restoring->selection.chosen, false, gives_public, &owners);
    if (!options->no_privileges)
        toc_owners(&restoring->toc, restoring->selection.chosen, true, false, &defaults);
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *name = rows_text(rows, i, "name"), *quoted = rows_text(rows, i, "quoted");
        OWNED char *database = text_format("ALTER DATABASE :\"database\" OWNER TO %s", quoted);
        bool owner = text_list_contains(&owners, name) ||
                     (!options->no_owner && text_list_contains(&restoring->manifest->properties, database));
        bool other = text_list_contains(&defaults, name);

        if (!owner && !other)
            continue;
        text_list_add(&lacking, text_copy(quoted));
        owns = owns || owner;
        by_default = by_default || other;
        grantable = grantable && !rows_bool(rows, i, "superuser");
    }
    const char *way = !owns        ? "--no-privileges"
                      : by_default ? "--no-owner and --no-privileges"
                                   : "--no-owner";
    return !lacking.count || refuse_strangers(restoring, &lacking, way, grantable, error);
}

bool restoring_check(struct restoring *restoring, const char *path, const struct record *record,
                     struct error *error)
{
    return repository_hold(path, &restoring->held, error) && check_archive(restoring, path, record, error) &&
           read_archive(restoring, path, record, error) && refuse(restoring, error) &&
           prepare(restoring, error) && check_owners(restoring, error) &&
           target_notes(restoring->server, restoring->manifest, &restoring->result->notes, error);
}
