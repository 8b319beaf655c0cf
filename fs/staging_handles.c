/* staging_handles.c: one descriptor for each staged file that is open. */
#include "fs/staging_handles.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* What a descriptor is good for, each for more. */
enum access {
    ACCESS_PATH, /* for what the kernel asks of a file without opening it */
    ACCESS_READ,
    ACCESS_BOTH,
};

struct staged {
    uint64_t number;
    int fd;
    enum access access;
    unsigned writers; /* handles of this process */
    UT_hash_handle hh;
};

struct staging_handles {
    struct lock lock;
    struct staging_nodes *nodes;     /* constant; it counts all handles */
    const struct staging_disk *disk; /* constant */
    struct passthrough *passthrough; /* constant once attached */
    struct staged *open;             /* guarded by lock */
};

/* What the end of a file leaves to be done without the lock, which all others of @staging
 * need: the last close of a huge file, or its last name, may keep a disk busy for long.
 */
struct ending {
    int fd;          /* to be closed; -1: none */
    uint64_t number; /* its name among the unlinked goes; 0: none does */
};

struct staging_handles *staging_handles_new(struct staging_nodes *nodes,
                                            const struct staging_disk *disk)
{
    struct staging_handles *handles = XNEW(struct staging_handles);

    lock_init(&handles->lock);
    handles->nodes = nodes;
    handles->disk = disk;
    return handles;
}

static void staged_free(struct staged *staged)
{
    close(staged->fd);
    free(staged);
}

void staging_handles_free(struct staging_handles *handles)
{
    struct staged *staged, *next;

    if (!handles)
        return;
    HASH_ITER(hh, handles->open, staged, next) {
        HASH_DEL(handles->open, staged);
        staged_free(staged);
    }
    lock_done(&handles->lock);
    free(handles);
}

void staging_handles_attach(struct staging_handles *handles,
                            struct passthrough *passthrough)
{
    handles->passthrough = passthrough;
}

static struct staged *find_locked(struct staging_handles *handles, uint64_t number)
    REQUIRES(handles->lock)
{
    struct staged *staged;

    HASH_FIND(hh, handles->open, &number, sizeof number, staged);
    return staged;
}

/* path in folder_fd is opened for both, or for reading where its mode or the disk allows
 * no more. */
static int open_file(int folder_fd, const char *path, int flags, bool for_writing,
                     enum access *ret_access, struct error *err)
{
    int fd = openat(folder_fd, path, O_RDWR | flags | O_NONBLOCK | O_CLOEXEC);

    *ret_access = ACCESS_BOTH;
    if (fd < 0 && !for_writing && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        *ret_access = ACCESS_READ;
        fd = openat(folder_fd, path, O_RDONLY | flags | O_NONBLOCK | O_CLOEXEC);
    }
    return fd < 0 ? fail_errno(err, "open a staged file") : fd;
}

static int find_and_open(struct staging_handles *handles, uint64_t number,
                         bool for_writing, enum access *ret_access, struct error *err)
{
    struct staging_at at;
    int rc = staging_disk_locate(handles->disk, number, &at, err);

    if (rc < 0)
        return rc;
    rc = open_file(at.folder_fd, at.name, O_NOFOLLOW, for_writing, ret_access, err);
    close(at.folder_fd);
    return rc < 0 ? fail_context(err, rc, "'%s'", at.name) : rc;
}

static int add_locked(struct staging_handles *handles, uint64_t number, int take_fd,
                      enum access access, struct staged **ret_staged, struct error *err)
    REQUIRES(handles->lock)
{
    struct staged *staged = XNEW(struct staged);

    staged->number = number;
    staged->fd = take_fd;
    staged->access = access;
    HASH_ADD(hh, handles->open, number, sizeof staged->number, staged);
    if (!staged->hh.tbl) {
        staged_free(staged);
        return fail(err, ENOMEM, "no memory for an open file");
    }
    *ret_staged = staged;
    return 0;
}

