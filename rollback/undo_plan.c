/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/undo_plan.h"

#include "migrator/drift.h"
#include "migrator/prepare.h"
#include <string.h>

void undo_plan_clear(struct undo_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        script_free(plan->items[i].script);
        script_free(plan->items[i].verify);
        directives_clear(&plan->items[i].directives);
        source_clear(&plan->items[i].source);
        free(plan->items[i].difference);
    }
    free(plan->items);
    *plan = (struct undo_plan){0};
}

/* ---- which ones ---- */

/* Rows in order of application, newest first. */
static int newest_first(const void *a, const void *b)
{
    const struct history_row *const *left = a, *const *right = b;
    return ((*left)->sequence < (*right)->sequence) - ((*left)->sequence > (*right)->sequence);
}

/* "0", unless a version has that number: nothing stays. */
static bool is_before_all(const struct history *history, const char *word)
{
    bool found = strcmp(word, "0") == 0;
    for (size_t i = 0; i < history->count; i++)
        found = found && !(history->keys[i].stem != NULL && version_matches(&history->keys[i], word));
    return found;
}

static bool choose(const struct history *history, const struct undo_options *options, struct undo_plan *ret,
                   struct error *error)
{
    struct history_row *stays = NULL;
    if (options->to != NULL && !is_before_all(history, options->to) &&
        !history_word(history, options->to, &stays, error))
        return false;
    OWNED const struct history_row **rows = memory_allocate(history->count, sizeof *rows);
    for (size_t i = 0; i < history->count; i++)
        rows[i] = &history->rows[i];
    qsort(rows, history->count, sizeof *rows, newest_first);
    for (size_t i = 0; i < history->count && rows[i] != stays; i++) {
        if (options->to == NULL && i == options->steps)
            break;
        ret->items = memory_grow(ret->items, ret->count, sizeof *ret->items);
        ret->items[ret->count++] = (struct undo_step){.row = rows[i]};
    }
    return true;
}

/* ---- with which script ---- */

static bool refuse(const struct history_row *row, const char *why, const char *hint, struct error *error)
{
    error_set(error, ERROR_REFUSED, "\"%s\" %s", row->version, why);
    return error_hint(error, "%s", hint);
}

static bool reversible(const struct history_row *row, const struct history_texts *texts,
                       const struct migration *migration, struct error *error)
{
    AUTO(directives_clear) struct directives stored = {0};
    AUTO(error_clear) struct error unreadable = {0};
    struct source forward = {.path = row->version, .first_line = 1, .text = texts->forward};
    bool said = migration != NULL && migration->directives.irreversible;
    if (texts->forward != NULL) {
        forward.size = strlen(texts->forward);
        if (directives_read(&forward, &stored, &unreadable))
            said = stored.irreversible;
    }
    return !said ||
           refuse(
               row, "is marked irreversible",
               "Going back further needs a restored backup, or a new migration that mends what this one did.",
               error);
}

static bool take_file(struct migration *migration, struct undo_step *step, struct error *error)
{
    if (!source_load(&migration->rollback, error))
        return false;
    const struct source *file = &migration->rollback;
    step->source = (struct source){.path = text_copy(file->path),
                                   .first_line = file->first_line,
                                   .text = text_copy_part(file->text, file->size),
                                   .size = file->size};
    memcpy(step->source.checksum, file->checksum, sizeof file->checksum);
    return true;
}

static bool take_stored(const struct history_row *row, char *text, struct undo_step *step)
{
    step->source = (struct source){.path = text_format("%s (rollback as stored)", row->version),
                                   .first_line = 1,
                                   .text = text,
                                   .size = strlen(text)};
    source_checksum(text, step->source.size, step->source.checksum);
    return true;
}

static bool compare_with_file(struct migration *migration, struct undo_step *step, struct error *error)
{
    if (strcmp(migration->rollback.checksum, step->source.checksum) == 0)
        return true;
    if (!source_load(&migration->rollback, error))
        return false;
    step->difference = drift_show((struct drift_text){step->source.path, step->source.text},
                                  (struct drift_text){migration->rollback.path, migration->rollback.text});
    return true;
}

static bool no_text(const struct history_row *row, bool has_file, bool use_file, struct error *error)
{
    if (use_file)
        return refuse(row, "has no rollback file",
                      "Write one, or leave out --use=file to run the stored text.", error);
    return refuse(
        row, "has no stored rollback script",
        has_file ? "Its file has one now: look at it, then give --use=file."
                 : "Write its rollback file and give --use=file, or mend what it did with a new migration.",
        error);
}

static bool choose_script(const struct history *history, const struct folder *folder, struct undo_step *step,
                          bool use_file, struct error *error)
{
    AUTO(history_texts_clear) struct history_texts texts = {0};
    struct migration *migration = history_file(history, folder, step->row);
    bool has_file = migration != NULL && migration_has_rollback(migration);
    if (!history_texts(history, step->row->version, &texts, error) ||
        !reversible(step->row, &texts, migration, error))
        return false;
    if (use_file ? !has_file : texts.rollback == NULL)
        return no_text(step->row, has_file, use_file, error);
    if (use_file)
        return take_file(migration, step, error);
    return take_stored(step->row, take(texts.rollback), step) &&
           (!has_file || compare_with_file(migration, step, error));
}

static bool prepare(struct undo_step *step, const char *database, const struct text_list *settings,
                    struct error *error)
{
    if (!directives_read(&step->source, &step->directives, error))
        return false;
    struct script_options options = {.no_transaction = step->directives.no_transaction,
                                     .variables = step->directives.variables,
                                     .database = database,
                                     .settings = settings};
    return script_prepare(&step->source, &options, &step->script, error);
}

/* ---- what must hold afterwards ---- */

static const struct history_row *newest_below(const struct history *history, const struct history_row *row)
{
    const struct history_row *found = NULL;
    for (size_t i = 0; i < history->count; i++)
        if (history->rows[i].sequence < row->sequence &&
            (found == NULL || history->rows[i].sequence > found->sequence))
            found = &history->rows[i];
    return found;
}

static bool prepare_check(const struct history *history, const struct folder *folder, struct undo_step *step,
                          const struct undo_options *options, struct error *error)
{
    const struct history_row *newest = newest_below(history, step->row);
    struct migration *migration = newest == NULL ? NULL : history_file(history, folder, newest);
    if (options->no_verify || migration == NULL || !step->script->transactional)
        return true;
    return prepare_verify(migration, postgres_database(history->postgres), options->run.settings,
                          &step->verify, error);
}

bool undo_plan_make(const struct history *history, const struct folder *folder,
                    const struct undo_options *options, struct undo_plan *ret, struct error *error)
{
    AUTO(undo_plan_clear) struct undo_plan plan = {0};
    if (!choose(history, options, &plan, error))
        return false;
    for (size_t i = 0; i < plan.count; i++)
        if (!choose_script(history, folder, &plan.items[i], options->use_file, error))
            return false;
    for (size_t i = 0; i < plan.count; i++)
        if (!prepare(&plan.items[i], postgres_database(history->postgres), options->run.settings, error) ||
            !prepare_check(history, folder, &plan.items[i], options, error))
            return false;
    *ret = plan;
    plan = (struct undo_plan){0};
    return true;
}
