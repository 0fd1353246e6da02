/* SPDX-License-Identifier: PostgreSQL */
/* Passwords that came in on the command line, where every user of the machine can read them. */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stdbool.h>

/*
 * Overwrite the bytes of every password in a connection string (URI or keywords, read as libpq reads them)
 * with "x", in place. Returns whether there was one.
 */
bool secret_overwrite(char *conninfo);

/*
 * Whether the password of a URI, if it has one, is percent-encoded as libpq wants it. libpq takes parts of
 * one that is not for a host or a port, and repeats them in its messages.
 */
bool secret_is_encoded(const char *conninfo);

#endif
