/* saver.c: documents of releases as they lie beside the models, under audmodel's locks.
 */
#include "cache/saver.h"

#include "cache/model_lock.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    LOCK_TIMEOUT_MS = 10000,    /* audmodel's */
    WRITES_MAX = 1024,          /* that wait */
    WRITES_BYTES_MAX = 4 << 20, /* of these */
};

struct saver {
    const struct store *store; /* constant */
    struct workers *workers;   /* constant; one thread */
    struct lock lock;
    size_t bytes; /* that wait; guarded by lock */
};

/* What the thread writes. */
struct writing {
    struct saver *saver;
    struct release release;
    enum layout_document which;
    char *data;
    size_t size;
};

int saver_open(const struct store *store, struct saver **ret_saver, struct error *err)
{
    struct saver *saver = XNEW(struct saver);
    int rc = workers_open(
        &(struct workers_options){.name = "save", .threads = 1, .queue_max = WRITES_MAX},
        &saver->workers, err);

    if (rc < 0) {
        free(saver);
        return rc;
    }
    saver->store = store;
    lock_init(&saver->lock);
    *ret_saver = saver;
    return 0;
}

void saver_close(struct saver *saver)
{
    if (!saver)
        return;
    workers_close(saver->workers);
    lock_done(&saver->lock);
    free(saver);
}

int saver_read(const struct saver *saver, const struct release *release,
               enum layout_document which, struct bytes *to, struct error *err)
{
    CLEANUP_FREE char *path = layout_path(release->id, release->version, which);
    CLEANUP_CLOSE int fd =
        files_open_beneath(saver->store->root_fd, path, O_RDONLY, 0, err);

    return fd < 0 ? fd : files_read_fd(fd, to, err);
}

bool saver_has(const struct saver *saver, const struct release *release,
               enum layout_document which)
{
    CLEANUP_FREE char *path = layout_path(release->id, release->version, which);
    struct stat st;

    return fstatat(saver->store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_size > 0;
}

int saver_write(const struct saver *saver, const struct release *release,
                enum layout_document which, const void *data, size_t size,
                struct error *err)
{
    const struct store *store = saver->store;
    CLEANUP_FREE char *path = layout_path(release->id, release->version, which);
    CLEANUP_FREE char *lock = layout_lock(release->id, release->version, which);
    int lock_fd = -1;
    int rc =
        files_make_folders_beneath(store->root_fd, release->id, store->folder_mode, err);

    if (rc == 0)
        rc = model_lock_acquire(store->root_fd, lock, LOCK_TIMEOUT_MS, &lock_fd, err);
    if (rc == 0)
        rc = files_replace(store->root_fd, path, data, size, store->file_mode, err);
    model_lock_release(lock_fd);
    return rc;
}

static bool take_room(struct saver *saver, size_t size)
{
    bool has_room;

    lock_acquire(&saver->lock);
    has_room = size <= WRITES_BYTES_MAX - saver->bytes;
    saver->bytes += has_room ? size : 0;
    lock_release(&saver->lock);
    return has_room;
}

static void writing_free(struct writing *writing)
{
    struct saver *saver = writing->saver;

    lock_acquire(&saver->lock);
    saver->bytes -= writing->size;
    lock_release(&saver->lock);
    free(writing->data);
    free(writing);
}

static void run_writing(void *arg)
{
    struct writing *writing = arg;

    /* Not saved, it is fetched again by the next process. */
    (void)saver_write(writing->saver, &writing->release, writing->which, writing->data,
                      writing->size, &(struct error){0});
    writing_free(writing);
}

void saver_write_later(struct saver *saver, const struct release *release,
                       enum layout_document which, const struct bytes *text)
{
    struct writing *writing;
    struct error err = {0};

    if (!take_room(saver, text->size))
        return;
    writing = XNEW(struct writing);
    writing->saver = saver;
    writing->release = *release;
    writing->which = which;
    writing->size = text->size;
    writing->data = malloc(text->size + 1);
    if (writing->data)
        memcpy(writing->data, text->data, text->size);
    if (!writing->data || workers_submit(saver->workers, run_writing, writing, &err) < 0)
        writing_free(writing);
}
