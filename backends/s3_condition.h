/* s3_condition.h: which conditional writes a store honours: found out once, by trying.
 *
 *     rc = s3_conditions_get(conditions, client, path, &found, &err);
 *     if (rc == 0 && found.can_create)
 *         ... "If-None-Match: *"
 *
 * Stores that do not know a condition ignore it and overwrite, so nobody may rely on one
 * before it was seen to hold something back. The trial object lies in the folder of path,
 * where we may write if anywhere, for the moment that this takes. */
#ifndef BACKENDS_S3_CONDITION_H
#define BACKENDS_S3_CONDITION_H

#include "backends/s3_client.h"

#include <stdbool.h>

#define S3_CONDITION_PREFIX ".modelfs-" /* of names that no listing shows */

enum s3_condition_match {
    S3_MATCH_NONE,
    S3_MATCH_QUOTED, /* If-Match takes the ETag as it comes */
    S3_MATCH_BARE,   /* ... without its quotes (Ceph before it quoted them) */
};

struct s3_condition {
    bool can_create;               /* PUT with If-None-Match: * */
    enum s3_condition_match match; /* PUT with If-Match */
    bool can_remove;               /* DELETE with If-Match */
};

struct s3_conditions;

void s3_conditions_open(struct s3_conditions **ret_conditions);
void s3_conditions_close(struct s3_conditions *conditions); /* accepts NULL */

/* Needs up to 7 small requests, the first time. Thread-safe. */
int s3_conditions_get(struct s3_conditions *conditions, struct s3_client *client,
                      const char *path, struct s3_condition *ret_condition,
                      struct error *err);

/* The tag as If-Match wants it. */
void s3_condition_value(enum s3_condition_match match, const char *tag,
                        char ret_value[BACKEND_TAG_MAX]);

#endif
