/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/rls_expression.h"

#include "common/text.h"
#include "migrator/parse.h"
#include <jansson.h>
#include <string.h>
#include <strings.h>

/* ---- trees ---- */

/* The fields of a node of this kind, or NULL. */
static json_t *as(json_t *node, const char *kind)
{
    return json_object_get(node, kind);
}

static const char *word(json_t *fields, const char *name)
{
    const char *value = json_string_value(json_object_get(fields, name));

    return value == NULL ? "" : value;
}

static const char *operator_of(json_t *expression)
{
    json_t *first = json_array_get(json_object_get(expression, "name"), 0);

    return word(as(first, "String"), "sval");
}

static void forget_places(json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_del(node, "location");
    json_object_foreach(node, key, value) forget_places(value);
    json_array_foreach(node, i, value) forget_places(value);
}

/* Whether a node of this kind is somewhere in the tree; one that likes it, where likes is given. */
static bool contains(json_t *node, const char *kind, bool (*likes)(json_t *fields))
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach(node, key, value) if ((strcmp(key, kind) == 0 && (likes == NULL || likes(value))) ||
                                              contains(value, kind, likes)) return true;
    json_array_foreach(node, i, value) if (contains(value, kind, likes)) return true;
    return false;
}

/* The expression's node; the tree is the caller's to release. */
static json_t *parse(const char *expression, json_t **ret_tree)
{
    OWNED char *statement = text_format("SELECT %s", expression);
    OWNED char *text = parse_tree(statement);
    json_t *targets = NULL, *node = NULL;

    *ret_tree = text == NULL ? NULL : json_loads(text, 0, NULL);
    if (*ret_tree == NULL || json_unpack(*ret_tree, "{s:[{s:{s:{s:o}}}]}", "stmts", "stmt", "SelectStmt",
                                         "targetList", &targets) != 0)
        return NULL;
    forget_places(*ret_tree);
    node = json_array_get(targets, 0);
    return json_object_get(as(node, "ResTarget"), "val");
}

/* What stands in (SELECT …) without a table, which is written to have it computed once; else the node. */
static json_t *unwrapped(json_t *node)
{
    json_t *targets = NULL, *from = NULL;

    while (as(node, "SubLink") != NULL &&
           json_unpack(as(node, "SubLink"), "{s:{s:{s:o, s?o}}}", "subselect", "SelectStmt", "targetList",
                       &targets, "fromClause", &from) == 0 &&
           from == NULL)
        node = json_object_get(as(json_array_get(targets, 0), "ResTarget"), "val");
    return node;
}

/* ---- true for every row ---- */

static bool is_true(json_t *node);

static bool constant_is_true(json_t *fields)
{
    static const char *const words[] = {"t", "true", "y", "yes", "on", "1"};
    const char *text = word(json_object_get(fields, "sval"), "sval");

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return json_is_true(json_object_get(json_object_get(fields, "boolval"), "boolval"));
}

static bool boolean_is_true(json_t *fields)
{
    const char *operator= word(fields, "boolop");
    json_t *arguments = json_object_get(fields, "args"), *argument;
    size_t i, count = 0;

    json_array_foreach(arguments, i, argument) count += is_true(argument);
    return strcmp(operator, "OR_EXPR") == 0    ? count > 0
           : strcmp(operator, "AND_EXPR") == 0 ? count == json_array_size(arguments)
                                               : false;
}

/* One side compared with itself; a function need not answer the same twice. */
static bool comparison_is_true(json_t *fields)
{
    json_t *left = json_object_get(fields, "lexpr"), *right = json_object_get(fields, "rexpr");
    const char *kind = word(fields, "kind"), *operator= operator_of(fields);
    bool same = json_equal(left, right) && !contains(left, "FuncCall", NULL);

    if (strcmp(kind, "AEXPR_NOT_DISTINCT") == 0)
        return same;
    if (strcmp(kind, "AEXPR_OP") != 0)
        return false;
    if (strcmp(operator, "<>") == 0)
        return as(left, "A_Const") && as(right, "A_Const") && !same;
    return same && (strcmp(operator, "=") == 0 || strcmp(operator, "<=") == 0 || strcmp(operator, ">=") == 0);
}

static bool is_true(json_t *node)
{
    node = unwrapped(node);
    if (as(node, "A_Const") != NULL)
        return constant_is_true(as(node, "A_Const"));
    if (as(node, "TypeCast") != NULL)
        return is_true(json_object_get(as(node, "TypeCast"), "arg"));
    if (as(node, "BoolExpr") != NULL)
        return boolean_is_true(as(node, "BoolExpr"));
    return as(node, "A_Expr") != NULL && comparison_is_true(as(node, "A_Expr"));
}

