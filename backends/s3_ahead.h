/* s3_ahead.h: the pages of several shares of a listing, asked for at once.
 *
 *     rc = s3_ahead_open(&ask, shares, count, &ahead, &err);
 *     while ((rc = s3_ahead_next(ahead, &page, &share, &err)) > 0)
 *         ... the names of the page that are within shares[share] ...
 *     s3_ahead_close(ahead);
 *
 * Each share has a thread, which is one page ahead at most. One caller at a time. */
#ifndef BACKENDS_S3_AHEAD_H
#define BACKENDS_S3_AHEAD_H

#include "backends/s3_page.h"
#include "backends/s3_share.h"

struct s3_ahead;

/* ask->token is where the first share goes on. What ask points to, and the shares, stay
 * the caller's until s3_ahead_close. */
int s3_ahead_open(const struct s3_page_ask *ask, const struct s3_share *shares,
                  unsigned count, struct s3_ahead **ret_ahead, struct error *err);
void s3_ahead_close(struct s3_ahead *ahead); /* waits for requests; accepts NULL */

/* 1 with the next page of any share, 0 after the last; the first failure of a request
 * ends all. */
int s3_ahead_next(struct s3_ahead *ahead, struct s3_page *page, unsigned *ret_share,
                  struct error *err);

/* After the last page: where to go on, alone, behind the end of the first share; NULL if
 * all was told. A store that does not begin where it was asked to has no shares but the
 * first. */
const char *s3_ahead_rest(const struct s3_ahead *ahead);

#endif
