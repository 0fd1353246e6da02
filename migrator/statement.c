/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/statement.h"
#include "common/text.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* COPY [BINARY] table [(columns)] FROM|TO STDIN|STDOUT: the server takes both words for both directions. */
static bool copies(struct tokens rest, const char *direction)
{
    struct token token;
    size_t depth = 0;

    while (token_next(&rest, &token)) {
        if (token_is_symbol(&token, '('))
            depth++;
        else if (token_is_symbol(&token, ')') && depth > 0)
            depth--;
        else if (depth == 0 && (token_is(&token, "FROM") || token_is(&token, "TO")))
            return token_is(&token, direction) &&
                   (token_accept(&rest, "STDIN") || token_accept(&rest, "STDOUT"));
    }
    return false;
}

static bool copies_in(struct tokens rest)
{
    return copies(rest, "FROM");
}

static void accept_work(struct tokens *tokens)
{
    if (!token_accept(tokens, "WORK"))
        (void)token_accept(tokens, "TRANSACTION");
}

static bool chains(struct tokens rest)
{
    accept_work(&rest);
    return token_accept_all(&rest, "AND CHAIN");
}

static bool to_savepoint(struct tokens rest)
{
    accept_work(&rest);
    return token_accept(&rest, "TO");
}

static bool contains(struct tokens rest, const char *words)
{
    struct token token;

    do {
        if (token_accept_all(&rest, words))
            return true;
    } while (token_next(&rest, &token));
    return false;
}

static bool sets_tablespace(struct tokens rest)
{
    return contains(rest, "SET TABLESPACE");
}

static bool detaches_concurrently(struct tokens rest)
{
    struct token token;

    while (token_next(&rest, &token))
        if (token_is(&token, "DETACH") && token_accept(&rest, "PARTITION"))
            return contains(rest, "CONCURRENTLY");
    return false;
}

/* As the server reads a boolean setting, quoted or not; everything else is on. */
static bool is_off(const struct token *value)
{
    static const char *const words[] = {"off", "false", "no", "0", NULL};
    OWNED char *name = value->kind == TOKEN_STRING && value->length > 2
                           ? text_copy_part(value->text + 1, value->length - 2)
                           : text_copy_part(value->text, value->length);

    for (const char *const *word = words; *word; word++)
        if (strcasecmp(name, *word) == 0)
            return true;
    return false;
}

/* Whether a boolean option of "(name = value, …)" is there and off. */
static bool option_is(struct tokens rest, const char *name, bool value)
{
    struct token token, next;

    while (token_next(&rest, &token)) {
        if (!token_is(&token, name))
            continue;
        if (!token_next(&rest, &next))
            return false;
        if (token_is_symbol(&next, '=') && !token_next(&rest, &next))
            return false;
        return is_off(&next) != value;
    }
    return false;
}

static bool creates_slot(struct tokens rest)
{
    struct token token;

    while (token_next(&rest, &token))
        if (token_is(&token, "WITH"))
            return !option_is(rest, "create_slot", false) && !option_is(rest, "connect", false);
    return true;
}

/* REFRESH PUBLICATION, and the changes of its publications or slot that go to the publisher. */
static bool refreshes(struct tokens rest)
{
    struct token name;

    if (!token_next(&rest, &name))
        return false;
    if (token_accept(&rest, "REFRESH"))
        return true;

    struct tokens options = rest;
    if (token_accept_all(&rest, "SET PUBLICATION") || token_accept_all(&rest, "ADD PUBLICATION") ||
        token_accept_all(&rest, "DROP PUBLICATION"))
        return !option_is(rest, "refresh", false);
    return token_accept(&options, "SET") && (contains(options, "failover") || contains(options, "two_phase"));
}

static void skip_parentheses(struct tokens *tokens)
{
    struct tokens ahead = *tokens;
    struct token token;

    if (!token_next(&ahead, &token) || !token_is_symbol(&token, '('))
        return;
    while (token_next(&ahead, &token) && !token_is_symbol(&token, ')'))
        ;
    *tokens = ahead;
}

