/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/undo_plan.h"

#include "migrator/drift.h"
#include "migrator/index_build.h"
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
        free(plan->items[i].version);
    }
    free(plan->items);
    free(plan->stays);
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

/* *ret_rows are the rows of the steps, in the same order. */
static bool choose(const struct history *history, const struct undo_options *options, struct undo_plan *ret,
                   const struct history_row ***ret_rows, struct error *error)
{
    struct history_row *stays = NULL;
    if (options->to != NULL && !is_before_all(history, options->to) &&
        !history_word(history, options->to, &stays, error))
        return false;
    const struct history_row **rows = memory_allocate(history->count + 1, sizeof *rows);
    for (size_t i = 0; i < history->count; i++)
        rows[i] = &history->rows[i];
    qsort(rows, history->count, sizeof *rows, newest_first);
    for (size_t i = 0; i < history->count && rows[i] != stays; i++) {
        if (options->to == NULL && i == options->steps)
            break;
        ret->items = memory_grow(ret->items, ret->count, sizeof *ret->items);
        ret->items[ret->count++] = (struct undo_step){.version = text_copy(rows[i]->version),
                                                      .state = rows[i]->state,
                                                      .statements_done = rows[i]->statements_done,
                                                      .statement_started = rows[i]->statement_started};
    }
    if (ret->count < history->count)
        ret->stays = text_copy(rows[ret->count]->version);
    else if (is_before_all(history, "0"))
        ret->stays = text_copy("0");
    *ret_rows = rows;
    return true;
}

/* ---- with which script ---- */

static bool refuse(const char *version, const char *why, const char *hint, struct error *error)
{
    error_set(error, ERROR_REFUSED, "\"%s\" %s", version, why);
    return error_hint(error, "%s", hint);
}

static bool irreversible(const char *version, struct error *error)
{
    return refuse(
        version, "is marked irreversible",
        "Going back further needs a restored backup, or a new migration that mends what this one did.",
        error);
}

