/* read.c: opening and reading members and the texts of the special files. */
#include "fs/read.h"

#include "common/cleanup.h"
#include "fs/info.h"
#include "fs/open_files.h"
#include "fs/passthrough.h"
#include "fs/place_archive.h"
#include "fs/snapshots.h"
#include "fs/status.h"
#include "fs/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* 0: those bytes of a member are there, of the attempt answer->want.generation.
 * CALL_WANT: they have to arrive first. */
static int want(const struct call *call, struct archive *archive,
                const struct place *place, uint64_t offset, uint64_t size,
                struct answer *answer)
{
    answer->want.index = place->index;
    answer->want.offset = offset;
    answer->want.size = size;
    answer->want.generation = call->has_bytes ? call->generation : (uint32_t)call->fi.fh;
    if (call->has_bytes ||
        archive_has(archive, place->index, offset, size, &answer->want.generation))
        return 0;
    answer->want.archive = archive_ref(archive);
    return CALL_WANT;
}

/* A complete member: its cache file is what the kernel reads, if it can. 1: it can. */
static int open_passing(struct fs *fs, const struct call *call, const struct place *place,
                        struct archive *archive, struct answer *answer, struct error *err)
{
    CLEANUP_CLOSE int fd =
        archive_fd(archive, place->index, answer->want.generation, err);
    int rc;

    if (fd < 0)
        return fd;
    answer->fi.noflush = 1;
    rc = passthrough_open(fs->passthrough,
                          &(struct passthrough_wish){.node_id = call->node_id,
                                                     .unique = call->unique,
                                                     .fd = fd,
                                                     .archive = archive},
                          &answer->fi.fh, &answer->backing_id, err);
    return rc == -ENOTSUP ? 0 : rc < 0 ? rc : 1;
}

/* Through us: the handle is the generation (0: complete) alone, so that any later process
 * can serve it. */
static int open_here(struct fs *fs, const struct call *call, const struct place *place,
                     struct archive *archive, struct answer *answer, struct error *err)
{
    struct open_wish wish = {
        .node_id = call->node_id,
        .archive = archive,
        .index = place->index,
        .generation = place->is_arriving ? answer->want.generation : 0,
    };
    int rc = open_files_hold(fs->open_files, &wish, err);

    answer->fi.fh = wish.generation;
    answer->fi.keep_cache = 1;
    answer->fi.noflush = 1;
    if (place->is_arriving && channel_maps_direct_io(fs->channel)) {
        answer->fi.direct_io = 1;
        answer->fi.keep_cache = 0;
    }
    return rc;
}

static int open_now(struct fs *fs, const struct call *call, const struct place *place,
                    struct archive *archive, struct answer *answer, struct error *err)
{
    int rc = 0;

    answer->kind = ANSWER_OPEN;
    answer->fi = call->fi;
    if (!place->is_arriving)
        rc = open_passing(fs, call, place, archive, answer, err);
    if (rc == 0)
        rc = open_here(fs, call, place, archive, answer, err);
    if (rc == -ENOENT) /* removed from the cache folder: the kernel opens it once more */
        return fail_context(err, -ESTALE, "the cache folder was changed");
    return rc < 0 ? rc : 0;
}

void read_release(struct fs *fs, uint64_t node_id, uint64_t handle)
{
    if (handle & PASSTHROUGH_HANDLE)
        passthrough_release(fs->passthrough, handle);
    else if (node_id_unpack(node_id).kind != NODE_MEMBER)
        snapshots_drop(fs->snapshots, handle);
    else
        open_files_release(fs->open_files, node_id, (uint32_t)handle);
}

static int open_member_of(struct fs *fs, const struct call *call,
                          const struct place *place, struct archive *archive,
                          struct answer *answer, struct error *err)
{
    const struct toc_entry *entry;
    int rc;

    if (place->index >= toc_count(archive_toc(archive)))
        return fail(err, ESTALE, "no such entry");
    entry = toc_entry(archive_toc(archive), place->index);
    if (entry->kind == TOC_FOLDER)
        return fail(err, EISDIR, "'%s' is a folder",
                    toc_name(archive_toc(archive), place->index));
    /* The other node ID is the right one now: the kernel looks the name up again. */
    if (!call->has_bytes && entry->size > cache_hold(fs->cache) &&
        place->is_arriving != place_archive_is_arriving(fs, archive, place->index))
        return fail(err, ESTALE, "'%s' is complete now, or gone again",
                    toc_name(archive_toc(archive), place->index));
    /* An arriving member is opened at once: a transfer that begins is enough. */
    rc = want(call, archive, place, 0, place->is_arriving ? 1 : ARCHIVE_WHOLE, answer);
    return rc == 0 ? open_now(fs, call, place, archive, answer, err) : rc;
}

