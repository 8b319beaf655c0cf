/* directory.c: open folders, and their entries for the kernel. */
#include "fs/directory.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/child.h"
#include "fs/describe.h"
#include "fs/folder.h"
#include "fs/place_archive.h"
#include "fs/staging_list.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    DOTS = 2, /* "." and ".." come first */
    READDIR_MAX = 1 << 20,
    LINKED_MAX = 10000, /* entries of one folder that the kernel is given with their
                           names; the others are looked up by who wants them, and take no
                           memory from who only lists a folder of a million files */
};

struct directory {
    uint64_t handle;       /* constant */
    uint64_t node_id;      /* constant */
    struct folder *folder; /* NULL until it is read; one reader at a time: the kernel sees
                              to that */
    size_t position;       /* the same: how much of a staged folder was told */
    UT_hash_handle hh;     /* guarded by directories->lock */
};

struct directories {
    struct lock lock;
    struct directory *table; /* guarded by lock */
    uint64_t next_handle;    /* guarded by lock */
};

struct directories *directories_new(void)
{
    struct directories *directories = XNEW(struct directories);

    lock_init(&directories->lock);
    /* No handle of a process before this one must be taken for one of ours. */
    directories->next_handle = (uint64_t)clock_now_ms() << 20;
    return directories;
}

static void directory_free(struct directory *directory)
{
    if (!directory)
        return;
    folder_free(directory->folder);
    free(directory);
}

void directories_free(struct directories *directories)
{
    struct directory *directory, *next;

    if (!directories)
        return;
    HASH_ITER(hh, directories->table, directory, next) {
        HASH_DEL(directories->table, directory);
        directory_free(directory);
    }
    lock_done(&directories->lock);
    free(directories);
}

static int add(struct directories *directories, struct directory *directory,
               struct error *err)
{
    bool is_there;

    lock_acquire(&directories->lock);
    directory->handle = ++directories->next_handle;
    HASH_ADD(hh, directories->table, handle, sizeof directory->handle, directory);
    is_there = directory->hh.tbl != NULL; /* uthash leaves it NULL without memory */
    lock_release(&directories->lock);
    return is_there ? 0 : fail(err, ENOMEM, "no memory for an open folder");
}

/* The kernel closes a folder only after the last read of it: no reference is needed. */
static struct directory *find(struct directories *directories, uint64_t handle)
{
    struct directory *directory;

    lock_acquire(&directories->lock);
    HASH_FIND(hh, directories->table, &handle, sizeof handle, directory);
    lock_release(&directories->lock);
    return directory;
}

void directory_release(struct fs *fs, uint64_t handle)
{
    struct directory *directory;

    lock_acquire(&fs->directories->lock);
    HASH_FIND(hh, fs->directories->table, &handle, sizeof handle, directory);
    if (directory)
        HASH_DEL(fs->directories->table, directory);
    lock_release(&fs->directories->lock);
    directory_free(directory);
}

int directory_open(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    struct folder *folder = NULL;
    struct directory *directory;
    int rc = place_is_staging(place->kind) ? staged_names_check(fs, place->number, err)
                                           : folder_make(fs, place, 0, how, &folder, err);

    if (rc < 0)
        return rc;
    directory = XNEW(struct directory);
    directory->node_id = call->node_id;
    directory->folder = folder;
    rc = add(fs->directories, directory, err);
    if (rc < 0) {
        directory_free(directory);
        return rc;
    }
    answer->kind = ANSWER_OPEN;
    answer->fi = call->fi;
    answer->fi.fh = directory->handle;
    answer->fi.cache_readdir = child_is_immutable(place->kind);
    answer->fi.keep_cache = child_is_immutable(place->kind);
    return 0;
}

/* What is known without asking anybody: members are described in full, of the rest the
 * kernel learns more when it looks the name up. */
static void describe_entry(struct fs *fs, struct place *place,
                           struct fuse_entry_param *entry)
{
    struct error err = {0};

    *entry = (struct fuse_entry_param){.ino = 0};
    if (place->kind == NODE_MEMBER) {
        struct archive *archive = NULL;

        if (place_archive(fs, place, RESOLVE_KNOWN, &archive, &err) == 0) {
            place->is_arriving = place_archive_is_arriving(fs, archive, place->index);
            archive_unref(archive);
        }
        if (describe(fs, place, RESOLVE_KNOWN, entry, &err) == 0) {
            entry->entry_timeout = FS_FOREVER_S;
            return;
        }
    }
    describe_briefly(place, &entry->attr);
}

