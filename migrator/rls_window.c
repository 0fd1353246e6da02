/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_window.h"

#include "migrator/rule.h"
#include "migrator/split.h"
#include "migrator/statement.h"
#include "migrator/token.h"

/* A statement that takes a protection away or gives it. */
struct event {
    char *what; /* "row security of orders": the same for both */
    bool opens;
    size_t transaction; /* statements of one transaction have the same */
    const char *file;
    size_t line, column;
};

struct events {
    struct event *items;
    size_t count;
    size_t transaction;
};

static void events_clear(struct events *events)
{
    for (size_t i = 0; i < events->count; i++)
        free(events->items[i].what);
    free(events->items);
}
CLEANUP_VALUE(struct events, events_clear)

/* The last part of a name, as the catalogs have it; NULL where there is none. Schemas are often left out in
 * one of two places. */
static char *read_name(struct tokens *tokens)
{
    struct token token;
    char *name = NULL;

    while (true) {
        struct tokens ahead = *tokens;
        if (!token_next(&ahead, &token) || (token.kind != TOKEN_WORD && token.kind != TOKEN_IDENTIFIER))
            return name;
        free(name);
        name = token_name(&token);
        *tokens = ahead;
        if (!token_next(&ahead, &token) || !token_is_symbol(&token, '.'))
            return name;
        *tokens = ahead;
    }
}

static void add(struct events *events, const struct event *place, bool opens, char *what)
{
    events->items = memory_grow(events->items, events->count, sizeof *events->items);
    events->items[events->count] = *place;
    events->items[events->count].opens = opens;
    events->items[events->count++].what = what;
}

static void read_table(struct events *events, const struct event *place, struct tokens *tokens)
{
    static const struct {
        const char *words, *what;
        bool opens;
    } actions[] = {{"DISABLE ROW LEVEL SECURITY", "row-level security", true},
                   {"ENABLE ROW LEVEL SECURITY", "row-level security", false},
                   {"NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", true},
                   {"FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", false}};
    struct token token;

    token_accept_all(tokens, "IF EXISTS");
    token_accept(tokens, "ONLY");
    OWNED char *table = read_name(tokens);
    while (table != NULL) {
        bool found = false;
        for (size_t i = 0; i < sizeof actions / sizeof *actions && !found; i++) {
            found = token_accept_all(tokens, actions[i].words);
            if (found)
                add(events, place, actions[i].opens, text_format("%s of %s", actions[i].what, table));
        }
        if (!found && !token_next(tokens, &token))
            return;
    }
}

static void read_policy(struct events *events, const struct event *place, bool opens, struct tokens *tokens)
{
    token_accept_all(tokens, "IF EXISTS");
    OWNED char *policy = read_name(tokens);
    OWNED char *table = token_accept(tokens, "ON") ? read_name(tokens) : NULL;

    if (policy != NULL && table != NULL)
        add(events, place, opens, text_format("policy %s on %s", policy, table));
}

static void read_statement(struct events *events, const struct event *place, const char *text, size_t length)
{
    struct tokens tokens = {.text = text, .length = length};

    if (token_accept_all(&tokens, "ALTER TABLE"))
        read_table(events, place, &tokens);
    else if (token_accept_all(&tokens, "DROP POLICY"))
        read_policy(events, place, true, &tokens);
    else if (token_accept_all(&tokens, "CREATE POLICY"))
        read_policy(events, place, false, &tokens);
}

/* What cannot be read is told by other rules. */
static void read_script(struct migration *migration, struct events *events)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(split_clear) struct split split = {0};
    struct source *source = &migration->forward;

    events->transaction++;
    if (source->path == NULL || !source_load(source, &ignored) ||
        !split_source(source, false, &split, &ignored)) {
        error_clear(&ignored);
        return;
    }
    bool bare = migration->directives.no_transaction, block = false;
    for (size_t i = 0; i < split.count; i++) {
        const struct piece *piece = &split.pieces[i];
        const char *what = NULL;
        enum statement_kind kind = statement_kind(source->text + piece->offset, piece->length, &what);
        if (bare && !block)
            events->transaction++;
        block = kind == STATEMENT_BEGIN || (block && kind != STATEMENT_COMMIT && kind != STATEMENT_ABORT);
        const struct event place = {.transaction = events->transaction,
                                    .file = source->path,
                                    .line = piece->line,
                                    .column = piece->column};
        if (piece->kind == PIECE_STATEMENT)
            read_statement(events, &place, source->text + piece->offset, piece->length);
    }
    source_unload(source);
}

/* The next event about the same thing. */
static const struct event *next_of(const struct events *events, size_t at)
{
    for (size_t i = at + 1; i < events->count; i++)
        if (text_equal(events->items[i].what, events->items[at].what))
            return &events->items[i];
    return NULL;
}

void rls_window_check(struct migration *const migrations[], size_t count, struct findings *findings)
{
    AUTO(events_clear) struct events events = {0};

    for (size_t i = 0; i < count; i++)
        read_script(migrations[i], &events);
    for (size_t i = 0; i < events.count; i++) {
        const struct event *event = &events.items[i], *next = next_of(&events, i);
        if (!event->opens || next == NULL || next->opens || next->transaction == event->transaction)
            continue;
        struct finding *finding =
            finding_add(findings, RULE_RLS_WINDOW, SEVERITY_WARNING, event->file,
                        "%s is missing until %s:%zu brings it back", event->what, next->file, next->line);
        finding_at(finding, event->line, event->column);
        finding_hint(finding, "Take it away and bring it back in one transaction.");
    }
}
