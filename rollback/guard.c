/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/guard.h"

#include "migrator/statement.h"
#include <string.h>

/* ---- what is told ---- */

static bool refuse_unknown(const struct data_loss *loss, struct error *error)
{
    error_set(error, ERROR_REFUSED, "what data rolling back would lose cannot be told");
    error_detail(error, "%s %s: %s.", loss_kind_name(loss->kind), loss->object, loss->problem);
    return error_hint(
        error, loss->kind == LOSS_UNKNOWN
                   ? "Nothing was changed. Take a backup, then give --accept-data-loss."
                   : "Nothing was changed. Roll back as a role that may read every row (the owner, where "
                     "row-level security is not forced, a role with BYPASSRLS, a superuser), or take a "
                     "backup and give --accept-data-loss.");
}

bool guard_refuse(const struct data_losses *losses, struct error *error)
{
    const struct data_loss *first = &losses->items[0];
    for (size_t i = 0; i < losses->count && first->rows < 0; i++)
        if (losses->items[i].rows >= 0)
            first = &losses->items[i];
    if (first->rows < 0)
        return refuse_unknown(first, error);
    error_set(error, ERROR_REFUSED, "rolling back would lose data");
    OWNED char *count =
        text_format("%s%lld %s%s", first->at_least ? "at least " : "", (long long)first->rows,
                    first->kind == LOSS_COLUMN ? "value" : "row", first->rows == 1 ? "" : "s");
    const char *more = losses->count > 1 ? ", and there is more" : "";
    if (first->kind == LOSS_LARGE_OBJECTS)
        error_detail(error, "%lld large object%s would be unlinked%s.", (long long)first->rows,
                     first->rows == 1 ? "" : "s", more);
    else if (first->kind == LOSS_ROWS)
        error_detail(error, "%s of %s would be deleted%s.", count, first->object, more);
    else
        error_detail(error, "%s %s holds %s%s.", first->kind == LOSS_TABLE ? "Table" : "Column",
                     first->object, count, more);
    return error_hint(error, "Nothing was changed. Take a backup, then give --accept-data-loss.");
}

/* ---- looking ---- */

static bool refuse_late(const struct guard *guard, struct error *error)
{
    guard_refuse(&guard->losses, error);
    return error_hint(error, "It came after the trial, which found nothing to lose; this migration is as it "
                             "was. Take a backup, then give --accept-data-loss.");
}

/* A look takes a snapshot, after which SET TRANSACTION would fail. */
static bool comes_first(const struct statement *statement)
{
    struct tokens tokens = {.text = statement->text, .length = strlen(statement->text)};
    return token_accept(&tokens, "SET");
}

static bool look(void *context, const struct run_look *look, struct error *error)
{
    struct guard *guard = context;
    bool good = true;
    if (look->bare)
        return true;
    if (look->moment == RUN_LOOK_BEGIN) {
        guard->looked = false;
        data_losses_clear(&guard->losses);
    } else if (look->moment == RUN_LOOK_BEFORE && !guard->looked && !comes_first(look->statement)) {
        guard->looked = true;
        good = dataloss_lock(guard->dataloss, look->version, &guard->losses, error);
    } else if (look->moment == RUN_LOOK_COMMIT && guard->looked) {
        good = dataloss_check(guard->dataloss, look->version, &guard->losses, error);
    }
    return good && (guard->losses.count == 0 || refuse_late(guard, error));
}

void guard_begin(struct guard *guard, struct dataloss *dataloss)
{
    *guard = (struct guard){.dataloss = dataloss, .watch = {.context = guard, .look = look}};
}

void guard_done(struct guard *guard)
{
    data_losses_clear(&guard->losses);
}
