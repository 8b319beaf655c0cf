/* spool.c: finds a disk for an archive that is being packed. */
#include "publish/spool.h"

#include "common/files.h"

#include <errno.h>
#include <stdlib.h>

static const char *default_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder && folder[0] ? folder : "/tmp";
}

int spool_open(struct backend *backend, const char *folder, int *ret_fd,
               struct error *err)
{
    int fd, rc = backend_spool(backend, ret_fd, err);

    if (rc != -ENOTSUP)
        return rc;
    fd = files_open_unnamed(folder ? folder : default_folder(), 0600, err);
    if (fd < 0)
        return fail_context(err, fd, "a place for the archive");
    *ret_fd = fd;
    return 0;
}
