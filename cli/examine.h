/* SPDX-License-Identifier: PostgreSQL */
/* What doctor finds out about a database: one diagnosis per question. Nothing is changed. */
#ifndef CLI_EXAMINE_H
#define CLI_EXAMINE_H

#include "cli/command.h"
#include "common/finding.h"
#include "migrator/history.h"

struct diagnosis {
    const char *check; /* "permissions" */
    enum severity severity;
    bool good; /* severity does not matter */
    char *message;
    char *detail, *hint; /* or NULL */
};
struct diagnoses {
    struct diagnosis *items;
    size_t count;
};

/* Add what was found; the format is the message. */
void diagnosis_good(struct diagnoses *diagnoses, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct diagnosis *diagnosis_bad(struct diagnoses *diagnoses, const char *check, enum severity severity,
                                const char *format, ...) __attribute__((format(printf, 4, 5)));
void diagnosis_hint(struct diagnosis *diagnosis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* An error of ours as a diagnosis; takes the error's texts. */
void diagnosis_error(struct diagnoses *diagnoses, const char *check, struct error *error);
void diagnoses_clear(struct diagnoses *diagnoses);
CLEANUP_VALUE(struct diagnoses, diagnoses_clear)

/* Server, encoding, settings, old transactions, invalid indexes, history and permissions, run lock. */
void examine_database(const struct invocation *invocation, struct postgres *postgres,
                      const struct folder *folder, struct diagnoses *diagnoses);

#endif
