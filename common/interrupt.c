/* SPDX-License-Identifier: PostgreSQL */
#include "common/interrupt.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

/* Lock-free, so that the handler may set what several threads look at. */
static atomic_int received;

static void on_signal(int number)
{
    received = number == SIGHUP ? SIGTERM : number;
}

void interrupt_install(void)
{
    /* No SA_RESTART: poll() and read() must return. SA_RESETHAND: the next one has its default effect. */
    struct sigaction before, action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A terminal that is closed ends the run like SIGTERM, unless nohup has it ignored. */
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);

    /* A reader that has gone, and a file that may not become larger, are told by what write() returns. */
    action = (struct sigaction){.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

int interrupt_signal(void)
{
    return received;
}

bool interrupt_error(struct error *error)
{
    if (received == SIGTERM)
        return error_set(error, ERROR_TERMINATED, "terminated");
    return error_set(error, ERROR_INTERRUPTED, "interrupted");
}

bool interrupt_sleep(int64_t ms)
{
    int64_t end = clock_us() + ms * 1000;
    sigset_t stopping, usual;

    /* Blocked between the look at the flag and the wait, so that a signal cannot slip in there and be slept
     * over. */
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    sigaddset(&stopping, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stopping, &usual);
    for (int64_t left; received == 0 && (left = end - clock_us()) > 0;) {
        struct timespec wait = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
        ppoll(NULL, 0, &wait, &usual);
    }
    pthread_sigmask(SIG_SETMASK, &usual, NULL);
    return received == 0;
}

void interrupt_pause(int64_t ms)
{
    poll(NULL, 0, (int)ms);
}

int64_t clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
