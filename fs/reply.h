/* reply.h: the end of each request: one reply to the kernel, one log line for a failure.
 *
 * Thread-safe. */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include "common/error.h"
#include "fs/call.h"

/* Reply to call->req: answer if rc is 0, else an error: the errno that users are promised
 * for rc, and a log line if it is worth one and was not said just before. */
void reply(struct fs *fs, const struct call *call, int rc, const struct answer *answer,
           const struct error *err);

/* Nobody took the answer: close what it opened. */
void reply_undo(struct fs *fs, const struct call *call, const struct answer *answer);

#endif
