/* SPDX-License-Identifier: PostgreSQL */
/*
 * Names and values quoted for SQL, and names put into the statements of sql/.
 *
 * Everything is UTF-8 (the connection's encoding too), so doubling the quote character is all that quoting
 * takes; literals rely on standard_conforming_strings. Results are the caller's to free.
 */
#ifndef COMMON_QUOTE_H
#define COMMON_QUOTE_H

char *postgres_quote_name(const char *name); /* always with double quotes */
char *postgres_quote_literal(const char *value);

struct postgres_name {
    const char *placeholder;
    const char *value;
};
/*
 * The statement with psql's variables replaced: :"placeholder" by the value quoted as a name, :'placeholder'
 * by it as a literal, where a parameter is not possible, and :placeholder by the value as it is, which must
 * be SQL that was quoted already. As in psql, nothing is
 * replaced within literals, quoted names and comments. names ends with a NULL placeholder.
 */
char *postgres_bind(const char *sql, const struct postgres_name names[]);

#endif