/* The same file, for more than it was opened for. */
static int allow_more(struct staged *staged, bool for_writing, struct error *err)
{
    enum access access;
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/self/fd/%d", staged->fd);
    fd = open_file(AT_FDCWD, path, 0, for_writing, &access, err);
    if (fd < 0)
        return fd;
    dup3(fd, staged->fd, O_CLOEXEC);
    close(fd);
    staged->access = access;
    return 0;
}

static int get_locked(struct staging_handles *handles, uint64_t number, bool for_writing,
                      int take_fd, struct staged **ret_staged, struct error *err)
    REQUIRES(handles->lock)
{
    enum access access = ACCESS_BOTH, needed = for_writing ? ACCESS_BOTH : ACCESS_READ;
    struct staged *staged = find_locked(handles, number);

    if (staged && take_fd >= 0)
        close(take_fd);
    if (!staged && take_fd < 0)
        take_fd = find_and_open(handles, number, for_writing, &access, err);
    if (!staged && take_fd < 0)
        return take_fd;
    *ret_staged = staged;
    if (!staged)
        return add_locked(handles, number, take_fd, access, ret_staged, err);
    if (staged->access < needed)
        return allow_more(staged, for_writing, err);
    return 0;
}

static struct ending close_locked(struct staging_handles *handles, uint64_t number)
    REQUIRES(handles->lock)
{
    struct staged *staged = find_locked(handles, number);
    struct ending ending = {.fd = staged ? staged->fd : -1};

    if (staged)
        HASH_DEL(handles->open, staged);
    free(staged);
    return ending;
}

/* Its name among the unlinked, if there is one. What fails, the next mount does. */
static void remove_kept(const struct staging_handles *handles, uint64_t number)
{
    char name[NAME_MAX + 1];

    staging_disk_trash_name(number, name);
    (void)unlinkat(staging_disk_trash_fd(handles->disk), name, 0);
}

/* With the lock released. */
static void end(const struct staging_handles *handles, const struct ending *ending)
{
    if (ending->fd >= 0)
        close(ending->fd);
    if (ending->number != 0)
        remove_kept(handles, ending->number);
}

/* The number is dead and nobody has its file: it goes. No number means the file from now
 * on, so nobody opens it while it ends. */
static struct ending forget_locked(struct staging_handles *handles, uint64_t number)
    REQUIRES(handles->lock)
{
    struct ending ending = close_locked(handles, number);

    ending.number = number;
    staging_node_forget(handles->nodes, number);
    return ending;
}

/* The last handle is closed, or the kernel does not know the file any more. */
static struct ending drop_locked(struct staging_handles *handles, uint64_t number)
    REQUIRES(handles->lock)
{
    return staging_node_is_dead(handles->nodes, number) ? forget_locked(handles, number)
                                                        : close_locked(handles, number);
}

/* Did it lose a name while it was open? A process before us may know. */
static bool may_be_kept(const struct staged *staged)
{
    struct stat st;

    return !staged || (fstat(staged->fd, &st) == 0 && st.st_nlink > 1);
}

static int hold_locked(struct staging_handles *handles, const struct staging_wish *wish,
                       int take_fd, uint64_t *ret_handle, uint32_t *ret_backing_id,
                       struct ending *ending, struct error *err) REQUIRES(handles->lock)
{
    bool for_writing = (wish->flags & O_ACCMODE) != O_RDONLY;
    struct staged *staged = NULL;
    int rc;

    staging_node_hold(handles->nodes, wish->number);
    rc = get_locked(handles, wish->number, for_writing, take_fd, &staged, err);
    if (rc == 0 && wish->flags & O_TRUNC && ftruncate(staged->fd, 0) < 0)
        rc = fail_errno(err, "truncate a staged file");
    if (rc == 0)
        rc = passthrough_open(handles->passthrough,
                              &(struct passthrough_wish){.node_id = wish->node_id,
                                                         .unique = wish->unique,
                                                         .fd = staged->fd},
                              ret_handle, ret_backing_id, err);
    if (rc == -ENOTSUP)
        rc = 0; /* the page cache serves as well, only slower */
    if (rc == 0)
        staged->writers += for_writing;
    else if (staging_node_release(handles->nodes, wish->number) == 0)
        *ending = drop_locked(handles, wish->number);
    return rc;
}

