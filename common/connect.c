/* SPDX-License-Identifier: PostgreSQL */
/* How a connection of common/postgres comes about. */
#include "common/interrupt.h"
#include "common/postgres_wait.h"
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_S 10

static void receive_notice(void *context, const PGresult *result)
{
    const struct postgres *postgres = context;
    if (postgres->hooks.notice == NULL)
        return;
    struct notice notice = {
        .severity = postgres_field(result, PG_DIAG_SEVERITY_NONLOCALIZED),
        .message = postgres_field(result, PG_DIAG_MESSAGE_PRIMARY),
        .detail = postgres_field(result, PG_DIAG_MESSAGE_DETAIL),
        .hint = postgres_field(result, PG_DIAG_MESSAGE_HINT),
        .sqlstate = postgres_field(result, PG_DIAG_SQLSTATE),
    };
    postgres->hooks.notice(postgres->hooks.context, &notice);
}

static int64_t connect_timeout(PGconn *connection)
{
    int64_t seconds = CONNECT_TIMEOUT_S;
    PQconninfoOption *options = PQconninfo(connection);
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
        if (strcmp(option->keyword, "connect_timeout") == 0 && option->val != NULL && *option->val != '\0')
            seconds = strtol(option->val, NULL, 10);
    PQconninfoFree(options);
    return seconds <= 0 ? INT64_MAX / 2 : seconds * 1000;
}

static bool connect_timed_out(const char *host, struct error *error)
{
    error_set(error, ERROR_CONNECTION, "could not connect to \"%s\": timeout expired", host);
    return error_hint(error, "Check host and port; connect_timeout in the connection string sets the limit.");
}

static bool is_under_way(const struct postgres *postgres)
{
    return postgres->connecting.state != PGRES_POLLING_OK &&
           postgres->connecting.state != PGRES_POLLING_FAILED;
}

/*
 * libpq's own connect cannot be interrupted; this drives the steps and looks at signals and the clock. A host
 * that does not answer in time is given up by shutting its socket, at which libpq goes on to the next address
 * or host.
 */
