/* s3_place.h: where a bucket is: endpoint, style of address, region. Pure.
 *
 *     rc = s3_place_parse("s3.example.com:9000", "models", &place, &err);
 *     rc = s3_place_url(&place, URL_HTTPS, "us-east-1", "_uid/a.yaml", "", &url, &err);
 *             "https://s3.example.com:9000/models/_uid/a.yaml"
 *
 * As minio-py, which audbackend uses, does it: the bucket is part of the path, but of the
 * host name at the clouds that want it there (and not if its name holds a dot, which no
 * certificate covers). At Amazon each region has a host of its own. */
#ifndef BACKENDS_S3_PLACE_H
#define BACKENDS_S3_PLACE_H

#include "backends/url.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>

enum {
    S3_PLACE_BUCKET_MAX = 256,
    S3_PLACE_REGION_MAX = 64,
};

#define S3_PLACE_REGION_FIRST "us-east-1" /* MinIO and Ceph take it wherever they are */

struct s3_place {
    enum url_scheme scheme; /* URL_NONE: the host does not say */
    char host[URL_HOST_MAX];
    uint16_t port; /* 0: the scheme's own */
    char bucket[S3_PLACE_BUCKET_MAX];
    char region[S3_PLACE_REGION_MAX]; /* that the host names, else "" */
    bool is_virtual;                  /* bucket.host instead of host/bucket */
    bool is_amazon;                   /* without a region in host: it is put in */
};

/* May text name a region? It becomes a part of host names, and stores may say anything.
 */
bool s3_place_is_region(const char *text);

/* The region that a LocationConstraint means: Amazon's two oldest have no name there, or
 * another. */
const char *s3_place_region_of(const char *location);

/* host[:port] or URL without a path. -EINVAL with a sentence. */
int s3_place_parse(const char *host, const char *bucket, struct s3_place *ret_place,
                   struct error *err);

/* Append the URL of key ("" is the bucket itself) with query, which is encoded already.
 */
int s3_place_url(const struct s3_place *place, enum url_scheme scheme, const char *region,
                 const char *key, const char *query, struct bytes *url,
                 struct error *err);

#endif
