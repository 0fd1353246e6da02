/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/psql.h"
#include "common/text.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * A command taken apart; bare are the arguments as \connect reads them: without double quotes, and without
 * semicolons at the end, of which nothing or "-" may be left.
 */
struct words {
    char *name;
    struct text_list arguments;
    struct text_list bare;
};

static void words_clear(struct words *words)
{
    free(words->name);
    text_list_clear(&words->arguments);
    text_list_clear(&words->bare);
}
CLEANUP_VALUE(struct words, words_clear)

void psql_command_clear(struct psql_command *command)
{
    free(command->echo);
    free(command->notice);
    *command = (struct psql_command){0};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static char unescape(char c)
{
    const char *letters = "ntbrf", *meanings = "\n\t\b\r\f";
    const char *found = c ? strchr(letters, c) : NULL;

    return found ? meanings[found - letters] : c;
}

/* One quoted part of an argument; returns the place behind it. */
static const char *read_quoted(const char *at, const char *end, FILE *argument, FILE *bare)
{
    char quote = *at++;

    if (quote == '"')
        fputc(quote, argument);
    while (at < end) {
        if (*at == quote) {
            if (at + 1 == end || at[1] != quote) {
                at++;
                break;
            }
            at++;
            if (quote == '"')
                fputc(quote, argument);
        } else if (*at == '\\' && quote == '\'' && at + 1 < end) {
            at++;
            fputc(unescape(*at), argument);
            fputc(unescape(*at), bare);
            at++;
            continue;
        }
        fputc(*at, argument);
        fputc(*at, bare);
        at++;
    }
    if (quote == '"')
        fputc(quote, argument);
    return at;
}

static void strip_semicolons(char *name, size_t unquoted)
{
    size_t length = strlen(name), before = length;

    for (; unquoted > 0 && length > 0 && name[length - 1] == ';'; unquoted--)
        name[--length] = '\0';
    if (length == 0 && before > 0)
        *name = '-';
}

static const char *read_argument(const char *at, const char *end, struct words *words)
{
    char *text = NULL, *name = NULL;
    size_t size, unquoted = 0; /* characters since the last quote */
    FILE *argument = open_memstream(&text, &size);
    FILE *bare = open_memstream(&name, &size);

    while (at < end && !is_space(*at)) {
        if (*at == '\'' || *at == '"') {
            at = read_quoted(at, end, argument, bare);
            unquoted = 0;
        } else {
            fputc(*at, argument);
            fputc(*at++, bare);
            unquoted++;
        }
    }
    fclose(argument);
    fclose(bare);
    strip_semicolons(name, unquoted);
    text_list_add(&words->arguments, text);
    text_list_add(&words->bare, name);
    return at;
}

static void words_read(const char *text, size_t length, struct words *words)
{
    const char *end = text + length, *at = text + 1;

    while (at < end && !is_space(*at))
        at++;
    words->name = text_copy_part(text + 1, (size_t)(at - text) - 1);
    for (;;) {
        while (at < end && is_space(*at))
            at++;
        if (at == end)
            return;
        at = read_argument(at, end, words);
    }
}

/* ---- what each means ---- */

static bool refuse(struct error *error, const struct words *words, const char *hint)
{
    error_set(error, ERROR_USAGE, "psql command \\%s is not supported in a migration", words->name);
    return error_hint(error, "%s", hint);
}

static bool accept(const struct words *words, const char *database, struct psql_command *ret,
                   struct error *error)
{
    (void)words, (void)database, (void)ret, (void)error;
    return true;
}

static bool is_on(const char *value)
{
    return strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 ||
           strcmp(value, "1") == 0;
}

static bool set(const struct words *words, const char *database, struct psql_command *ret,
                struct error *error)
{
    const char *name = words->arguments.count > 0 ? words->arguments.items[0] : "";
    const char *value = words->arguments.count > 1 ? words->arguments.items[1] : "";

    (void)database;
    if (strcmp(name, "QUIET") == 0 || (strcmp(name, "AUTOCOMMIT") == 0 && is_on(value)))
        return true;
    if (strcmp(name, "ON_ERROR_STOP") == 0) {
        if (!is_on(value))
            ret->notice = text_copy("a migration stops at its first error, whatever ON_ERROR_STOP says");
        return true;
    }
    error_set(error, ERROR_USAGE, "psql command \\set %s is not supported in a migration", name);
    if (strcmp(name, "AUTOCOMMIT") == 0)
        return error_hint(error, "Remove it: a migration is one transaction already.");
    return error_hint(error,
                      "Give the value with --set %s=value, and put \"-- pgmigrate: variables\" at the top of "
                      "the file.",
                      *name ? name : "name");
}

static bool encoding(const struct words *words, const char *database, struct psql_command *ret,
                     struct error *error)
{
    const char *name = words->arguments.count > 0 ? words->arguments.items[0] : "utf8";

    (void)database, (void)ret;
    if (strcasecmp(name, "utf8") == 0 || strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "unicode") == 0)
        return true;
    return refuse(error, words, "Migrations are UTF-8. Convert the file and remove the command.");
}

