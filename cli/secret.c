/* SPDX-License-Identifier: PostgreSQL */
#include "cli/secret.h"

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

/* user:password@ between the scheme and the first slash; the password ends at the first at sign, as in libpq.
 */
static bool overwrite_authority(char *authority)
{
    size_t end = strcspn(authority, "@/");
    char *colon;

    if (authority[end] != '@')
        return false;
    colon = memchr(authority, ':', end);
    return colon && overwrite(colon + 1, (size_t)(authority + end - colon - 1));
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
    bool found = overwrite_authority(rest);
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

bool secret_overwrite(char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts_with(conninfo, schemes[i]))
            return overwrite_uri(conninfo + strlen(schemes[i]));
    return overwrite_keywords(conninfo);
}
