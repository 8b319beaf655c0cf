/* invalidate.c: the queue of notifications to the kernel. */
#include "fs/invalidate.h"

#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>

enum { QUEUE_MAX = 100000 }; /* names of one large archive */

struct notice {
    uint64_t node_id;          /* the file or folder */
    char *name;                /* the entry in the folder, NULL for content; owned */
    STAILQ_ENTRY(notice) link; /* guarded by lock */
};

struct invalidate {
    struct lock lock;
    struct condition changed;
    STAILQ_HEAD(notices, notice) queue; /* guarded by lock */
    size_t count;                       /* guarded by lock */
    uint64_t added, sent;               /* notices, ever; guarded by lock */
    bool is_closing;                    /* guarded by lock */
    struct channel *channel;            /* constant */
    pthread_t thread;                   /* constant */
};

static void notice_free(struct notice *notice)
{
    free(notice->name);
    free(notice);
}

static void send(struct invalidate *invalidate, const struct notice *notice)
{
    int rc;

    if (notice->name)
        rc = fuse_lowlevel_notify_inval_entry(channel_session(invalidate->channel),
                                              notice->node_id, notice->name,
                                              strlen(notice->name));
    else
        rc = fuse_lowlevel_notify_inval_inode(channel_session(invalidate->channel),
                                              notice->node_id, 0, 0);
    if (rc < 0 && rc != -ENOENT) /* the kernel does not know it: fine */
        log_warning("cannot invalidate node %jx '%s': %s; ignoring",
                    (uintmax_t)notice->node_id, notice->name ? notice->name : "",
                    strerrordesc_np(-rc));
}

static struct notice *next_locked(struct invalidate *invalidate)
    REQUIRES(invalidate->lock)
{
    struct notice *notice = STAILQ_FIRST(&invalidate->queue);

    if (notice) {
        STAILQ_REMOVE_HEAD(&invalidate->queue, link);
        invalidate->count--;
    }
    return notice;
}

static void *send_all(void *arg)
{
    struct invalidate *invalidate = arg;
    struct notice *notice;

    lock_acquire(&invalidate->lock);
    while (!invalidate->is_closing) {
        notice = next_locked(invalidate);
        if (!notice) {
            condition_wait(&invalidate->changed, &invalidate->lock);
            continue;
        }
        lock_release(&invalidate->lock);
        send(invalidate, notice);
        notice_free(notice);
        lock_acquire(&invalidate->lock);
        invalidate->sent++;
        condition_broadcast(&invalidate->changed);
    }
    lock_release(&invalidate->lock);
    return NULL;
}

int invalidate_open(struct channel *channel, struct invalidate **ret_invalidate,
                    struct error *err)
{
    struct invalidate *invalidate = XNEW(struct invalidate);
    int rc;

    lock_init(&invalidate->lock);
    condition_init(&invalidate->changed);
    STAILQ_INIT(&invalidate->queue);
    invalidate->channel = channel;
    rc = thread_start(&invalidate->thread, "invalidate", send_all, invalidate);
    if (rc < 0) {
        condition_done(&invalidate->changed);
        lock_done(&invalidate->lock);
        free(invalidate);
        return fail(err, -rc, "cannot start the thread that notifies the kernel");
    }
    *ret_invalidate = invalidate;
    return 0;
}

void invalidate_stop(struct invalidate *invalidate)
{
    if (!invalidate)
        return;
    lock_acquire(&invalidate->lock);
    invalidate->is_closing = true;
    condition_broadcast(&invalidate->changed);
    lock_release(&invalidate->lock);
    pthread_join(invalidate->thread, NULL);
}

void invalidate_free(struct invalidate *invalidate)
{
    struct notice *notice;

    if (!invalidate)
        return;
    lock_acquire(&invalidate->lock);
    while ((notice = next_locked(invalidate)))
        notice_free(notice);
    lock_release(&invalidate->lock);
    condition_done(&invalidate->changed);
    lock_done(&invalidate->lock);
    free(invalidate);
}

static void add(struct invalidate *invalidate, uint64_t node_id, const char *name)
{
    struct notice *notice = XNEW(struct notice);

    notice->node_id = node_id;
    notice->name = name ? xstrdup(name) : NULL;
    lock_acquire(&invalidate->lock);
    if (invalidate->count < QUEUE_MAX && !invalidate->is_closing) {
        STAILQ_INSERT_TAIL(&invalidate->queue, notice, link);
        invalidate->count++;
        invalidate->added++;
        notice = NULL;
        condition_broadcast(&invalidate->changed);
    }
    lock_release(&invalidate->lock);
    if (notice)
        notice_free(notice);
}

bool invalidate_wait(struct invalidate *invalidate, int64_t deadline_ms)
{
    uint64_t wanted;
    bool is_sent;
    int rc = 0;

    lock_acquire(&invalidate->lock);
    wanted = invalidate->added;
    while (rc == 0 && invalidate->sent < wanted && !invalidate->is_closing)
        rc = condition_wait_until(&invalidate->changed, &invalidate->lock, deadline_ms);
    is_sent = invalidate->sent >= wanted;
    lock_release(&invalidate->lock);
    return is_sent && channel_wait_notices(invalidate->channel, deadline_ms);
}

void invalidate_entry(struct fs *fs, const struct place *folder, const char *name)
{
    struct error err = {0};
    uint64_t node_id;

    if (place_id(fs->slots, folder, &node_id, &err) == 0)
        add(fs->invalidate, node_id, name); /* else the kernel knows nothing of it */
}

void invalidate_content(struct fs *fs, uint64_t node_id)
{
    add(fs->invalidate, node_id, NULL);
}

void invalidate_archive(struct fs *fs, const struct release *release,
                        const struct toc *toc)
{
    struct place version = {.kind = NODE_VERSION, .release = *release};
    const struct toc_entry *top = toc_entry(toc, 0);
    struct error err = {0};
    uint64_t node_id;

    if (place_id(fs->slots, &version, &node_id, &err) < 0)
        return; /* no ID, so the kernel knows nothing of it */
    for (uint32_t i = 0; i < top->child_count; i++)
        add(fs->invalidate, node_id, toc_name(toc, top->first_child + i));
    add(fs->invalidate, node_id, NULL);
}
