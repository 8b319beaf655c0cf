/* spool.c: finds a disk for an archive that is being packed. */
#include "publish/spool.h"

#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *default_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder && folder[0] ? folder : "/tmp";
}

/* On disks that cannot have files without a name it has one for a moment. */
static int open_in(const char *folder, struct error *err)
{
    CLEANUP_FREE char *name = xasprintf("%s/modelfs-spool-XXXXXX", folder);
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "create a file for the archive in '%s'", folder);
    unlink(name);
    return fd;
}

int spool_open(struct backend *backend, const char *folder, int *ret_fd,
               struct error *err)
{
    int fd, rc = backend_spool(backend, ret_fd, err);

    if (rc != -ENOTSUP)
        return rc;
    fd = open_in(folder ? folder : default_folder(), err);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}
