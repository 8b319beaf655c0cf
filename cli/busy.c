/* busy.c: who keeps a mount busy. */
#include "cli/busy.h"

#include "common/cleanup.h"
#include "common/files.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_MAX = 5 };

static bool link_is_below(int folder_fd, const char *link, const char *path)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(folder_fd, link, target, sizeof target - 1);
    size_t length = strlen(path);

    if (size < 0)
        return false;
    target[size] = '\0';
    return strncmp(target, path, length) == 0 &&
           (!target[length] || target[length] == '/');
}

/* What cannot be found out is taken to be. */
static bool is_on_mount(const char *pid, const char *fd, long long mount_id)
{
    CLEANUP_FCLOSE FILE *file = NULL;
    char name[PATH_MAX];
    long long found;

    if (mount_id < 0)
        return true;
    snprintf(name, sizeof name, "/proc/%.20s/fdinfo/%.20s", pid, fd);
    file = fopen(name, "re");
    while (file && fgets(name, sizeof name, file)) {
        if (sscanf(name, "mnt_id: %lld", &found) == 1)
            return found == mount_id;
    }
    return true;
}

struct search {
    const char *pid;
    const char *path;
    long long mount_id;
};

static int is_open_file(void *arg, int folder_fd, const char *name, struct error *err)
{
    const struct search *search = arg;

    (void)err;
    return link_is_below(folder_fd, name, search->path) &&
           is_on_mount(search->pid, name, search->mount_id);
}

static int is_mapped_file(void *arg, int folder_fd, const char *name, struct error *err)
{
    const struct search *search = arg;

    (void)err;
    return link_is_below(folder_fd, name, search->path);
}

/* Is there one among the links of a folder of the process? */
static bool has_link(struct search *search, const char *folder, files_each *is_it)
{
    char name[64];
    struct error ignored; /* a process of somebody else */
    int fd;

    snprintf(name, sizeof name, "/proc/%.20s/%s", search->pid, folder);
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && files_list_fd(fd, name, is_it, search, &ignored) > 0;
}

static bool uses(const char *pid, const char *path, long long mount_id)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    struct search search = {pid, path, mount_id};
    char name[64];

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(name, sizeof name, "/proc/%.20s/%s", pid, links[i]);
        if (link_is_below(AT_FDCWD, name, path))
            return true;
    }
    return has_link(&search, "fd", is_open_file) ||
           has_link(&search, "map_files", is_mapped_file);
}

static void read_command(const char *pid, char *buffer, int size)
{
    CLEANUP_FCLOSE FILE *file = NULL;
    char name[64];

    snprintf(name, sizeof name, "/proc/%.20s/comm", pid);
    file = fopen(name, "re");
    if (!file || !fgets(buffer, size, file))
        snprintf(buffer, (size_t)size, "process");
    buffer[strcspn(buffer, "\n")] = '\0';
}

struct users {
    const char *path;
    long long mount_id;
    char *buffer;
    size_t size;
    size_t used;
    size_t count;
};

static int note_user(void *arg, int folder_fd, const char *pid, struct error *err)
{
    struct users *users = arg;
    char command[32];

    (void)folder_fd;
    (void)err;
    if (!isdigit((unsigned char)*pid) || !uses(pid, users->path, users->mount_id))
        return 0;
    if (users->count++ >= SHOWN_MAX || users->used >= users->size)
        return 0;
    read_command(pid, command, sizeof command);
    users->used +=
        (size_t)snprintf(users->buffer + users->used, users->size - users->used,
                         "%s%s (%s)", users->used ? ", " : "", command, pid);
    return 0;
}

void busy_users(const char *path, long long mount_id, char *buffer, size_t size)
{
    struct users users = {path, mount_id, buffer, size, 0, 0};
    int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error ignored; /* then nobody is named */

    buffer[0] = '\0';
    if (fd >= 0)
        (void)files_list_fd(fd, "/proc", note_user, &users, &ignored);
    if (users.count > SHOWN_MAX && users.used < size)
        snprintf(buffer + users.used, size - users.used, " and %zu more",
                 users.count - SHOWN_MAX);
}
