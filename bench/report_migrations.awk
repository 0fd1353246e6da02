# SPDX-License-Identifier: PostgreSQL
#
# Tables and verdict about migrations; report.awk has read the results.

function count_of(scenario,    part)
{
    split(scenario, part, "-")
    return part[2]
}

# Time for one migration, less what it takes near by, in round trips.
function round_trips(scenario, contender,    near, key)
{
    near = substr(scenario, 1, length(scenario) - length("-far")) SUBSEP contender
    key = scenario SUBSEP contender
    if (!(near in rounds)) return "-"
    return sprintf("%.2f", (median_of(wall, key) - median_of(wall, near)) * 1000 / count_of(scenario) / round_trip_ms)
}

function title(scenario,    text)
{
    text = scenario ~ /^noop/ ? "Nothing to do, " count_of(scenario) " migrations applied" \
                              : count_of(scenario) " migrations on an empty database"
    return text (scenario ~ /-far$/ ? ", round trip of " round_trip_ms " ms" : ", loopback") " (" scenario ")"
}

function table(scenario,    i, contender, key, middle, is_far, is_apply)
{
    is_apply = scenario ~ /^apply/
    is_far = is_apply && scenario ~ /-far$/
    printf "\n### %s\n\n", title(scenario)
    printf "| %-21s | %-27s | %6s | %6s | %7s | %9s |", "contender", "wall s, median [min .. max]", "client",
           "server", "peak MB", "ratio"
    printf "%s%s\n", is_apply ? "  ms each |" : "", is_far ? " round trips each |" : ""
    printf "|:----------------------|:----------------------------|-------:|-------:|--------:|----------:|"
    printf "%s%s\n", is_apply ? "---------:|" : "", is_far ? "-----------------:|" : ""
    for (i = 1; i <= member_count[scenario]; i++) {
        contender = members[scenario, i]
        key = scenario SUBSEP contender
        middle = median_of(wall, key)
        printf "| %-21s | %-27s |", contender, sprintf("%.3f [%.3f .. %.3f]", middle, copy[1], copy[rounds[key]])
        printf " %6.3f | %6.2f |", median_of(cpu, key), median_of(server, key)
        printf " %7.1f | %9.2f |", median_of(memory, key), ratio(scenario, contender, base)
        if (is_apply) printf " %8.2f |", middle * 1000 / count_of(scenario)
        if (is_far) printf " %16s |", round_trips(scenario, contender)
        printf "\n"
    }
}

# Time for one migration among many and among few.
function growth(many, few, contender,    a, b)
{
    a = "apply-" many SUBSEP contender
    b = "apply-" few SUBSEP contender
    if (!(a in rounds) || !(b in rounds)) return 0
    return median_of(wall, a) / many / (median_of(wall, b) / few)
}

function verdict(    n, s, key)
{
    printf "\n### Goals\n\n"
    printf "| %-62s | %-9s | %8s | %-6s |\n", "goal", "limit", "measured", ""
    printf "|:---------------------------------------------------------------|----------:|---------:|:-------|\n"
    for (n = 1; n <= scenario_count; n++) {
        s = scenarios[n]
        if (s ~ /^apply-[0-9]+$/) {
            goal(s ": pgmigrate / floor", ratio(s, "pgmigrate", "floor"), 1, 1.1)
            goal(s ": dbmate / pgmigrate", ratio(s, "dbmate", "pgmigrate"), 0, 1.5)
            goal(s ": psql for each file / pgmigrate", ratio(s, "psql-loop", "pgmigrate"), 0, 8)
            goal(s ": sqitch / pgmigrate", ratio(s, "sqitch", "pgmigrate"), 0, 14)
        } else if (s ~ /^apply-[0-9]+-far$/) {
            goal(s ": dbmate / pgmigrate", ratio(s, "dbmate", "pgmigrate"), 0, 6)
            goal(s ": dbmate / pgmigrate --batch", ratio(s, "dbmate", "pgmigrate-batch"), 0, 30)
        } else
            goal(s ": pgmigrate / psql -c 'SELECT 1'", ratio(s, "pgmigrate", "select-1"), 1, 1.3)
        if (s ~ /^apply-1000$/ && (s, "pgmigrate") in rounds)
            goal(s ": peak memory of pgmigrate, MB", median_of(memory, s SUBSEP "pgmigrate"), 1, 30)
        if (s ~ /^apply-10+$/ && s != "apply-100") {
            goal(s ": time for one migration / the same among 100", growth(count_of(s), 100, "pgmigrate"), 1, 1.1)
            goal(s ": the same for the floor program (the server's share)", growth(count_of(s), 100, "floor"), 1, 1.1)
        }
    }
}

END {
    printf "\nTimes in seconds: wall, CPU of the client and its children, CPU of the server's processes. Ratio: wall time\n"
    printf "divided by that of %s in the same round. Lower is better everywhere.\n", base
    for (i = 1; i <= scenario_count; i++)
        table(scenarios[i])
    if (base == "pgmigrate" && !failures)
        verdict()
}
