/* s3_parts.h: sends the parts of a multipart upload, several at once.
 *
 *     rc = s3_parts_open(client, key, content, part_bytes, &parts, &err);
 *     rc = s3_parts_send(parts, "uploadId=...", &err);
 *     ... s3_parts_tag(parts, i) ...
 *     s3_parts_close(parts);
 */
#ifndef BACKENDS_S3_PARTS_H
#define BACKENDS_S3_PARTS_H

#include "backends/s3_client.h"

struct s3_parts;

/* All is lent until s3_parts_close. */
int s3_parts_open(struct s3_client *client, const char *key,
                  const struct backend_content *content, uint64_t part_bytes,
                  struct s3_parts **ret_parts, struct error *err);
void s3_parts_close(struct s3_parts *parts); /* accepts NULL */

/* Blocks until all were sent, or the first that failed for good; no request runs any more
 * after that. upload is the encoded parameter "uploadId". Once. */
int s3_parts_send(struct s3_parts *parts, const char *upload, struct error *err);

size_t s3_parts_count(const struct s3_parts *parts);
const char *s3_parts_tag(const struct s3_parts *parts, size_t index);

#endif
