/* SPDX-License-Identifier: PostgreSQL */
#include "cli/outcome.h"

#include "cli/document.h"

static json_t *statements_array(const struct migration_result *item)
{
    json_t *list = json_array();

    for (size_t i = 0; i < item->statement_count; i++) {
        const struct statement_result *statement = &item->statements[i];
        json_t *object = json_object();

        document_integer(object, "line", (int64_t)statement->line);
        document_integer(object, "ms", (statement->us + 500) / 1000);
        document_known(object, "rows", statement->rows);
        json_array_append_new(list, object);
    }
    return list;
}

void outcome_fill(json_t *document, const struct run_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->count; i++) {
        const struct migration_result *item = &result->items[i];
        bool reached = item->state != RUN_STATE_PENDING;
        json_t *object = json_object();

        document_text(object, "version", item->version);
        document_text(object, "state", reached || !item->before ? run_state_name(item->state) : item->before);
        if (reached) {
            document_known(object, "execution_ms", item->execution_ms);
            document_integer(object, "attempts", (int64_t)item->attempts);
            json_object_set_new(object, "statements", statements_array(item));
        }
        json_array_append_new(list, object);
    }
    document_text(document, "run_id", *result->run_id ? result->run_id : NULL);
    document_text(document, "backup_id", result->backup_id);
    json_object_set_new(document, "migrations", list);
}

/* What became of the one that failed. */
static const char *fate(const struct outcome *outcome, const struct migration_result *item)
{
    bool bare = item->bare, backwards = outcome->backwards;

    switch (outcome->error->code) {
    case ERROR_PARTIAL:
        return "stopped half way";
    case ERROR_UNKNOWN:
        return "is in an unknown state";
    case ERROR_INTERRUPTED:
    case ERROR_TERMINATED:
        if (bare)
            return "was interrupted half way";
        return backwards ? "was interrupted and stays applied" : "was interrupted and rolled back";
    default:
        if (bare)
            return "failed";
        return backwards ? "failed and stays applied" : "failed and was rolled back";
    }
}

static size_t count_state(const struct run_result *result, enum run_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < result->count; i++)
        count += result->items[i].state == state;
    return count;
}

char *outcome_summary(const struct outcome *outcome)
{
    const struct run_result *result = outcome->result;
    size_t untried = count_state(result, RUN_STATE_UNTRIED), pending = count_state(result, RUN_STATE_PENDING);
    size_t done = count_state(result, RUN_STATE_APPLIED) + count_state(result, RUN_STATE_ROLLED_BACK) +
                  count_state(result, RUN_STATE_TRIED);
    char *text = NULL;
    size_t size;
    FILE *out;

    if (pending == result->count)
        return NULL;
    out = open_memstream(&text, &size);
    fprintf(out, "%zu of %zu %s", done, result->count, outcome->done);
    if (!outcome->error) {
        OWNED char *duration = text_duration(outcome->ms);

        fprintf(out, " in %s on %s", duration, outcome->target);
    }
    for (size_t i = 0; outcome->error && i < result->count; i++)
        if (result->items[i].state == RUN_STATE_FAILED)
            fprintf(out, "; %s %s", result->items[i].version, fate(outcome, &result->items[i]));
    if (untried)
        fprintf(out, "; %zu could not be tried in a transaction", untried);
    if (pending)
        fprintf(out, "; %zu not reached", pending);
    fclose(out);
    return text;
}

bool outcome_signalled(const struct outcome *outcome, const char *summary)
{
    struct error *error = outcome->error;

    if (!error || (error->code != ERROR_INTERRUPTED && error->code != ERROR_TERMINATED))
        return false;
    OWNED char *said = take(error->message);
    error->message = summary ? text_format("%s: %s", said, summary)
                             : text_format("%s: nothing was %s", said, outcome->done);
    return true;
}
