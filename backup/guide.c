/* SPDX-License-Identifier: PostgreSQL */
#include "backup/guide.h"

#include "common/embedded.h"
#include "common/quote.h"
#include "sql.h"
#include <stdio.h>
#include <string.h>

bool guide_add(struct archive_writer *writer, const char *name, const char *text, size_t size,
               struct member_list *members, struct error *error)
{
    struct archive_place place;
    if (!archive_writer_add(writer, name, text, size, &place, error))
        return false;
    member_list_add(members, text_copy(name), &place, (int64_t)size, 0);
    return true;
}

/* COPY's text format, which a name with a tab or a line break needs. */
static void put_escaped(const char *text, FILE *stream)
{
    for (; *text != '\0'; text++) {
        const char *special = strchr("\\\t\n\r", *text);
        if (special == NULL)
            fputc(*text, stream);
        else
            fprintf(stream, "\\%c", "\\tnr"[special - "\\\t\n\r"]);
    }
}

/* ---- what comes first ---- */

static bool add_files(struct archive_writer *writer, struct member_list *members, struct error *error)
{
    for (const struct embedded_file *file = archive_files; file->name != NULL; file++) {
        struct archive_place place;
        bool script = text_ends_with(file->name, ".sh");
        if (script ? !archive_writer_add_script(writer, file->name, file->text, &place, error)
                   : !archive_writer_add(writer, file->name, file->text, strlen(file->text), &place, error))
            return false;
        member_list_add(members, text_copy(file->name), &place, (int64_t)strlen(file->text), 0);
    }
    return true;
}

bool guide_is_setting(const char *statement)
{
    return (text_starts_with(statement, "ALTER DATABASE ") || text_starts_with(statement, "ALTER ROLE ")) &&
           strstr(statement, " SET ") != NULL;
}

bool guide_is_own_setting(const char *statement)
{
    const char *name = text_starts_with(statement, "ALTER DATABASE ") ? strstr(statement, " SET ") : NULL;

    return name != NULL && memchr(name, '.', strcspn(name + strlen(" SET "), " =") + strlen(" SET ")) != NULL;
}

/* restore.sh cuts the file at the comments. */
enum part { PART_OWN_SETTINGS, PART_PROPERTIES, PART_SETTINGS };

static enum part part_of(const char *statement)
{
    return guide_is_own_setting(statement) ? PART_OWN_SETTINGS
           : guide_is_setting(statement)   ? PART_SETTINGS
                                           : PART_PROPERTIES;
}

static void put_properties(const struct manifest *manifest, enum part part, FILE *stream)
{
    static const char *const headings[] = {
        [PART_OWN_SETTINGS] = "-- application: settings that rows may ask for",
        [PART_PROPERTIES] = "-- properties: once the data are in",
        [PART_SETTINGS] = "-- settings: not every role may make each",
    };

    fprintf(stream, "%s\n", headings[part]);
    for (size_t i = 0; i < manifest->properties.count; i++)
        if (part_of(manifest->properties.items[i]) == part)
            fprintf(stream, "%s;\n", manifest->properties.items[i]);
}

static bool add_database(struct archive_writer *writer, const struct manifest *manifest,
                         struct member_list *members, struct error *error)
{
    OWNED char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputs("-- The database and its properties: psql -v database=NEWNAME -f database.sql\n", stream);
    for (size_t i = 0; i < manifest->create.count; i++)
        fprintf(stream, "%s;\n", manifest->create.items[i]);
    for (enum part part = PART_OWN_SETTINGS; part <= PART_SETTINGS; part++)
        put_properties(manifest, part, stream);
    fclose(stream);
    return guide_add(writer, "database.sql", text, size, members, error);
}

static bool add_roles(struct archive_writer *writer, const struct manifest *manifest,
                      struct member_list *members, struct error *error)
{
    OWNED char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < manifest->roles.count; i++) {
        put_escaped(manifest->roles.items[i], stream);
        fputc('\n', stream);
    }
    fclose(stream);
    return guide_add(writer, "roles.tsv", text, size, members, error);
}

bool guide_begin(struct archive_writer *writer, const struct manifest *manifest, struct member_list *members,
                 struct error *error)
{
    return add_files(writer, members, error) && add_database(writer, manifest, members, error) &&
           add_roles(writer, manifest, members, error);
}

/* ---- what comes last ---- */

static char *copy_statement(const struct manifest *manifest, const struct manifest_table *table)
{
    OWNED char *columns = *table->columns == '\0' ? text_copy("") : text_format("(%s)", table->columns);
    OWNED char *copy = postgres_bind(sql_backup_copy_in,
                                     (struct postgres_name[]){{"schema", table->schema},
                                                              {"name", table->name},
                                                              {"columns", columns},
                                                              {"format", table->binary ? "binary" : "text"},
                                                              {"encoding", manifest->encoding},
                                                              {0}});
    return text_format("%s;\n%s;\n", sql_set_money_locale, copy);
}

static const char *how(const struct manifest_table *table)
{
    if (table->source != TABLE_COPY)
        return table->source == TABLE_DUMP ? "dump" : "skipped";
    if (table->binary)
        return table->ordered ? "binary-ordered" : "binary";
    return table->ordered ? "copy-ordered" : "copy";
}

static void put_table(const struct manifest_table *table, const char *folder, FILE *stream)
{
    OWNED char *schema = postgres_quote_name(table->schema), *name = postgres_quote_name(table->name);
    OWNED char *qualified = text_format("%s.%s", schema, name);
    bool known = table->source == TABLE_COPY || (table->fingerprinted && table->root == NULL);
    fprintf(stream, "%s\t%s\t", folder == NULL ? "\\N" : file_name(folder), how(table));
    if (known)
        fprintf(stream, "%lld\t", (long long)table->fingerprint.rows);
    else
        fputs("\\N\t", stream);
    put_escaped(qualified, stream);
    fputc('\n', stream);
}

static bool add_index(struct archive_writer *writer, const struct manifest *manifest, char *const folders[],
                      struct member_list *members, struct error *error)
{
    OWNED char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < manifest->table_count; i++)
        put_table(&manifest->tables[i], folders[i], stream);
    fclose(stream);
    return guide_add(writer, "tables/index.tsv", text, size, members, error);
}

static bool add_statements(struct archive_writer *writer, const struct manifest *manifest,
                           char *const folders[], struct member_list *members, struct error *error)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        if (folders[i] == NULL)
            continue;
        OWNED char *name = text_format("%s/copy.sql", folders[i]);
        OWNED char *statement = copy_statement(manifest, &manifest->tables[i]);
        if (!guide_add(writer, name, statement, strlen(statement), members, error))
            return false;
    }
    return true;
}

static bool add_digests(struct archive_writer *writer, const struct manifest *manifest,
                        struct member_list *members, struct error *error)
{
    OWNED char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < manifest->member_count; i++)
        fprintf(stream, "%s  %s\n", manifest->members[i].place.sha256, manifest->members[i].name);
    for (size_t i = 0; i < members->count; i++)
        fprintf(stream, "%s  %s\n", members->items[i].place.sha256, members->items[i].name);
    fclose(stream);
    return guide_add(writer, "SHA256SUMS", text, size, members, error);
}

bool guide_end(struct archive_writer *writer, struct manifest *manifest, char *const folders[],
               struct error *error)
{
    AUTO(member_list_clear) struct member_list members = {0};
    if (!add_statements(writer, manifest, folders, &members, error) ||
        !add_index(writer, manifest, folders, &members, error) ||
        !add_digests(writer, manifest, &members, error))
        return false;
    member_list_move(&members, manifest);
    return true;
}
