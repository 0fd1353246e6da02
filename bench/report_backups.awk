# SPDX-License-Identifier: PostgreSQL
#
# Tables and verdict about backups; report.awk has read the results. The file sizes holds scenario, contender, bytes.

BEGIN {
    while ((getline line < sizes) > 0) {
        split(line, field, "\t")
        bytes[field[1], field[2]] = field[3]
    }
}

function kind_of(scenario)
{
    return substr(scenario, 1, index(scenario, "-") - 1)
}

function title(scenario,    database)
{
    database = substr(scenario, index(scenario, "-") + 1)
    if (scenario ~ /^backup/) return "Backup of \"" database "\" (" scenario ")"
    if (scenario ~ /^restore/) return "Restore of \"" database "\" (" scenario ")"
    return "Is the backup of \"" database "\" whole? (" scenario ")"
}

function megabytes(scenario, contender)
{
    return (scenario, contender) in bytes ? sprintf("%.1f", bytes[scenario, contender] / 1e6) : "-"
}

function table(scenario,    i, contender, key, middle)
{
    printf "\n### %s\n\n", title(scenario)
    printf "| %-18s | %-24s | %6s | %6s | %7s | %9s | %7s |\n", "contender", "wall s, median [min .. max]", "client",
           "server", "peak MB", "size MB", "ratio"
    print "|:-------------------|:----------------------------|-------:|-------:|--------:|----------:|--------:|"
    for (i = 1; i <= member_count[scenario]; i++) {
        contender = members[scenario, i]
        key = scenario SUBSEP contender
        middle = median_of(wall, key)
        printf "| %-18s | %-27s |", contender, sprintf("%.2f [%.2f .. %.2f]", middle, copy[1], copy[rounds[key]])
        printf " %6.2f | %6.2f |", median_of(cpu, key), median_of(server, key)
        printf " %7.1f | %9s | %7.2f |\n", median_of(memory, key), megabytes(scenario, contender), ratio(scenario, contender, base)
    }
}

# The same, of the fastest of some.
function fastest(scenario, list,    name, n, i, value, least)
{
    n = split(list, name, " ")
    for (i = 1; i <= n; i++) {
        value = ratio(scenario, name[i], "pgmigrate")
        if (value && (!least || value < least)) least = value
    }
    return least
}

function size_ratio(scenario, one, other)
{
    if (!((scenario, one) in bytes) || !((scenario, other) in bytes)) return 0
    return bytes[scenario, one] / bytes[scenario, other]
}

function verdict_backup(s)
{
    if (s ~ /mixed/) {
        goal(s ": pg_dump -Fc / pgmigrate", ratio(s, "pg_dump-Fc", "pgmigrate"), 0, 5)
        goal(s ": pg_dump -Fd -j2 / pgmigrate", ratio(s, "pg_dump-Fd-2", "pgmigrate"), 0, 3)
        goal(s ": fastest compressed and hashed pipe / pgmigrate", ratio(s, "pipe-zstd-sha256", "pgmigrate"), 0, 1.4)
        goal(s ": size / size of zstd -2 of the plain dump", size_ratio(s, "pgmigrate", "pipe-zstd-2"), 1, 1.02)
    }
    if (s ~ /pgbench/)
        goal(s ": fastest peer / pgmigrate",
             fastest(s, "pg_dump-Fc pg_dump-Fd-2 pg_dump-Fd-2-Z1 pipe-zstd pipe-zstd-sha256"), 0, 1.35)
    if (s ~ /giant/)
        goal(s ": -j 1 / -j 2", ratio(s, "pgmigrate-1", "pgmigrate"), 0, 1.55)
    goal(s ": pgmigrate / floor", ratio(s, "pgmigrate", "floor"), 1, 1.15)
    goal(s ": peak memory of pgmigrate, MB", median_of(memory, s SUBSEP "pgmigrate"), 1, 100)
}

function verdict(    n, s)
{
    printf "\n### Goals\n\n"
    printf "| %-62s | %-9s | %8s | %-6s |\n", "goal", "limit", "measured", ""
    printf "|:---------------------------------------------------------------|----------:|---------:|:-------|\n"
    for (n = 1; n <= scenario_count; n++) {
        s = scenarios[n]
        if (!((s, "pgmigrate") in rounds)) continue
        if (s ~ /^backup-/)
            verdict_backup(s)
        else if (s ~ /^restore-/)
            goal(s ": pg_restore -j2 / pgmigrate", ratio(s, "pg_restore-2", "pgmigrate"), 0, s ~ /mixed/ ? 1.2 : 1.25)
        else
            goal(s ": MB of archive per second of CPU", bytes[s, "pgmigrate"] / 1e6 / median_of(cpu, s SUBSEP "pgmigrate"), 0, 1000)
    }
}

END {
    printf "\nTimes in seconds: wall, CPU of the client and its children, CPU of the server's processes. Peak: memory of the\n"
    printf "largest of the client's processes. Ratio: wall time divided by that of %s in the same round.\n", base
    for (i = 1; i <= scenario_count; i++)
        table(scenarios[i])
    if (base == "pgmigrate" && !failures)
        verdict()
}
