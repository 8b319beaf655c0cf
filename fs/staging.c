/* staging.c: the parts of @staging put together, and its table of handlers. */
#include "fs/staging.h"

#include "common/memory.h"
#include "fs/directory.h"
#include "fs/staging_files.h"
#include "fs/staging_job.h"
#include "fs/staging_lookup.h"
#include "fs/staging_names.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static call_handler *const handlers[CALL_KINDS] = {
    [CALL_LOOKUP] = staging_lookup,      [CALL_GETATTR] = staging_getattr,
    [CALL_READLINK] = staging_readlink,  [CALL_OPEN] = staging_open_file,
    [CALL_READ] = staging_read,          [CALL_OPENDIR] = directory_open,
    [CALL_READDIR] = directory_read,     [CALL_STATFS] = staging_statfs,
    [CALL_WRITE] = staging_write,        [CALL_SETATTR] = staging_setattr,
    [CALL_FLUSH] = staging_flush,        [CALL_FSYNC] = staging_fsync,
    [CALL_FALLOCATE] = staging_allocate, [CALL_CREATE] = staging_create,
    [CALL_MKNOD] = staging_mknod,        [CALL_MKDIR] = staging_mkdir,
    [CALL_RMDIR] = staging_rmdir,        [CALL_SYMLINK] = staging_symlink,
    [CALL_LINK] = staging_link,          [CALL_UNLINK] = staging_unlink,
    [CALL_RENAME] = staging_rename,
};

call_handler *staging_handler(enum call_kind kind)
{
    return handlers[kind];
}

int staging_open(struct fs *fs, struct error *err)
{
    struct staging *staging = XNEW(struct staging);
    const struct handover *handover = fs->options.handover;
    int fd = dup(handover->staged_fd);
    int rc;

    staging->jobs_fd = -1;
    rc = fd < 0 ? fail_errno(err, "take over the table of staged files")
                : staging_nodes_open(fd, &staging->nodes, err);

    if (rc == 0)
        rc = staging_disk_open(
            fs->options.cache_root,
            (struct staging_mount){.mounted_s = handover->block->start_s,
                                   .predecessor = handover->block->supervisor_before},
            staging->nodes, &staging->disk, err);
    if (rc == 0)
        staging->handles = staging_handles_new(staging->nodes, staging->disk);
    if (rc == 0)
        rc = staging_job_open(fs, staging, err);
    if (rc < 0) {
        staging_stop(staging);
        staging_free(staging);
        return rc;
    }
    staging->is_successor = handover->block->is_ready;
    fs->staging = staging;
    return 0;
}

void staging_attach(struct fs *fs)
{
    staging_handles_attach(fs->staging->handles, fs->passthrough);
}

void staging_resume(struct fs *fs)
{
    staging_job_resume(fs);
}

void staging_stop(struct staging *staging)
{
    if (staging)
        job_board_close(staging->board);
}

void staging_free(struct staging *staging)
{
    if (!staging)
        return;
    job_board_free(staging->board);
    if (staging->jobs_fd >= 0)
        close(staging->jobs_fd);
    free(staging->spool);
    staging_handles_free(staging->handles);
    staging_disk_close(staging->disk);
    staging_nodes_close(staging->nodes);
    free(staging);
}
