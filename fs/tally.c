/* tally.c: how many requests of each kind the kernel sent. */
#include "fs/tally.h"

#include "fs/call.h"

#include <inttypes.h>

static const char *const names[CALL_KINDS] = {
    [CALL_LOOKUP] = "lookup",       [CALL_GETATTR] = "getattr",
    [CALL_READLINK] = "readlink",   [CALL_OPEN] = "open",
    [CALL_READ] = "read",           [CALL_OPENDIR] = "opendir",
    [CALL_READDIR] = "readdir",     [CALL_STATFS] = "statfs",
    [CALL_WRITE] = "write",         [CALL_SETATTR] = "setattr",
    [CALL_FLUSH] = "flush",         [CALL_FSYNC] = "fsync",
    [CALL_FALLOCATE] = "fallocate", [CALL_CREATE] = "create",
    [CALL_MKNOD] = "mknod",         [CALL_LINK] = "link",
    [CALL_MKDIR] = "mkdir",         [CALL_RMDIR] = "rmdir",
    [CALL_SYMLINK] = "symlink",     [CALL_UNLINK] = "unlink",
    [CALL_RENAME] = "rename",
};
_Static_assert((int)CALL_KINDS <= (int)TALLY_KINDS_MAX, "each kind has its counter");

void tally_note(struct tally *tally, unsigned kind)
{
    atomic_fetch_add_explicit(&tally->requests[kind], 1, memory_order_relaxed);
}

int tally_print(const struct tally *tally, struct bytes *to, struct error *err)
{
    int rc = bytes_printf(to, err,
                          "# HELP modelfs_requests_total Requests of the kernel.\n"
                          "# TYPE modelfs_requests_total counter\n");

    for (unsigned i = 0; rc == 0 && i < CALL_KINDS; i++)
        rc = bytes_printf(to, err, "modelfs_requests_total{kind=\"%s\"} %" PRIu64 "\n",
                          names[i], (uint64_t)tally->requests[i]);
    return rc;
}
