/* s3_multipart.h: puts an object in parts, several at once.
 *
 * Parts are read from the file as they are sent: memory does not grow with the object. A
 * part that fails is repeated by itself; what fails for good, or is cancelled, ends the
 * upload, and the store drops its parts. Nothing stands at the path before the end.
 *
 * Stores may ignore a condition at the end of an upload (Ceph 16 does); so it is looked
 * at once more right before. What others began to upload to the same path is ended after
 * a conditional put: it would overwrite the object, or was left by one that died. */
#ifndef BACKENDS_S3_MULTIPART_H
#define BACKENDS_S3_MULTIPART_H

#include "backends/s3_put.h"

/* description: fields of the object. checksum: as in there. -ESTALE where the condition
 * does not hold. Progress runs in the calling thread. */
int s3_multipart_put(const struct s3_put *put,
                     const struct http_field description[S3_PUT_DESCRIPTION_MAX],
                     const char *checksum, struct error *err);

#endif
