/* transaction.h: claim, archive, metadata, header, alias: a model is there whole or not
 * at all.
 *
 * A model exists for readers exactly when its header does, which is written last, only if
 * there is none, after the claim and the archive were found to be ours still. On failure
 * what we wrote is removed, as long as it is what we wrote and no header makes use of it.
 * The claim goes last, so that it tells of an attempt that was not finished. */
#ifndef PUBLISH_TRANSACTION_H
#define PUBLISH_TRANSACTION_H

#include "publish/publish.h"

/* As publish_folder; the alias is one that can be set. */
int transaction_run(const struct publish_options *options,
                    const struct manifest *manifest, int folder_fd,
                    const struct publish_watch *watch, struct publish_result *ret_result,
                    struct error *err);

#endif