static bool has_no_table(struct tokens rest)
{
    struct token token;

    (void)token_accept(&rest, "VERBOSE");
    skip_parentheses(&rest);
    return !token_next(&rest, &token);
}

static bool reindexes_concurrently(struct tokens rest)
{
    struct tokens options = rest;
    struct token token;

    skip_parentheses(&rest);
    options.length = rest.offset;
    if (option_is(options, "CONCURRENTLY", true))
        return true;
    return token_next(&rest, &token) && token_accept(&rest, "CONCURRENTLY");
}

static bool reindexes_many(struct tokens rest)
{
    skip_parentheses(&rest);
    return token_accept(&rest, "DATABASE") || token_accept(&rest, "SYSTEM") || token_accept(&rest, "SCHEMA");
}

/* The first rule whose words begin the statement, and whose condition holds for the rest of it, decides. */
static const struct rule {
    const char *words;
    enum statement_kind kind;
    const char *what;
    bool (*applies)(struct tokens rest);
} rules[] = {
    {"BEGIN", STATEMENT_BEGIN, NULL, NULL},
    {"START TRANSACTION", STATEMENT_BEGIN, NULL, NULL},
    {"COMMIT PREPARED", STATEMENT_CONTROL, "COMMIT PREPARED", NULL},
    {"COMMIT", STATEMENT_CONTROL, "COMMIT AND CHAIN", chains},
    {"COMMIT", STATEMENT_COMMIT, NULL, NULL},
    {"END", STATEMENT_CONTROL, "END AND CHAIN", chains},
    {"END", STATEMENT_COMMIT, NULL, NULL},
    {"ROLLBACK PREPARED", STATEMENT_CONTROL, "ROLLBACK PREPARED", NULL},
    {"ROLLBACK", STATEMENT_PLAIN, NULL, to_savepoint},
    {"ROLLBACK", STATEMENT_CONTROL, "ROLLBACK AND CHAIN", chains},
    {"ROLLBACK", STATEMENT_ABORT, NULL, NULL},
    {"ABORT", STATEMENT_CONTROL, "ABORT AND CHAIN", chains},
    {"ABORT", STATEMENT_ABORT, NULL, NULL},
    {"PREPARE TRANSACTION", STATEMENT_CONTROL, "PREPARE TRANSACTION", NULL},
    {"COPY", STATEMENT_COPY_IN, NULL, copies_in},
    {"CALL", STATEMENT_MAY_COMMIT, NULL, NULL},
    {"DO", STATEMENT_MAY_COMMIT, NULL, NULL},
    {"CREATE INDEX CONCURRENTLY", STATEMENT_OUTSIDE, "CREATE INDEX CONCURRENTLY", NULL},
    {"CREATE UNIQUE INDEX CONCURRENTLY", STATEMENT_OUTSIDE, "CREATE INDEX CONCURRENTLY", NULL},
    {"DROP INDEX CONCURRENTLY", STATEMENT_OUTSIDE, "DROP INDEX CONCURRENTLY", NULL},
    {"REINDEX", STATEMENT_OUTSIDE, "REINDEX CONCURRENTLY", reindexes_concurrently},
    {"REINDEX", STATEMENT_OUTSIDE, "REINDEX of a schema or database", reindexes_many},
    {"VACUUM", STATEMENT_OUTSIDE, "VACUUM", NULL},
    {"CLUSTER", STATEMENT_OUTSIDE, "CLUSTER without a table", has_no_table},
    {"ALTER TABLE", STATEMENT_OUTSIDE, "ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY",
     detaches_concurrently},
    {"ALTER SYSTEM", STATEMENT_OUTSIDE, "ALTER SYSTEM", NULL},
    {"ALTER DATABASE", STATEMENT_OUTSIDE, "ALTER DATABASE ... SET TABLESPACE", sets_tablespace},
    {"CREATE DATABASE", STATEMENT_OUTSIDE, "CREATE DATABASE", NULL},
    {"DROP DATABASE", STATEMENT_OUTSIDE, "DROP DATABASE", NULL},
    {"CREATE TABLESPACE", STATEMENT_OUTSIDE, "CREATE TABLESPACE", NULL},
    {"DROP TABLESPACE", STATEMENT_OUTSIDE, "DROP TABLESPACE", NULL},
    {"CREATE SUBSCRIPTION", STATEMENT_OUTSIDE, "CREATE SUBSCRIPTION that creates its slot", creates_slot},
    {"ALTER SUBSCRIPTION", STATEMENT_OUTSIDE, "ALTER SUBSCRIPTION that refreshes", refreshes},
    {"DROP SUBSCRIPTION", STATEMENT_OUTSIDE, "DROP SUBSCRIPTION", NULL},
    {"DISCARD ALL", STATEMENT_CONTROL, "DISCARD ALL", NULL},
};

