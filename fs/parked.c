/* parked.c: requests that wait, their interrupts and deadlines. */
#include "fs/parked.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <sys/queue.h>

struct entry {
    struct parked parked; /* first: a struct parked is its entry */
    struct parked_list *list;
    int64_t deadline_ms;     /* guarded by list->lock */
    bool is_taken;           /* guarded by list->lock */
    bool is_linked;          /* guarded by list->lock */
    bool is_interrupted;     /* before it was linked; guarded by list->lock */
    unsigned refs;           /* guarded by list->lock */
    TAILQ_ENTRY(entry) link; /* guarded by list->lock */
};

struct parked_list {
    struct lock lock;
    struct condition sooner;        /* wake_ms is too late, or closing */
    struct condition left;          /* while closing: an owner or a reply is done */
    int64_t wake_ms;                /* when deadlines are looked at; guarded by lock */
    TAILQ_HEAD(entries, entry) all; /* those not taken; guarded by lock */
    size_t count;                   /* of all; guarded by lock */
    size_t entries;                 /* not freed yet; guarded by lock */
    size_t replying;                /* taken and not dropped yet; guarded by lock */
    bool is_closing;                /* guarded by lock */
    parked_expired *expired;        /* constant */
    pthread_t thread;               /* constant */
};

static bool take_locked(struct parked_list *list, struct entry *entry)
    REQUIRES(list->lock)
{
    if (entry->is_taken)
        return false;
    entry->is_taken = true;
    TAILQ_REMOVE(&list->all, entry, link);
    list->count--;
    return true;
}

static bool take(struct entry *entry)
{
    struct parked_list *list = entry->list;
    bool is_ours;

    lock_acquire(&list->lock);
    is_ours = take_locked(list, entry);
    if (is_ours) {
        entry->refs++;
        list->replying++;
    }
    lock_release(&list->lock);
    return is_ours;
}

/* Nobody waits for that before. */
static void tell_left_locked(struct parked_list *list) REQUIRES(list->lock)
{
    if (list->is_closing)
        condition_broadcast(&list->left);
}

static void unref(struct entry *entry)
{
    struct parked_list *list = entry->list;
    bool is_last;

    lock_acquire(&list->lock);
    is_last = --entry->refs == 0;
    lock_release(&list->lock);
    if (!is_last)
        return;
    archive_unref(entry->parked.wanted);
    free(entry);
    lock_acquire(&list->lock);
    list->entries--;
    tell_left_locked(list);
    lock_release(&list->lock);
}

/* The end of a take. */
static void replied(struct entry *entry)
{
    struct parked_list *list = entry->list;

    lock_acquire(&list->lock);
    list->replying--;
    tell_left_locked(list);
    lock_release(&list->lock);
    unref(entry);
}

static void answer_interrupt(fuse_req_t req, struct entry *entry)
{
    if (!take(entry))
        return;
    fuse_reply_err(req, EINTR);
    replied(entry);
}

/* Is the request still being added? Then parked_add deals with it. */
static bool put_off(struct entry *entry)
{
    bool is_put_off;

    lock_acquire(&entry->list->lock);
    is_put_off = !entry->is_linked;
    entry->is_interrupted = true;
    lock_release(&entry->list->lock);
    return is_put_off;
}

/* Called by libfuse with the request locked: nothing but the reply may happen here. Not
 * even that while it sets this function: it unlocks the request afterwards, which is
 * freed with the reply. */
static void interrupted(fuse_req_t req, void *data)
{
    if (!put_off(data))
        answer_interrupt(req, data);
}

/* From here on libfuse does not call interrupted() any more, nor is it running. */
static void forget_interrupt(struct entry *entry)
{
    fuse_req_interrupt_func(entry->parked.call.req, NULL, NULL);
}

/* The first entry past its deadline, taken and referenced; NULL if there is none: then
 * wake_ms is the earliest deadline. */
static struct entry *take_expired_locked(struct parked_list *list) REQUIRES(list->lock)
{
    int64_t now = clock_now_ms();
    struct entry *entry;

    list->wake_ms = INT64_MAX;
    TAILQ_FOREACH(entry, &list->all, link) {
        if (entry->deadline_ms <= now) {
            take_locked(list, entry);
            entry->refs++;
            list->replying++;
            return entry;
        }
        if (entry->deadline_ms < list->wake_ms)
            list->wake_ms = entry->deadline_ms;
    }
    return NULL;
}

static void expire(struct entry *entry)
{
    forget_interrupt(entry);
    entry->list->expired(&entry->parked);
    replied(entry);
}

