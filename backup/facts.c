/* SPDX-License-Identifier: PostgreSQL */
#include "backup/facts.h"

#include "sql.h"
#include <string.h>

static bool read_server(struct postgres *postgres, struct manifest *manifest, struct facts *ret,
                        struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(postgres, sql_backup_facts, 0, NULL, &rows, error))
        return false;
    manifest->database = text_copy(postgres_database(postgres));
    manifest->system_identifier = text_copy(rows_text(rows, 0, "system_identifier"));
    manifest->server_version = text_copy(rows_text(rows, 0, "server_version"));
    manifest->server_version_number = postgres_server_version(postgres);
    manifest->encoding = text_copy(rows_text(rows, 0, "encoding"));
    manifest->role = text_copy(rows_text(rows, 0, "role"));
    manifest->large_objects = rows_integer(rows, 0, "large_objects");
    *ret = (struct facts){.sequences = rows_integer(rows, 0, "sequences"),
                          .subscriptions = rows_integer(rows, 0, "subscriptions"),
                          .mappings = rows_integer(rows, 0, "mappings"),
                          .superuser = rows_bool(rows, 0, "superuser")};
    return true;
}

static bool read_extensions(struct postgres *postgres, struct manifest *manifest, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(postgres, sql_backup_extensions, 0, NULL, &rows, error))
        return false;
    manifest->extensions = memory_allocate(rows_count(rows) + 1, sizeof *manifest->extensions);
    for (; manifest->extension_count < rows_count(rows); manifest->extension_count++)
        manifest->extensions[manifest->extension_count] = (struct manifest_extension){
            .name = text_copy(rows_text(rows, manifest->extension_count, "name")),
            .version = text_copy(rows_text(rows, manifest->extension_count, "version")),
            .schema = text_copy(rows_text(rows, manifest->extension_count, "schema"))};
    return true;
}

static bool read_list(struct postgres *postgres, const char *sql, const char *column, struct text_list *ret,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(postgres, sql, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(ret, text_copy(rows_text(rows, i, column)));
    return true;
}

static bool read_properties(struct postgres *postgres, struct manifest *manifest, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(postgres, sql_backup_database, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(rows_bool(rows, i, "creates") ? &manifest->create : &manifest->properties,
                      text_copy(rows_text(rows, i, "statement")));
    return true;
}

bool facts_read(const struct snapshot *snapshot, struct manifest *manifest, struct facts *ret,
                struct error *error)
{
    struct postgres *leader = snapshot->connections[0];
    manifest->taken_at = text_copy(snapshot->taken_at);
    manifest->lsn = text_copy(snapshot->lsn);
    manifest->snapshot = text_copy(snapshot->visible);
    manifest->standby = snapshot->standby;
    for (size_t i = 0; i < snapshot->settings.count; i++)
        text_list_add(&manifest->settings, text_copy(snapshot->settings.items[i]));
    manifest->tells_named_roles = true;
    return read_server(leader, manifest, ret, error) && read_extensions(leader, manifest, error) &&
           read_list(leader, sql_backup_roles, "name", &manifest->roles, error) &&
           read_list(leader, sql_backup_policy_roles, "name", &manifest->policy_roles, error) &&
           read_list(leader, sql_backup_named_roles, "name", &manifest->named_roles, error) &&
           read_properties(leader, manifest, error) &&
           read_list(leader, sql_backup_not_included, "sentence", &manifest->not_included, error);
}

/* A text[] as the server reads it. */
static char *array_of(const struct text_list *list)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputc('{', stream);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i > 0 ? ",\"" : "\"", stream);
        for (const char *at = list->items[i]; *at != '\0'; at++)
            fprintf(stream, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
        fputc('"', stream);
    }
    fputc('}', stream);
    fclose(stream);
    return text;
}

bool facts_globals(struct postgres *postgres, const struct manifest *manifest, char **ret_text,
                   struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *names = array_of(&manifest->roles);
    if (!postgres_query(postgres, sql_backup_globals, 1, (const char *const[]){names}, &rows, error))
        return false;
    AUTO(text_list_clear) struct text_list statements = {0};
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(&statements, text_copy(rows_text(rows, i, "statement")));
    text_list_add(&statements, text_copy(""));
    *ret_text = text_list_join(&statements, "\n");
    return true;
}
