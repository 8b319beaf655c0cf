/* open_files.c: the table of open members. */
#include "fs/open_files.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct key {
    uint64_t node_id;
    uint64_t generation;
};

struct open_file {
    struct key key;          /* constant */
    struct archive *archive; /* a reference; constant */
    int fd;                  /* constant */
    atomic_uint refs;        /* one of the table, one of each user */
    unsigned handles;        /* guarded by files->lock */
    UT_hash_handle hh;       /* guarded by files->lock */
};

struct open_files {
    struct lock lock;
    struct open_file *table; /* guarded by lock */
};

struct open_files *open_files_new(void)
{
    struct open_files *files = XNEW(struct open_files);

    lock_init(&files->lock);
    return files;
}

static struct open_file *ref(struct open_file *file)
{
    file->refs++;
    return file;
}

void open_file_unref(struct open_file *file)
{
    if (!file || --file->refs > 0)
        return;
    close(file->fd);
    archive_unref(file->archive);
    free(file);
}

void open_files_free(struct open_files *files)
{
    struct open_file *file, *next;

    if (!files)
        return;
    HASH_ITER(hh, files->table, file, next) {
        HASH_DEL(files->table, file);
        open_file_unref(file);
    }
    lock_done(&files->lock);
    free(files);
}

static struct open_file *find_locked(struct open_files *files, uint64_t node_id,
                                     uint32_t generation) REQUIRES(files->lock)
{
    struct key key = {.node_id = node_id, .generation = generation};
    struct open_file *file;

    HASH_FIND(hh, files->table, &key, sizeof key, file);
    return file;
}

static bool add_locked(struct open_files *files, struct open_file *file)
    REQUIRES(files->lock)
{
    HASH_ADD(hh, files->table, key, sizeof file->key, file);
    return file->hh.tbl != NULL; /* uthash leaves it NULL when there is no memory */
}

static int make_file(const struct open_wish *wish, struct open_file **ret_file,
                     struct error *err)
{
    int fd = archive_fd(wish->archive, wish->index, wish->generation, err);
    struct open_file *file;

    if (fd < 0)
        return fd;
    file = XNEW(struct open_file);
    file->key = (struct key){.node_id = wish->node_id, .generation = wish->generation};
    file->archive = archive_ref(wish->archive);
    file->fd = fd;
    file->refs = 1;
    *ret_file = file;
    return 0;
}

/* One more handle, if the member is open; NULL if not. */
static struct open_file *hold_locked(struct open_files *files,
                                     const struct open_wish *wish) REQUIRES(files->lock)
{
    struct open_file *file = find_locked(files, wish->node_id, wish->generation);

    if (file)
        file->handles++;
    return file;
}

int open_files_hold(struct open_files *files, const struct open_wish *wish,
                    struct error *err)
{
    struct open_file *made = NULL, *file;
    int rc;

    lock_acquire(&files->lock);
    file = hold_locked(files, wish);
    lock_release(&files->lock);
    if (file)
        return 0;
    rc = make_file(wish, &made, err);
    if (rc < 0)
        return rc;
    lock_acquire(&files->lock);
    file = hold_locked(files, wish); /* another open was faster */
    if (!file && add_locked(files, made))
        hold_locked(files, wish);
    else if (!file)
        rc = fail(err, ENOMEM, "no memory for an open file");
    lock_release(&files->lock);
    if (file || rc < 0)
        open_file_unref(made);
    return rc;
}

int open_files_adopt(struct open_files *files, const struct open_wish *wish,
                     struct open_file **ret_file, struct error *err)
{
    struct open_file *made = NULL, *file;
    int rc = make_file(wish, &made, err);

    if (rc < 0)
        return rc;
    lock_acquire(&files->lock);
    file = find_locked(files, wish->node_id, wish->generation);
    if (!file && add_locked(files, made)) { /* no other read was faster */
        file = made;
        file->handles = 1;
        made = NULL;
    }
    if (file)
        ref(file);
    lock_release(&files->lock);
    open_file_unref(made);
    if (!file)
        return fail(err, ENOMEM, "no memory for an open file");
    *ret_file = file;
    return 0;
}

void open_files_release(struct open_files *files, uint64_t node_id, uint32_t generation)
{
    struct open_file *file;

    lock_acquire(&files->lock);
    file = find_locked(files, node_id, generation);
    if (file && file->handles > 1) {
        file->handles--;
        file = NULL;
    } else if (file) {
        HASH_DEL(files->table, file);
    }
    lock_release(&files->lock);
    open_file_unref(file);
}

struct open_file *open_files_find(struct open_files *files, uint64_t node_id,
                                  uint32_t generation)
{
    struct open_file *file;

    lock_acquire(&files->lock);
    file = find_locked(files, node_id, generation);
    if (file)
        ref(file);
    lock_release(&files->lock);
    return file;
}

struct archive *open_file_archive(const struct open_file *file)
{
    return file->archive;
}

int open_file_fd(const struct open_file *file)
{
    return file->fd;
}

size_t open_files_count(struct open_files *files)
{
    size_t count;

    lock_acquire(&files->lock);
    count = HASH_COUNT(files->table);
    lock_release(&files->lock);
    return count;
}
