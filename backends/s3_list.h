/* s3_list.h: lists what a bucket has below a folder, a page of 1,000 at a time. */
#ifndef BACKENDS_S3_LIST_H
#define BACKENDS_S3_LIST_H

#include "backends/s3_client.h"

enum { S3_LIST_FLAT = -1 };

/* As backend_list (depth S3_LIST_FLAT), or as backend_list_deep. Keys that no path of a
 * repository can have are passed over. A page is in memory as a whole (it can be asked
 * for once more when it breaks off), no more than that. */
int s3_list(struct s3_client *client, const char *folder, int depth, backend_each *each,
            void *arg, struct error *err);

#endif
