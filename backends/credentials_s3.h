/* credentials_s3.h: access key and secret key where audbackend looks for them (the names
 * of minio-py), then where the AWS tools do. */
#ifndef BACKENDS_CREDENTIALS_S3_H
#define BACKENDS_CREDENTIALS_S3_H

#include "backends/credentials_search.h"
#include "common/error.h"

/* As credentials_search.h says of all of them. */
int credentials_s3_find(struct credentials_search *search, struct error *err);

#endif
