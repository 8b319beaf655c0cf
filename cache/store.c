/* store.c: the cache folder itself, checked once when it is opened. */
#include "cache/store.h"

#include "cache/layout.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

enum { STATUS_MAX = 64 << 10 };

/* Reading the umask with umask(2) would change it for a moment, for all threads. */
static mode_t process_umask(void)
{
    struct bytes text;
    struct error err = {0};
    unsigned mask = 022;
    const char *line;

    bytes_init(&text, STATUS_MAX);
    if (files_read(AT_FDCWD, "/proc/self/status", &text, &err) == 0) {
        line = strstr(text.data, "\nUmask:");
        if (line && sscanf(line, "\nUmask:\t%o", &mask) != 1)
            mask = 022;
    }
    bytes_done(&text);
    return (mode_t)(mask & 0777);
}

static int read_boot_id(char ret_id[TREE_BOOT_ID_SIZE], struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, STATUS_MAX);
    rc = files_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text, err);
    if (rc < 0)
        return rc;
    snprintf(ret_id, TREE_BOOT_ID_SIZE, "%.36s", text.data);
    return 0;
}

/* Models have nothing to do with each other: ext4 is to put each where there is room, and
 * not where another one was just removed. Without a journal it leaves inodes alone for
 * minutes after they were freed, and passes them by one by one for each file it makes. */
static void spread_models(const struct store *store)
{
    struct error unused = {0};
    CLEANUP_CLOSE int fd = files_open_beneath(store->root_fd, LAYOUT_TREES,
                                              O_RDONLY | O_DIRECTORY, 0, &unused);
    int flags = 0;

    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || flags & FS_TOPDIR_FL)
        return;
    flags |= FS_TOPDIR_FL;
    (void)ioctl(fd, FS_IOC_SETFLAGS, &flags); /* a hint: others know none */
}

static int open_root(struct store *store, struct error *err)
{
    int rc = files_make_folders(AT_FDCWD, store->root, 0777, err);

    if (rc < 0)
        return rc;
    store->root_fd = open(store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->root_fd < 0)
        return fail_errno(err, "open");
    rc = files_make_folders_beneath(store->root_fd, LAYOUT_TREES, 0777, err);
    if (rc < 0)
        return rc;
    if (faccessat(store->root_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return fail_errno(err, "write");
    if (faccessat(store->root_fd, LAYOUT_TREES, W_OK | X_OK, AT_EACCESS) < 0)
        return fail_errno(err, "write into '%s'", LAYOUT_TREES);
    spread_models(store);
    return 0;
}

int store_revive(const struct store *store, struct error *err)
{
    struct store fresh = {.root = store->root, .root_fd = -1};
    struct stat st;
    int rc;

    if (fstat(store->root_fd, &st) < 0 || st.st_nlink > 0)
        return 0; /* it is there */
    rc = open_root(&fresh, err);
    if (rc == 0 && dup3(fresh.root_fd, store->root_fd, O_CLOEXEC) < 0)
        rc = fail_errno(err, "open");
    if (fresh.root_fd >= 0)
        close(fresh.root_fd);
    return rc < 0
               ? fail_context(err, rc, "the cache folder '%s' was removed", store->root)
               : 0;
}

int store_open(const char *root, struct store *ret_store, struct error *err)
{
    struct store store = {.root = xstrdup(root), .root_fd = -1, .folder_mode = 0777};
    int rc = open_root(&store, err);

    if (rc < 0)
        rc = fail_context(err, rc,
                          "cache folder '%s' cannot be used (make it writable, or set "
                          "cache.root or AUDMODEL_CACHE_ROOT to another folder)",
                          root);
    if (rc == 0)
        rc = read_boot_id(store.boot_id, err);
    if (rc < 0) {
        store_close(&store);
        return rc;
    }
    store.file_mode = 0666 & ~process_umask();
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store->root && store->root_fd >= 0)
        close(store->root_fd);
    free(store->root);
    *store = (struct store){.root_fd = -1};
}

struct listing {
    store_each *each;
    void *arg;
};

static int tell_unless_hidden(void *arg, int folder_fd, const char *name,
                              struct error *err)
{
    const struct listing *listing = arg;

    (void)folder_fd;
    return name[0] == '.' ? 0 : listing->each(listing->arg, name, err);
}

int store_list(const struct store *store, const char *folder, store_each *each, void *arg,
               struct error *err)
{
    struct listing listing = {each, arg};
    int fd = files_open_beneath(store->root_fd, folder, O_RDONLY | O_DIRECTORY, 0, err);

    /* No folder of ours: what others put there must stop nobody. */
    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EACCES)
        return 0;
    return fd < 0 ? fd : files_list_fd(fd, folder, tell_unless_hidden, &listing, err);
}

static int stop_at_first(void *arg, int folder_fd, const char *name, struct error *err)
{
    (void)arg;
    (void)folder_fd;
    (void)name;
    (void)err;
    return 1;
}

int store_has_files(const struct store *store, const char *path, struct error *err)
{
    int rc = files_list(store->root_fd, path, stop_at_first, NULL, err);

    return rc == -ENOENT ? 0 : rc;
}