/* Append one entry and the place behind it; false when it does not fit any more. */
static bool append(const struct call *call, struct bytes *bytes, const char *name,
                   const struct fuse_entry_param *entry, uint64_t place)
{
    size_t left = call->size - bytes->size;
    char *to = bytes->data + bytes->size;
    off_t next = (off_t)place;
    size_t used = call->with_attributes
                      ? fuse_add_direntry_plus(call->req, to, left, name, entry, next)
                      : fuse_add_direntry(call->req, to, left, name, &entry->attr, next);

    if (used > left)
        return false;
    bytes->size += used;
    return true;
}

static bool append_dot(const struct call *call, struct bytes *bytes, size_t position)
{
    struct fuse_entry_param entry = {
        .attr = {.st_mode = S_IFDIR, .st_ino = 1}
    };

    return append(call, bytes, position == 0 ? "." : "..", &entry, position + 1);
}

static void append_all(struct fs *fs, const struct call *call,
                       const struct folder *folder, struct bytes *bytes)
{
    size_t size = folder_size(folder) + DOTS;

    for (size_t position = call->offset; position < size; position++) {
        struct fuse_entry_param entry;
        struct place place;
        const char *name;

        if (position < DOTS) {
            if (!append_dot(call, bytes, position))
                return;
            continue;
        }
        name = folder_get(folder, position - DOTS, &place);
        if (!name)
            continue;
        describe_entry(fs, &place, &entry);
        if (position >= LINKED_MAX)
            entry.ino = 0;
        if (!append(call, bytes, name, &entry, position + 1))
            return;
    }
}

static int read_tree(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct directory *directory,
                     struct bytes *bytes, struct error *err)
{
    struct folder *fresh = NULL;
    int rc = directory ? 0 : folder_make(fs, place, 0, how, &fresh, err);

    if (rc == 0)
        append_all(fs, call, fresh ? fresh : directory->folder, bytes);
    folder_free(fresh);
    return rc;
}

/* The position that the kernel calls offset: where the last part ended, or further back
 * when a program went there. */
static bool find_position(const struct directory *directory, uint64_t offset,
                          size_t *ret_position)
{
    size_t position = directory->position;

    while (position > 0 && folder_next(directory->folder, position - 1) != offset)
        position--;
    *ret_position = position;
    return position > 0;
}

/* Returns the position that it came to. */
static size_t append_staged(const struct call *call, const struct folder *folder,
                            size_t position, struct bytes *bytes)
{
    for (; position < folder_size(folder); position++) {
        struct fuse_entry_param entry = {.ino = 0};
        struct place place;
        const char *name = folder_get(folder, position, &place);

        if (!folder_attr(folder, position, &entry.attr) ||
            !append(call, bytes, name, &entry, folder_next(folder, position)))
            break;
    }
    return position;
}

/* A staged folder is shown as it is when it is read from the start, not as it was when it
 * was opened, and whatever goes meanwhile, nothing is left out: so does a disk. */
static int read_staged(struct fs *fs, const struct call *call, const struct place *place,
                       enum resolve_how how, struct directory *directory,
                       struct bytes *bytes, struct error *err)
{
    struct folder *fresh = NULL;
    size_t position = 0;
    int rc = 0;

    if (call->offset == 0 || !directory || !directory->folder ||
        !find_position(directory, call->offset, &position))
        rc = folder_make(fs, place, call->offset, how, &fresh, err);
    if (rc < 0)
        return rc;
    position = append_staged(call, fresh ? fresh : directory->folder, position, bytes);
    if (directory && fresh) {
        folder_free(directory->folder);
        directory->folder = fresh;
    } else {
        folder_free(fresh);
    }
    if (directory)
        directory->position = position;
    return 0;
}

int directory_read(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    struct directory *directory = find(fs->directories, call->fi.fh);
    int rc;

    if (call->size > READDIR_MAX)
        return fail(err, EINVAL, "a folder is read in parts of at most %d bytes",
                    READDIR_MAX);
    if (directory && directory->node_id != call->node_id)
        directory = NULL;
    rc = bytes_reserve(&answer->bytes, call->size, err);
    if (rc == 0)
        rc = (place_is_staging(place->kind) ? read_staged : read_tree)(
            fs, call, place, how, directory, &answer->bytes, err);
    if (rc == 0)
        answer->kind = ANSWER_BYTES;
    return rc;
}
