/* SPDX-License-Identifier: PostgreSQL */
#include "backup/target.h"

#include "backup/guide.h"
#include "sql.h"
#include <ctype.h>

void target_state_clear(struct target_state *state)
{
    free(state->marked);
    free(state->create);
    *state = (struct target_state){0};
}

/* ---- what is there ---- */

static bool look_inside(const struct postgres *server, const char *name, struct target_state *ret,
                        struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = NULL;
    AUTO(rows_free) struct rows *rows = NULL, *statements = NULL;

    if (!postgres_connect_database(server, name, &postgres, error) ||
        !postgres_query(postgres, sql_restore_ledger_present, 0, NULL, &rows, error) ||
        !postgres_query(postgres, sql_backup_database, 0, NULL, &statements, error))
        return false;
    ret->ledger = rows_bool(rows, 0, "ledger");
    ret->objects = rows_integer(rows, 0, "objects");
    ret->create = text_copy(rows_text(statements, 0, "statement")); /* the first one creates */
    return true;
}

bool target_look(struct postgres *server, const char *name, struct target_state *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    *ret = (struct target_state){0};
    if (!postgres_query(server, sql_restore_database, 1, &name, &rows, error))
        return false;
    if (!rows_count(rows))
        return true;
    ret->present = true;
    ret->marked = text_copy(rows_text(rows, 0, "marked"));
    ret->objects = 1; /* who takes no connections cannot be looked into, and is not empty for nothing */
    return !rows_bool(rows, 0, "connections") || look_inside(server, name, ret, error);
}

/* ---- what is in the way ---- */

static bool read_names(struct postgres *server, const char *sql, struct text_list *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(server, sql, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(ret, text_copy(rows_text(rows, i, "name")));
    return true;
}

static bool missing_roles(struct postgres *server, const struct text_list *wanted, struct text_list *ret,
                          struct error *error)
{
    AUTO(text_list_clear) struct text_list there = {0};

    if (!read_names(server, sql_restore_roles, &there, error))
        return false;
    for (size_t i = 0; i < wanted->count; i++)
        if (!text_list_contains(&there, wanted->items[i]))
            text_list_add(ret, text_copy(wanted->items[i]));
    return true;
}

/* What the options leave that names roles. Without owners and privileges, policies and user mappings still
 * name those that they are for. A backup that does not tell who only owns things wants all: else it might end
 * half way. */
static const struct text_list *wanted_roles(const struct manifest *manifest,
                                            const struct restore_options *options)
{
    if (options->no_owner && options->no_privileges)
        return &manifest->policy_roles;
    return options->no_owner && manifest->tells_named_roles ? &manifest->named_roles : &manifest->roles;
}

/* What those are. */
static const char *described(const struct manifest *manifest, const struct text_list *wanted)
{
    if (wanted == &manifest->policy_roles)
        return "policies or user mappings are for";
    return wanted == &manifest->named_roles ? "are granted something or named otherwise than as owners"
                                            : "own things or are granted something";
}

static bool check_roles(struct postgres *server, const struct manifest *manifest,
                        const struct restore_options *options, struct text_list *ret, struct error *error)
{
    AUTO(text_list_clear) struct text_list missing = {0};
    const struct text_list *wanted = wanted_roles(manifest, options);
    OWNED char *joined = NULL;
    bool helps = false; /* --no-privileges, beside --no-owner */

    if (options->create_missing_roles)
        return true;
    if (!missing_roles(server, wanted, &missing, error))
        return false;
    if (!missing.count)
        return true;
    for (size_t i = 0; options->no_owner && !options->no_privileges && i < missing.count; i++)
        helps = helps || !text_list_contains(&manifest->policy_roles, missing.items[i]);
    joined = text_list_join(&missing, "\", \"");
    text_list_add(ret,
                  text_format("roles that %s are missing: \"%s\" "
                              "(--create-missing-roles makes them, without login%s)",
                              described(manifest, wanted), joined,
                              helps ? "; --no-privileges does without those that neither policies nor user "
                                      "mappings name"
                                    : ""));
    return true;
}

static bool check_server(struct postgres *server, const struct manifest *manifest, struct text_list *ret)
{
    int from = manifest->server_version_number / 10000, to = postgres_server_version(server) / 10000;

    if (to < from)
        text_list_add(ret, text_format("the backup is of PostgreSQL %d, and the server is %d: an older "
                                       "server cannot be expected to take it",
                                       from, to));
    for (size_t i = 0; to != from && i < manifest->table_count; i++)
        if (manifest->tables[i].binary)
            text_list_add(ret, text_format("table \"%s.%s\" is stored in binary format, which only "
                                           "PostgreSQL %d is sure to read",
                                           manifest->tables[i].schema, manifest->tables[i].name, from));
    return true;
}

/* These need functions called before and after a restore, which is not done. */
static bool needs_hooks(const char *extension)
{
    return text_equal(extension, "timescaledb") || text_equal(extension, "citus");
}

struct available {
    bool any, version;
    const char *standard; /* version */
};

static struct available find_extension(const struct rows *rows, const struct manifest_extension *extension)
{
    struct available found = {0};

    for (size_t i = 0; i < rows_count(rows); i++) {
        if (!text_equal(rows_text(rows, i, "name"), extension->name))
            continue;
        found.any = true;
        found.version = found.version || text_equal(rows_text(rows, i, "version"), extension->version);
        if (rows_bool(rows, i, "standard"))
            found.standard = rows_text(rows, i, "version");
    }
    return found;
}

static bool check_extensions(struct postgres *server, const struct manifest *manifest, struct text_list *ret,
                             struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    bool same = manifest->server_version_number / 10000 == postgres_server_version(server) / 10000;

    if (!postgres_query(server, sql_restore_extensions, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < manifest->extension_count; i++) {
        const struct manifest_extension *extension = &manifest->extensions[i];
        struct available found = find_extension(rows, extension);

        if (needs_hooks(extension->name))
            text_list_add(ret, text_format("extension \"%s\" wants its own way of restoring, which "
                                           "pgmigrate does not know",
                                           extension->name));
        else if (!found.any)
            text_list_add(ret, text_format("extension \"%s\" (%s) is not installed on the server",
                                           extension->name, extension->version));
        else if (!found.version && same)
            text_list_add(ret, text_format("version %s of extension \"%s\" is not installed on the server",
                                           extension->version, extension->name));
    }
    return true;
}

static bool check_role(struct postgres *server, const struct manifest *manifest,
                       const struct restore_options *options, struct text_list *ret, struct error *error)
{
    AUTO(text_list_clear) struct text_list missing = {0};
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(server, sql_restore_role, 0, NULL, &rows, error) ||
        !missing_roles(server, wanted_roles(manifest, options), &missing, error))
        return false;
    if (!rows_bool(rows, 0, "creates_databases"))
        text_list_add(ret, text_format("role \"%s\" may not create databases", postgres_user(server)));
    if (options->create_missing_roles && missing.count && !rows_bool(rows, 0, "creates_roles"))
        text_list_add(ret, text_format("role \"%s\" may not create roles", postgres_user(server)));
    return true;
}

/* What would keep the database from being renamed, and can be mended beforehand. */
static bool check_replaced(struct postgres *server, const struct restore_options *options,
                           struct text_list *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!options->swap_follows)
        return true;
    if (!postgres_query(server, sql_restore_database, 1, &options->replaces, &rows, error))
        return false;
    if (rows_count(rows) && rows_integer(rows, 0, "prepared"))
        text_list_add(ret, text_format("database \"%s\" has prepared transactions, so it cannot be renamed",
                                       options->replaces));
    return true;
}

