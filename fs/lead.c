/* lead.c: which of the threads reads the device. */
#include "fs/lead.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/kernel.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum {
    IDLE_LOOKS = 8,       /* without any request; then the next one sleeps */
    BACKLOG_MAX = 4,      /* in a row had others behind them: then more threads read */
    SHORT_MAX = 16 << 10, /* bytes, copied sooner than a thread is woken */
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
};

struct lead {
    unsigned patience_ms; /* constant */
    struct lock lock;
    bool has_leader;   /* guarded by lock */
    pthread_t leader;  /* guarded by lock */
    bool is_handling;  /* it is not reading; guarded by lock */
    bool has_next;     /* a thread is next, or may become it; guarded by lock */
    bool is_watched;   /* the next one looks, or is about to; guarded by lock */
    uint64_t requests; /* that were read; guarded by lock */
    unsigned backlog;  /* of these in a row had others behind them; guarded by lock */

    /* Semaphores, since a thread that is cancelled in a condition has the lock. */
    sem_t next;    /* for one thread to become the next: who waits waits for this */
    sem_t changed; /* wakes that one */
};

/* What the next one saw at its last look. */
struct look {
    uint64_t requests;
    bool is_handling;
    unsigned idle; /* looks at which nothing had come */
};

struct lead *lead_new(unsigned patience_ms)
{
    struct lead *lead = XNEW(struct lead);

    lead->patience_ms = patience_ms;
    lead->has_next = true;
    lock_init(&lead->lock);
    sem_init(&lead->next, 0, 1);
    sem_init(&lead->changed, 0, 0);
    return lead;
}

void lead_free(struct lead *lead)
{
    if (!lead)
        return;
    sem_destroy(&lead->changed);
    sem_destroy(&lead->next);
    lock_done(&lead->lock);
    free(lead);
}

static bool is_mine_locked(const struct lead *lead) REQUIRES(lead->lock)
{
    return lead->has_leader && pthread_equal(lead->leader, pthread_self());
}

static bool come_back(struct lead *lead)
{
    bool is_mine;

    lock_acquire(&lead->lock);
    is_mine = is_mine_locked(lead);
    if (is_mine)
        lead->is_handling = false;
    lock_release(&lead->lock);
    return is_mine;
}

/* Lead, if nobody does, or if who does is where he was at the last look. */
static bool try_to_lead(struct lead *lead, struct look *last)
{
    bool is_same, is_free;

    lock_acquire(&lead->lock);
    is_same = lead->requests == last->requests;
    is_free = !lead->has_leader || (lead->is_handling && last->is_handling && is_same);
    if (is_free) {
        lead->has_leader = true;
        lead->leader = pthread_self();
        lead->is_handling = false;
        lead->has_next = false;
    }
    last->idle = is_same && !lead->is_handling ? last->idle + 1 : 0;
    last->requests = lead->requests;
    last->is_handling = lead->is_handling;
    lead->is_watched = !is_free && last->idle < IDLE_LOOKS;
    lock_release(&lead->lock);
    return is_free;
}

/* Until something changed, or it is time to look again. */
static void wait_for_change(struct lead *lead, struct look *last)
{
    struct timespec end;

    if (last->idle >= IDLE_LOOKS) {
        (void)sem_wait(&lead->changed);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += lead->patience_ms / 1000;
    end.tv_nsec += (long)(lead->patience_ms % 1000) * NS_PER_MS;
    if (end.tv_nsec >= NS_PER_S) {
        end.tv_nsec -= NS_PER_S;
        end.tv_sec++;
    }
    if (sem_clockwait(&lead->changed, CLOCK_MONOTONIC, &end) == 0)
        last->is_handling = false; /* it had not its time yet */
}

void lead_take(struct lead *lead)
{
    struct look last = {0};

    if (come_back(lead))
        return;
    while (sem_wait(&lead->next) < 0)
        ; /* a signal */
    while (sem_trywait(&lead->changed) == 0)
        ; /* what changed before the first look */
    while (!try_to_lead(lead, &last))
        wait_for_change(lead, &last);
}

/* Somebody else is to lead. Whom to wake: one thread, or each pass would cost two. */
static sem_t *pass_locked(struct lead *lead) REQUIRES(lead->lock)
{
    sem_t *wake = lead->has_next ? &lead->changed : &lead->next;

    assert(is_mine_locked(lead));
    lead->has_leader = false;
    lead->has_next = true;
    lead->requests++;
    return wake;
}

/* This thread handles the request, and is watched at that. Whom to wake, or NULL. */
static sem_t *keep_locked(struct lead *lead) REQUIRES(lead->lock)
{
    sem_t *wake = !lead->has_next     ? &lead->next
                  : !lead->is_watched ? &lead->changed
                                      : NULL;

    assert(is_mine_locked(lead));
    lead->is_handling = true;
    lead->has_next = true;
    lead->is_watched = true;
    lead->requests++;
    return wake;
}

void lead_pass(struct lead *lead)
{
    int error = errno;
    sem_t *wake;

    lock_acquire(&lead->lock);
    wake = pass_locked(lead);
    lock_release(&lead->lock);
    sem_post(wake);
    errno = error;
}

/* Those that carry or gather many bytes, or wait for the disk in any case; and INIT,
 * whose thread reads no other. */
static bool is_long(uint32_t opcode, uint32_t size)
{
    if (opcode == KERNEL_FUSE_READ || opcode == KERNEL_FUSE_WRITE)
        return size > SHORT_MAX;
    return opcode == KERNEL_FUSE_INIT || opcode == KERNEL_FUSE_FSYNC ||
           opcode == KERNEL_FUSE_READDIR || opcode == KERNEL_FUSE_READDIRPLUS ||
           opcode == KERNEL_FUSE_FALLOCATE || opcode == KERNEL_FUSE_COPY_FILE_RANGE;
}

static bool has_another(int fd)
{
    struct pollfd device = {.fd = fd, .events = POLLIN};

    return poll(&device, 1, 0) > 0;
}

void lead_handle(struct lead *lead, int fd, uint32_t opcode, uint32_t size)
{
    bool is_more = has_another(fd);
    sem_t *wake;

    lock_acquire(&lead->lock);
    lead->backlog = is_more ? lead->backlog + 1 : 0;
    wake = is_long(opcode, size) || lead->backlog > BACKLOG_MAX ? pass_locked(lead)
                                                                : keep_locked(lead);
    lock_release(&lead->lock);
    if (wake)
        sem_post(wake);
}
