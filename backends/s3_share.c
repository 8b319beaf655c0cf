/* s3_share.c: divides the names of a long listing, so that several can ask at once. */
#include "backends/s3_share.h"

#include <stdio.h>
#include <string.h>

enum {
    DIGITS = S3_SHARE_BOUND_SIZE - 1,
    WIDTH = 1 << (4 * DIGITS),
    /* A share's last page is used in part only: less than these would cost too many. */
    PAGES_MIN = 3,
};

/* The first digits as a number; -1: they are none. */
static long read_digits(const char *name)
{
    static const char digits[] = "0123456789abcdef";
    long value = 0;

    for (size_t i = 0; i < DIGITS; i++) {
        const char *digit = name[i] ? strchr(digits, name[i]) : NULL;

        if (!digit)
            return -1;
        value = value * 16 + (digit - digits);
    }
    return value;
}

unsigned s3_share_split(const char *last, struct s3_share ret_shares[S3_SHARE_MAX])
{
    long from = read_digits(last);
    long pages, count;

    if (from < 0)
        return 0;
    pages = WIDTH / (from + 1) - 1; /* still to come, if it goes on like that */
    count = pages / PAGES_MIN;
    if (count > S3_SHARE_MAX)
        count = S3_SHARE_MAX;
    if (count < 2)
        return 0;
    for (long i = 0; i < count; i++) {
        struct s3_share *share = &ret_shares[i];

        *share = (struct s3_share){.first = ""};
        if (i > 0)
            memcpy(share->first, ret_shares[i - 1].end, sizeof share->first);
        if (i + 1 < count)
            snprintf(share->end, sizeof share->end, "%04lx",
                     from + (WIDTH - from) * (i + 1) / count);
    }
    return (unsigned)count;
}

bool s3_share_is_before(const struct s3_share *share, const char *name)
{
    return share->first[0] && strcmp(name, share->first) <= 0;
}

bool s3_share_is_past(const struct s3_share *share, const char *name)
{
    return share->end[0] && strcmp(name, share->end) > 0;
}
