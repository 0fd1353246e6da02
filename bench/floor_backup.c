/* SPDX-License-Identifier: PostgreSQL */
/*
 * The least a compressed and hashed backup of rows can cost, as a yardstick: connections that COPY tables
 * out, largest first and larger ones in pieces of 64 MB, each through zstd 2 and SHA-256 into a file of its
 * own. No snapshot, no locks, no schema, no small objects, no proof: nobody should use it on a database.
 *
 *     floor_backup CONNECTIONS FOLDER
 *
 * libpq only connects and lists the tables; then the socket is read in large pieces and the messages of the
 * COPY are taken apart in place.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define BUFFER_SIZE (1 << 20)
#define PIECE_PAGES 8192
#define FRAME_SIZE  (16 << 20)
#define LEVEL       2

static const char list_tables[] =
    "SELECT format('COPY (SELECT * FROM ONLY %I.%I WHERE ctid >= ''(%s,0)''%s) TO STDOUT', nspname, relname,"
    "              first, CASE WHEN last THEN '' ELSE format(' AND ctid < ''(%s,0)''', first + $1::int) END)"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace,"
    "       LATERAL (SELECT pg_relation_size(c.oid) / 8192 AS pages) size,"
    "       LATERAL (SELECT first, first + $1::int >= pages AS last"
    "                  FROM generate_series(0, greatest(pages - 1, 0), $1::int) first) piece"
    " WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
    " ORDER BY pages DESC, c.oid, first";

static PGresult *tables;
static atomic_int next_table;
static const char *folder;

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
    fprintf(stderr, "floor_backup: %s: %s\n", what, why);
    exit(1);
}

static PGconn *connect_to_server(void)
{
    PGconn *connection = PQconnectdb("");
    if (PQstatus(connection) != CONNECTION_OK)
        die("connecting", PQerrorMessage(connection));
    return connection;
}

/* ---- where the rows go ---- */

struct output {
    int file;
    ZSTD_CCtx *zstd;
    EVP_MD_CTX *digest;
    size_t raw; /* in the open frame */
    char *buffer;
    size_t size;
};

static void output_write(struct output *output, const char *data, size_t size, ZSTD_EndDirective end)
{
    ZSTD_inBuffer in = {data, size, 0};
    size_t rest;

    do {
        ZSTD_outBuffer out = {output->buffer, output->size, 0};
        rest = ZSTD_compressStream2(output->zstd, &out, &in, end);
        if (ZSTD_isError(rest))
            die("compressing", ZSTD_getErrorName(rest));
        EVP_DigestUpdate(output->digest, output->buffer, out.pos);
        if (write(output->file, output->buffer, out.pos) != (ssize_t)out.pos)
            die("writing", strerror(errno));
    } while (end == ZSTD_e_end ? rest != 0 : in.pos < in.size);
    output->raw = end == ZSTD_e_end ? 0 : output->raw + size;
    if (output->raw >= FRAME_SIZE)
        output_write(output, "", 0, ZSTD_e_end);
}

static void output_open(struct output *output, long number)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%ld.zst", folder, number);
    output->file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    output->zstd = ZSTD_createCCtx();
    output->digest = EVP_MD_CTX_new();
    output->size = ZSTD_CStreamOutSize();
    output->buffer = malloc(output->size);
    if (output->file < 0 || !output->zstd || !output->digest || !output->buffer)
        die(path, strerror(errno));
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_checksumFlag, 1);
    EVP_DigestInit_ex(output->digest, EVP_sha256(), NULL);
    output->raw = 0;
}

static void output_close(struct output *output)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    output_write(output, "", 0, ZSTD_e_end);
    EVP_DigestFinal_ex(output->digest, digest, NULL);
    if (fsync(output->file) != 0 || close(output->file) != 0)
        die("writing", strerror(errno));
    printf("%02x%02x%02x%02x...\n", digest[0], digest[1], digest[2], digest[3]);
    EVP_MD_CTX_free(output->digest);
    ZSTD_freeCCtx(output->zstd);
    free(output->buffer);
}

/* ---- where they come from ---- */