enum statement_kind statement_kind(const char *text, size_t length, const char **ret_what)
{
    struct tokens begin = {.text = text, .length = length};
    struct tokens ahead = begin;
    struct token first;

    (void)token_next(&ahead, &first);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct tokens rest = begin;

        if (first.length == 0 || (first.text[0] & ~' ') != rules[i].words[0])
            continue;
        if (!token_accept_all(&rest, rules[i].words) || (rules[i].applies && !rules[i].applies(rest)))
            continue;
        *ret_what = rules[i].what;
        return rules[i].kind;
    }
    *ret_what = NULL;
    return STATEMENT_PLAIN;
}

bool statement_sets_strings(const char *text, size_t length, bool initial, bool *ret_on)
{
    struct tokens tokens = {.text = text, .length = length};
    struct token value;

    if (token_accept(&tokens, "RESET")) {
        if (!token_accept(&tokens, "ALL") && !token_accept(&tokens, "standard_conforming_strings"))
            return false;
        *ret_on = initial;
        return true;
    }
    if (!token_accept(&tokens, "SET"))
        return false;
    if (!token_accept(&tokens, "SESSION"))
        (void)token_accept(&tokens, "LOCAL");
    if (!token_accept(&tokens, "standard_conforming_strings"))
        return false;
    if (!token_accept(&tokens, "TO"))
        (void)token_next(&tokens, &value); /* the equals sign */
    bool reset = token_accept(&tokens, "DEFAULT") || !token_next(&tokens, &value);
    *ret_on = reset ? initial : !is_off(&value);
    return true;
}

static bool accept_set_config(struct tokens *tokens)
{
    struct token dot;

    if (!token_accept(tokens, "SELECT"))
        return false;
    if (token_accept(tokens, "pg_catalog"))
        (void)token_next(tokens, &dot);
    return token_accept(tokens, "set_config");
}

bool statement_sets_lock_timeout(const char *text, size_t length, bool *ret_own)
{
    static const char name[] = "'lock_timeout'";
    struct tokens tokens = {.text = text, .length = length};
    struct token token;

    *ret_own = false;
    if (token_accept(&tokens, "RESET"))
        return token_accept(&tokens, "ALL") || token_accept(&tokens, "lock_timeout");
    if (token_accept(&tokens, "SET")) {
        if (!token_accept(&tokens, "SESSION"))
            (void)token_accept(&tokens, "LOCAL");
        *ret_own = token_accept(&tokens, "lock_timeout");
    } else if (accept_set_config(&tokens)) {
        *ret_own = token_next(&tokens, &token) /* the parenthesis */ && token_next(&tokens, &token) &&
                   token.length == strlen(name) && strncasecmp(token.text, name, token.length) == 0;
    }
    return *ret_own;
}

bool statement_sets_session(const char *text)
{
    struct tokens tokens = {.text = text, .length = strlen(text)};

    if (token_accept(&tokens, "RESET"))
        return true;
    if (token_accept(&tokens, "SET"))
        return !token_accept(&tokens, "LOCAL") && !token_accept(&tokens, "TRANSACTION") &&
               !token_accept(&tokens, "CONSTRAINTS");
    return accept_set_config(&tokens);
}

