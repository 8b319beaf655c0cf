/* mount.h: mounts the tree and serves it until it is unmounted.
 *
 *     rc = fs_run(&(struct fs_options){.mountpoint = path, ...}, ready, arg, &err);
 *
 * Starts threads: call it after any fork. SIGTERM, SIGINT and SIGHUP unmount and end it.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "cache/cache.h"
#include "common/error.h"
#include "resolver/resolver.h"

#include <stdbool.h>
#include <stdint.h>

struct fs_options {
    const char *mountpoint;    /* an existing folder */
    struct resolver *resolver; /* both are lent until fs_run returns */
    struct cache *cache;
    int64_t ttl_alias_ms;
    int64_t ttl_listing_ms;
    int64_t ttl_negative_ms;
    bool allow_other;   /* other users may read */
    bool write_aliases; /* what may be changed through the mount */
    bool write_meta;
    bool noexec;         /* nothing on the mount can be executed */
    bool debug;          /* print each request of the kernel */
    bool no_passthrough; /* as if the kernel had none of it: for tests of what is done */
    bool no_direct_mmap; /* instead */
};

/* ready(arg) runs once, in this thread, when the mount answers. Returns 0 after a clean
 * unmount, -errno with a sentence when it could not be mounted or served. */
int fs_run(const struct fs_options *options, void (*ready)(void *arg), void *arg,
           struct error *err);

#endif
