/* grace.h: some time for what a mount that ends still has to send, and no more.
 *
 *     grace = grace_begin(cancel, arg);
 *     ... wait for what changes repositories ...
 *     grace_end(grace);
 *
 * cancel(arg) runs exactly once: by grace_end, or a few seconds after grace_begin. */
#ifndef FS_GRACE_H
#define FS_GRACE_H

struct grace;

/* cancel may be NULL. */
struct grace *grace_begin(void (*cancel)(void *arg), void *arg);
void grace_end(struct grace *grace);

#endif