static int open_member(struct fs *fs, const struct call *call, const struct place *place,
                       enum resolve_how how, struct answer *answer, struct error *err)
{
    struct archive *archive = NULL;
    int rc = place_archive(fs, place, how, &archive, err);

    if (rc < 0)
        return rc;
    rc = open_member_of(fs, call, place, archive, answer, err);
    archive_unref(archive);
    return rc;
}

int read_open(struct fs *fs, const struct call *call, const struct place *place,
              enum resolve_how how, struct answer *answer, struct error *err)
{
    if ((call->fi.flags & O_ACCMODE) != O_RDONLY)
        return write_open(fs, call, place, how, answer, err);
    switch (place->kind) {
    case NODE_MEMBER:
        return open_member(fs, call, place, how, answer, err);
    case NODE_INFO_FILE:
    case NODE_STATUS:
    case NODE_METRICS:
        answer->kind = ANSWER_OPEN;
        answer->fi = call->fi;
        answer->fi.fh = snapshots_handle(fs->snapshots);
        answer->fi.noflush = 1;
        answer->fi.direct_io = 1; /* read to its end, whatever size stat showed */
        return 0;
    default:
        return fail(err, EISDIR, "no file");
    }
}

static int make_text(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct bytes *to, struct error *err)
{
    int rc;

    if (place->kind == NODE_STATUS)
        rc = status_print(fs, to, err);
    else if (place->kind == NODE_METRICS)
        rc = status_print_metrics(fs, to, err);
    else
        rc = info_print(fs, place, how, to, err);
    return rc < 0 ? rc : snapshots_keep(fs->snapshots, call->fi.fh, to, err);
}

static int read_text(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct answer *answer, struct error *err)
{
    struct error missing = {0};
    int rc = -ENOENT;

    if (call->offset > 0)
        rc = snapshots_find(fs->snapshots, call->fi.fh, &answer->bytes, &missing);
    if (rc < 0)
        rc = make_text(fs, call, place, how, &answer->bytes, err);
    bytes_cut(&answer->bytes, call->offset, call->size);
    answer->kind = ANSWER_BYTES;
    return rc;
}

/* The archive that a handle belongs to; *ret_file is NULL if the file was opened by a
 * process before this one. */
static int find_file(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct open_file **ret_file,
                     struct archive **ret_archive, struct error *err)
{
    int rc;

    *ret_file = open_files_find(fs->open_files, call->node_id, (uint32_t)call->fi.fh);
    if (*ret_file) {
        *ret_archive = archive_ref(open_file_archive(*ret_file));
        return 0;
    }
    rc = place_archive(fs, place, how, ret_archive, err);
    return rc == -ESTALE ? fail_context(err, -EIO, "open the file anew") : rc;
}

static int read_member_of(struct fs *fs, const struct call *call,
                          const struct place *place, struct archive *archive,
                          struct answer *answer, struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive_toc(archive), place->index);
    int rc = 0;

    answer->kind = ANSWER_BYTES;
    if (call->offset >= entry->size)
        return 0;
    answer->kind = ANSWER_FILE;
    answer->file_offset = call->offset;
    answer->file_size = call->size;
    if (call->size > entry->size - call->offset)
        answer->file_size = (size_t)(entry->size - call->offset);
    if (place->is_arriving || !answer->file)
        rc = want(call, archive, place, call->offset, answer->file_size, answer);
    if (rc == 0 && !answer->file)
        rc = open_files_adopt(fs->open_files,
                              &(struct open_wish){.node_id = call->node_id,
                                                  .archive = archive,
                                                  .index = place->index,
                                                  .generation = (uint32_t)call->fi.fh},
                              &answer->file, err);
    return rc;
}

static int read_member(struct fs *fs, const struct call *call, const struct place *place,
                       enum resolve_how how, struct answer *answer, struct error *err)
{
    struct archive *archive = NULL;
    int rc = find_file(fs, call, place, how, &answer->file, &archive, err);

    if (rc == 0)
        rc = read_member_of(fs, call, place, archive, answer, err);
    archive_unref(archive);
    return rc;
}

int read_bytes(struct fs *fs, const struct call *call, const struct place *place,
               enum resolve_how how, struct answer *answer, struct error *err)
{
    if (place->kind == NODE_MEMBER)
        return read_member(fs, call, place, how, answer, err);
    return read_text(fs, call, place, how, answer, err);
}
