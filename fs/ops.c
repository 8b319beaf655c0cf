/* ops.c: turns each request of the kernel into a call. */
#include "fs/ops.h"

#include "fs/call.h"
#include "fs/channel.h"
#include "fs/directory.h"
#include "fs/read.h"
#include "fs/serve.h"
#include "fs/staging_files.h"
#include "fs/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void ops_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct call call = {.kind = CALL_LOOKUP, .req = req, .node_id = parent};

    if (strlen(name) >= sizeof call.name) {
        fuse_reply_err(req, ENAMETOOLONG);
        return;
    }
    memcpy(call.name, name, strlen(name) + 1);
    serve(channel_owner(req), &call);
}

/* Node IDs mean what they say, however often they were looked up: nothing to forget, but
 * staged files that have no name any more. */
static void forget(struct fs *fs, fuse_ino_t node_id)
{
    if (node_id_unpack(node_id).kind == NODE_STAGED)
        staging_forget(fs, node_id);
}

static void ops_forget(fuse_req_t req, fuse_ino_t node_id, uint64_t lookups)
{
    (void)lookups; /* all of them: the kernel has dropped its inode */
    forget(channel_owner(req), node_id);
    fuse_reply_none(req);
}

static void ops_forget_multi(fuse_req_t req, size_t count,
                             struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        forget(channel_owner(req), forgets[i].ino);
    fuse_reply_none(req);
}

static void ops_getattr(fuse_req_t req, fuse_ino_t node_id, struct fuse_file_info *fi)
{
    (void)fi;
    serve(channel_owner(req),
          &(struct call){.kind = CALL_GETATTR, .req = req, .node_id = node_id});
}

static void ops_readlink(fuse_req_t req, fuse_ino_t node_id)
{
    serve(channel_owner(req),
          &(struct call){.kind = CALL_READLINK, .req = req, .node_id = node_id});
}

static void ops_open(fuse_req_t req, fuse_ino_t node_id, struct fuse_file_info *fi)
{
    serve(channel_owner(req), &(struct call){.kind = CALL_OPEN,
                                             .req = req,
                                             .node_id = node_id,
                                             .fi = *fi,
                                             .unique = channel_unique()});
}

static void ops_read(fuse_req_t req, fuse_ino_t node_id, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    serve(channel_owner(req), &(struct call){
                                  .kind = CALL_READ,
                                  .req = req,
                                  .node_id = node_id,
                                  .size = size,
                                  .offset = (uint64_t)offset,
                                  .fi = *fi,
                                  .unique = channel_unique(),
                              });
}

static void ops_release(fuse_req_t req, fuse_ino_t node_id, struct fuse_file_info *fi)
{
    struct fs *fs = channel_owner(req);

    if (place_is_staging(node_id_unpack(node_id).kind)) {
        staging_release(fs, node_id, fi);
    } else {
        if ((fi->flags & O_ACCMODE) == O_RDONLY)
            read_release(fs, node_id, fi->fh);
        write_release(fs, fi);
    }
    fuse_reply_err(req, 0);
}

static void ops_opendir(fuse_req_t req, fuse_ino_t node_id, struct fuse_file_info *fi)
{
    serve(
        channel_owner(req),
        &(struct call){.kind = CALL_OPENDIR, .req = req, .node_id = node_id, .fi = *fi});
}

static void read_folder(fuse_req_t req, fuse_ino_t node_id, size_t size, off_t offset,
                        const struct fuse_file_info *fi, bool with_attributes)
{
    serve(channel_owner(req), &(struct call){
                                  .kind = CALL_READDIR,
                                  .req = req,
                                  .node_id = node_id,
                                  .size = size,
                                  .offset = (uint64_t)offset,
                                  .fi = *fi,
                                  .with_attributes = with_attributes,
                              });
}

static void ops_readdir(fuse_req_t req, fuse_ino_t node_id, size_t size, off_t offset,
                        struct fuse_file_info *fi)
{
    read_folder(req, node_id, size, offset, fi, false);
}

static void ops_readdirplus(fuse_req_t req, fuse_ino_t node_id, size_t size, off_t offset,
                            struct fuse_file_info *fi)
{
    read_folder(req, node_id, size, offset, fi, true);
}

static void ops_releasedir(fuse_req_t req, fuse_ino_t node_id, struct fuse_file_info *fi)
{
    (void)node_id;
    directory_release(channel_owner(req), fi->fh);
    fuse_reply_err(req, 0);
}

static void ops_statfs(fuse_req_t req, fuse_ino_t node_id)
{
    serve(channel_owner(req),
          &(struct call){.kind = CALL_STATFS, .req = req, .node_id = node_id});
}

static void ops_setattr(fuse_req_t req, fuse_ino_t node_id, struct stat *attr, int to_set,
                        struct fuse_file_info *fi)
{
    struct call call = {.kind = CALL_SETATTR,
                        .req = req,
                        .node_id = node_id,
                        .attr = attr,
                        .to_set = to_set,
                        .has_handle = fi != NULL};

    if (fi)
        call.fi = *fi;
    serve(channel_owner(req), &call);
}

