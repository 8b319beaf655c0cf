/* s3_share.h: divides the names of a long listing, so that several can ask at once. Pure.
 *
 *     count = s3_share_split(last, shares);
 *
 * Names of models are hexadecimal digits that a hash made: where the first page of a
 * listing ends tells how many there are in all, and parts of equal width have about
 * equally many. Where names are others the parts are less equal, but none is left out:
 * together the shares have all names behind the first page, each once. */
#ifndef BACKENDS_S3_SHARE_H
#define BACKENDS_S3_SHARE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    S3_SHARE_BOUND_SIZE = 5, /* four digits */
    S3_SHARE_MAX = 8,
};

/* Names behind first, up to and with end; "" is no bound. A folder's name is taken with
 * its "/". */
struct s3_share {
    char first[S3_SHARE_BOUND_SIZE];
    char end[S3_SHARE_BOUND_SIZE];
};

/* last is the name at the end of a first page that is full. How many shares are worth
 * their requests; 0: ask page by page. */
unsigned s3_share_split(const char *last, struct s3_share ret_shares[S3_SHARE_MAX]);

bool s3_share_is_before(const struct s3_share *share, const char *name);
bool s3_share_is_past(const struct s3_share *share, const char *name);

#endif
