/* s3_put.h: puts an object: in one request, or in parts.
 *
 *     rc = s3_put(&(struct s3_put){.client = client, .key = path, .content = content,
 *                                  .condition = {"if-none-match", "*"}}, &err);
 *
 * With metadata as audbackend writes it: the checksum is read from there alone. */
#ifndef BACKENDS_S3_PUT_H
#define BACKENDS_S3_PUT_H

#include "backends/s3_client.h"

enum {
    /* Up to here one request: parts cost two more, and their gain, a repetition that
     * starts at the part and several connections, is little for so few bytes. */
    S3_PUT_ONE_MAX = 16 << 20,
    S3_PUT_DESCRIPTION_MAX = 3,
};

struct s3_put {
    struct s3_client *client;
    const char *key;
    const struct backend_content *content;
    struct http_field condition; /* name NULL: none */
    const char *expected_tag;    /* of "if-match", as it came; else NULL */
};

/* -ESTALE where the condition does not hold. */
int s3_put(const struct s3_put *put, struct error *err);

#endif
