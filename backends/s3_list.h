/* s3_list.h: lists what a bucket has below a folder, in pages of 1,000; several at once
 * where the first tells that many are to come. */
#ifndef BACKENDS_S3_LIST_H
#define BACKENDS_S3_LIST_H

#include "backends/s3_client.h"

enum { S3_LIST_FLAT = -1 };

/* As backend_list (depth S3_LIST_FLAT), or as backend_list_deep. Keys that no path of a
 * repository can have are passed over. Pages are in memory as a whole (they can be asked
 * for once more when they break off), all at once with no more bytes than one may have
 * alone. */
int s3_list(struct s3_client *client, const char *folder, int depth, backend_each *each,
            void *arg, struct error *err);

#endif