static void take_step(struct postgres *postgres, int wait_ms)
{
    struct pollfd wait = {.fd = PQsocket(postgres->connection),
                          .events = postgres->connecting.state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
    int ready = poll(&wait, 1, wait_ms);
    if (ready <= 0 && clock_ms() > postgres->connecting.deadline_ms) {
        free(postgres->connecting.silent);
        postgres->connecting.silent = text_copy(PQhost(postgres->connection));
        shutdown(wait.fd, SHUT_RDWR);
        postgres->connecting.deadline_ms = clock_ms() + postgres->connecting.timeout_ms;
    }
    if (ready > 0)
        postgres->connecting.state = PQconnectPoll(postgres->connection);
}

static char *address_of(PGconn *connection)
{
    const char *host = PQhost(connection);
    if (host == NULL || *host == '\0')
        return text_copy("local socket");
    return *host == '/' ? text_copy(host) : text_format("%s:%s", host, PQport(connection));
}

/* first is the connection that this one repeats, or NULL, when dbname may be a whole conninfo. */
static bool start(const char *const keywords[], const char *const values[], const struct postgres *first,
                  struct postgres **ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *postgres = memory_allocate(1, sizeof *postgres);
    postgres->shielded = first != NULL && first->shielded;
    postgres->connection = PQconnectStartParams(keywords, values, first == NULL);
    if (postgres->connection == NULL)
        return error_set(error, ERROR_CONNECTION, "out of memory while connecting");
    if (PQstatus(postgres->connection) == CONNECTION_BAD)
        return postgres_connection_error(postgres, error);
    PQsetNoticeReceiver(postgres->connection, receive_notice, postgres);
    postgres->connecting.state = PGRES_POLLING_WRITING;
    postgres->connecting.timeout_ms = connect_timeout(postgres->connection);
    postgres->connecting.deadline_ms = clock_ms() + postgres->connecting.timeout_ms;
    *ret = take(postgres);
    return true;
}

void postgres_connect_step(struct postgres *postgres)
{
    if (is_under_way(postgres))
        take_step(postgres, 0);
}

bool postgres_connect_finish(struct postgres *postgres, struct error *error)
{
    while (is_under_way(postgres)) {
        if (interrupt_signal() != 0 && !postgres->shielded)
            return interrupt_error(error);
        take_step(postgres, POSTGRES_TICK_MS);
    }
    if (postgres->connecting.state == PGRES_POLLING_FAILED)
        return postgres->connecting.silent != NULL ? connect_timed_out(postgres->connecting.silent, error)
                                                   : postgres_connection_error(postgres, error);
    PQsetnonblocking(postgres->connection, 1);
    postgres->address = address_of(postgres->connection);
    postgres->backend_pid = PQbackendPID(postgres->connection);
    return true;
}

static bool finish(struct postgres *postgres, struct postgres **ret, struct error *error)
{
    AUTO(postgres_free) struct postgres *started = postgres;
    if (!postgres_connect_finish(started, error))
        return false;
    *ret = take(started);
    return true;
}

bool postgres_connect_start(const char *conninfo, const char *application_name, struct postgres **ret,
                            struct error *error)
{
    /* What stands before dbname is a default that conninfo overrides; what stands after it overrides
     * conninfo. */
    const char *keywords[] = {
        "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "dbname",          "client_encoding",     "application_name", NULL};
    const char *values[] = {"30",
                            "10",
                            "3",
                            "60000",
                            conninfo == NULL || *conninfo == '\0' ? NULL : conninfo,
                            "UTF8",
                            application_name,
                            NULL};
    return start(keywords, values, NULL, ret, error);
}

bool postgres_connect(const char *conninfo, const char *application_name, struct postgres **ret,
                      struct error *error)
{
    struct postgres *postgres;
    return postgres_connect_start(conninfo, application_name, &postgres, error) &&
           finish(postgres, ret, error);
}

#define CONNINFO_MAX 64

bool postgres_connect_again(const struct postgres *postgres, struct postgres **ret, struct error *error)
{
    const char *keywords[CONNINFO_MAX], *values[CONNINFO_MAX];
    size_t count = 0;
    PQconninfoOption *options = PQconninfo(postgres->connection);
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        if (option->val == NULL || *option->val == '\0' || count + 1 == CONNINFO_MAX)
            continue;
        keywords[count] = option->keyword;
        values[count] = option->val;
        if (strcmp(option->keyword, "host") == 0) /* of several, the one we are connected to */
            values[count] = PQhost(postgres->connection);
        else if (strcmp(option->keyword, "hostaddr") == 0)
            values[count] = PQhostaddr(postgres->connection);
        else if (strcmp(option->keyword, "port") == 0)
            values[count] = PQport(postgres->connection);
        count++;
    }
    keywords[count] = values[count] = NULL;
    struct postgres *again;
    bool started = start(keywords, values, postgres, &again, error);
    PQconninfoFree(options);
    return started && finish(again, ret, error);
}

void postgres_free(struct postgres *postgres)
{
    if (postgres == NULL)
        return;
    PQfinish(postgres->connection);
    free(postgres->address);
    free(postgres->connecting.silent);
    free(postgres);
}

/* Each option as keyword='value'; passwords are left out. Unreadable conninfo gives nothing rather than a
 * secret. */
char *postgres_conninfo_safe(const char *conninfo)
{
    char *text = NULL, *problem = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    PQconninfoOption *options = conninfo == NULL ? NULL : PQconninfoParse(conninfo, &problem);
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
        if (option->val != NULL && strchr(option->dispchar, '*') == NULL)
            fprintf(stream, "%s%s=%s", ftell(stream) > 0 ? " " : "", option->keyword, option->val);
    PQconninfoFree(options);
    PQfreemem(problem);
    fclose(stream);
    return text;
}
