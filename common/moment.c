/* SPDX-License-Identifier: PostgreSQL */
#include "common/moment.h"

#include "common/text.h"
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)

int64_t moment_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND + now.tv_nsec / 1000;
}

/* Exactly so many digits within the bounds, and the text moved behind them. */
static bool take_digits(const char **text, int digits, int minimum, int maximum, int *ret)
{
    int value = 0;

    for (int i = 0; i < digits; i++, (*text)++) {
        if (!isdigit((unsigned char)**text))
            return false;
        value = value * 10 + (**text - '0');
    }
    *ret = value;
    return value >= minimum && value <= maximum;
}

static bool take_one_of(const char **text, const char *characters)
{
    return **text != '\0' && strchr(characters, *(*text)++);
}

static bool take_fraction(const char **text, int64_t *us)
{
    int64_t unit = SECOND / 10;

    if (**text != '.')
        return true;
    for ((*text)++; isdigit((unsigned char)**text); (*text)++, unit /= 10)
        *us += (**text - '0') * unit;
    return isdigit((unsigned char)(*text)[-1]);
}

static bool take_offset(const char *text, int64_t *us)
{
    int hours, minutes;
    bool before = *text == '-';

    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if (!take_one_of(&text, "+-") || !take_digits(&text, 2, 0, 23, &hours) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, 0, 59, &minutes) || *text != '\0')
        return false;
    *us -= (before ? -1 : 1) * (hours * 60 + minutes) * 60 * SECOND;
    return true;
}

bool moment_parse(const char *text, int64_t *ret_us)
{
    struct tm parts = {0};
    int month, day, seconds;

    if (!take_digits(&text, 4, 1970, 9999, &parts.tm_year) || !take_one_of(&text, "-") ||
        !take_digits(&text, 2, 1, 12, &month) || !take_one_of(&text, "-") ||
        !take_digits(&text, 2, 1, 31, &day) || !take_one_of(&text, "Tt ") ||
        !take_digits(&text, 2, 0, 23, &parts.tm_hour) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, 0, 59, &parts.tm_min) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, 0, 60, &seconds)) /* 60: a leap second */
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    int64_t us = (timegm(&parts) + seconds) * SECOND;
    if (parts.tm_mday != day) /* the 30th of February */
        return false;
    if (!take_fraction(&text, &us) || !take_offset(text, &us))
        return false;
    *ret_us = us;
    return us >= 0;
}

char *moment_text(int64_t us)
{
    time_t seconds = us / SECOND;
    struct tm parts;
    char date[32];

    gmtime_r(&seconds, &parts);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    return text_format("%s.%06" PRId64 "Z", date, us % SECOND);
}