static void *watch(void *arg)
{
    struct parked_list *list = arg;
    struct entry *entry;

    lock_acquire(&list->lock);
    while (!list->is_closing) {
        entry = take_expired_locked(list);
        if (entry) {
            lock_release(&list->lock);
            expire(entry);
            lock_acquire(&list->lock);
        } else if (list->wake_ms == INT64_MAX) {
            condition_wait(&list->sooner, &list->lock);
        } else {
            condition_wait_until(&list->sooner, &list->lock, list->wake_ms);
        }
    }
    lock_release(&list->lock);
    return NULL;
}

int parked_open(parked_expired *expired, struct parked_list **ret_list, struct error *err)
{
    struct parked_list *list = XNEW(struct parked_list);
    int rc;

    lock_init(&list->lock);
    condition_init(&list->sooner);
    condition_init(&list->left);
    list->wake_ms = INT64_MAX;
    TAILQ_INIT(&list->all);
    list->expired = expired;
    rc = thread_start(&list->thread, "deadlines", watch, list);
    if (rc < 0) {
        condition_done(&list->sooner);
        condition_done(&list->left);
        lock_done(&list->lock);
        free(list);
        return fail(err, -rc, "cannot start the thread that watches deadlines");
    }
    *ret_list = list;
    return 0;
}

bool parked_take(struct parked *parked)
{
    struct entry *entry = (struct entry *)parked;

    if (!take(entry))
        return false;
    forget_interrupt(entry);
    return true;
}

void parked_close(struct parked_list *list)
{
    struct entry *entry;

    if (!list)
        return;
    lock_acquire(&list->lock);
    list->is_closing = true;
    condition_signal(&list->sooner);
    while ((entry = TAILQ_FIRST(&list->all))) {
        entry->refs++;
        lock_release(&list->lock);
        if (parked_take(&entry->parked)) {
            fuse_reply_err(entry->parked.call.req, ENODEV);
            replied(entry);
        }
        unref(entry);
        lock_acquire(&list->lock);
    }
    while (list->replying > 0)
        condition_wait(&list->left, &list->lock);
    lock_release(&list->lock);
    pthread_join(list->thread, NULL);
}

void parked_free(struct parked_list *list)
{
    if (!list)
        return;
    lock_acquire(&list->lock);
    while (list->entries > 0)
        condition_wait(&list->left, &list->lock);
    lock_release(&list->lock);
    condition_done(&list->sooner);
    condition_done(&list->left);
    lock_done(&list->lock);
    free(list);
}

struct parked *parked_add(struct parked_list *list, struct fs *fs,
                          const struct call *call, int64_t deadline_ms)
{
    struct entry *entry = XNEW(struct entry);
    bool is_interrupted;

    entry->parked.call = *call;
    entry->parked.fs = fs;
    entry->parked.unique = channel_unique();
    entry->list = list;
    entry->deadline_ms = deadline_ms;
    entry->refs = 1;
    lock_acquire(&list->lock);
    list->entries++;
    lock_release(&list->lock);
    /* Before the deadline can see it, or the request might be gone. May call it at once.
     */
    fuse_req_interrupt_func(call->req, interrupted, entry);
    lock_acquire(&list->lock);
    TAILQ_INSERT_TAIL(&list->all, entry, link);
    entry->is_linked = true;
    is_interrupted = entry->is_interrupted;
    list->count++;
    if (deadline_ms < list->wake_ms)
        condition_signal(&list->sooner);
    lock_release(&list->lock);
    if (is_interrupted)
        answer_interrupt(call->req, entry);
    return &entry->parked;
}

bool parked_is_taken(struct parked *parked)
{
    struct entry *entry = (struct entry *)parked;
    struct parked_list *list = entry->list;
    bool is_taken;

    lock_acquire(&list->lock);
    is_taken = entry->is_taken;
    lock_release(&list->lock);
    return is_taken;
}

void parked_replied(struct parked *parked)
{
    replied((struct entry *)parked);
}

void parked_drop(struct parked *parked)
{
    unref((struct entry *)parked);
}

void parked_lift_deadline(struct parked *parked)
{
    struct entry *entry = (struct entry *)parked;

    lock_acquire(&entry->list->lock);
    entry->deadline_ms = INT64_MAX;
    lock_release(&entry->list->lock);
}

size_t parked_count(struct parked_list *list)
{
    size_t count;

    lock_acquire(&list->lock);
    count = list->count;
    lock_release(&list->lock);
    return count;
}
