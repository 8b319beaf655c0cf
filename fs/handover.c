/* handover.c: makes the block that workers hand on. */
#include "fs/handover.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "fs/slots.h"
#include "fs/staging_node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

static const char MAGIC[8] = "mfblock";

static int make_staged(struct handover *handover, struct error *err)
{
    struct staging_nodes *nodes = NULL;
    int rc = staging_nodes_open(-1, &nodes, err);

    if (rc < 0)
        return rc;
    handover->staged_fd = fcntl(staging_nodes_fd(nodes), F_DUPFD_CLOEXEC, 0);
    staging_nodes_close(nodes);
    return handover->staged_fd < 0 ? fail_errno(err, "keep the table of staged files")
                                   : 0;
}

/* The slot table is opened once to give it its head; the descriptor stays. */
static int make_slots(struct handover *handover, struct error *err)
{
    struct slots *slots = NULL;
    int rc = slots_open(-1, &slots, err);

    if (rc < 0)
        return rc;
    handover->slots_fd = fcntl(slots_fd(slots), F_DUPFD_CLOEXEC, 0);
    if (handover->slots_fd < 0)
        rc = fail_errno(err, "keep the slot table");
    if (rc == 0)
        rc = make_staged(handover, err);
    slots_close(slots);
    return rc;
}

static struct handover *handover_empty(void)
{
    struct handover *handover = XNEW(struct handover);

    handover->device_fd = -1;
    handover->block_fd = -1;
    handover->slots_fd = -1;
    handover->staged_fd = -1;
    return handover;
}

static int map_block(struct handover *handover, struct error *err)
{
    handover->block = mmap(NULL, sizeof *handover->block, PROT_READ | PROT_WRITE,
                           MAP_SHARED, handover->block_fd, 0);
    if (handover->block != MAP_FAILED)
        return 0;
    handover->block = NULL;
    return fail_errno(err, "map the memory that workers share");
}

static int make_block(struct handover *handover, struct error *err)
{
    int rc;

    handover->block_fd = memfd_create("modelfs-block", MFD_CLOEXEC);
    if (handover->block_fd < 0 ||
        ftruncate(handover->block_fd, sizeof *handover->block) < 0)
        return fail_errno(err, "create the memory that workers share");
    rc = map_block(handover, err);
    if (rc < 0)
        return rc;
    memcpy(handover->block->magic, MAGIC, sizeof handover->block->magic);
    handover->block->layout = HANDOVER_LAYOUT;
    handover->block->start_s = time(NULL);
    return 0;
}

int handover_new(struct handover **ret_handover, struct error *err)
{
    struct handover *handover = handover_empty();
    int rc = make_block(handover, err);

    if (rc == 0)
        rc = make_slots(handover, err);
    if (rc < 0) {
        handover_free(handover);
        return rc;
    }
    *ret_handover = handover;
    return 0;
}

/* Before it is mapped: one of another layout may be smaller. */
static int check_block(int fd, struct error *err)
{
    struct { /* the same in every layout */
        char magic[sizeof MAGIC];
        uint32_t layout;
    } head;
    struct stat st;

    if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head || fstat(fd, &st) < 0 ||
        memcmp(head.magic, MAGIC, sizeof head.magic) != 0)
        return fail(err, EPROTO, "what was passed on is not the memory of a mount");
    if (head.layout != HANDOVER_LAYOUT ||
        st.st_size != (off_t)sizeof(struct handover_block))
        return fail(err, EPROTO,
                    "the mount keeps its memory in layout %u and this program knows "
                    "layout %d only: unmount, then mount with this program",
                    head.layout, HANDOVER_LAYOUT);
    return 0;
}

int handover_adopt(const int fds[HANDOVER_FDS], struct handover **ret_handover,
                   struct error *err)
{
    struct handover *handover;
    int rc = check_block(fds[HANDOVER_BLOCK], err);

    if (rc < 0)
        return rc;
    handover = handover_empty();
    handover->block_fd = fds[HANDOVER_BLOCK];
    rc = map_block(handover, err);
    if (rc < 0) {
        handover->block_fd = -1;
        handover_free(handover);
        return rc;
    }
    handover->device_fd = fds[HANDOVER_DEVICE];
    handover->slots_fd = fds[HANDOVER_SLOTS];
    handover->staged_fd = fds[HANDOVER_STAGED];
    *ret_handover = handover;
    return 0;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    if (handover->block)
        munmap(handover->block, sizeof *handover->block);
    close_if_open(handover->block_fd);
    close_if_open(handover->slots_fd);
    close_if_open(handover->staged_fd);
    free(handover);
}

void handover_list(const struct handover *handover, int ret_fds[HANDOVER_FDS])
{
    ret_fds[HANDOVER_DEVICE] = handover->device_fd;
    ret_fds[HANDOVER_BLOCK] = handover->block_fd;
    ret_fds[HANDOVER_SLOTS] = handover->slots_fd;
    ret_fds[HANDOVER_STAGED] = handover->staged_fd;
}

/* The process that has taken it; -1 if there is none. */
static int open_holder(const struct handover *handover, pid_t *ret_pid)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(handover->block_fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
        return -1;
    *ret_pid = lock.l_pid;
    return pidfd_open(lock.l_pid, 0);
}

/* Its locks go one after another when it ends: all of them are gone only when it is. */
static void wait_for_end(int process)
{
    struct pollfd ended = {.fd = process, .events = POLLIN};

    while (process >= 0 && poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
}

/* A record lock belongs to one process, whatever was forked, and goes with its last
 * thread. */
int handover_take(struct handover *handover, void (*prepared)(struct handover *handover),
                  struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t ignored;
    CLEANUP_CLOSE int before = open_holder(handover, &ignored);

    prepared(handover);
    if (fcntl(handover->block_fd, F_SETLKW, &lock) < 0)
        return fail_errno(err, "wait for the worker before");
    wait_for_end(before);
    return 0;
}

void handover_free_from_worker(const struct handover *handover)
{
    pid_t pid;
    CLEANUP_CLOSE int holder = open_holder(handover, &pid);

    if (holder >= 0 && pidfd_send_signal(holder, SIGKILL, NULL, 0) == 0)
        wait_for_end(holder);
}
