/* parked.h: requests that wait for bytes or documents, until they are answered once.
 *
 *     parked = parked_add(list, fs, &call, deadline_ms);
 *     ...                                    later, on any thread:
 *     if (parked_take(parked)) {             exactly one taker gets true
 *         reply(...);
 *         parked_replied(parked);
 *     }
 *     parked_drop(parked);                   by the one that added it
 *
 * An interrupt of the caller (a signal) takes the request and answers EINTR at once; the
 * deadline takes it and calls expired(). Whoever brings the bytes then finds it taken.
 * Thread-safe. */
#ifndef FS_PARKED_H
#define FS_PARKED_H

#include "common/error.h"
#include "fs/call.h"

#include <stdbool.h>
#include <stdint.h>

struct parked_list;

struct parked {
    struct call call;       /* constant but for what its owner changes before a retry */
    struct archive *wanted; /* a reference of the owner's, or NULL */
    struct fs *fs;
    uint64_t unique; /* the kernel's number of it; constant */
};

/* Runs on the list's own thread for a request whose deadline has passed; it is taken. */
typedef void parked_expired(struct parked *parked);

/* Starts the list's thread. parked_close and parked_free the result. */
int parked_open(parked_expired *expired, struct parked_list **ret_list,
                struct error *err);

/* Answers what still waits with ENODEV; on return no reply is under way and none will
 * come. Before the session is destroyed, when nothing adds any more. */
void parked_close(struct parked_list *list); /* accepts NULL */

/* Waits until the last owner dropped its request. */
void parked_free(struct parked_list *list); /* accepts NULL */

/* deadline_ms: of clock_now_ms(); INT64_MAX for none. Copies call. */
struct parked *parked_add(struct parked_list *list, struct fs *fs,
                          const struct call *call, int64_t deadline_ms);

/* true for exactly one caller, which then replies and calls parked_replied. */
bool parked_take(struct parked *parked);

/* The end of a take: the reply is out, and parked_close need not wait for it. */
void parked_replied(struct parked *parked);

/* From now on somebody else watches that there is progress: the cache for bytes, a
 * publish job that runs for its result. */
void parked_lift_deadline(struct parked *parked);

/* Has somebody taken it? Then there is no need to work for it. */
bool parked_is_taken(struct parked *parked);

/* The owner is done with it. */
void parked_drop(struct parked *parked);

size_t parked_count(struct parked_list *list);

#endif
