/* SPDX-License-Identifier: PostgreSQL */
/*
 * The least a durable migration runner can do, as a yardstick: connect, create a history table, read the
 * folder, hash every file, and send each one with its history row and its COMMIT as one Query message. It
 * checks nothing but that the server agrees, so nobody should use it on a database.
 *
 *     floor [--noop] [--files N] [--async] [--whole-text] FOLDER
 *
 * --noop        read the history and hash the files, send no migration
 * --files N     N files in one Query message, each with its own transaction
 * --async       synchronous_commit off for all but the last message
 * --whole-text  keep the text of the migration and of its rollback in the history row too
 *
 * It talks to libpq itself, not through common/postgres, because it is what that module is measured against.
 */
#include "common/digest.h"
#include <dirent.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROLLBACK "_rollback.sql"

struct options {
    bool noop, async, whole_text;
    size_t files;
    const char *folder;
};

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static void send_query(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die(sql, PQerrorMessage(connection));
    PQclear(result);
}

static int is_forward(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), suffix = strlen(ROLLBACK);

    if (length < 5 || strcmp(entry->d_name + length - 4, ".sql") != 0)
        return 0;
    return length < suffix || strcmp(entry->d_name + length - suffix, ROLLBACK) != 0;
}

static char *read_file(int folder, const char *name, size_t *ret_size)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *text;

    if (file < 0 || fstat(file, &status) < 0)
        die(name, "could not open");
    text = malloc((size_t)status.st_size + 1);
    if (!text || read(file, text, (size_t)status.st_size) != status.st_size)
        die(name, "could not read");
    close(file);
    text[status.st_size] = '\0';
    *ret_size = (size_t)status.st_size;
    return text;
}

static void append_texts(FILE *query, PGconn *connection, int folder, const char *name, const char *text)
{
    size_t size, length = strlen(name) - strlen(".sql");
    char back[256], *rollback, *quoted;

    snprintf(back, sizeof back, "%.*s" ROLLBACK, (int)length, name);
    rollback = read_file(folder, back, &size);
    quoted = PQescapeLiteral(connection, text, strlen(text));
    fprintf(query, ", %s", quoted);
    PQfreemem(quoted);
    quoted = PQescapeLiteral(connection, rollback, size);
    fprintf(query, ", %s", quoted);
    PQfreemem(quoted);
    free(rollback);
}

/* One file with its transaction and its history row; the generated names need no quoting. */
static void append_migration(FILE *query, PGconn *connection, int folder, const char *name,
                             const struct options *options)
{
    char checksum[DIGEST_HEX_SIZE];
    size_t size;
    char *text = read_file(folder, name, &size);

    digest_sha256(text, size, checksum);
    if (options->noop) {
        free(text);
        return;
    }
    fprintf(query, "BEGIN;%s;INSERT INTO floor_history VALUES ('%.*s', '%s', now()", text,
            (int)strlen(name) - 4, name, checksum);
    if (options->whole_text)
        append_texts(query, connection, folder, name, text);
    fputs(");COMMIT;", query);
    free(text);
}

static void apply(PGconn *connection, int folder, struct dirent **names, size_t count,
                  const struct options *options)
{
    if (options->async)
        send_query(connection, "SET synchronous_commit = off");
    for (size_t i = 0; i < count; i += options->files) {
        bool is_last = i + options->files >= count;
        size_t size;
        char *text = NULL;
        FILE *query = open_memstream(&text, &size);

        if (!query)
            die("memory", "exhausted");
        if (options->async && is_last)
            fputs("SET synchronous_commit = on;", query);
        for (size_t j = i; j < i + options->files && j < count; j++)
            append_migration(query, connection, folder, names[j]->d_name, options);
        fclose(query);
        if (!options->noop)
            send_query(connection, text);
        free(text);
    }
}

static struct options read_options(int argc, char **argv)
{
    struct options options = {.files = 1};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--noop") == 0)
            options.noop = true;
        else if (strcmp(argv[i], "--async") == 0)
            options.async = true;
        else if (strcmp(argv[i], "--whole-text") == 0)
            options.whole_text = true;
        else if (strcmp(argv[i], "--files") == 0 && i + 1 < argc)
            options.files = strtoul(argv[++i], NULL, 10);
        else
            options.folder = argv[i];
    }
    if (!options.folder || options.files == 0) {
        fputs("usage: floor [--noop] [--files N] [--async] [--whole-text] FOLDER\n", stderr);
        exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    PGconn *connection = PQconnectdb("");
    int folder = open(options.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **names;
    int count;

    if (PQstatus(connection) != CONNECTION_OK)
        die("connect", PQerrorMessage(connection));
    send_query(connection, options.noop
                               ? "SELECT version, checksum FROM floor_history ORDER BY version"
                               : "CREATE TABLE floor_history (version text PRIMARY KEY, checksum text, "
                                 "applied_at timestamptz, forward text, back text)");
    count = scandir(options.folder, &names, is_forward, alphasort);
    if (count < 0 || folder < 0)
        die(options.folder, "could not read");
    apply(connection, folder, names, (size_t)count, &options);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    close(folder);
    PQfinish(connection);
    return 0;
}
