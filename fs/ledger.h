/* ledger.h: which requests are in work, noted in shared memory for the next worker.
 *
 *     rc = ledger_inherit(block, fd, &err);      before serving: what the last one left
 *     header = ledger_receive(block);            each thread: read(2) the header there
 *     ledger_note(block, unique);
 *     ...
 *     before = ledger_begin(block, unique);      another thread works for it, too
 *     ledger_end(before);
 *     ledger_answered(block, unique);
 *
 * A request is known to be in work from the instant at which the kernel hands it out: its
 * header is read into the shared memory itself. So a request that workers die of is found
 * (ledger_is_deadly), and where the kernel cannot send requests again (before Linux
 * 6.9) those of a dead worker are answered with EIO. Thread-safe. */
#ifndef FS_LEDGER_H
#define FS_LEDGER_H

#include "fs/handover.h"

#include <stdbool.h>
#include <stdint.h>

/* Judge what the worker before left; block->death_signal says what it died of. The kernel
 * is asked to send it again, or, where it cannot, it fails now. fd is the device. Before
 * there are other threads. */
int ledger_inherit(struct handover_block *block, int fd, struct error *err);

/* Note in which thread we die, if we do. Once in a worker, before it starts threads. */
void ledger_watch_faults(struct handover_block *block);

/* The thread is done with its request and will read the next: the place for its header;
 * NULL when there are too many threads. */
struct kernel_in_header *ledger_receive(struct handover_block *block);

/* Work on that request begins and ends in this thread. Returns what it did before. */
uint64_t ledger_begin(struct handover_block *block, uint64_t unique);
void ledger_end(uint64_t before);

/* It was read, or answered. Where the kernel can resend nothing is done. */
void ledger_note(struct handover_block *block, uint64_t unique);
void ledger_answered(struct handover_block *block, uint64_t unique);

/* Did two workers die of their own fault in a thread that executed it? */
bool ledger_is_deadly(const struct handover_block *block, uint64_t unique);

/* Answer a request with EIO, past libfuse. */
void ledger_refuse(int fd, uint64_t unique);

/* Does the kernel want an answer to it? */
bool ledger_has_reply(uint32_t opcode);

#endif
