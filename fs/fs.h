/* fs.h: what belongs to one mount. Internal to fs/. */
#ifndef FS_FS_H
#define FS_FS_H

#include "cache/cache.h"
#include "common/workers.h"
#include "fs/channel.h"
#include "fs/mount.h"
#include "fs/slots.h"
#include "fs/tally.h"
#include "resolver/resolver.h"

#include <stdint.h>
#include <sys/types.h>

/* Everything is constant while the mount is served; the parts have locks of their own. */
struct fs {
    struct fs_options options;
    struct resolver *resolver;
    struct cache *cache;
    struct slots *slots;
    struct channel *channel;
    struct workers *pool;            /* runs what may block */
    struct workers *list_pool;       /* the same, for listings that may take long */
    struct workers *change_pool;     /* the same, for what changes repositories */
    struct workers *meta_pool;       /* one thread, for what changes metadata */
    struct workers *flush_pool;      /* for fsync in @staging: disks, no repositories */
    struct snapshots *snapshots;     /* special files that are being read */
    struct drafts *drafts;           /* metadata that is being written */
    struct staging *staging;         /* @staging; NULL where it is not written */
    struct pending *pending;         /* changes of aliases that are ours alone */
    struct parked_list *parked;      /* requests that wait */
    struct passthrough *passthrough; /* files that the kernel reads itself */
    struct open_files *open_files;   /* members that are open */
    struct directories *directories; /* folders that are open */
    struct tally tally;              /* requests so far */
    struct invalidate *invalidate;   /* notifications to the kernel */
    struct failures *failures;       /* said once, the last ones for @status */
    uid_t uid;
    gid_t gid;
    int64_t start_s; /* Unix time of the mount; date of folders that no model dates */
};

/* Seconds the kernel may keep what never changes. */
#define FS_FOREVER_S 1e9

#endif