static void ops_write(fuse_req_t req, fuse_ino_t node_id, const char *data, size_t size,
                      off_t offset, struct fuse_file_info *fi)
{
    serve(channel_owner(req), &(struct call){
                                  .kind = CALL_WRITE,
                                  .req = req,
                                  .node_id = node_id,
                                  .data = data,
                                  .size = size,
                                  .offset = (uint64_t)offset,
                                  .fi = *fi,
                                  .unique = channel_unique(),
                              });
}

static void ops_flush(fuse_req_t req, fuse_ino_t node_id, struct fuse_file_info *fi)
{
    serve(channel_owner(req),
          &(struct call){.kind = CALL_FLUSH, .req = req, .node_id = node_id, .fi = *fi});
}

static void ops_fsync(fuse_req_t req, fuse_ino_t node_id, int is_data_only,
                      struct fuse_file_info *fi)
{
    (void)is_data_only;
    serve(channel_owner(req),
          &(struct call){.kind = CALL_FSYNC, .req = req, .node_id = node_id, .fi = *fi});
}

static void ops_fsyncdir(fuse_req_t req, fuse_ino_t node_id, int is_data_only,
                         struct fuse_file_info *fi)
{
    (void)is_data_only;
    (void)fi; /* a folder's handle is none of a file */
    serve(channel_owner(req),
          &(struct call){.kind = CALL_FSYNC, .req = req, .node_id = node_id});
}

static void ops_fallocate(fuse_req_t req, fuse_ino_t node_id, int mode, off_t offset,
                          off_t size, struct fuse_file_info *fi)
{
    serve(channel_owner(req), &(struct call){
                                  .kind = CALL_FALLOCATE,
                                  .req = req,
                                  .node_id = node_id,
                                  .mode = (mode_t)mode,
                                  .size = (size_t)size,
                                  .offset = (uint64_t)offset,
                                  .fi = *fi,
                              });
}

/* A call about a name; answered here if no file system has such names. */
static void serve_name(fuse_req_t req, struct call *call, const char *name,
                       const char *other)
{
    call->req = req;
    call->unique = channel_unique();
    if (strlen(name) >= sizeof call->name || strlen(other) >= sizeof call->other) {
        fuse_reply_err(req, ENAMETOOLONG);
        return;
    }
    memcpy(call->name, name, strlen(name) + 1);
    memcpy(call->other, other, strlen(other) + 1);
    serve(channel_owner(req), call);
}

static void ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                      dev_t device)
{
    (void)device; /* there are none */
    serve_name(req, &(struct call){.kind = CALL_MKNOD, .node_id = parent, .mode = mode},
               name, "");
}

static void ops_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    serve_name(req, &(struct call){.kind = CALL_MKDIR, .node_id = parent, .mode = mode},
               name, "");
}

static void ops_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    serve_name(req, &(struct call){.kind = CALL_RMDIR, .node_id = parent}, name, "");
}

static void ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    serve_name(req, &(struct call){.kind = CALL_UNLINK, .node_id = parent}, name, "");
}

static void ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                        const char *name)
{
    struct fs *fs = channel_owner(req);
    struct error err = {0};
    char path[TARGET_SIZE];
    struct place place;
    int rc = place_of(fs->slots, parent, &place, &err);

    if (rc == 0 && place_is_staging(place.kind))
        return serve_name(
            req, &(struct call){.kind = CALL_SYMLINK, .node_id = parent, .data = target},
            name, "");
    if (rc == 0 && place.kind != NODE_ALIAS)
        rc = -EROFS;
    if (rc == 0)
        rc = target_parse(fs->options.mountpoint, place.name, target, path, &err);
    if (rc < 0)
        fuse_reply_err(req, -rc);
    else
        serve_name(req, &(struct call){.kind = CALL_SYMLINK, .node_id = parent}, name,
                   path);
}

static void ops_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                       fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
    serve_name(req,
               &(struct call){.kind = CALL_RENAME,
                              .node_id = parent,
                              .other_id = new_parent,
                              .flags = flags},
               name, new_name);
}

static void ops_link(fuse_req_t req, fuse_ino_t node_id, fuse_ino_t parent,
                     const char *name)
{
    serve_name(req,
               &(struct call){.kind = CALL_LINK, .node_id = parent, .other_id = node_id},
               name, "");
}

static void ops_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                       struct fuse_file_info *fi)
{
    serve_name(
        req,
        &(struct call){.kind = CALL_CREATE, .node_id = parent, .mode = mode, .fi = *fi},
        name, "");
}

/* No getxattr: it would be asked for every file of an `ls -l`. */
const struct fuse_lowlevel_ops ops = {
    .lookup = ops_lookup,
    .forget = ops_forget,
    .forget_multi = ops_forget_multi,
    .getattr = ops_getattr,
    .setattr = ops_setattr,
    .readlink = ops_readlink,
    .mknod = ops_mknod,
    .mkdir = ops_mkdir,
    .unlink = ops_unlink,
    .rmdir = ops_rmdir,
    .symlink = ops_symlink,
    .rename = ops_rename,
    .link = ops_link,
    .create = ops_create,
    .open = ops_open,
    .read = ops_read,
    .write = ops_write,
    .flush = ops_flush,
    .fsync = ops_fsync,
    .fsyncdir = ops_fsyncdir,
    .fallocate = ops_fallocate,
    .release = ops_release,
    .opendir = ops_opendir,
    .readdir = ops_readdir,
    .readdirplus = ops_readdirplus,
    .releasedir = ops_releasedir,
    .statfs = ops_statfs,
};
