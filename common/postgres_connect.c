/* SPDX-License-Identifier: PostgreSQL */
#include "common/postgres.h"

#include "common/interrupt.h"
#include "common/postgres_wait.h"
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_S 10

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
static void take_step(struct postgres *postgres)
{
    struct pollfd wait = {.fd = PQsocket(postgres->connection),
                          .events = postgres->connecting.state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
    int ready = poll(&wait, 1, POSTGRES_TICK_MS);
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
    PQsetNoticeReceiver(postgres->connection, postgres_receive_notice, postgres);
    postgres->connecting.state = PGRES_POLLING_WRITING;
    postgres->connecting.timeout_ms = connect_timeout(postgres->connection);
    postgres->connecting.deadline_ms = clock_ms() + postgres->connecting.timeout_ms;
    *ret = take(postgres);
    return true;
}

static bool wait_connected(struct postgres *postgres, struct error *error)
{
    while (is_under_way(postgres)) {
        if (interrupt_signal() != 0 && !postgres->shielded)
            return interrupt_error(error);
        take_step(postgres);
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
    if (!wait_connected(started, error))
        return false;
    *ret = take(started);
    return true;
}

/* What stands before the first dbname is a default that conninfo overrides; what stands after it overrides
 * conninfo, and so does a second dbname. */
static bool start_by(const char *conninfo, const char *database, const char *application_name,
                     struct postgres **ret, struct error *error)
{
    const char *keywords[] = {"keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "dbname",
                              "client_encoding",
                              "application_name",
                              "dbname",
                              NULL};
    const char *values[] = {"30",
                            "10",
                            "3",
                            "60000",
                            conninfo == NULL || *conninfo == '\0' ? NULL : conninfo,
                            "UTF8",
                            application_name,
                            database,
                            NULL};
    return start(keywords, values, NULL, ret, error);
}

static bool connect_by(const char *conninfo, const char *database, const char *application_name,
                       struct postgres **ret, struct error *error)
{
    struct postgres *started;

    return start_by(conninfo, database, application_name, &started, error) && finish(started, ret, error);
}

bool postgres_connect(const char *conninfo, const char *application_name, struct postgres **ret,
                      struct error *error)
{
    return connect_by(conninfo, NULL, application_name, ret, error);
}

/* The connection that this begins is given up at once. */
char *postgres_conninfo_database(const char *conninfo)
{
    const char *keywords[] = {"dbname", NULL}, *values[] = {conninfo, NULL};
    PGconn *connection = PQconnectStartParams(keywords, values, 1);
    const char *name = connection == NULL ? NULL : PQdb(connection);
    char *copy = text_copy(name == NULL ? "" : name);

    PQfinish(connection);
    return copy;
}

bool postgres_connect_server(const char *conninfo, const char *application_name, struct postgres **ret,
                             char **ret_database, struct error *error)
{
    OWNED char *database = postgres_conninfo_database(conninfo);

    if (!connect_by(conninfo, "postgres", application_name, ret, error)) {
        AUTO(error_clear) struct error ignored = {0};
        if (interrupt_signal() != 0 || !connect_by(conninfo, "template1", application_name, ret, &ignored))
            return false;
        error_clear(error);
    }
    *ret_database = take(database);
    return true;
}

/* ---- the same connection once more ---- */

#define CONNINFO_MAX 64

/* What the option has become: of several hosts the one we are connected to, and the password whatever file it
 * was found in. A service has been replaced by what it stands for. */
static const char *value_in_effect(PGconn *connection, const PQconninfoOption *option)
{
    const char *value = option->val;

    if (strcmp(option->keyword, "host") == 0)
        value = PQhost(connection);
    else if (strcmp(option->keyword, "hostaddr") == 0)
        value = PQhostaddr(connection);
    else if (strcmp(option->keyword, "port") == 0)
        value = PQport(connection);
    else if (strcmp(option->keyword, "password") == 0)
        value = PQpass(connection);
    else if (strcmp(option->keyword, "dbname") == 0)
        value = PQdb(connection);
    else if (strncmp(option->keyword, "service", strlen("service")) == 0)
        value = NULL;
    return value == NULL || *value == '\0' ? NULL : value;
}

static char *options_and(const char *value, const char *more)
{
    return text_format("%s%s%s", value == NULL ? "" : value, value == NULL ? "" : " ", more);
}

/* The address of a name may change, which is what a way back after a failover needs. is_pinned: it must be
 * the same server. */
static bool connect_like(const struct postgres *postgres, const char *database, const char *settings,
                         bool is_pinned, struct postgres **ret, struct error *error)
{
    const char *keywords[CONNINFO_MAX], *values[CONNINFO_MAX];
    size_t count = 0;
    OWNED char *joined = NULL;
    PQconninfoOption *options = PQconninfo(postgres->connection);
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        const char *value = value_in_effect(postgres->connection, option);
        if (settings != NULL && strcmp(option->keyword, "options") == 0)
            value = joined = options_and(value, settings);
        if (database != NULL && strcmp(option->keyword, "dbname") == 0)
            value = database;
        if (strcmp(option->keyword, "hostaddr") == 0 && !is_pinned && option->val == NULL)
            value = NULL;
        if (value == NULL || count + 1 == CONNINFO_MAX)
            continue;
        keywords[count] = option->keyword;
        values[count++] = value;
    }
    keywords[count] = values[count] = NULL;
    struct postgres *again;
    bool started = start(keywords, values, postgres, &again, error);
    PQconninfoFree(options);
    return started && finish(again, ret, error);
}

bool postgres_connect_again(const struct postgres *postgres, struct postgres **ret, struct error *error)
{
    return connect_like(postgres, NULL, NULL, false, ret, error);
}

bool postgres_connect_database(const struct postgres *postgres, const char *database, struct postgres **ret,
                               struct error *error)
{
    return connect_like(postgres, database, NULL, true, ret, error);
}

bool postgres_connect_with(const struct postgres *postgres, const char *database, const char *settings,
                           struct postgres **ret, struct error *error)
{
    return connect_like(postgres, database, settings, true, ret, error);
}

/* ---- for other programs ---- */

static void set_variable(struct text_list *list, const char *name, const char *value)
{
    text_list_add(list, value == NULL ? text_copy(name) : text_format("%s=%s", name, value));
}

/* PGCLIENTENCODING is ours alone: a dump is written in the database's own encoding. */
void postgres_environment(const struct postgres *postgres, const char *database, const char *options,
                          struct text_list *ret)
{
    static const char *const others[] = {"PGSERVICE",   "PGSERVICEFILE", "PGCLIENTENCODING",
                                         "PGDATESTYLE", "PGTZ",          "PGGEQO"};
    struct text_list list = {0};
    PQconninfoOption *all = PQconninfo(postgres->connection);

    for (PQconninfoOption *option = all; option != NULL && option->keyword != NULL; option++) {
        const char *value = value_in_effect(postgres->connection, option);
        if (option->envvar == NULL || strcmp(option->keyword, "client_encoding") == 0)
            continue;
        OWNED char *joined = NULL;
        if (strcmp(option->keyword, "options") == 0 && options != NULL)
            value = joined = options_and(value, options);
        if (strcmp(option->keyword, "dbname") == 0 && database != NULL)
            value = database;
        set_variable(&list, option->envvar, value);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        set_variable(&list, others[i], NULL);
    PQconninfoFree(all);
    text_list_add(&list, NULL);
    list.count--;
    *ret = list;
}

/* ---- ends and names ---- */

void postgres_free(struct postgres *postgres)
{
    if (postgres == NULL)
        return;
    PQfinish(postgres->connection);
    error_clear(&postgres->last_words);
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
