/* slots.h: the slot table: texts that node IDs refer to, never removed, and each stored
 * once unless it is renewed.
 *
 *     rc = slots_open(-1, &slots, &err);
 *     rc = slots_intern(slots, "3e120e8d", &slot, &err);
 *     text = slots_text(slots, slot);
 *
 * The texts lie in one block of shared memory (a memfd) that can be handed to a later
 * process: what it opens with slots_open(fd) understands every slot given out before. The
 * slot is the place of its text in the block, so nothing but the texts is stored there;
 * the index for finding a text again is private and built when the block is opened. A
 * process that is killed at any instant leaves a block that is whole.
 *
 * Only one process at a time may add texts. Within it all functions are thread-safe. */
#ifndef FS_SLOTS_H
#define FS_SLOTS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots;

/* fd is a block from before (it becomes ours), or -1 for a new one. -EPROTO when its
 * layout is another version's. */
int slots_open(int fd, struct slots **ret_slots, struct error *err);
void slots_close(struct slots *slots); /* accepts NULL */

/* The block's descriptor, lent. */
int slots_fd(const struct slots *slots);

/* The slot of a text, a new one if it has none. -ENOMEM when the block is full. */
int slots_intern(struct slots *slots, const char *text, uint32_t *ret_slot,
                 struct error *err);

/* What a text stood for is gone: whatever bears it from now on gets another slot. Nothing
 * to be done when it has none. -ENOMEM when the block is full. */
int slots_renew(struct slots *slots, const char *text, struct error *err);

/* The text of a slot, valid until slots_close; NULL for a number that is no slot. */
const char *slots_text(struct slots *slots, uint32_t slot);

/* The repository with the next number (from 0) of this process, by a text that is always
 * its own: later processes may give it another number, or not have it any more. Before
 * other threads use the table. */
int slots_add_repository(struct slots *slots, const char *location, struct error *err);

/* The slot of a repository's text, and back. false: this process has no such one. */
bool slots_repository(const struct slots *slots, unsigned number, uint32_t *ret_slot);
bool slots_find_repository(const struct slots *slots, uint32_t slot,
                           unsigned *ret_number);

/* How many different texts there are. */
size_t slots_count(struct slots *slots);

#endif
