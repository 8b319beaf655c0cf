/* refuse.h: answers every request with EIO, where no worker can serve the mount. */
#ifndef FS_REFUSE_H
#define FS_REFUSE_H

#include "common/error.h"
#include "fs/handover.h"

/* In a process of its own, in place of a worker; prepared as of handover_take. Returns 0
 * when the mount is gone; a signal ends it. */
int refuse_all(struct handover *handover, void (*prepared)(struct handover *handover),
               struct error *err);

#endif
