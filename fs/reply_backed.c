/* reply_backed.c: replies to OPEN and CREATE that name a file for passthrough. */
#include "fs/reply_backed.h"

#include "fs/kernel.h"

int reply_backed_open(fuse_req_t req, const struct fuse_file_info *fi,
                      uint32_t backing_id)
{
    struct kernel_open_out out = {
        .fh = fi->fh,
        .open_flags = KERNEL_OPEN_PASSTHROUGH | (fi->noflush ? KERNEL_OPEN_NOFLUSH : 0),
        .backing_id = (int32_t)backing_id,
    };

    return backing_id ? fuse_reply_buf(req, (const char *)&out, sizeof out)
                      : fuse_reply_open(req, fi);
}

static void split_time(double seconds, uint64_t *ret_s, uint32_t *ret_ns)
{
    *ret_s = (uint64_t)seconds;
    *ret_ns = (uint32_t)((seconds - (double)*ret_s) * 1e9);
}

static struct kernel_attr kernel_attr_of(const struct stat *st)
{
    return (struct kernel_attr){
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .blocks = (uint64_t)st->st_blocks,
        .atime_s = (uint64_t)st->st_atim.tv_sec,
        .mtime_s = (uint64_t)st->st_mtim.tv_sec,
        .ctime_s = (uint64_t)st->st_ctim.tv_sec,
        .atime_ns = (uint32_t)st->st_atim.tv_nsec,
        .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
        .ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
        .mode = st->st_mode,
        .nlink = (uint32_t)st->st_nlink,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .blksize = (uint32_t)st->st_blksize,
    };
}

int reply_backed_create(fuse_req_t req, const struct fuse_entry_param *entry,
                        const struct fuse_file_info *fi, uint32_t backing_id)
{
    struct kernel_create_out out = {
        .nodeid = entry->ino,
        .generation = entry->generation,
        .attr = kernel_attr_of(&entry->attr),
        .open.fh = fi->fh,
        .open.open_flags = KERNEL_OPEN_PASSTHROUGH,
        .open.backing_id = (int32_t)backing_id,
    };

    if (!backing_id)
        return fuse_reply_create(req, entry, fi);
    split_time(entry->entry_timeout, &out.entry_valid, &out.entry_valid_nsec);
    split_time(entry->attr_timeout, &out.attr_valid, &out.attr_valid_nsec);
    return fuse_reply_buf(req, (const char *)&out, sizeof out);
}
