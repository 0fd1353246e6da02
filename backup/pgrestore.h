/* SPDX-License-Identifier: PostgreSQL */
/*
 * Running pg_restore: which version, with which arguments, and what a version that is newer than the server
 * needs.
 *
 * pg_restore must know the archive's format, which grows with pg_dump's versions, and one of 17 or later
 * sends "SET transaction_timeout = 0" to any server, which those before 17 refuse. Such a one writes a script
 * instead, which goes without that line to its psql: in one stream, not in parallel.
 */
#ifndef BACKUP_PGRESTORE_H
#define BACKUP_PGRESTORE_H

#include "backup/toc.h"
#include "common/postgres.h"
#include "common/process.h"

struct pgrestore {
    char *folder;  /* of the programs */
    char *version; /* "15.20" */
    int major;
    bool through_psql;
};
void pgrestore_clear(struct pgrestore *restore);
CLEANUP_VALUE(struct pgrestore, pgrestore_clear)

/* For an archive of pg_dump of that major version, into a server of that one. ERROR_FAILED says what to
 * install. */
MUST_CHECK bool pgrestore_choose(int dump_major, int server_major, struct pgrestore *ret,
                                 struct error *error);

/* What an archive in a file holds; its beginning is enough. */
MUST_CHECK bool pgrestore_list(const struct pgrestore *restore, const char *path, struct toc *ret,
                               struct error *error);

struct pgrestore_job {
    const struct postgres *server; /* any connection to the server */
    const char *database;
    const char *archive;  /* a file; NULL: what is written to the process */
    const char *section;  /* "pre-data", "data", "post-data", or NULL for all */
    const char *list;     /* text for --use-list, or NULL for everything */
    const char *folder;   /* temporary, where a file for the list may be made */
    const char *settings; /* more for PGOPTIONS, or NULL */
    int jobs;
    bool no_owner, no_privileges, no_subscriptions, no_tablespaces;
};

/* Run it; an error at any object ends it (--exit-on-error). */
MUST_CHECK bool pgrestore_run(const struct pgrestore *restore, const struct pgrestore_job *job,
                              const atomic_bool *stop, struct error *error);
/* Begin one that reads what is written to it. Not where through_psql is set. */
MUST_CHECK bool pgrestore_start(const struct pgrestore *restore, const struct pgrestore_job *job,
                                struct process **ret, struct error *error);
/* The same for a listing of what is written to it: toc_read reads its output. */
MUST_CHECK bool pgrestore_start_list(const struct pgrestore *restore, struct process **ret,
                                     struct error *error);
/* Whether a function failed because search_path is empty, as pg_restore sets it and our streams do; the
 * detail says so then. Where the server speaks English. */
bool pgrestore_wants_search_path(struct error *error);
/* The script of an archive's schema, without what differs from one run to the next. */
MUST_CHECK bool pgrestore_script(const struct pgrestore *restore, const struct pgrestore_job *job,
                                 char **ret_text, struct error *error);

/* For tests: take the setting out of the head of a script that comes in pieces. */
struct script_filter {
    bool begun; /* past the head: everything goes through */
    char *line; /* the beginning of a line whose end has not come */
    size_t length;
};
typedef bool script_sink(void *context, const char *data, size_t size, struct error *error);
MUST_CHECK bool script_filter_add(struct script_filter *filter, const char *data, size_t size,
                                  script_sink *sink, void *context, struct error *error);
MUST_CHECK bool script_filter_end(struct script_filter *filter, script_sink *sink, void *context,
                                  struct error *error);

#endif
