/* refuse.c: reads requests and fails each. */
#include "fs/refuse.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "fs/ledger.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 64 << 10 }; /* for what comes with the data of a write */

int refuse_all(struct handover *handover, void (*prepared)(struct handover *handover),
               struct error *err)
{
    const size_t size = handover->block->init_out.max_write + ROOM;
    CLEANUP_FREE char *buffer = xcalloc(1, size);
    int fd = handover->device_fd;
    int rc = handover_take(handover, prepared, err);

    if (rc < 0)
        return rc;
    memset(buffer, 0, size); /* its pages are there when the kernel writes into them */
    rc = ledger_inherit(handover->block, fd, err);
    while (rc == 0) {
        struct kernel_in_header header;
        ssize_t got = read(fd, buffer, size);

        if (got < 0 && errno == ENODEV)
            return 0;
        if (got < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
            return fail_errno(err, "read requests");
        if (got < (ssize_t)sizeof header)
            continue;
        memcpy(&header, buffer, sizeof header);
        if (ledger_has_reply(header.opcode))
            ledger_refuse(fd, header.unique);
    }
    return rc;
}
