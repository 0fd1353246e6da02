/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/run.h"

#include <string.h>
#include <sys/random.h>

const char *run_state_name(enum run_state state)
{
    static const char *const names[] = {
        [RUN_STATE_APPLIED] = "applied", [RUN_STATE_ROLLED_BACK] = "rolled_back",
        [RUN_STATE_TRIED] = "tried",     [RUN_STATE_UNTRIED] = "untried",
        [RUN_STATE_FAILED] = "failed",   [RUN_STATE_PENDING] = "pending",
    };
    return names[state];
}

void run_new_id(char ret_id[37])
{
    unsigned char bytes[16];
    while (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        ;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret_id[at++] = '-';
        snprintf(ret_id + at, 3, "%02x", bytes[i]);
        at += 2;
    }
}

void run_emit(const struct run_listener *listener, const struct run_event *event)
{
    if (listener != NULL && listener->event != NULL)
        listener->event(listener->context, event);
}

void run_result_clear(struct run_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        free(result->items[i].version);
        free(result->items[i].statements);
    }
    free(result->items);
    free(result->backup_id);
    findings_clear(&result->findings);
    *result = (struct run_result){0};
}

void run_explain_read_only(struct error *error)
{
    if (strcmp(error->sqlstate, "25006") != 0)
        return;
    error->code = ERROR_FAILED;
    error_hint(error, "A migration must not make its transaction or session READ ONLY.");
}
