/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/prepare.h"

#include "migrator/bare.h"
#include "migrator/split.h"
#include "migrator/variable.h"
#include "sql.h"

void prepared_clear(struct prepared_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        script_free(list->items[i].script);
        script_free(list->items[i].verify);
    }
    free(list->items);
    *list = (struct prepared_list){0};
}

bool prepare_verify(struct migration *migration, const struct postgres *postgres,
                    const struct text_list *settings, struct script **ret, struct error *error)
{
    *ret = NULL;
    if (!migration_has_verify(migration))
        return true;
    struct script_options options = {.variables = migration->directives.variables,
                                     .database = postgres_database(postgres),
                                     .escapes = postgres_escapes(postgres),
                                     .settings = settings};
    return source_load(&migration->verify, error) && script_prepare(&migration->verify, &options, ret, error);
}

static bool verify_fits(const struct prepared *prepared, struct error *error)
{
    if (prepared->verify == NULL || prepared->script->transactional)
        return true;
    error_set(error, ERROR_USAGE, "a no-transaction migration cannot have a verify script");
    error_hint(error,
               "A verify script is looked at before COMMIT; move the checks into a migration of their own.");
    return error_at(error, prepared->verify->source->path, 1, 1);
}

static bool can_be_cut(const struct source *source, bool escapes, struct error *error)
{
    AUTO(split_clear) struct split split = {0};

    return split_source(source, escapes, &split, error);
}

/* ---- the database's encoding ---- */

#define UNTRANSLATABLE "22P05"

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

/* The server converts what it is sent. */
static bool can_be_sent(struct postgres *postgres, const char *text, struct error *error)
{
    return is_ascii(text) ||
           postgres_query(postgres, sql_encoding_try, 1, (const char *const[]){text}, NULL, error);
}

static size_t line_that_cannot(struct postgres *postgres, const struct source *source)
{
    size_t line = source->first_line;
    for (const char *at = source->text; *at != '\0'; line++) {
        AUTO(error_clear) struct error ignored = {0};
        OWNED char *text = text_copy_part(at, strcspn(at, "\n"));
        if (!can_be_sent(postgres, text, &ignored))
            return line;
        at += strlen(text);
        at += *at == '\n';
    }
    return 0;
}

/* The whole text is kept in the history, comments and all. In UTF-8 there is nothing to ask. */
static bool check_encoding(struct postgres *postgres, const struct source *source, struct error *error)
{
    const char *encoding = postgres_parameter(postgres, "server_encoding");
    if (text_equal(encoding, "UTF8") || can_be_sent(postgres, source->text, error))
        return true;
    if (strcmp(error->sqlstate, UNTRANSLATABLE) != 0)
        return false;
    error_detail(error, "The encoding of database \"%s\" is %s.", postgres_database(postgres), encoding);
    error_hint(error, "Write it in another way, in comments, too: the history keeps the whole script.");
    return error_at(error, source->path, line_that_cannot(postgres, source), 0);
}

static bool check_encodings(struct migration *migration, struct postgres *postgres, struct error *error)
{
    return check_encoding(postgres, &migration->forward, error) &&
           (!migration_has_rollback(migration) || check_encoding(postgres, &migration->rollback, error)) &&
           (!migration_has_verify(migration) || check_encoding(postgres, &migration->verify, error));
}

static bool prepare_one(struct migration *migration, struct postgres *postgres,
                        const struct text_list *settings, struct prepared *ret, struct error *error)
{
    struct script_options options = {.no_transaction = migration->directives.no_transaction,
                                     .variables = migration->directives.variables,
                                     .database = postgres_database(postgres),
                                     .escapes = postgres_escapes(postgres),
                                     .settings = settings};
    /* The history keeps the rollback script, too: one that cannot even be cut would be found out too late. */
    if (migration_has_rollback(migration) && (!source_load(&migration->rollback, error) ||
                                              !can_be_cut(&migration->rollback, options.escapes, error)))
        return false;
    return source_load(&migration->forward, error) &&
           script_prepare(&migration->forward, &options, &ret->script, error) &&
           prepare_verify(migration, postgres, settings, &ret->verify, error) && verify_fits(ret, error) &&
           check_encodings(migration, postgres, error);
}

/* What ran may neither have been changed nor run again, as part of a transaction. What may have run, a person
 * has to look at, unless it runs now. */
static bool goes_on(const struct history *history, const struct prepared *prepared, struct error *error)
{
    const struct history_row *row = prepared->entry->row;
    if (row == NULL || (row->state != ROW_FAILED && row->state != ROW_RUNNING))
        return true;
    struct group_run run = {.version = row->version, .script = prepared->script};
    groups_resume(&run, row);
    if (!prepared->script->transactional)
        return groups_check_unchanged(history, &run, error) &&
               (prepared->entry->state == PLAN_RUNNING || bare_check(history->postgres, &run, error));
    if (run.done == 0 && !run.unconfirmed)
        return true;
    error_set(error, ERROR_CONFLICT, "\"%s\" stopped half way, and its script has become a transactional one",
              row->version);
    error_hint(error,
               "%zu statements have run%s. Put the directive no-transaction back, or clear the half-run with "
               "\"pgmigrate repair %s --clear\" once they are undone.",
               run.done, run.unconfirmed ? ", and the next one may have" : "", row->version);
    return error_at(error, prepared->script->source->path, 0, 0);
}

bool prepare_goes_on(const struct plan_entry *entry, const struct history *history, struct error *error)
{
    struct migration *migration = entry->migration;
    const struct source *source = &migration->forward;
    AUTO(split_clear) struct split split = {0};
    AUTO(script_free) struct script *script = NULL;
    bool escapes = postgres_escapes(history->postgres);
    if (!source_load(&migration->forward, error) || !split_source(source, escapes, &split, error))
        return false;
    AUTO(text_list_clear) struct text_list settings = variable_stand_ins(source, &split);
    struct script_options options = {.no_transaction = migration->directives.no_transaction,
                                     .variables = migration->directives.variables,
                                     .database = postgres_database(history->postgres),
                                     .escapes = escapes,
                                     .settings = &settings};
    return script_prepare(source, &options, &script, error) &&
           goes_on(history, &(struct prepared){.entry = entry, .script = script}, error);
}

bool prepare_steps(const struct plan_steps *steps, const struct history *history,
                   const struct text_list *settings, struct prepared_list *ret, struct error *error)
{
    AUTO(prepared_clear) struct prepared_list list = {0};
    if (steps->count > 0 && !history_check_rights(history, error))
        return false;
    list.items = memory_allocate(steps->count, sizeof *list.items);
    for (size_t i = 0; i < steps->count; i++) {
        list.count = i + 1;
        list.items[i].entry = steps->items[i];
        if (!prepare_one(steps->items[i]->migration, history->postgres, settings, &list.items[i], error) ||
            !goes_on(history, &list.items[i], error))
            return false;
    }
    *ret = list;
    list = (struct prepared_list){0};
    return true;
}
