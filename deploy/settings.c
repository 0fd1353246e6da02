/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/settings.h"

#include "sql.h"
#include <stdio.h>

char *settings_option(const char *name, const char *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    fprintf(stream, "-c %s=", name);
    for (const char *c = value; *c; c++) {
        if (*c == ' ' || *c == '\\' || *c == '\t' || *c == '\n')
            fputc('\\', stream);
        fputc(*c, stream);
    }
    fclose(stream);
    return text;
}

static const char *value_of(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows_count(rows); i++)
        if (text_equal(rows_text(rows, i, "name"), name))
            return rows_text(rows, i, "value");
    return NULL;
}

/* A copy has the server's own values by itself; the model's others have to be brought. */
bool settings_read(struct postgres *model, struct postgres *stage, char **ret_options,
                   struct text_list *ret_differing, struct error *error)
{
    AUTO(rows_free) struct rows *wanted = NULL;
    AUTO(rows_free) struct rows *present = NULL;
    AUTO(text_list_clear) struct text_list options = {0};

    if ((model && !postgres_query(model, sql_rehearsal_settings, 0, NULL, &wanted, error)) ||
        (stage && !postgres_query(stage, sql_rehearsal_settings, 0, NULL, &present, error)))
        return false;
    const struct rows *source = wanted ? wanted : present;
    for (size_t i = 0; source && i < rows_count(source); i++) {
        const char *name = rows_text(source, i, "name"), *value = rows_text(source, i, "value");
        const char *here = present ? value_of(present, name) : NULL;
        bool differs = wanted && !text_equal(here, value);

        if (differs || rows_bool(source, i, "set"))
            text_list_add(&options, settings_option(name, value));
        if (differs && present)
            text_list_add(ret_differing, text_format("%s is %s here and %s at the target", name,
                                                     here ? here : "not set", value));
    }
    *ret_options = text_list_join(&options, " ");
    return true;
}
