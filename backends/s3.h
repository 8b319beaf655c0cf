/* s3.h: kinds "s3" and "minio": a bucket of Amazon S3, MinIO, Ceph and their kin as
 * repository; see backend.h.
 *
 * host is host[:port] or a URL; repository is the bucket. An object's tag is its ETag.
 * Its checksum is what audbackend or we wrote into its metadata, and "" where others put
 * it.
 *
 * Conditions: what a store honours is found out by trying, once (s3_condition.h). Where
 * it takes none for creation, only_if_absent and backend_replace are -ENOTSUP. Where it
 * takes none for removal, backend_replace first overwrites the object, conditionally,
 * with nothing: then nobody else may have it, and it goes. */
#ifndef BACKENDS_S3_H
#define BACKENDS_S3_H

#include "backends/backend.h"

extern const struct backend_ops s3_ops;
extern const struct backend_ops minio_ops;

#endif
