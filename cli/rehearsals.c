/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rehearsals.h"

#include "cli/document.h"
#include "cli/rehearsal_document.h"
#include "cli/rehearsal_words.h"
#include "common/cluster.h"

#define MAX_AGE_MS (INT64_C(7) * 86400000)

/* ---- the state ---- */

/* Beside the embedded cluster: what belongs to this folder and is made anew by working in it. */
static char *state_path(const struct config *config)
{
    OWNED char *cluster = cluster_folder(config), *folder = file_folder(cluster);

    return file_join(folder, "state.db");
}

static bool read_evidence(struct evidence *evidence, const char *file, struct error *error)
{
    AUTO(rehearsal_clear) struct rehearsal rehearsal = {0};
    OWNED char *text = NULL;
    size_t size;

    return file_read(file, &text, &size, error) &&
           rehearsal_evidence_read(file, text, size, &rehearsal, error) &&
           evidence_put(evidence, &rehearsal, text, error);
}

bool rehearsals_open(const struct invocation *invocation, struct evidence **ret, struct error *error)
{
    OWNED char *path = state_path(invocation->config);

    return evidence_open(path, true, ret, error);
}

static void warn(const struct invocation *invocation, const char *what, const struct error *error)
{
    report_warning(invocation, "%s: %s%s%s", what, error->message, error->hint ? "\nhint: " : "",
                   error->hint ? error->hint : "");
}

bool rehearsals_look(const struct invocation *invocation, struct evidence **ret, struct error *error)
{
    const char *const *files = NULL;
    size_t count = invocation_options(invocation, "evidence", &files);
    OWNED char *path = state_path(invocation->config);
    AUTO(evidence_close) struct evidence *evidence = NULL;
    AUTO(error_clear) struct error unusable = {0};

    if (!evidence_open(path, count > 0, &evidence, &unusable))
        warn(invocation, "what was rehearsed and what it takes is not kept", &unusable);
    /* In a container, the folder is often read-only: what was brought along counts all the same. */
    if (count > 0 && !evidence && !evidence_open(NULL, true, &evidence, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_evidence(evidence, files[i], error))
            return false;
    *ret = take(evidence);
    return true;
}

/* ---- what is known ---- */

void rehearsals_add(const struct invocation *invocation, struct evidence *evidence,
                    const struct plan_entry *entry, struct rehearsals *list)
{
    AUTO(error_clear) struct error error = {0};
    bool runs =
        entry->state == PLAN_PENDING || entry->state == PLAN_OUT_OF_ORDER || entry->state == PLAN_FAILED;

    list->items = memory_grow(list->items, list->count, sizeof *list->items);
    struct evidence_found *found = &list->items[list->count++];
    *found = (struct evidence_found){.state = EVIDENCE_NONE};
    if (runs && entry->migration && !evidence_find(evidence, entry->migration, found, &error))
        warn(invocation, "what was rehearsed is not known", &error);
    list->any |= found->state != EVIDENCE_NONE;
}

void rehearsals_clear(struct rehearsals *list)
{
    for (size_t i = 0; i < list->count; i++)
        evidence_found_clear(&list->items[i]);
    free(list->items);
    *list = (struct rehearsals){0};
}

void rehearsals_cell(struct report_table *table, const struct evidence_found *found)
{
    report_cell(table, found->state == EVIDENCE_PASSED ? PAINT_NONE : PAINT_YELLOW, evidence_words(found));
}

static json_t *lock_object(const struct evidence_found *found)
{
    json_t *lock = json_object();

    document_text(lock, "relation", found->lock_relation);
    document_text(lock, "mode", found->lock_mode);
    document_known(lock, "held_ms", found->lock_ms);
    return lock;
}

void rehearsals_fill(json_t *object, const struct evidence_found *found)
{
    json_t *rehearsal = json_object();

    if (found->state != EVIDENCE_NONE) {
        document_known(object, "expected_ms", evidence_expected_ms(found));
        document_text(rehearsal, "id", found->rehearsal);
        document_text(rehearsal, "at", found->at);
        document_text(rehearsal, "where", found->where);
        document_text(rehearsal, "result", evidence_state_name(found->state));
        document_text(rehearsal, "rollback", found->round_trip);
        document_known(rehearsal, "execution_ms", found->execution_ms);
        document_known(rehearsal, "low_ms", found->low_ms);
        document_known(rehearsal, "high_ms", found->high_ms);
        if (found->lock_relation)
            json_object_set_new(rehearsal, "lock", lock_object(found));
        json_object_set(object, "rehearsal", rehearsal);
    }
    json_decref(rehearsal);
}

/* ---- the gate ---- */

/* -1: of any age. */
static bool is_required(const struct invocation *invocation, int64_t *ret_max_age_ms)
{
    const struct config *config = invocation->config;
    bool asked = invocation_flag(invocation, "require-rehearsal");
    int64_t configured = config_duration(config, "rehearsal_max_age");

    *ret_max_age_ms = configured >= 0                                  ? configured
                      : config_is_emptied(config, "rehearsal_max_age") ? -1
                                                                       : MAX_AGE_MS;
    return asked || configured >= 0 || (config_bool(config, "protected") && *ret_max_age_ms >= 0);
}

/* What is wrong with what is known of a file; NULL: nothing. */
static char *objection(const struct evidence_found *found, int64_t max_age_ms)
{
    if (found->state == EVIDENCE_NONE)
        return text_copy("was never rehearsed");
    if (found->state != EVIDENCE_PASSED)
        return evidence_words(found);
    if (max_age_ms < 0 || found->age_ms <= max_age_ms)
        return NULL;
    OWNED char *words = evidence_words(found);
    return text_format("was %s, too long ago", words);
}

static bool list_objections(struct evidence *evidence, const struct plan_steps *steps, int64_t max_age_ms,
                            struct text_list *ret, struct error *error)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct migration *migration = steps->items[i]->migration;
        AUTO(evidence_found_clear) struct evidence_found found = {0};

        if (!evidence_find(evidence, migration, &found, error))
            return false;
        OWNED char *reason = objection(&found, max_age_ms);
        OWNED char *path = report_path(migration->forward.path);
        if (reason)
            text_list_add(ret, text_format("%s: %s", path, reason));
    }
    return true;
}

