# SPDX-License-Identifier: PostgreSQL
#
# What both reports need, from the lines measure wrote: scenario, contender, round, wall µs, client CPU µs, peak kB,
# server CPU ms, status. A ratio is the median of the ratios of the single rounds, so that a machine which becomes
# slower in the middle changes it little.

BEGIN { FS = "\t"; base = "floor" }

$8 != 0 { next } # failed, and reported as such

{
    if (!($1 in scenario_seen)) { scenario_seen[$1] = 1; scenarios[++scenario_count] = $1 }
    key = $1 SUBSEP $2
    if (!(key in rounds)) members[$1, ++member_count[$1]] = $2
    n = ++rounds[key]
    wall[key, n] = $4 / 1e6
    by_round[key, $3] = $4 / 1e6
    round_name[key, n] = $3
    cpu[key, n] = $5 / 1e6
    memory[key, n] = $6 / 1024
    server[key, n] = $7 / 1000
    if ($2 == "pgmigrate") base = "pgmigrate"
}

# Sort copy[1..n] and return its median; the extremes are then copy[1] and copy[n].
function median(n,    i, j, value)
{
    for (i = 2; i <= n; i++) {
        value = copy[i]
        for (j = i - 1; j >= 1 && copy[j] > value; j--)
            copy[j + 1] = copy[j]
        copy[j + 1] = value
    }
    return n % 2 ? copy[(n + 1) / 2] : (copy[n / 2] + copy[n / 2 + 1]) / 2
}

function median_of(array, key,    i)
{
    for (i = 1; i <= rounds[key]; i++)
        copy[i] = array[key, i]
    return median(rounds[key])
}

# How many times longer one took than the other; 0 when one of them was not measured.
function ratio(scenario, one, other,    key, i, name, n)
{
    key = scenario SUBSEP one
    n = 0
    for (i = 1; i <= rounds[key]; i++) {
        name = round_name[key, i]
        if ((scenario SUBSEP other SUBSEP name) in by_round)
            copy[++n] = by_round[key, name] / by_round[scenario, other, name]
    }
    return n ? median(n) : 0
}

function goal(text, value, at_most, limit,    met)
{
    if (!value) return
    met = at_most ? value <= limit : value >= limit
    printf "| %-62s | %s %6.1f | %8.2f | %-6s |\n", text, at_most ? "<=" : ">=", limit, value, met ? "met" : "missed"
}
