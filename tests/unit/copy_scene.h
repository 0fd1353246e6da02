/* SPDX-License-Identifier: PostgreSQL */
/*
 * A session on the tests' server (TEST_SERVER_URL), for the tests of COPY. Without a server they are skipped.
 */
#ifndef TESTS_UNIT_COPY_SCENE_H
#define TESTS_UNIT_COPY_SCENE_H

#include "common/copy.h"
#include "common/interrupt.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static inline void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s (%s)", error->message, error->detail == NULL ? "" : error->detail);
}

static inline struct postgres *connected(void)
{
    AUTO(error_clear) struct error error = {0};
    struct postgres *postgres = NULL;

    must(postgres_connect(getenv("TEST_SERVER_URL"), "copy_test", &postgres, &error), &error);
    return postgres;
}

static inline void execute(struct postgres *postgres, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    must(postgres_execute(postgres, sql, &error), &error);
}

/* The one value a query answers, by libpq's way; the caller frees it. */
static inline char *value_of(struct postgres *postgres, const char *sql)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(rows_free) struct rows *rows = NULL;

    must(postgres_query(postgres, sql, 0, NULL, &rows, &error), &error);
    assert_int_equal(rows_count(rows), 1);
    return text_copy(rows_value(rows, 0, 0));
}

#define assert_value(postgres, sql, expected)                                                                \
    do {                                                                                                     \
        OWNED char *value_ = value_of(postgres, sql);                                                        \
        assert_string_equal(value_, expected);                                                               \
    } while (0)

/* The connection answers statements, and is in step with their answers. */
static inline void assert_usable(struct postgres *postgres)
{
    assert_value(postgres, "SELECT 41 + 1", "42");
    assert_value(postgres, "SELECT 'again'", "again");
}

static inline void skip_without_server(void)
{
    if (getenv("TEST_SERVER_URL") != NULL)
        return;
    print_message("# skipped: no server; tests/run starts one\n");
    skip();
}

static inline int session_begin(void **state)
{
    *state = getenv("TEST_SERVER_URL") == NULL ? NULL : connected();
    return 0;
}

static inline int session_end(void **state)
{
    postgres_free(*state);
    return 0;
}

static inline struct postgres *session_of(void **state)
{
    skip_without_server();
    return *state;
}

/* A moment later, in a thread of its own: a statement in another session, and the stop flag is set. */
struct attack {
    pthread_t thread;
    char *sql; /* format with the process id of the attacked session's backend, or NULL */
    bool failed;
    atomic_bool stop;
};

static inline void *attack_run(void *argument)
{
    struct attack *attack = argument;
    AUTO(error_clear) struct error error = {0};
    AUTO(postgres_free) struct postgres *postgres = NULL;

    usleep(200000);
    attack->failed = attack->sql != NULL &&
                     (!postgres_connect(getenv("TEST_SERVER_URL"), "copy_test", &postgres, &error) ||
                      !postgres_execute(postgres, attack->sql, &error));
    atomic_store(&attack->stop, true);
    return NULL;
}

/* function is pg_cancel_backend or pg_terminate_backend, or NULL. */
static inline void attack_begin(struct attack *attack, struct postgres *postgres, const char *function)
{
    *attack = (struct attack){
        .sql =
            function == NULL ? NULL : text_format("SELECT %s(%d)", function, postgres_backend_pid(postgres))};
    assert_int_equal(pthread_create(&attack->thread, NULL, attack_run, attack), 0);
}

static inline void attack_end(struct attack *attack)
{
    pthread_join(attack->thread, NULL);
    assert_false(attack->failed);
    free(attack->sql);
}

/* What spoils the process, such as a signal, is shown in another one. */
static inline void assert_in_fork(bool (*shows)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(shows() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static inline void signal_me_later(int number)
{
    pid_t self = getpid();
    if (fork() == 0) {
        usleep(200000);
        kill(self, number);
        _exit(0);
    }
}

#endif
