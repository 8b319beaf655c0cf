/* s3_error.h: what the failures of S3 stores mean: one table. Pure.
 *
 *     rc = s3_error_fail(&(struct s3_error_facts){.status = reply.status, ...}, &err);
 */
#ifndef BACKENDS_S3_ERROR_H
#define BACKENDS_S3_ERROR_H

#include "backends/s3_xml.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct s3_error_facts {
    int status;
    const struct s3_xml_reply *document; /* a zeroed one where there was none (HEAD) */
    const char *bucket;
    const char *host;
    const char *key;      /* "" is the bucket itself */
    const char *region;   /* that was signed for */
    const char *moved_to; /* origin that a redirect leads to; "": none */
    const char *user;     /* access key, which is no secret; "" anonymous */
    int64_t our_time_s;   /* when the answer came */
    int64_t its_time_s;   /* Date of the answer; 0: it did not say */
};

/* A sentence with what to do, and the errno of backend.h: -ENOENT no such object,
 * -EHOSTUNREACH no such bucket, -EACCES refused, -ESTALE a condition that did not hold,
 * -ENOTSUP not implemented, -EFBIG too large, -ENOSPC a quota, -ETIMEDOUT busy, -EIO
 * anything else. */
int s3_error_fail(const struct s3_error_facts *facts, struct error *err);

/* Is it about the login, so that another may be let in? */
bool s3_error_is_refusal(const struct s3_error_facts *facts);

/* May another region answer? */
bool s3_error_may_be_elsewhere(const struct s3_error_facts *facts);

/* The region that the answer names as the right one, NULL if none. named is the field
 * x-amz-bucket-region, "" without it. Lent from either. */
const char *s3_error_region(const struct s3_error_facts *facts, const char *named);

#endif
