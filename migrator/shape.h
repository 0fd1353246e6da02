/* SPDX-License-Identifier: PostgreSQL */
/*
 * What kind of table has the history table's name, judged by its columns alone. Nothing here touches a
 * database.
 */
#ifndef MIGRATOR_SHAPE_H
#define MIGRATOR_SHAPE_H

#include "migrator/history.h"

enum column_type { COLUMN_TEXT, COLUMN_INTEGER, COLUMN_BOOL, COLUMN_TIME, COLUMN_TEXTS, COLUMN_OTHER };

struct table_column {
    char *name;
    char *type_name; /* as the server writes it: "character varying" */
    enum column_type type;
    bool limited;     /* the type has a length, as in varchar(50), or pads, as char does */
    bool not_null;    /* or part of the primary key */
    bool has_default; /* or an identity */
    bool fixed;       /* the server alone gives it its values: GENERATED ALWAYS */
    bool unique;      /* has a unique index of its own, fit for ON CONFLICT */
    bool deferrable;  /* or one that is not, because it is deferrable */
    char *dependent;  /* what keeps its type from being changed: "rule _RETURN on view v"; or NULL */
    char *check;      /* a CHECK constraint on it, or NULL */
};

/* A table as the catalogs describe it. */
struct table_look {
    char *role;  /* whom the server takes us for */
    char *oid;   /* NULL: there is none */
    char kind;   /* pg_class.relkind */
    bool hidden; /* row-level security hides rows from this role */
    char *rule;  /* one of its rules, or NULL */
    bool has_primary_key;
    bool has_log;
    bool foreign_log; /* what has the log's name is something else */
    bool has_schema;
    bool beside_rails; /* ar_internal_metadata stands in the same schema */
    struct history_rights may;
    struct table_column *columns;
    size_t count;
};
void table_look_clear(struct table_look *look);
CLEANUP_VALUE(struct table_look, table_look_clear)

enum column_type column_type(const char *type_name);
const struct table_column *table_column(const struct table_look *look, const char *name);

/* One of our own columns; the table of them ends with a NULL name. */
struct own_column {
    const char *name;
    enum column_type type;
    bool may_be_required; /* always given a value, so NOT NULL does no harm */
};
extern const struct own_column own_columns[];

struct table_verdict {
    enum history_shape shape;
    const char *tool;        /* for HISTORY_FOREIGN; a constant */
    char *reason;            /* for HISTORY_ADOPTABLE and HISTORY_UNUSABLE: one sentence */
    const char *time_column; /* for HISTORY_ADOPTABLE, and where one that is not can be read; of the look */
};
void table_verdict_clear(struct table_verdict *verdict);
CLEANUP_VALUE(struct table_verdict, table_verdict_clear)
struct table_verdict table_judge(const struct table_look *look);

/*
 * The tool whose history table has exactly these columns (in any schema when schema is NULL), or NULL.
 * columns are in alphabetical order, separated by blanks; version_type is that of column version, or NULL.
 */
struct tool_table {
    const char *schema, *table; /* NULL: the history table itself, wherever it is */
    const char *columns;
    const char *version_type;
    bool beside_rails;
};
const char *tool_of_table(const struct tool_table *table);

/* The names such tables have, as an array for the server: "{flyway_schema_history,…}". */
char *tool_table_names(void);

#endif
