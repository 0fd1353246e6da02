/* SPDX-License-Identifier: PostgreSQL */
/*
 * What the words of a statement say about how it must be run. The words are enough for that, whatever the
 * server's version; what only the server can know (REINDEX of a partitioned table, say) is left to it.
 */
#ifndef MIGRATOR_STATEMENT_H
#define MIGRATOR_STATEMENT_H

#include "migrator/script.h"
#include "migrator/token.h"

/* For STATEMENT_OUTSIDE and STATEMENT_CONTROL, *ret_what is its name ("CREATE INDEX CONCURRENTLY"), a
 * constant. */
enum statement_kind statement_kind(const char *text, size_t length, const char **ret_what);

/* SET or RESET of standard_conforming_strings: whether it is on from then on; initial: as the session began.
 * Else false, *ret_on as it was. */
bool statement_sets_strings(const char *text, size_t length, bool initial, bool *ret_on);

/*
 * Whether it changes settings or the role for the rest of the session: SET, RESET, SELECT set_config(…); not
 * SET LOCAL and what holds for one transaction only.
 */
bool statement_sets_session(const char *text);

/* SET TRANSACTION, or SET of a setting of that name: before the transaction's first query only. */
bool statement_sets_transaction(const char *text);

/* SET, RESET or set_config of lock_timeout, or of all settings; *ret_own: to a value of the script's own. */
bool statement_sets_lock_timeout(const char *text, size_t length, bool *ret_own);

/* COPY … TO STDOUT. */
bool statement_copies_out(const char *text, size_t length);

/*
 * The modes of a BEGIN or START TRANSACTION as "BEGIN ISOLATION LEVEL SERIALIZABLE, DEFERRABLE". NULL when
 * there are words that are no transaction modes; *ret_read_only tells of READ ONLY.
 */
char *statement_begin(const char *text, size_t length, bool *ret_read_only);

/* For ALTER TYPE … ADD VALUE: the token of the new value, and the type's name as written. */
bool statement_enum_value(const char *text, size_t length, struct token *ret_type, struct token *ret_value);

/* For CREATE TYPE … AS ENUM: the type's name as written. */
bool statement_enum_type(const char *text, size_t length, struct token *ret_type);

/* For ALTER TABLE … DETACH PARTITION … CONCURRENTLY: the partition's name as written. The caller frees it;
 * NULL for any other statement. */
char *statement_detached(const char *text);

#endif