bool rls_expression_always_true(const char *expression)
{
    json_t *tree = NULL;
    bool found = is_true(parse(expression, &tree));

    json_decref(tree);
    return found;
}

/* ---- true where there is no tenant ---- */

/* What tells about the session: a setting, or a function of the application's own. The server writes the
 * schema of every function that is not its own. */
static bool asks_session(json_t *fields)
{
    json_t *names = json_object_get(fields, "funcname");
    json_t *last = json_array_get(names, json_array_size(names) - 1);

    return json_array_size(names) > 1 || strcmp(word(as(last, "String"), "sval"), "current_setting") == 0;
}

static bool is_session(json_t *node)
{
    return contains(node, "FuncCall", asks_session) && !contains(node, "ColumnRef", NULL);
}

static bool is_empty_text(json_t *node)
{
    json_t *constant = as(node, "TypeCast") != NULL ? json_object_get(as(node, "TypeCast"), "arg") : node;
    json_t *text = json_object_get(as(constant, "A_Const"), "sval");

    return text != NULL && *word(text, "sval") == '\0';
}

/* As the length of a setting may be. */
static bool is_zero(json_t *node)
{
    json_t *number = json_object_get(as(node, "A_Const"), "ival");

    return number != NULL && json_integer_value(json_object_get(number, "ival")) == 0;
}

static bool is_no_tenant(json_t *node)
{
    json_t *test = as(node, "NullTest"), *compared = as(node, "A_Expr");

    if (test != NULL)
        return strcmp(word(test, "nulltesttype"), "IS_NULL") == 0 && is_session(json_object_get(test, "arg"));
    return compared != NULL && strcmp(operator_of(compared), "=") == 0 &&
           is_session(json_object_get(compared, "lexpr")) &&
           (is_empty_text(json_object_get(compared, "rexpr")) || is_zero(json_object_get(compared, "rexpr")));
}

/* column = COALESCE(session, column) */
static bool falls_back(json_t *side, json_t *other)
{
    json_t *arguments = json_object_get(as(side, "CoalesceExpr"), "args"), *argument;
    size_t i;

    json_array_foreach(arguments, i, argument) if (i > 0 && is_session(json_array_get(arguments, 0)) &&
                                                   json_equal(argument, other)) return true;
    return false;
}

static bool is_distinct(json_t *node, const char *kind)
{
    json_t *compared = as(node, "A_Expr");
    json_t *left = json_object_get(compared, "lexpr"), *right = json_object_get(compared, "rexpr");

    return strcmp(word(compared, "kind"), kind) == 0 && (is_session(left) || is_session(right));
}

static bool is_compared_with_session(json_t *node)
{
    json_t *compared = as(node, "A_Expr");

    return compared != NULL &&
           (is_session(json_object_get(compared, "lexpr")) || is_session(json_object_get(compared, "rexpr")));
}

static bool opens(json_t *node, bool nullable);

static bool boolean_opens(json_t *fields, bool nullable)
{
    const char *operator= word(fields, "boolop");
    json_t *arguments = json_object_get(fields, "args"), *argument;
    size_t i, open = 0, asking = 0;

    json_array_foreach(arguments, i, argument) if (opens(argument, nullable)) open++;
    else asking += contains(argument, "FuncCall", asks_session);
    if (strcmp(operator, "NOT_EXPR") == 0)
        return nullable && is_distinct(json_array_get(arguments, 0), "AEXPR_DISTINCT");
    /* Beside it in an AND, another part may still ask for the tenant. */
    return open > 0 && (strcmp(operator, "OR_EXPR") == 0 || asking == 0);
}

static bool case_opens(json_t *fields)
{
    json_t *arguments = json_object_get(fields, "args"), *argument;
    size_t i;

    json_array_foreach(arguments, i, argument)
    {
        json_t *when = as(argument, "CaseWhen");
        if (is_no_tenant(json_object_get(when, "expr")) && is_true(json_object_get(when, "result")))
            return true;
    }
    return false;
}

/* What nobody knows counts as true: a comparison with no tenant. */
static bool test_opens(json_t *fields)
{
    const char *test = word(fields, "booltesttype");

    return is_compared_with_session(json_object_get(fields, "arg")) &&
           (strcmp(test, "IS_NOT_TRUE") == 0 || strcmp(test, "IS_NOT_FALSE") == 0 ||
            strcmp(test, "IS_UNKNOWN") == 0);
}