int staging_handles_hold(struct staging_handles *handles, const struct staging_wish *wish,
                         int take_fd, uint64_t *ret_handle, uint32_t *ret_backing_id,
                         struct error *err)
{
    struct ending ending = {.fd = -1};
    int rc;

    *ret_handle = 0;
    *ret_backing_id = 0;
    lock_acquire(&handles->lock);
    rc = hold_locked(handles, wish, take_fd, ret_handle, ret_backing_id, &ending, err);
    lock_release(&handles->lock);
    end(handles, &ending);
    return rc;
}

bool staging_handles_release(struct staging_handles *handles, uint64_t number,
                             uint64_t handle, int flags)
{
    bool for_writing = (flags & O_ACCMODE) != O_RDONLY;
    struct ending ending = {.fd = -1};
    struct staged *staged;
    bool is_last = for_writing;

    if (handle & PASSTHROUGH_HANDLE)
        passthrough_release(handles->passthrough, handle);
    lock_acquire(&handles->lock);
    staged = find_locked(handles, number);
    if (staged && for_writing && staged->writers > 0)
        is_last = --staged->writers == 0;
    if (staging_node_release(handles->nodes, number) == 0) {
        if (may_be_kept(staged))
            remove_kept(handles, number);
        ending = drop_locked(handles, number);
    }
    lock_release(&handles->lock);
    end(handles, &ending);
    return is_last;
}

int staging_handles_dup(struct staging_handles *handles, uint64_t number)
{
    const struct staged *staged;
    int fd;

    lock_acquire(&handles->lock);
    staged = find_locked(handles, number);
    fd = staged ? fcntl(staged->fd, F_DUPFD_CLOEXEC, 0) : -1;
    lock_release(&handles->lock);
    return fd < 0 ? -ENOENT : fd;
}

bool staging_handles_has_writers(struct staging_handles *handles, uint64_t number)
{
    const struct staged *staged;
    bool has_writers;

    lock_acquire(&handles->lock);
    staged = find_locked(handles, number);
    has_writers = staged && staged->writers > 0;
    lock_release(&handles->lock);
    return has_writers;
}

bool staging_handles_has_writers_below(struct staging_handles *handles, const char *top)
{
    const struct staged *staged;
    bool has_writers = false;
    char found[NAME_MAX + 1];

    lock_acquire(&handles->lock);
    for (staged = handles->open; staged && !has_writers; staged = staged->hh.next)
        has_writers = staged->writers > 0 &&
                      staging_node_top(handles->nodes, staged->number, found) > 0 &&
                      strcmp(found, top) == 0;
    lock_release(&handles->lock);
    return has_writers;
}

/* Besides the one that is going, and what a process before may have linked. */
static bool has_other_name(const struct staging_handles *handles, uint64_t number,
                           const struct stat *st)
{
    if (S_ISDIR(st->st_mode) || st->st_nlink == 1)
        return false;
    return st->st_nlink > 2 || !staging_disk_is_kept(handles->disk, number, st->st_ino);
}

static int keep_linked(struct staging_handles *handles, int folder_fd, const char *name,
                       struct staging_loss *loss, struct error *err)
{
    char trash_name[NAME_MAX + 1];

    staging_disk_trash_name(loss->number, trash_name);
    loss->is_linked =
        linkat(folder_fd, name, staging_disk_trash_fd(handles->disk), trash_name, 0) == 0;
    if (!loss->is_linked && errno != EEXIST) /* for another name, or a process before */
        return fail_errno(err, "keep open file '%s'", name);
    return 0;
}

