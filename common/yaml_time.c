/* yaml_time.c: dates and times as YAML 1.1 writes them and PyYAML reads them. */
#include "common/yaml_time.h"

#include <errno.h>
#include <stdio.h>

/* What is left to read; each taker moves on only when it finds what it wants. */
struct scan {
    const char *at;
    const char *end;
};

static bool take_char(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

static bool take_number(struct scan *scan, int digits_min, int digits_max, int *ret_value)
{
    int count = 0, value = 0;

    while (count < digits_max && scan->at < scan->end && *scan->at >= '0' &&
           *scan->at <= '9') {
        value = 10 * value + (*scan->at++ - '0');
        count++;
    }
    if (count < digits_min)
        return false;
    *ret_value = value;
    return true;
}

static bool take_blanks(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
        scan->at++;
    return scan->at > start;
}

/* Any number of digits; the first six are microseconds. */
static void take_fraction(struct scan *scan, int *ret_microsecond)
{
    int unit = 100000;

    *ret_microsecond = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        *ret_microsecond += unit * (*scan->at++ - '0');
        unit /= 10;
    }
}

static bool take_zone(struct scan *scan, struct yaml_time *time)
{
    int hours, minutes = 0, sign = 1;

    time->has_zone = true;
    if (take_char(scan, 'Z'))
        return true;
    if (take_char(scan, '-'))
        sign = -1;
    else if (!take_char(scan, '+'))
        return false;
    if (!take_number(scan, 1, 2, &hours))
        return false;
    if (take_char(scan, ':') && !take_number(scan, 2, 2, &minutes))
        return false;
    time->zone_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_clock(struct scan *scan, struct yaml_time *time)
{
    if (!take_char(scan, 'T') && !take_char(scan, 't') && !take_blanks(scan))
        return false;
    if (!take_number(scan, 1, 2, &time->hour) || !take_char(scan, ':') ||
        !take_number(scan, 2, 2, &time->minute) || !take_char(scan, ':') ||
        !take_number(scan, 2, 2, &time->second))
        return false;
    if (take_char(scan, '.'))
        take_fraction(scan, &time->microsecond);
    if (scan->at == scan->end)
        return true;
    take_blanks(scan);
    return take_zone(scan, time) && scan->at == scan->end;
}

/* A date alone needs two digits each to be told from other text. */
static bool read_time(const char *text, size_t size, int date_digits_min,
                      enum yaml_kind *ret_kind, struct yaml_time *ret_time)
{
    struct scan scan = {text, text + size};
    struct yaml_time time = {0};
    const char *day;

    if (!take_number(&scan, 4, 4, &time.year) || !take_char(&scan, '-') ||
        !take_number(&scan, 1, 2, &time.month) || !take_char(&scan, '-'))
        return false;
    day = scan.at;
    if (!take_number(&scan, 1, 2, &time.day))
        return false;
    *ret_kind = scan.at == scan.end ? YAML_DATE : YAML_DATETIME;
    if (*ret_kind == YAML_DATE &&
        (day - text - 6 < date_digits_min || scan.at - day < date_digits_min))
        return false;
    if (*ret_kind == YAML_DATETIME && !take_clock(&scan, &time))
        return false;
    *ret_time = time;
    return true;
}

bool yaml_time_is_one(const char *text, size_t size)
{
    enum yaml_kind kind;
    struct yaml_time time;

    return read_time(text, size, 2, &kind, &time);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && is_leap ? 29 : days[month - 1];
}

int yaml_time_parse(const char *text, size_t size, enum yaml_kind *ret_kind,
                    struct yaml_time *ret_time, struct error *err)
{
    struct yaml_time time;
    enum yaml_kind kind;

    if (!read_time(text, size, 1, &kind, &time))
        return fail(err, EINVAL, "'%.80s' is not a date or time", text);
    if (time.year < 1 || time.month < 1 || time.month > 12 || time.day < 1 ||
        time.day > days_in_month(time.year, time.month))
        return fail(err, EINVAL, "there is no day '%.80s'", text);
    if (time.hour > 23 || time.minute > 59 || time.second > 59)
        return fail(err, EINVAL, "there is no time of day '%.80s'", text);
    if (time.zone_s <= -86400 || time.zone_s >= 86400)
        return fail(err, EINVAL, "'%.80s' is a day or more away from UTC", text);
    *ret_kind = kind;
    *ret_time = time;
    return 0;
}

void yaml_time_print(enum yaml_kind kind, const struct yaml_time *time,
                     char buffer[YAML_TIME_SIZE])
{
    char fraction[16] = "", zone[16] = "";
    int offset = time->zone_s < 0 ? -time->zone_s : time->zone_s;

    if (kind == YAML_DATE) {
        snprintf(buffer, YAML_TIME_SIZE, "%04d-%02d-%02d", time->year, time->month,
                 time->day);
        return;
    }
    if (time->microsecond)
        snprintf(fraction, sizeof fraction, ".%06d", time->microsecond);
    if (time->has_zone)
        snprintf(zone, sizeof zone, "%c%02d:%02d", time->zone_s < 0 ? '-' : '+',
                 offset / 3600, offset / 60 % 60);
    snprintf(buffer, YAML_TIME_SIZE, "%04d-%02d-%02d %02d:%02d:%02d%s%s", time->year,
             time->month, time->day, time->hour, time->minute, time->second, fraction,
             zone);
}

int64_t yaml_time_to_unix(const struct yaml_time *time)
{
    /* March first: the leap day ends the year */
    int64_t year = time->year - (time->month < 3);
    int64_t month = (time->month + 9) % 12;
    int64_t days = 365 * year + year / 4 - year / 100 + year / 400 +
                   (153 * month + 2) / 5 + time->day - 1 - 719468;

    return 86400 * days + 3600 * time->hour + 60 * time->minute + time->second -
           time->zone_s;
}
