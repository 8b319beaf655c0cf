/* pack_link.c: walks to what a link leads to, and looks before each step. */
#include "publish/pack_link.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { LINKS_MAX = 40 }; /* as the kernel */

struct way {
    int fd; /* where we are */
    dev_t avoided;
    int links;
    char left[2 * PATH_MAX]; /* the path from there */
};

/* The first name of what is left. false: there is none. */
static bool next_name(struct way *way, char name[PATH_MAX + 1])
{
    const char *at = way->left + strspn(way->left, "/");
    size_t size = strcspn(at, "/");

    if (size == 0)
        return false;
    snprintf(name, PATH_MAX + 1, "%.*s", (int)size, at);
    memmove(way->left, at + size, strlen(at + size) + 1);
    return true;
}

static void go_to(struct way *way, int take_fd)
{
    close(way->fd);
    way->fd = take_fd;
}

/* What is left of the path comes after what the link says. */
static int follow(struct way *way, int link_fd, struct error *err)
{
    char target[PATH_MAX + 1];
    ssize_t size = readlinkat(link_fd, "", target, PATH_MAX);

    if (size < 0)
        return fail_errno(err, "read a link");
    if (++way->links > LINKS_MAX)
        return fail(err, ELOOP, "more than %d links in a row", LINKS_MAX);
    if ((size_t)size + strlen(way->left) >= sizeof way->left)
        return fail(err, ENAMETOOLONG, "a link is too long");
    memmove(way->left + size, way->left, strlen(way->left) + 1);
    memcpy(way->left, target, (size_t)size);
    if (target[0] == '/') {
        int root = open("/", O_PATH | O_CLOEXEC);

        if (root < 0)
            return fail_errno(err, "open '/'");
        go_to(way, root);
    }
    return 0;
}

/* Opened so, and looked at so, nothing is asked of who serves it. */
static int step(struct way *way, const char *name, struct error *err)
{
    CLEANUP_CLOSE int fd = openat(way->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct statx st;

    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
        return fail_errno(err, "look at '%s'", name);
    if (makedev(st.stx_dev_major, st.stx_dev_minor) == way->avoided)
        return fail(err, EXDEV, "'%s' is on a disk that must not be asked", name);
    if (S_ISLNK(st.stx_mode))
        return follow(way, fd, err);
    go_to(way, steal_fd(&fd));
    return 0;
}

static int walk(struct way *way, struct stat *ret_stat, struct error *err)
{
    char name[PATH_MAX + 1];
    int rc = way->fd < 0 ? fail_errno(err, "open a folder again") : 0;

    while (rc == 0 && next_name(way, name))
        rc = step(way, name, err);
    if (rc == 0 && fstat(way->fd, ret_stat) < 0)
        rc = fail_errno(err, "look at what a link leads to");
    return rc;
}

int pack_link_stat(int folder_fd, const char *name, dev_t avoided, struct stat *ret_stat,
                   struct error *err)
{
    struct way way = {.avoided = avoided};
    int rc;

    if (avoided == 0)
        return fstatat(folder_fd, name, ret_stat, 0) < 0
                   ? fail_errno(err, "look at '%s'", name)
                   : 0;
    way.fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
    snprintf(way.left, sizeof way.left, "%s", name);
    rc = walk(&way, ret_stat, err);
    if (way.fd >= 0)
        close(way.fd);
    return rc;
}
