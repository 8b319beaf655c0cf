/* tally.h: how many requests of each kind the kernel sent: what its caches did not
 * answer.
 *
 *     struct tally tally = {0};
 *     tally_note(&tally, CALL_LOOKUP);
 *
 * Thread-safe. */
#ifndef FS_TALLY_H
#define FS_TALLY_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdatomic.h>

enum { TALLY_KINDS_MAX = 32 };

struct tally {
    atomic_uint_fast64_t requests[TALLY_KINDS_MAX]; /* by enum call_kind */
};

void tally_note(struct tally *tally, unsigned kind);

/* For @metrics. */
int tally_print(const struct tally *tally, struct bytes *to, struct error *err);

#endif
