/* s3_conditional.h: writes on condition, on stores that may not know conditions.
 *
 *     s3_conditional_open(client, &conditional);
 *     rc = s3_conditional_create(conditional, path, &content, &err);
 *     rc = s3_conditional_replace(conditional, path, &content, tag, &err);
 *     s3_conditional_close(conditional);
 *
 * A store that does not know a condition ignores it and overwrites. So what is there is
 * looked at before, and after the first write of each kind the same bytes are put once
 * more on a condition that cannot hold: a store that takes them is not relied on again.
 * Thread-safe. */
#ifndef BACKENDS_S3_CONDITIONAL_H
#define BACKENDS_S3_CONDITIONAL_H

#include "backends/s3_client.h"

struct s3_conditional;

/* client is lent until s3_conditional_close. */
void s3_conditional_open(struct s3_client *client,
                         struct s3_conditional **ret_conditional);
void s3_conditional_close(struct s3_conditional *conditional); /* accepts NULL */

/* "If-None-Match: *". -EEXIST; -ENOTSUP where the store ignores that, and then nothing of
 * ours is left there. */
int s3_conditional_create(struct s3_conditional *conditional, const char *path,
                          const struct backend_content *content, struct error *err);

/* "If-Match". -ESTALE; -ENOTSUP where the store ignores that, found out by the first
 * write alone, which then is done, or where it says of each version that it is another.
 */
int s3_conditional_replace(struct s3_conditional *conditional, const char *path,
                           const struct backend_content *content, const char *tag,
                           struct error *err);

/* -ESTALE. Where the store ignores If-Match here (Ceph 16 does, Amazon did) what another
 * writes between our look and the removal goes with it. */
int s3_conditional_remove(struct s3_conditional *conditional, const char *path,
                          const char *tag, struct error *err);

#endif
