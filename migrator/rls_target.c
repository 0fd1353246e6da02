/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_target.h"

#include "migrator/rls_check.h"
#include "sql.h"
#include <string.h>

bool rls_targets_read(struct postgres *postgres, struct rls_targets *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!rls_check_query(postgres, sql_rls_targets, &rows, error))
        return false;
    ret->items = memory_allocate(rows_count(rows) + 1, sizeof *ret->items);
    for (size_t row = 0; row < rows_count(rows); row++)
        ret->items[ret->count++] =
            (struct rls_target){.oid = text_copy(rows_text(rows, row, "oid")),
                                .object = text_copy(rows_text(rows, row, "object")),
                                .label = text_copy(rows_text(rows, row, "label")),
                                .kind = *rows_text(rows, row, "kind"),
                                .child = rows_bool(rows, row, "child"),
                                .before = text_copy(rows_text(rows, row, "before")),
                                .after = text_copy(rows_text(rows, row, "after")),
                                .tenant = text_copy(rows_text(rows, row, "tenant")),
                                .type = text_copy(rows_text(rows, row, "type")),
                                .category = text_copy(rows_text(rows, row, "category"))};
    return true;
}

const struct rls_target *rls_targets_find(const struct rls_targets *targets, const char *oid)
{
    for (size_t i = 0; i < targets->count; i++)
        if (text_equal(targets->items[i].oid, oid))
            return &targets->items[i];
    return NULL;
}

char *rls_targets_oids(const struct rls_targets *targets)
{
    AUTO(text_list_clear) struct text_list oids = {0};

    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].kind != 'F')
            text_list_add(&oids, text_copy(targets->items[i].oid));
    OWNED char *joined = text_list_join(&oids, ",");
    return text_format("{%s}", joined);
}

bool rls_target_is_table(const struct rls_target *target)
{
    return strchr("rp", target->kind) != NULL;
}

char *rls_target_condition(const struct rls_target *target, const char *operator, const char * tenant)
{
    char *text = postgres_bind(sql_rls_condition, (const struct postgres_name[]){{"before", target->before},
                                                                                 {"operator", operator},
                                                                                 {"tenant", tenant},
                                                                                 {"after", target->after},
                                                                                 {NULL, NULL}});
    text[strcspn(text, "\n")] = '\0';
    return text;
}

void rls_targets_clear(struct rls_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        struct rls_target *target = &targets->items[i];
        free(target->oid);
        free(target->object);
        free(target->label);
        free(target->before);
        free(target->after);
        free(target->tenant);
        free(target->type);
        free(target->category);
    }
    free(targets->items);
    *targets = (struct rls_targets){0};
}
