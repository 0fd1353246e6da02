# Turn files into a C array of names and texts, byte by byte: -v array=shop_files defines
# "const struct embedded_file shop_files[]", ended by a NULL name.

# Awks disagree about backslashes in the replacement text of gsub(), so characters are looked at one by one.
function quoted(line,    result, i, c)
{
    result = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "\t")
            c = "\\t"
        else if (c == "\\" || c == "\"")
            c = "\\" c
        result = result c
    }
    return "\"" result "\\n\""
}

BEGIN {
    print "#include \"common/embedded.h\"\n\nconst struct embedded_file " array "[] = {"
}

FNR == 1 {
    if (open)
        print "    },"
    name = FILENAME
    sub(/.*\//, "", name)
    print "    {\"" name "\","
    open = 1
}

{ print "     " quoted($0) }

END { print "    },\n    {0},\n};" }
