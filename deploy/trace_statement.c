/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/trace_statement.h"

#include <string.h>

#define TEXT_LONGEST 120

static bool begins_with_one_of(const char *tag, const char *const words[])
{
    for (; *words != NULL; words++)
        if (text_starts_with(tag, *words))
            return true;
    return false;
}

static bool is_query(const char *tag)
{
    static const char *const tags[] = {"SELECT",  "INSERT", "UPDATE", "DELETE",  "MERGE", "COPY",
                                       "EXPLAIN", "FETCH",  "MOVE",   "DECLARE", NULL};
    return begins_with_one_of(tag, tags);
}

/* What changes neither rows nor catalogs by itself. */
static bool is_nothing(const char *tag)
{
    static const char *const tags[] = {"SELECT",  "EXPLAIN",    "FETCH",      "MOVE",     "DECLARE",
                                       "CLOSE",   "SET",        "RESET",      "SHOW",     "LOCK",
                                       "DISCARD", "NOTIFY",     "LISTEN",     "UNLISTEN", "PREPARE",
                                       "EXECUTE", "DEALLOCATE", "DO",         "CALL",     "SAVEPOINT",
                                       "RELEASE", "ROLLBACK",   "CHECKPOINT", "LOAD",     NULL};
    return *tag == '\0' || begins_with_one_of(tag, tags);
}

static bool is_dml(const char *tag)
{
    static const char *const tags[] = {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", NULL};
    return begins_with_one_of(tag, tags);
}

/* Other statements may be inside. */
static bool runs_others(const char *tag)
{
    static const char *const tags[] = {"SELECT", "DO", "CALL", "EXECUTE", NULL};
    return begins_with_one_of(tag, tags);
}

static void add_name(struct text_list *list, const char *name)
{
    if (!text_list_contains(list, name))
        text_list_add(list, text_copy(name));
}

static void add_lock(struct rehearsed_statement *statement, const struct trace_relation *relation,
                     enum lock_mode mode)
{
    statement->locks = memory_grow(statement->locks, statement->lock_count, sizeof *statement->locks);
    statement->locks[statement->lock_count++] = (struct held_lock){
        .relation = text_copy(relation->name),
        .mode = text_copy(lock_mode_name(mode)),
        .bytes = relation->bytes_before,
    };
}

/* A foreign key's check reads both tables, and only one lock of the two tells what it is. */
static bool has_checked(const struct trace_relations *relations, const struct trace_changes *changes,
                        const char *tag)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct trace_change *change = &changes->items[i];
        enum lock_mode mode = is_query(tag) ? change->mode : relations->items[change->at].mode;
        if (change->scanned && change->written == 0 && mode > LOCK_ROW_EXCLUSIVE)
            return true;
    }
    return false;
}

static bool has_locked(const struct trace_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        if (changes->items[i].mode > LOCK_ROW_EXCLUSIVE || changes->items[i].created ||
            changes->items[i].dropped)
            return true;
    return false;
}

static enum statement_class class_of(const struct rehearsed_statement *statement, bool checked, bool locked,
                                     const char *tag)
{
    if (statement->rewritten.count > 0)
        return CLASS_REWRITE;
    if (statement->built.count > 0)
        return CLASS_INDEX_BUILD;
    if (checked)
        return CLASS_SCAN;
    if (statement->written.count > 0 || is_dml(tag))
        return CLASS_DML;
    return !is_nothing(tag) || (locked && runs_others(tag)) ? CLASS_METADATA : CLASS_OTHER;
}

void trace_statement_fill(const struct trace_relations *relations, const struct trace_changes *changes,
                          const char *tag, struct rehearsed_statement *statement)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct trace_change *change = &changes->items[i];
        const struct trace_relation *relation = &relations->items[change->at];
        bool index = relation->kind == 'i' || relation->kind == 'I';
        if (change->mode != LOCK_NONE && relation->born == 0)
            add_lock(statement, relation, change->mode);
        if (change->rewritten)
            add_name(index ? &statement->built : &statement->rewritten, relation->name);
        if (change->scanned)
            add_name(&statement->scanned, relation->name);
        if (change->written > 0)
            add_name(&statement->written, relation->name);
    }
    statement->class = class_of(statement, has_checked(relations, changes, tag), has_locked(changes), tag);
}

char *trace_statement_text(const char *text, size_t length)
{
    char *line = memory_allocate(length + 1, 1);
    size_t size = 0, characters = 0;
    for (size_t i = 0; i < length && characters < TEXT_LONGEST; i++) {
        bool blank = strchr(" \t\r\n", text[i]) != NULL;
        if (blank && size > 0 && line[size - 1] == ' ')
            continue;
        line[size++] = blank ? ' ' : text[i];
        bool ends = i + 1 == length || ((unsigned char)text[i + 1] & 0xC0) != 0x80;
        characters += ends ? 1 : 0;
    }
    return line;
}
