/* s3.h: kinds "s3" and "minio": a bucket of Amazon S3, MinIO, Ceph and their kin as
 * repository; see backend.h.
 *
 * host is host[:port] or a URL; repository is the bucket. An object's tag is its ETag.
 * Its checksum is what audbackend or we wrote into its metadata, and "" where others put
 * it.
 *
 * Conditions on writes are relied on where the store was seen to hold something back
 * (s3_conditional.h); else only_if_absent and backend_replace are -ENOTSUP. */
#ifndef BACKENDS_S3_H
#define BACKENDS_S3_H

#include "backends/backend_ops.h"

extern const struct backend_ops s3_ops;
extern const struct backend_ops minio_ops;

#endif
