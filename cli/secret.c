/* SPDX-License-Identifier: PostgreSQL */
#include "cli/secret.h"

#include "common/memory.h"
#include "common/text.h"
#include <ctype.h>

static bool is_secret_name(const char *name, size_t length)
{
    static const char *const names[] = {"password", "sslpassword"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return true;
    return false;
}

static bool overwrite(char *text, size_t length)
{
    memset(text, 'x', length);
    return length > 0;
}

/*
 * The password of "user:password@host/…", or NULL. libpq ends it at the first at sign and takes none for one
 * after a slash, so a password that should have been percent-encoded is longer than libpq thinks: it goes up
 * to the last at sign. "host:5432/a@b" has a port and no password.
 */
static char *authority_password(char *authority, size_t *ret_length)
{
    size_t whole = strcspn(authority, "?");
    char *at = memrchr(authority, '@', whole);
    char *colon = memchr(authority, ':', strcspn(authority, "@[/"));
    size_t digits;

    if (!at || !colon || colon > at)
        return NULL;
    digits = strspn(colon + 1, "0123456789");
    if (colon[1 + digits] == '/')
        return NULL;
    *ret_length = (size_t)(at - colon - 1);
    return colon + 1;
}

static bool overwrite_parameters(char *query)
{
    bool found = false;

    while (*query) {
        size_t length = strcspn(query, "&");
        char *equals = memchr(query, '=', length);

        if (equals && is_secret_name(query, (size_t)(equals - query)))
            found |= overwrite(equals + 1, (size_t)(query + length - equals - 1));
        query += length + (query[length] == '&');
    }
    return found;
}

static bool overwrite_uri(char *rest)
{
    size_t length = 0;
    char *password = authority_password(rest, &length);
    bool found = password && overwrite(password, length);
    char *query = strchr(rest, '?');

    return (query && overwrite_parameters(query + 1)) || found;
}

/* The end of a keyword's value: quoted by apostrophes or up to the next blank; a backslash takes one byte
 * along. */
static char *value_end(char *value)
{
    bool quoted = *value == '\'';

    for (char *at = value + quoted; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (quoted ? *at == '\'' : isspace((unsigned char)*at))
            return at;
    }
    return value + strlen(value);
}

static bool overwrite_keywords(char *at)
{
    bool found = false;

    for (;;) {
        char *name, *end, *value;

        at += strspn(at, " \t\r\n\f\v");
        name = at;
        at += strcspn(at, "= \t\r\n\f\v");
        end = at;
        at += strspn(at, " \t\r\n\f\v");
        if (*at != '=')
            return found;
        at++;
        at += strspn(at, " \t\r\n\f\v");
        value = at + (*at == '\'');
        at = value_end(at);
        if (is_secret_name(name, (size_t)(end - name)))
            found |= overwrite(value, (size_t)(at - value));
        at += *at == '\'';
    }
}

/* What stands behind the scheme, or NULL: not a URI. */
static char *uri_rest(char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts_with(conninfo, schemes[i]))
            return conninfo + strlen(schemes[i]);
    return NULL;
}

bool secret_overwrite(char *conninfo)
{
    char *rest = uri_rest(conninfo);

    return rest ? overwrite_uri(rest) : overwrite_keywords(conninfo);
}

bool secret_is_encoded(const char *conninfo)
{
    OWNED char *copy = text_copy(conninfo);
    char *rest = uri_rest(copy);
    size_t length = 0;
    char *password = rest ? authority_password(rest, &length) : NULL;

    for (size_t i = 0; password && i < length; i++) {
        bool percent = password[i] == '%';

        if (strchr("@/", password[i]) || (percent && !(isxdigit((unsigned char)password[i + 1]) &&
                                                       isxdigit((unsigned char)password[i + 2]))))
            return false;
    }
    return true;
}
