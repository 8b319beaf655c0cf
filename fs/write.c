/* write.c: metadata written as a file. */
#include "fs/write.h"

#include "fs/describe.h"
#include "fs/drafts.h"
#include "fs/info.h"
#include "fs/snapshots.h"

#include <errno.h>
#include <fcntl.h>

/* FLUSH and FSYNC do not tell how a file was opened; its handle does. */
static bool is_draft(const struct call *call, const struct place *place)
{
    return place->kind == NODE_INFO_FILE && call->fi.fh != 0 &&
           !(call->fi.fh & SNAPSHOT_HANDLE);
}

static int check(struct fs *fs, const struct place *place, struct error *err)
{
    if (place->kind != NODE_INFO_FILE || !info_is_writable(place->index))
        return fail(err, EROFS, "models are read-only");
    if (!fs->options.write_meta)
        return fail(err, EROFS, "metadata cannot be changed here (write.meta)");
    return 0;
}

int write_open(struct fs *fs, const struct call *call, const struct place *place,
               enum resolve_how how, struct answer *answer, struct error *err)
{
    bool asks = !(call->fi.flags & (O_TRUNC | O_APPEND));
    int rc = check(fs, place, err);

    if (rc == 0 && (how == RESOLVE_STALE || (asks && how != RESOLVE_FETCH)))
        rc = fail(err, EINPROGRESS, "what is there has to be asked for");
    if (rc == 0)
        rc = drafts_open(fs, call->node_id, &place->release, call->fi.flags,
                         &answer->fi.fh, err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_OPEN;
    answer->fi.flags = call->fi.flags;
    answer->fi.direct_io = 1;
    return 0;
}

int write_bytes(struct fs *fs, const struct call *call, const struct place *place,
                enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc = check(fs, place, err);

    (void)how;
    if (rc == 0)
        rc = drafts_write(fs->drafts, call->fi.fh,
                          &(struct draft_write){.data = call->data,
                                                .size = call->size,
                                                .offset = call->offset,
                                                .is_again = call_is_repeated(call)},
                          err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_WRITTEN;
    answer->file_size = call->size;
    return 0;
}

int write_attributes(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct answer *answer, struct error *err)
{
    uint64_t size = (uint64_t)call->attr->st_size;
    int rc = check(fs, place, err);

    (void)how;
    if (rc == 0 && !(call->to_set & FUSE_SET_ATTR_SIZE))
        rc = fail(err, EROFS, "attributes cannot be changed");
    if (rc == 0 && !call->has_handle)
        rc = fail(err, EROFS, "open meta.yaml to change it");
    if (rc == 0)
        rc = drafts_truncate(fs->drafts, call->fi.fh, size, err);
    if (rc < 0)
        return rc;
    describe_briefly(place,
                     &answer->entry.attr); /* the rest would have to be asked for */
    answer->entry.attr.st_mode |= S_IWUSR;
    answer->entry.attr.st_nlink = 1;
    answer->entry.attr.st_uid = fs->uid;
    answer->entry.attr.st_gid = fs->gid;
    answer->kind = ANSWER_ATTR;
    answer->entry.attr.st_size = (off_t)size;
    answer->entry.attr_timeout = 0;
    return 0;
}

int write_flush(struct fs *fs, const struct call *call, const struct place *place,
                enum resolve_how how, struct answer *answer, struct error *err)
{
    (void)how;
    (void)answer;
    return is_draft(call, place) ? drafts_check(fs->drafts, call->fi.fh, err) : 0;
}

int write_sync(struct fs *fs, const struct call *call, const struct place *place,
               enum resolve_how how, struct answer *answer, struct error *err)
{
    int rc;

    (void)answer;
    if (!is_draft(call, place))
        return 0;
    rc = drafts_check(fs->drafts, call->fi.fh, err);
    if (rc == 0 && how != RESOLVE_FETCH)
        rc = fail(err, EINPROGRESS, "the repository is to be changed");
    return rc < 0 ? rc : drafts_commit(fs, call->fi.fh, err);
}

int write_refuse(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    (void)fs;
    (void)place;
    (void)how;
    (void)answer;
    return fail(err, EROFS, "'%s' cannot be made here", call->name);
}

void write_release(struct fs *fs, const struct fuse_file_info *fi)
{
    if ((fi->flags & O_ACCMODE) == O_RDONLY)
        return;
    drafts_release(fs, fi->fh);
    snapshots_drop(fs->snapshots, fi->fh); /* it may have been read as well */
}
