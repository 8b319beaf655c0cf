/* mount.h: a worker's life: serves a mounted tree until it is unmounted.
 *
 *     rc = fs_run(&(struct fs_options){.handover = handover, ...}, ready, arg, &err);
 *
 * In the process that the supervisor made for it (supervisor.h), since it starts threads.
 * SIGTERM, SIGINT and SIGHUP end it. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "cache/cache.h"
#include "common/error.h"
#include "fs/handover.h"
#include "resolver/resolver.h"

#include <stdbool.h>
#include <stdint.h>

struct fs_options {
    const char *mountpoint;    /* its absolute path */
    struct handover *handover; /* these are lent until fs_run returns */
    struct resolver *resolver;
    struct cache *cache;
    int64_t ttl_alias_ms;
    int64_t ttl_listing_ms;
    int64_t ttl_negative_ms;
    bool write_aliases; /* what may be changed through the mount */
    bool write_meta;
    bool write_staging;
    /* May be NULL. Runs when the mount is gone and what was changed through it was sent,
     * or a few seconds later: all that waits for a server is to fail. */
    void (*cancel)(void *arg);
    void *cancel_arg;
    const char *cache_root; /* where models are staged; needed for write_staging */
    bool debug;             /* print each request of the kernel */
    bool no_passthrough; /* as if the kernel had none of it: for tests of what is done */
    bool no_direct_mmap; /* instead */
    bool no_resend;      /* the same */
};

/* ready(arg) runs once, in this thread, when the mount answers. Returns 0 after a clean
 * unmount, -errno with a sentence when it could not be mounted or served. */
int fs_run(const struct fs_options *options, void (*ready)(void *arg), void *arg,
           struct error *err);

#endif