/* "C.UTF-8" is "C.utf8", and "de_DE" "de-DE". The rules of an ICU collation, which come last, have no other
 * spelling. */
static bool is_same_spelling(const char *a, const char *b)
{
    const char *rules = strstr(a, " ICU_RULES = ");

    for (; a != rules; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
    }
    return text_equal(a, b);
}

/* Encoding, provider and locale of a CREATE DATABASE of the backup's. */
static const char *locale_of(const char *create)
{
    const char *found = strstr(create, "ENCODING = ");

    return found == NULL ? create : found;
}

/* Of two of them, which both begin with it. */
static bool is_same_encoding(const char *a, const char *b)
{
    size_t size = strcspn(a, "'") + 1;

    size += strcspn(a + size, "'") + 1;
    return strncmp(a, b, size) == 0;
}

/* An empty database is used as it is. In another encoding rows would be refused, or become others; in another
 * locale they would be sorted, and found in partitions, otherwise, which somebody may want, on a machine that
 * does not know the backup's. */
static bool check_empty(struct postgres *server, const struct manifest *manifest,
                        const struct restore_options *options, struct text_list *ret, struct error *error)
{
    AUTO(target_state_clear) struct target_state state = {0};

    if (!target_look(server, options->to, &state, error))
        return false;
    if (!state.create || state.ledger || state.objects || !manifest->create.count)
        return true;
    const char *here = locale_of(state.create), *wanted = locale_of(manifest->create.items[0]);
    bool fits = is_same_encoding(here, wanted) && options->any_locale;
    if (!fits && !is_same_spelling(here, wanted))
        text_list_add(
            ret,
            text_format("database \"%s\" is empty, but has %s, and the backup's %s (once it is "
                        "dropped, the restore makes it like the backup's%s)",
                        options->to, here, wanted,
                        is_same_encoding(here, wanted) ? "; --confirm with its name takes it as it is" : ""));
    return true;
}

