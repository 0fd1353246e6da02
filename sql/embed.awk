# Turn SQL files into C strings: sql/history_read.sql becomes sql_history_read, sql/rls/tables.sql becomes
# sql_rls_tables. With -v header=1 the declarations are printed, else the definitions. The comment at a file's top is
# for its reader and is not sent to the server.
#
# Any POSIX awk will do: the one of a minimal Debian is mawk, so nothing of gawk's is used.

function identifier(path)
{
    sub(/^sql\//, "", path)
    sub(/\.sql$/, "", path)
    gsub(/[^A-Za-z0-9_]/, "_", path)
    return "sql_" path
}

# Character by character: awks disagree about backslashes in the replacement text of gsub().
function quoted(line,    result, i, c)
{
    result = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "\\" || c == "\"")
            result = result "\\"
        result = result c
    }
    return "\"" result "\\n\""
}

function finish()
{
    if (open)
        print (any ? ";" : "    \"\";")
    open = 0
}

BEGIN {
    print "/* Generated from sql/ by sql/embed.awk. */"
    if (header)
        print "#ifndef SQL_H\n#define SQL_H\n"
    else
        print "#include \"sql.h\""
}

# FNR is 1 once per file; an empty file is skipped by awk itself and shows up as an undefined symbol.
FNR == 1 {
    finish()
    name = identifier(FILENAME)
    if (header)
        print "extern const char " name "[];"
    else
        print "\nconst char " name "[] ="
    open = !header
    leading = 1
    any = 0
}

header { next }
leading && /^[ \t]*(--.*)?$/ { next }
{
    leading = 0
    if (any)
        printf "\n"
    printf "    %s", quoted($0)
    any = 1
}

END {
    finish()
    if (header)
        print "\n#endif"
}
