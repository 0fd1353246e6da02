/* SPDX-License-Identifier: PostgreSQL */
#include "backup/selection.h"

void selection_clear(struct selection *selection)
{
    free(selection->chosen);
    free(selection->tables);
    text_list_clear(&selection->data_keys);
    text_list_clear(&selection->left_out);
    *selection = (struct selection){0};
}

static bool names_table(const char *wanted, const struct manifest_table *table)
{
    OWNED char *full = text_format("%s.%s", table->schema, table->name);

    return text_equal(wanted, full) || text_equal(wanted, table->name);
}

/* A partitioned table has no rows of its own, so that the manifest does not know it. */
static void add_partitioned(const struct toc *toc, const char *wanted, struct text_list *keys)
{
    const char *dot = strchr(wanted, '.');
    OWNED char *schema = dot ? text_copy_part(wanted, (size_t)(dot - wanted)) : text_copy("public");
    OWNED char *key = toc_key("TABLE", schema, dot ? dot + 1 : wanted);

    if (toc_find(toc, key))
        text_list_add(keys, take(key));
}

static bool find_tables(const struct manifest *manifest, const struct toc *toc, const char *wanted,
                        struct text_list *keys, struct error *error)
{
    size_t before = keys->count;

    for (size_t i = 0; i < manifest->table_count; i++)
        if (names_table(wanted, &manifest->tables[i]))
            text_list_add(keys, toc_key("TABLE", manifest->tables[i].schema, manifest->tables[i].name));
    if (keys->count == before)
        add_partitioned(toc, wanted, keys);
    if (keys->count > before)
        return true;
    error_set(error, ERROR_USAGE, "the backup has no table \"%s\"", wanted);
    return error_hint(error, "Names are written as they are, without quotes: \"table\" or \"schema.table\".");
}

/* The tables themselves and the partitions of partitioned ones; not what they need or inherit from. */
static void select_rows(const struct manifest *manifest, const struct toc *toc, const bool *wanted,
                        struct selection *selection)
{
    for (size_t i = 0; i < manifest->table_count; i++) {
        const struct manifest_table *table = &manifest->tables[i];
        OWNED char *key = toc_key("TABLE", table->schema, table->name);
        const struct toc_entry *entry = toc_find(toc, key);

        selection->tables[i] = entry && wanted[entry - toc->items];
        if (selection->tables[i] && table->source == TABLE_DUMP)
            text_list_add(&selection->data_keys, toc_key("TABLE DATA", table->schema, table->name));
    }
}

/* Their sequences' values. */
static void select_sequences(const struct toc *toc, struct selection *selection)
{
    static const char sequence[] = "SEQUENCE ";

    for (size_t i = 0; i < toc->count; i++) {
        const char *text = toc->items[i].text;
        const char *owner = strrchr(text, ' ');

        if (selection->chosen[i] && text_starts_with(text, sequence) &&
            !text_starts_with(text, "SEQUENCE OWNED BY "))
            text_list_add(&selection->data_keys,
                          text_format("SEQUENCE SET %.*s", (int)(owner - text - (long)strlen(sequence)),
                                      text + strlen(sequence)));
    }
}

bool selection_make(const struct manifest *manifest, const struct toc *toc, const struct text_list *names,
                    struct selection *ret, struct error *error)
{
    AUTO(text_list_clear) struct text_list keys = {0};
    OWNED bool *wanted = NULL;

    *ret = (struct selection){0};
    if (!names || !names->count)
        return true;
    for (size_t i = 0; i < names->count; i++)
        if (!find_tables(manifest, toc, names->items[i], &keys, error))
            return false;
    wanted = memory_allocate(toc->count, sizeof *wanted);
    ret->partial = true;
    ret->chosen = memory_allocate(toc->count, sizeof *ret->chosen);
    ret->tables = memory_allocate(manifest->table_count, sizeof *ret->tables);
    toc_choose_tables(toc, &keys, ret->chosen, wanted);
    toc_left_out(toc, ret->chosen, wanted, &ret->left_out);
    select_rows(manifest, toc, wanted, ret);
    select_sequences(toc, ret);
    return true;
}

/* All of them: which one has the operators neither the script says nor the table of contents. */
void selection_add_extensions(const struct manifest *manifest, const struct toc *toc, const char *script,
                              struct selection *selection)
{
    AUTO(text_list_clear) struct text_list keys = {0};
    OWNED bool *chosen = memory_allocate(toc->count, sizeof *chosen);
    OWNED bool *wanted = memory_allocate(toc->count, sizeof *wanted);

    if (!selection->partial || (!strstr(script, " EXCLUDE USING ") && !strstr(script, " WITHOUT OVERLAPS")))
        return;
    for (size_t i = 0; i < manifest->extension_count; i++)
        text_list_add(&keys, toc_key("EXTENSION", NULL, manifest->extensions[i].name));
    toc_choose_tables(toc, &keys, chosen, wanted);
    for (size_t i = 0; i < toc->count; i++)
        selection->chosen[i] = selection->chosen[i] || chosen[i];
}