static void send_query(int server, const char *sql)
{
    size_t size = strlen(sql) + 1;
    char message[8192] = "Q";
    uint32_t length = htonl((uint32_t)size + 4);

    if (size + 5 > sizeof message)
        die("a name", "too long");
    memcpy(message + 1, &length, 4);
    memcpy(message + 5, sql, size);
    if (write(server, message, size + 5) != (ssize_t)size + 5)
        die("sending", strerror(errno));
}

/* Takes whole messages and the beginnings of rows out of what is there, moves the rows' bytes together at the
 * buffer's beginning, and returns how many they are; what is left of a header goes to the buffer's end. */
struct parser {
    size_t row_left; /* of a CopyData message whose header has been taken */
    size_t skip_left;
    bool done;
};

static size_t parse(struct parser *parser, char *buffer, size_t size, size_t *ret_rest)
{
    size_t at = 0, rows = 0, take;
    uint32_t length;

    while (at < size) {
        if (parser->row_left > 0) {
            take = parser->row_left < size - at ? parser->row_left : size - at;
            memmove(buffer + rows, buffer + at, take);
            rows += take;
            parser->row_left -= take;
        } else if (parser->skip_left > 0) {
            take = parser->skip_left < size - at ? parser->skip_left : size - at;
            parser->skip_left -= take;
        } else if (size - at < 5) {
            break;
        } else {
            memcpy(&length, buffer + at + 1, 4);
            take = 5;
            if (buffer[at] == 'E')
                die("the server", "reported an error");
            if (buffer[at] == 'Z')
                parser->done = true;
            *(buffer[at] == 'd' ? &parser->row_left : &parser->skip_left) = ntohl(length) - 4;
        }
        at += take;
    }
    *ret_rest = size - at;
    return rows;
}

static void copy_table(int server, const char *sql, struct output *output, char *buffer)
{
    struct parser parser = {0};
    size_t kept = 0, size, rows;
    ssize_t got;

    send_query(server, sql);
    while (!parser.done || parser.skip_left > 0) {
        got = read(server, buffer + kept, BUFFER_SIZE - kept);
        if (got <= 0)
            die("reading", got == 0 ? "the server has gone" : strerror(errno));
        size = kept + (size_t)got;
        rows = parse(&parser, buffer, size, &kept);
        if (rows > 0)
            output_write(output, buffer, rows, ZSTD_e_continue);
        memmove(buffer, buffer + size - kept, kept);
    }
}

/* libpq leaves its socket non-blocking. */
static void set_blocking(int server)
{
    fcntl(server, F_SETFL, fcntl(server, F_GETFL) & ~O_NONBLOCK);
}

static void *copy_tables(void *number)
{
    PGconn *connection = connect_to_server();
    char *buffer = malloc(BUFFER_SIZE);
    struct output output;
    int table;

    if (!buffer)
        die("memory", strerror(errno));
    set_blocking(PQsocket(connection));
    output_open(&output, (long)(intptr_t)number);
    while ((table = atomic_fetch_add(&next_table, 1)) < PQntuples(tables))
        copy_table(PQsocket(connection), PQgetvalue(tables, table, 0), &output, buffer);
    output_close(&output);
    PQfinish(connection);
    free(buffer);
    return NULL;
}

int main(int argc, char **argv)
{
    char piece[16];
    const char *parameters[] = {piece};
    intptr_t count = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    pthread_t threads[64];
    PGconn *connection;

    if (count < 1 || count > 64) {
        fputs("usage: floor_backup CONNECTIONS FOLDER\n", stderr);
        return 2;
    }
    folder = argv[2];
    snprintf(piece, sizeof piece, "%d", PIECE_PAGES);
    connection = connect_to_server();
    tables = PQexecParams(connection, list_tables, 1, NULL, parameters, NULL, NULL, 0);
    if (PQresultStatus(tables) != PGRES_TUPLES_OK)
        die("listing tables", PQerrorMessage(connection));
    for (intptr_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, copy_tables, (void *)i) != 0)
            die("threads", strerror(errno));
    for (intptr_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    PQclear(tables);
    PQfinish(connection);
    return 0;
}
