/* adopt.c: fetches a model while a local folder has what it needs. */
#include "cache/adopt.h"

#include "cache/archive_state.h"
#include "cache/load.h"
#include "common/cleanup.h"

#include <errno.h>

int adopt_all(struct archive *archive, int folder_fd, enum cache_adopt how,
              struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    bool is_ours;
    int rc;

    lock_acquire(&archive->lock);
    is_ours = !archive->is_adopting;
    if (is_ours) {
        archive->is_adopting = true;
        archive->adopt_fd = folder_fd;
        archive->adopt_how = how;
    }
    lock_release(&archive->lock);
    if (!is_ours)
        return fail(err, EBUSY, "the model is taken over already");
    rc = load_archive(archive, NULL, NULL, &path, err);
    lock_acquire(&archive->lock);
    archive->is_adopting = false;
    lock_release(&archive->lock);
    return rc;
}
