/* ledger.c: requests in work, and those that workers died of, in shared memory. */
#include "fs/ledger.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum {
    DEATHS_MAX = 2, /* of one request */
    PROBES = 64,    /* places at which a request may stand */
};

/* What a program dies of by itself. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
enum { FAULT_COUNT = sizeof faults / sizeof *faults };

static __thread struct handover_thread *mine;
static __thread const struct handover_block *mine_in;
static struct handover_block *watched; /* by the handler of signals */

static uint64_t without_mark(uint64_t unique)
{
    return unique & ~KERNEL_UNIQUE_RESEND;
}

static bool is_fault(int signal)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (faults[i] == signal)
            return true;
    }
    return false;
}

/* By kill(2) from outside the signal comes in any thread. */
static void note_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code > 0 || info->si_pid == getpid()) {
        __atomic_store_n(&watched->is_fault_noted, 1, __ATOMIC_RELEASE);
        if (mine)
            __atomic_store_n(&mine->has_failed, 1, __ATOMIC_RELEASE);
    }
    raise(signal); /* when this returns, with the default action */
}

void ledger_watch_faults(struct handover_block *block)
{
    struct sigaction action = {.sa_sigaction = note_fault,
                               .sa_flags = SA_SIGINFO | (int)SA_RESETHAND};
    struct sigaction before;

    watched = block;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        /* A sanitizer's handler tells more. */
        if (sigaction(faults[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(faults[i], &action, NULL);
    }
}

static struct handover_thread *my_thread(struct handover_block *block)
{
    if (mine_in != block)
        mine = NULL;
    mine_in = block;
    for (int i = 0; !mine && i < HANDOVER_THREADS; i++) {
        uint32_t is_free = 0;

        if (__atomic_compare_exchange_n(&block->threads[i].is_used, &is_free, 1, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            mine = &block->threads[i];
    }
    return mine;
}

struct kernel_in_header *ledger_receive(struct handover_block *block)
{
    struct handover_thread *thread = my_thread(block);

    if (!thread)
        return NULL;
    __atomic_store_n(&thread->header.unique, 0, __ATOMIC_RELEASE);
    return &thread->header;
}

uint64_t ledger_begin(struct handover_block *block, uint64_t unique)
{
    struct handover_thread *thread = my_thread(block);
    uint64_t before;

    if (!thread)
        return 0;
    before = thread->header.unique;
    __atomic_store_n(&thread->header.unique, unique, __ATOMIC_RELEASE);
    return before;
}

void ledger_end(uint64_t before)
{
    if (mine)
        __atomic_store_n(&mine->header.unique, before, __ATOMIC_RELEASE);
}

/* Unique numbers are even and mostly neighbours. */
static uint64_t *place_of(struct handover_block *block, uint64_t unique, int probe)
{
    return &block->requests[(unique / 2 + (unsigned)probe) % HANDOVER_REQUESTS];
}

void ledger_note(struct handover_block *block, uint64_t unique)
{
    for (int i = 0; i < PROBES && !block->can_resend; i++) {
        uint64_t is_free = 0;

        if (__atomic_compare_exchange_n(place_of(block, unique, i), &is_free, unique,
                                        false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return;
    }
}

void ledger_answered(struct handover_block *block, uint64_t unique)
{
    for (int i = 0; i < PROBES && !block->can_resend; i++) {
        uint64_t expected = unique;

        if (__atomic_compare_exchange_n(place_of(block, unique, i), &expected, 0, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return;
    }
}

static struct handover_suspect *find_suspect(struct handover_block *block,
                                             uint64_t unique)
{
    for (int i = 0; i < HANDOVER_SUSPECTS; i++) {
        if (block->suspects[i].unique == unique)
            return &block->suspects[i];
    }
    return NULL;
}

static void count_death(struct handover_block *block, uint64_t unique)
{
    struct handover_suspect *suspect = find_suspect(block, unique);

    if (!suspect) {
        suspect = &block->suspects[block->next_suspect++ % HANDOVER_SUSPECTS];
        *suspect = (struct handover_suspect){.unique = unique};
    }
    suspect->deaths++;
}

bool ledger_is_deadly(const struct handover_block *block, uint64_t unique)
{
    const struct handover_suspect *suspect =
        find_suspect((struct handover_block *)block, without_mark(unique));

    return suspect && suspect->deaths >= DEATHS_MAX;
}

/* If the thread is known, only its request is suspected. */
static void count_deaths(struct handover_block *block)
{
    bool is_noted = block->is_fault_noted;

    for (int i = 0; i < HANDOVER_THREADS; i++) {
        const struct handover_thread *thread = &block->threads[i];

        if (thread->header.unique != 0 && (thread->has_failed || !is_noted))
            count_death(block, without_mark(thread->header.unique));
    }
}

void ledger_refuse(int fd, uint64_t unique)
{
    const struct kernel_out_header header = {
        .len = sizeof header, .error = -EIO, .unique = unique};

    /* Fails for one that was answered or whose caller is gone. */
    (void)!write(fd, &header, sizeof header);
}

bool ledger_has_reply(uint32_t opcode)
{
    return opcode != KERNEL_FUSE_FORGET && opcode != KERNEL_FUSE_BATCH_FORGET &&
           opcode != KERNEL_FUSE_INTERRUPT;
}

static void refuse_orphans(struct handover_block *block, int fd)
{
    for (int i = 0; i < HANDOVER_THREADS; i++) {
        const struct kernel_in_header *header = &block->threads[i].header;

        if (header->unique != 0 && ledger_has_reply(header->opcode))
            ledger_refuse(fd, header->unique);
    }
    for (int i = 0; i < HANDOVER_REQUESTS; i++) {
        if (block->requests[i] != 0)
            ledger_refuse(fd, block->requests[i]);
    }
}

static int ask_again(int fd, struct error *err)
{
    const struct kernel_out_header notice = {.len = sizeof notice,
                                             .error = KERNEL_NOTIFY_RESEND};

    if (write(fd, &notice, sizeof notice) < 0)
        return fail_errno(err, "have the kernel send its requests again");
    return 0;
}

int ledger_inherit(struct handover_block *block, int fd, struct error *err)
{
    if (is_fault(block->death_signal))
        count_deaths(block);
    if (!block->can_resend)
        refuse_orphans(block, fd);
    block->death_signal = 0;
    block->is_fault_noted = 0;
    memset(block->threads, 0, sizeof block->threads);
    memset(block->requests, 0, sizeof block->requests);
    return block->can_resend ? ask_again(fd, err) : 0;
}