bool rehearsals_gate(const struct invocation *invocation, struct evidence *evidence,
                     const struct plan_steps *steps, struct error *error)
{
    AUTO(text_list_clear) struct text_list objections = {0};
    int64_t max_age_ms;

    if (!is_required(invocation, &max_age_ms))
        return true;
    if (!list_objections(evidence, steps, max_age_ms, &objections, error))
        return false;
    if (!objections.count)
        return true;
    OWNED char *listed = text_list_join(&objections, "\n");
    error_set(error, ERROR_REFUSED, "%zu of %zu migration%s %s no rehearsal that counts", objections.count,
              steps->count, steps->count == 1 ? "" : "s", objections.count == 1 ? "has" : "have");
    error_detail(error, "%s", listed);
    return error_hint(error,
                      "Nothing was changed. Run \"pgmigrate rehearse\", or bring what it found elsewhere "
                      "with --evidence. \"rehearsal_max_age =\" in the environment's section requires none.");
}

/* ---- what it took ---- */

static bool keep_one(struct evidence *evidence, const struct migration *migration,
                     const struct evidence_actual *actual, struct error *error)
{
    AUTO(evidence_found_clear) struct evidence_found found = {0};

    return evidence_find(evidence, migration, &found, error) &&
           evidence_applied(evidence, actual, &found, error);
}

void rehearsals_keep(const struct invocation *invocation, struct evidence *evidence,
                     const struct postgres *postgres, const struct folder *folder,
                     const struct run_result *result)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *server = text_format("%s/%s", postgres_address(postgres), postgres_database(postgres));
    bool good = true;

    for (size_t i = 0; evidence && good && i < result->count; i++) {
        const struct migration_result *item = &result->items[i];
        const struct migration *migration = folder_stem(folder, item->version);

        if (item->state == RUN_STATE_APPLIED && migration)
            good = keep_one(evidence, migration,
                            &(struct evidence_actual){result->run_id, item->version, server,
                                                      postgres_database(postgres), item->execution_ms},
                            &error);
    }
    if (!good)
        warn(invocation, "how long it took was not kept", &error);
}