bool statement_sets_transaction(const char *text)
{
    struct tokens tokens = {.text = text, .length = strlen(text)};
    struct token name;

    if (!token_accept(&tokens, "SET"))
        return false;
    if (!token_accept(&tokens, "LOCAL"))
        token_accept(&tokens, "SESSION");
    return token_next(&tokens, &name) &&
           (token_is(&name, "TRANSACTION") || token_is(&name, "transaction_isolation") ||
            token_is(&name, "transaction_read_only") || token_is(&name, "transaction_deferrable"));
}

bool statement_copies_out(const char *text, size_t length)
{
    struct tokens tokens = {.text = text, .length = length};

    return token_accept(&tokens, "COPY") && copies(tokens, "TO");
}

/* The transaction modes, longest first where one begins another. */
static const char *const modes[] = {
    "ISOLATION LEVEL SERIALIZABLE",
    "ISOLATION LEVEL REPEATABLE READ",
    "ISOLATION LEVEL READ COMMITTED",
    "ISOLATION LEVEL READ UNCOMMITTED",
    "READ WRITE",
    "READ ONLY",
    "NOT DEFERRABLE",
    "DEFERRABLE",
    NULL,
};

char *statement_begin(const char *text, size_t length, bool *ret_read_only)
{
    struct tokens tokens = {.text = text, .length = length};
    struct token token;
    AUTO(text_list_clear) struct text_list found = {0};
    bool read_only = false;

    if (!token_accept_all(&tokens, "START TRANSACTION")) {
        (void)token_accept(&tokens, "BEGIN");
        accept_work(&tokens);
    }
    for (;;) {
        const char *const *mode = modes;
        struct tokens ahead = tokens;

        if (token_next(&ahead, &token) && token_is_symbol(&token, ','))
            tokens = ahead;
        if (token.kind == TOKEN_END)
            break;
        while (*mode && !token_accept_all(&tokens, *mode))
            mode++;
        if (!*mode)
            return NULL;
        read_only = read_only || strcmp(*mode, "READ ONLY") == 0;
        text_list_add(&found, text_copy(*mode));
    }
    *ret_read_only = read_only;

    OWNED char *list = text_list_join(&found, ", ");
    return text_format("BEGIN%s%s", found.count ? " " : "", list);
}

/* The last part of a possibly qualified name. */
static bool read_name(struct tokens *tokens, struct token *ret)
{
    struct token dot;

    if (!token_next(tokens, ret))
        return false;
    for (;;) {
        struct tokens ahead = *tokens;

        if (!token_next(&ahead, &dot) || !token_is_symbol(&dot, '.') || !token_next(&ahead, ret))
            return true;
        *tokens = ahead;
    }
}

bool statement_enum_value(const char *text, size_t length, struct token *ret_type, struct token *ret_value)
{
    struct tokens tokens = {.text = text, .length = length};
    struct token type, value;

    if (!token_accept_all(&tokens, "ALTER TYPE") || !read_name(&tokens, &type) ||
        !token_accept_all(&tokens, "ADD VALUE"))
        return false;
    (void)token_accept_all(&tokens, "IF NOT EXISTS");
    if (!token_next(&tokens, &value) || value.kind != TOKEN_STRING)
        return false;
    *ret_type = type;
    *ret_value = value;
    return true;
}

bool statement_enum_type(const char *text, size_t length, struct token *ret_type)
{
    struct tokens tokens = {.text = text, .length = length};
    struct token type;

    if (!token_accept_all(&tokens, "CREATE TYPE") || !read_name(&tokens, &type) ||
        !token_accept_all(&tokens, "AS ENUM"))
        return false;
    *ret_type = type;
    return true;
}

char *statement_detached(const char *text)
{
    struct tokens tokens = {.text = text, .length = strlen(text)};
    struct token token;

    if (!token_accept_all(&tokens, "ALTER TABLE"))
        return NULL;
    while (token_next(&tokens, &token)) {
        if (!token_is(&token, "DETACH") || !token_accept(&tokens, "PARTITION"))
            continue;
        token_skip_blank(&tokens);
        const char *name = text + tokens.offset;
        if (!read_name(&tokens, &token) || !contains(tokens, "CONCURRENTLY"))
            return NULL;
        return text_copy_part(name, (size_t)(token.text + token.length - name));
    }
    return NULL;
}