/* pg_dump names a database with unusual characters by a connection string: dbname='it\'s'. */
static char *connection_string(const char *database)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    fputs("dbname='", stream);
    for (const char *c = database; *c; c++) {
        if (*c == '\'' || *c == '\\')
            fputc('\\', stream);
        fputc(*c, stream);
    }
    fputc('\'', stream);
    fclose(stream);
    return text;
}

static bool connect_to(const struct words *words, const char *database, struct psql_command *ret,
                       struct error *error)
{
    const struct text_list *list = &words->bare;
    size_t first = list->count > 0 && text_starts_with(list->items[0], "-reuse-previous=") ? 1 : 0;
    const char *name = list->count > first ? list->items[first] : "-";

    for (size_t i = first + 1; i < list->count; i++)
        if (strcmp(list->items[i], "-") != 0)
            return refuse(error, words,
                          "A migration runs on one connection, as one user. Name the database only.");
    if (strcmp(name, "-") == 0)
        return true;
    if (database) {
        OWNED char *string = connection_string(database);

        if (strcmp(name, database) == 0 || strcmp(name, string) == 0)
            return true;
        error_set(error, ERROR_USAGE, "cannot connect to database \"%s\" in a migration", name);
        error_detail(error, "It runs on database \"%s\".", database);
        return error_hint(error, "Remove the \\%s, or run the migration on that database.", words->name);
    }
    ret->notice = text_format(
        "\\%s does nothing; that it names the database in use is checked when it is run", words->name);
    return true;
}

static bool echo(const struct words *words, const char *database, struct psql_command *ret,
                 struct error *error)
{
    struct text_list list = words->arguments;

    (void)database, (void)error;
    if (list.count > 0 && strcmp(list.items[0], "-n") == 0) {
        list.items++;
        list.count--;
    }
    ret->echo = text_list_join(&list, " ");
    return true;
}

static const struct accepted {
    const char *name;
    bool (*read)(const struct words *words, const char *database, struct psql_command *ret,
                 struct error *error);
} accepted[] = {
    {"restrict", accept},   {"unrestrict", accept},  {"set", set},
    {"encoding", encoding}, {"connect", connect_to}, {"c", connect_to},
    {"echo", echo},         {"qecho", echo},         {"warn", echo},
};

/* Names end with a blank each. The first entry that has the name gives the hint. */
static const struct refused {
    const char *names;
    const char *hint;
} refused[] = {
    {"i ir include include_relative ",
     "Put the text of that file into the migration, or into one of its own."},
    {"copy ", "Use COPY ... FROM stdin with the data on the lines that follow, ended by \"\\.\"."},
    {"g gx gset gdesc crosstabview watch bind ", "End the statement with a semicolon."},
    {"gexec ", "Run the generated statements with EXECUTE in a DO block."},
    {"if elif else endif ", "Decide in SQL: IF EXISTS, IF NOT EXISTS, or a DO block."},
    {"! o out w write setenv getenv ", "A migration cannot use the shell or files of the client."},
    {"timing pset t a x H f C T errverbose ", "Remove it: it only changes what psql shows."},
    {"q quit ", "Remove what follows it, or move that to a file of its own."},
    {"lo_import ", "Use lo_from_bytea(), or a bytea column."},
    {"", "Remove it. Accepted are \\restrict, \\unrestrict, \\set ON_ERROR_STOP, \\encoding, \\connect and "
         "\\echo."},
};

static const char *hint_for(const char *name)
{
    size_t length = strlen(name);

    for (const struct refused *r = refused;; r++) {
        for (const char *word = r->names; *word; word += strcspn(word, " ") + 1)
            if (strcspn(word, " ") == length && memcmp(word, name, length) == 0)
                return r->hint;
        if (!*r->names)
            return r->hint;
    }
}

bool psql_command_read(const char *text, size_t length, const char *database, struct psql_command *ret,
                       struct error *error)
{
    AUTO(words_clear) struct words words = {0};
    AUTO(psql_command_clear) struct psql_command command = {0};

    words_read(text, length, &words);
    if (memchr(text, '`', length))
        return refuse(error, &words, "Backquotes run a shell command, which a migration cannot do.");
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        if (strcmp(accepted[i].name, words.name) != 0)
            continue;
        if (!accepted[i].read(&words, database, &command, error))
            return false;
        *ret = command;
        command = (struct psql_command){0};
        return true;
    }
    return refuse(error, &words, hint_for(words.name));
}
