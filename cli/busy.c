/* busy.c: who keeps a mount busy. */
#include "cli/busy.h"

#include "common/cleanup.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

enum { SHOWN_MAX = 5 };

static bool link_is_below(const char *link, const char *path)
{
    char target[PATH_MAX];
    ssize_t size = readlink(link, target, sizeof target - 1);
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

static bool has_open(const char *pid, const char *path, long long mount_id)
{
    CLEANUP_CLOSEDIR DIR *dir = NULL;
    char name[PATH_MAX];
    const struct dirent *entry;

    snprintf(name, sizeof name, "/proc/%.20s/fd", pid);
    dir = opendir(name);
    while (dir && (entry = readdir(dir))) {
        snprintf(name, sizeof name, "/proc/%.20s/fd/%.20s", pid, entry->d_name);
        if (link_is_below(name, path) && is_on_mount(pid, entry->d_name, mount_id))
            return true;
    }
    return false;
}

static bool has_mapped(const char *pid, const char *path)
{
    CLEANUP_CLOSEDIR DIR *dir = NULL;
    char name[PATH_MAX];
    const struct dirent *entry;

    snprintf(name, sizeof name, "/proc/%.20s/map_files", pid);
    dir = opendir(name);
    while (dir && (entry = readdir(dir))) {
        snprintf(name, sizeof name, "/proc/%.20s/map_files/%s", pid, entry->d_name);
        if (link_is_below(name, path))
            return true;
    }
    return false;
}

static bool uses(const char *pid, const char *path, long long mount_id)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    char name[64];

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(name, sizeof name, "/proc/%.20s/%s", pid, links[i]);
        if (link_is_below(name, path))
            return true;
    }
    return has_open(pid, path, mount_id) || has_mapped(pid, path);
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

void busy_users(const char *path, long long mount_id, char *buffer, size_t size)
{
    CLEANUP_CLOSEDIR DIR *dir = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;
    size_t used = 0;

    buffer[0] = '\0';
    while (dir && (entry = readdir(dir))) {
        char command[32];

        if (!isdigit((unsigned char)*entry->d_name) ||
            !uses(entry->d_name, path, mount_id))
            continue;
        if (count++ >= SHOWN_MAX || used >= size)
            continue;
        read_command(entry->d_name, command, sizeof command);
        used += (size_t)snprintf(buffer + used, size - used, "%s%s (%s)",
                                 used ? ", " : "", command, entry->d_name);
    }
    if (count > SHOWN_MAX && used < size)
        snprintf(buffer + used, size - used, " and %zu more", count - SHOWN_MAX);
}