static bool opens(json_t *node, bool nullable)
{
    json_t *compared;

    node = unwrapped(node);
    if (as(node, "BooleanTest") != NULL)
        return test_opens(as(node, "BooleanTest"));
    compared = as(node, "A_Expr");
    if (is_no_tenant(node))
        return true;
    if (as(node, "BoolExpr") != NULL)
        return boolean_opens(as(node, "BoolExpr"), nullable);
    if (as(node, "CaseExpr") != NULL)
        return case_opens(as(node, "CaseExpr"));
    if (compared == NULL)
        return false;
    json_t *left = json_object_get(compared, "lexpr"), *right = json_object_get(compared, "rexpr");
    return falls_back(left, right) || falls_back(right, left) ||
           (nullable && is_distinct(node, "AEXPR_NOT_DISTINCT"));
}

bool rls_expression_fails_open(const char *expression, bool nullable)
{
    json_t *tree = NULL;
    bool found = opens(parse(expression, &tree), nullable);

    json_decref(tree);
    return found;
}

/* ---- branches without the tenant ---- */

enum branch { BRANCH_OF_TENANT, BRANCH_OF_SESSION, BRANCH_OF_ROW };

static bool mentions(json_t *node, json_t *columns)
{
    json_t *fields = json_object_get(as(node, "ColumnRef"), "fields");
    const char *name = word(as(json_array_get(fields, json_array_size(fields) - 1), "String"), "sval"), *key;
    json_t *value;
    size_t i;

    json_array_foreach(columns, i, value) if (strcmp(json_string_value(value), name) == 0) return true;
    json_object_foreach(node, key, value) if (mentions(value, columns)) return true;
    json_array_foreach(node, i, value) if (mentions(value, columns)) return true;
    return false;
}

/* A function of the application's own that is told something of the row. */
static bool asks_about_row(json_t *fields)
{
    return json_array_size(json_object_get(fields, "funcname")) > 1 && contains(fields, "ColumnRef", NULL);
}

static bool reads_table(json_t *fields)
{
    return json_object_get(fields, "fromClause") != NULL;
}

static bool is_false(json_t *node)
{
    node = unwrapped(node);
    if (as(node, "TypeCast") != NULL)
        return is_false(json_object_get(as(node, "TypeCast"), "arg"));
    return as(node, "A_Const") != NULL && !constant_is_true(as(node, "A_Const"));
}

static enum branch branch_of(json_t *node, json_t *columns);

static enum branch branch_of_boolean(json_t *fields, json_t *columns)
{
    bool any = strcmp(word(fields, "boolop"), "OR_EXPR") == 0;
    json_t *arguments = json_object_get(fields, "args"), *argument;
    enum branch worst = BRANCH_OF_TENANT;
    size_t i;

    json_array_foreach(arguments, i, argument)
    {
        enum branch branch = branch_of(argument, columns);
        if (!any && branch == BRANCH_OF_TENANT)
            return BRANCH_OF_TENANT;
        worst = branch > worst ? branch : worst;
    }
    return worst;
}

/* What is open to all, or to nobody's session, is told by other checks. */
static enum branch branch_of(json_t *node, json_t *columns)
{
    node = unwrapped(node);
    if (as(node, "BoolExpr") != NULL && strcmp(word(as(node, "BoolExpr"), "boolop"), "NOT_EXPR") != 0)
        return branch_of_boolean(as(node, "BoolExpr"), columns);
    if (mentions(node, columns) || contains(node, "SelectStmt", reads_table) ||
        contains(node, "FuncCall", asks_about_row) || is_true(node) || is_false(node) || opens(node, false))
        return BRANCH_OF_TENANT;
    return contains(node, "ColumnRef", NULL) ? BRANCH_OF_ROW : BRANCH_OF_SESSION;
}

bool rls_expression_has_free_branch(const char *expression, const char *about)
{
    json_t *tree = NULL, *said = json_loads(about, 0, NULL), *columns = json_object_get(said, "columns");
    json_t *node = parse(expression, &tree);
    enum branch wanted = strcmp(word(said, "branch"), "row") == 0 ? BRANCH_OF_ROW : BRANCH_OF_SESSION;
    bool found = node != NULL && mentions(node, columns) && branch_of(node, columns) == wanted;

    json_decref(tree);
    json_decref(said);
    return found;
}