bool target_problems(struct postgres *server, const struct manifest *manifest,
                     const struct restore_options *options, struct text_list *ret_problems,
                     struct error *error)
{
    return check_server(server, manifest, ret_problems) &&
           check_role(server, manifest, options, ret_problems, error) &&
           check_roles(server, manifest, options, ret_problems, error) &&
           check_extensions(server, manifest, ret_problems, error) &&
           check_replaced(server, options, ret_problems, error) &&
           check_empty(server, manifest, options, ret_problems, error);
}

bool target_notes(struct postgres *server, const struct manifest *manifest, struct text_list *ret,
                  struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(server, sql_restore_extensions, 0, NULL, &rows, error))
        return false;
    for (size_t i = 0; i < manifest->extension_count; i++) {
        const struct manifest_extension *extension = &manifest->extensions[i];
        struct available found = find_extension(rows, extension);

        if (found.any && found.standard && !text_equal(found.standard, extension->version))
            text_list_add(ret, text_format("Extension \"%s\" is installed in version %s; the backup's is %s.",
                                           extension->name, found.standard, extension->version));
    }
    return true;
}

/* ---- making it ---- */

bool target_create_roles(struct postgres *server, const struct manifest *manifest,
                         const struct restore_options *options, struct text_list *ret_created,
                         struct error *error)
{
    AUTO(text_list_clear) struct text_list missing = {0};

    if (!missing_roles(server, wanted_roles(manifest, options), &missing, error))
        return false;
    for (size_t i = 0; i < missing.count; i++) {
        OWNED char *sql =
            postgres_bind(sql_restore_create_role, (struct postgres_name[]){{"role", missing.items[i]}, {0}});

        if (!postgres_execute(server, sql, error))
            return false;
        text_list_add(ret_created, text_copy(missing.items[i]));
    }
    return true;
}

static bool begins_with_word(const char *sql, const char *word)
{
    return strncasecmp(sql, word, strlen(word)) == 0;
}

/* By their first words: they are written by the backup, always in the same way. */
static bool is_wanted(const char *sql, const struct restore_options *options)
{
    bool privileges = begins_with_word(sql, "GRANT ") || begins_with_word(sql, "REVOKE ") ||
                      begins_with_word(sql, "SET SESSION AUTHORIZATION ");
    bool owner = begins_with_word(sql, "ALTER DATABASE ") && strstr(sql, " OWNER TO ");
    bool role = begins_with_word(sql, "ALTER ROLE ");

    return !(options->no_privileges && (privileges || (role && options->no_owner))) &&
           !(options->no_owner && owner);
}

/* Settings that the role may not make are left out, with a note (NULL: without). */
static bool run_statement(struct postgres *server, const char *statement,
                          const struct restore_options *options, struct text_list *ret_notes,
                          struct error *error)
{
    OWNED char *sql = postgres_bind(statement, (struct postgres_name[]){{"database", options->to}, {0}});

    if (!is_wanted(sql, options) || postgres_execute(server, sql, error))
        return true;
    if (!text_equal(error->sqlstate, "42501") || !guide_is_setting(sql))
        return error_prefix(error, "could not give database \"%s\" its properties", options->to) ||
               (!error->detail && error_detail(error, "The statement is: %s", sql));
    if (ret_notes)
        text_list_add(ret_notes, text_format("Left out: %s (%s).", sql, error->message));
    error_clear(error);
    return true;
}

bool target_create(struct postgres *server, const struct manifest *manifest,
                   const struct restore_options *options, struct error *error)
{
    for (size_t i = 0; i < manifest->create.count; i++)
        if (!run_statement(server, manifest->create.items[i], options, NULL, error))
            return false;
    for (size_t i = 0; i < manifest->properties.count; i++)
        if (guide_is_own_setting(manifest->properties.items[i]) &&
            !run_statement(server, manifest->properties.items[i], options, NULL, error))
            return false;
    return true;
}

bool target_properties(struct postgres *server, const struct manifest *manifest,
                       const struct restore_options *options, struct text_list *ret_notes,
                       struct error *error)
{
    for (size_t i = 0; i < manifest->properties.count; i++)
        if (!run_statement(server, manifest->properties.items[i], options, ret_notes, error))
            return false;
    return true;
}

bool target_drop(struct postgres *server, const char *name, struct error *error)
{
    OWNED char *sql = postgres_bind(sql_restore_drop, (struct postgres_name[]){{"database", name}, {0}});

    return postgres_execute(server, sql, error);
}