/* What the migration said when it was applied counts, where that is stored. */
static bool reversible(const struct undo_step *step, const struct history_texts *texts,
                       const struct migration *migration, struct error *error)
{
    AUTO(directives_clear) struct directives stored = {0};
    AUTO(error_clear) struct error unreadable = {0};
    struct source forward = {.path = step->version, .first_line = 1, .text = texts->forward};
    bool said = migration != NULL && migration->directives.irreversible;
    if (texts->forward != NULL) {
        forward.size = strlen(texts->forward);
        if (directives_read(&forward, &stored, &unreadable))
            said = stored.irreversible;
    }
    return !said || irreversible(step->version, error);
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

static void take_stored(char *text, struct undo_step *step)
{
    step->source = (struct source){.path = text_format("%s (rollback as stored)", step->version),
                                   .first_line = 1,
                                   .text = text,
                                   .size = strlen(text)};
    source_checksum(text, step->source.size, step->source.checksum);
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

static bool no_text(const char *version, const struct migration *migration, bool use_file,
                    struct error *error)
{
    bool has_file = migration != NULL && migration_has_rollback(migration);
    if (migration == NULL) { /* a rollback file alone would be an error */
        error_set(error, ERROR_REFUSED, "\"%s\" has no stored rollback script", version);
        return error_hint(
            error,
            "It has no file here, either. Undo what it did by hand, and then: pgmigrate repair %s "
            "--mark-rolled-back --reason …; or mend it with a new migration.",
            version);
    }
    if (use_file)
        return refuse(version, "has no rollback file",
                      "Write one, or leave out --use=file to run the stored text.", error);
    return refuse(
        version, "has no stored rollback script",
        has_file ? "Its file has one now: look at it, then give --use=file."
                 : "Write its rollback file and give --use=file, or mend what it did with a new migration.",
        error);
}

/*
 * Of a script whose first statement failed, or that stopped before it, little is left, and its rollback
 * script would take what is not its own. *ret undoes what is left, and is "" for nothing. NULL: more than
 * that may be left, as by a statement outside of any transaction; but a build leaves no more than its INVALID
 * index.
 */
static bool undo_first(const struct history *history, const struct history_row *row,
                       const struct history_texts *texts, char **ret, struct error *error)
{
    AUTO(error_clear) struct error unreadable = {0};
    AUTO(script_free) struct script *script = NULL;
    struct source forward = {.path = row->version, .first_line = 1, .text = texts->forward};
    *ret = NULL;
    if (row->state != ROW_FAILED || row->statements_total <= 0 || row->statements_done != 0 ||
        texts->forward == NULL)
        return true;
    forward.size = strlen(texts->forward);
    if (!script_prepare(
            &forward,
            &(struct script_options){.no_transaction = true, .escapes = postgres_escapes(history->postgres)},
            &script, &unreadable) ||
        script->count == 0 || (row->statement_started >= 0 && !index_build_has_name(&script->items[0])))
        return true;
    if (row->statement_started >= 0 && !index_build_undo(history->postgres, &script->items[0], ret, error))
        return false;
    if (*ret == NULL)
        *ret = text_copy("");
    return true;
}

static bool choose_script(const struct history *history, const struct history_row *row,
                          struct migration *migration, struct undo_step *step, bool use_file,
                          struct error *error)
{
    AUTO(history_texts_clear) struct history_texts texts = {0};
    bool has_file = migration != NULL && migration_has_rollback(migration);
    OWNED char *instead = NULL;
    if (!history_texts(history, step->version, &texts, error) ||
        !undo_first(history, row, &texts, &instead, error))
        return false;
    if (instead != NULL) {
        take_stored(take(instead), step);
        return true;
    }
    if (!reversible(step, &texts, migration, error))
        return false;
    if (use_file ? !has_file : texts.rollback == NULL)
        return no_text(step->version, migration, use_file, error);
    if (use_file)
        return take_file(migration, step, error);
    take_stored(take(texts.rollback), step);
    return !has_file || compare_with_file(migration, step, error);
}

/* The stored text cannot be edited; whoever finds a mistake in it needs to know the way around. */
static bool cannot_run(bool use_file, struct error *error)
{
    if (use_file)
        return false;
    return error_hint_more(
        error, "Where the stored text is wrong, mend the rollback file, and run that: --use=file.");
}

static bool goes_on(const struct undo_step *step, struct error *error)
{
    if (step->state != ROW_UNDOING || step->statements_done <= 0 || !step->script->transactional)
        return true;
    error_set(error, ERROR_CONFLICT,
              "the rollback of \"%s\" stopped half way, and its script has become a transactional one",
              step->version);
    return error_hint(error,
                      "Put back what has run of it (%lld statements), or undo the rest by hand: pgmigrate "
                      "repair %s --mark-rolled-back --reason …",
                      (long long)step->statements_done, step->version);
}

static bool prepare(struct undo_step *step, const struct history *history, const struct undo_options *options,
                    struct error *error)
{
    if (!directives_read(&step->source, &step->directives, error))
        return cannot_run(options->use_file, error);
    if (step->directives.irreversible)
        return irreversible(step->version, error);
    struct script_options script = {.no_transaction = step->directives.no_transaction,
                                    .variables = step->directives.variables,
                                    .database = postgres_database(history->postgres),
                                    .escapes = postgres_escapes(history->postgres),
                                    .settings = options->run.settings};
    if (!script_prepare(&step->source, &script, &step->script, error))
        return cannot_run(options->use_file, error);
    return goes_on(step, error);
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

static bool prepare_check(struct undo_step *step, const struct history *history, struct migration *newest,
                          const struct undo_options *options, struct error *error)
{
    if (options->no_verify || newest == NULL || !step->script->transactional)
        return true;
    step->verify_directives = &newest->directives;
    return prepare_verify(newest, history->postgres, options->run.settings, &step->verify, error);
}

bool undo_plan_make(const struct history *history, const struct folder *folder,
                    const struct undo_options *options, struct undo_plan *ret, struct error *error)
{
    AUTO(undo_plan_clear) struct undo_plan plan = {0};
    OWNED const struct history_row **rows = NULL;
    if (!choose(history, options, &plan, &rows, error))
        return false;
    for (size_t i = 0; i < plan.count; i++)
        if (!choose_script(history, rows[i], history_file(history, folder, rows[i]), &plan.items[i],
                           options->use_file, error))
            return false;
    for (size_t i = 0; i < plan.count; i++) {
        const struct history_row *newest = newest_below(history, rows[i]);
        if (!prepare(&plan.items[i], history, options, error) ||
            !prepare_check(&plan.items[i], history,
                           newest == NULL ? NULL : history_file(history, folder, newest), options, error))
            return false;
    }
    *ret = plan;
    plan = (struct undo_plan){0};
    return true;
}

static int64_t given(int64_t directive_ms, int64_t option_ms)
{
    return directive_ms >= 0 ? directive_ms : option_ms;
}

struct job undo_plan_job(const struct undo_plan *plan, size_t at, const struct run_options *options)
{
    const struct undo_step *step = &plan->items[at];
    const struct directives *verified =
        step->verify_directives != NULL ? step->verify_directives : &step->directives;
    return (struct job){
        .version = step->version,
        .index = at,
        .script = step->script,
        .count = step->script->count,
        .begin = step->script->begin,
        .verify = step->verify,
        .lock_timeout_ms = given(step->directives.lock_timeout_ms, options->lock_timeout_ms),
        .statement_timeout_ms = given(step->directives.statement_timeout_ms, options->statement_timeout_ms),
        .role = step->directives.role,
        .verify_statement_timeout_ms = given(verified->statement_timeout_ms, options->statement_timeout_ms),
        .verify_role = verified->role,
        .durable = true,
    };
}

char *undo_plan_again(const struct undo_plan *plan, size_t done, const struct undo_options *options)
{
    if (options->to != NULL)
        return text_copy("Running the same command again is safe.");
    const char *loss = options->accept_data_loss ? " --accept-data-loss" : "";
    const char *use = options->use_file ? " --use=file" : "";
    const char *verify = options->no_verify ? " --no-verify" : "";
    if (plan->stays != NULL)
        return text_format("To go on from there: pgmigrate rollback --to %s%s%s%s", plan->stays, loss, use,
                           verify);
    return text_format("To go on from there: pgmigrate rollback --steps %zu%s%s%s (\"%s\" is the next)",
                       plan->count - done, loss, use, verify, plan->items[done].version);
}