int staging_handles_lose(struct staging_handles *handles, int folder_fd, const char *name,
                         struct staging_loss *ret_loss, struct error *err)
{
    struct staging_loss loss = {.number = 0, .fd = -1};
    struct stat st;
    bool is_open;
    int rc = 0;

    *ret_loss = loss;
    if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !staging_node_find(handles->nodes, st.st_ino, &loss.number))
        return 0; /* nobody knows it */
    is_open = S_ISREG(st.st_mode) && staging_node_is_open(handles->nodes, loss.number);
    loss.has_other = has_other_name(handles, loss.number, &st);
    if (loss.has_other && S_ISREG(st.st_mode) && !is_open)
        return 0;
    if (is_open)
        rc = keep_linked(handles, folder_fd, name, &loss, err);
    else
        loss.fd = openat(folder_fd, name,
                         (S_ISDIR(st.st_mode) ? O_RDONLY | O_DIRECTORY : O_PATH) |
                             O_NOFOLLOW | O_CLOEXEC);
    if (rc == 0)
        *ret_loss = loss;
    return rc;
}

void staging_handles_lose_again(struct staging_handles *handles, int folder_fd,
                                uint64_t parent, const char *name,
                                struct staging_loss *ret_loss)
{
    struct stat st = {.st_ino = 0};
    uint64_t number;

    *ret_loss = (struct staging_loss){.number = 0, .fd = -1};
    (void)fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW); /* or nothing is there */
    if (staging_node_find_name(handles->nodes, parent, name, &number) &&
        staging_node_inode(handles->nodes, number) != st.st_ino)
        ret_loss->number = number; /* not what took its place */
}

/* Who has the file as working folder, or open by path alone, may still ask about it. */
static void keep_locked(struct staging_handles *handles, uint64_t number, int take_fd)
    REQUIRES(handles->lock)
{
    struct staged *staged = NULL;

    if (take_fd >= 0 && find_locked(handles, number))
        close(take_fd);
    else if (take_fd >= 0)
        (void)add_locked(handles, number, take_fd, ACCESS_PATH, &staged,
                         &(struct error){0}); /* or they get ESTALE */
}

static struct ending lose_closed_locked(struct staging_handles *handles, uint64_t number)
    REQUIRES(handles->lock)
{
    if (staging_node_is_dead(handles->nodes, number))
        return forget_locked(handles, number);
    remove_kept(handles, number);
    return (struct ending){.fd = -1};
}

void staging_handles_lost(struct staging_handles *handles,
                          const struct staging_loss *loss, int rc)
{
    struct ending ending = {.fd = -1};

    if (loss->number == 0)
        return;
    lock_acquire(&handles->lock);
    if (rc == 0) {
        keep_locked(handles, loss->number, loss->fd);
        if (!loss->has_other)
            staging_node_kill(handles->nodes, loss->number);
        if (!find_locked(handles, loss->number) &&
            !staging_node_is_open(handles->nodes, loss->number)) /* closed meanwhile */
            ending = lose_closed_locked(handles, loss->number);
    } else if (loss->is_linked) {
        remove_kept(handles, loss->number);
    } else if (loss->fd >= 0) {
        close(loss->fd);
    }
    lock_release(&handles->lock);
    end(handles, &ending);
}

void staging_handles_forget(struct staging_handles *handles, uint64_t number)
{
    struct ending ending = {.fd = -1};

    lock_acquire(&handles->lock);
    if (!staging_node_is_open(handles->nodes, number))
        ending = drop_locked(handles, number);
    lock_release(&handles->lock);
    end(handles, &ending);
}

void staging_handles_lose_top(struct staging_handles *handles, const char *top)
{
    CLEANUP_FREE uint64_t *numbers = NULL;
    size_t count = staging_node_kill_top(handles->nodes, top, &numbers);

    for (size_t i = 0; i < count; i++)
        staging_handles_forget(handles, numbers[i]);
}
