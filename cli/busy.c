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

/* Is any link in /proc/<pid>/<folder> to something below path? */
static bool folder_is_below(const char *pid, const char *folder, const char *path)
{
    CLEANUP_CLOSEDIR DIR *dir = NULL;
    char name[PATH_MAX];
    const struct dirent *entry;

    snprintf(name, sizeof name, "/proc/%s/%s", pid, folder);
    dir = opendir(name);
    while (dir && (entry = readdir(dir))) {
        snprintf(name, sizeof name, "/proc/%s/%s/%s", pid, folder, entry->d_name);
        if (link_is_below(name, path))
            return true;
    }
    return false;
}

static bool uses(const char *pid, const char *path)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    char name[64];

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(name, sizeof name, "/proc/%.20s/%s", pid, links[i]);
        if (link_is_below(name, path))
            return true;
    }
    return folder_is_below(pid, "fd", path) || folder_is_below(pid, "map_files", path);
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

void busy_users(const char *path, char *buffer, size_t size)
{
    CLEANUP_CLOSEDIR DIR *dir = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;
    size_t used = 0;

    buffer[0] = '\0';
    while (dir && (entry = readdir(dir))) {
        char command[32];

        if (!isdigit((unsigned char)*entry->d_name) || !uses(entry->d_name, path))
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
