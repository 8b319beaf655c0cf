/* kernel.h: the few structures of the FUSE protocol that libfuse does not show.
 *
 * linux/fuse.h of Debian 12 lacks the newer fields; names and layout are the kernel's
 * (protocol 7.45). All fields are in host byte order. */
#ifndef FS_KERNEL_H
#define FS_KERNEL_H

#include <stdint.h>
#include <sys/ioctl.h>

enum {
    KERNEL_FUSE_FORGET = 2, /* opcodes */
    KERNEL_FUSE_READ = 15,
    KERNEL_FUSE_WRITE = 16,
    KERNEL_FUSE_FSYNC = 20,
    KERNEL_FUSE_INIT = 26,
    KERNEL_FUSE_READDIR = 28,
    KERNEL_FUSE_INTERRUPT = 36,
    KERNEL_FUSE_BATCH_FORGET = 42,
    KERNEL_FUSE_FALLOCATE = 43,
    KERNEL_FUSE_READDIRPLUS = 44,
    KERNEL_FUSE_COPY_FILE_RANGE = 47,
    KERNEL_NOTIFY_RESEND = 7, /* notification: send again what has no answer */
};

/* Flags of INIT; those above bit 31 travel in flags2. */
#define KERNEL_MAX_PAGES ((uint32_t)1 << 22)
#define KERNEL_READDIRPLUS_AUTO ((uint32_t)1 << 14)
#define KERNEL_INIT_EXT ((uint32_t)1 << 30)
#define KERNEL_DIRECT_IO_ALLOW_MMAP ((uint32_t)1 << (36 - 32)) /* since Linux 6.6 */
#define KERNEL_PASSTHROUGH ((uint32_t)1 << (37 - 32))          /* since Linux 6.9 */

#define KERNEL_HAS_RESEND ((uint32_t)1 << (39 - 32)) /* since Linux 6.9 */

/* In the ID of a request that an earlier worker may have seen. */
#define KERNEL_UNIQUE_RESEND ((uint64_t)1 << 63)

#define KERNEL_OPEN_NOFLUSH ((uint32_t)1 << 5)     /* since Linux 5.16 */
#define KERNEL_OPEN_PASSTHROUGH ((uint32_t)1 << 7) /* in open_flags */

struct kernel_in_header {
    uint32_t len;
    uint32_t opcode;
    uint64_t unique;
    uint64_t nodeid;
    uint32_t uid;
    uint32_t gid;
    uint32_t pid;
    uint16_t total_extlen;
    uint16_t padding;
};

/* READ and WRITE begin alike. */
struct kernel_io_in {
    uint64_t fh;
    uint64_t offset;
    uint32_t size;
    uint32_t flags;
};

struct kernel_init_in {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
    uint32_t flags2;
    uint32_t unused[11];
};

struct kernel_out_header {
    uint32_t len;
    int32_t error;
    uint64_t unique;
};

struct kernel_open_out {
    uint64_t fh;
    uint32_t open_flags;
    int32_t backing_id;
};

struct kernel_attr {
    uint64_t ino, size, blocks;
    uint64_t atime_s, mtime_s, ctime_s;
    uint32_t atime_ns, mtime_ns, ctime_ns;
    uint32_t mode, nlink, uid, gid, rdev, blksize, flags;
};

struct kernel_create_out {
    uint64_t nodeid, generation;
    uint64_t entry_valid, attr_valid;
    uint32_t entry_valid_nsec, attr_valid_nsec;
    struct kernel_attr attr;
    struct kernel_open_out open;
};

struct kernel_backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

#define KERNEL_BACKING_OPEN _IOW(229, 1, struct kernel_backing_map)
#define KERNEL_BACKING_CLOSE _IOW(229, 2, uint32_t)

struct kernel_init_out {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
    uint16_t max_background;
    uint16_t congestion_threshold;
    uint32_t max_write;
    uint32_t time_gran;
    uint16_t max_pages;
    uint16_t map_alignment;
    uint32_t flags2;
    uint32_t max_stack_depth;
    uint16_t request_timeout;
    uint16_t unused[11];
};

#endif
