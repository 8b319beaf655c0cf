/* target.c: the target of a link to a path below the mount point, lexically. */
#include "fs/target.h"

#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <string.h>

/* Append the parts of path to normal, "." and ".." taken at their word. normal begins
 * with a slash and ends without one, but for "" at the top; it has room. */
static void join(char *normal, const char *path)
{
    size_t used = strlen(normal);

    while (*path) {
        size_t size = strcspn(path, "/");

        if (size == 2 && memcmp(path, "..", 2) == 0) {
            while (used > 0 && normal[--used] != '/')
                ;
        } else if (size > 0 && !(size == 1 && *path == '.')) {
            normal[used++] = '/';
            memcpy(normal + used, path, size);
            used += size;
        }
        normal[used] = '\0';
        path += size;
        path += *path == '/';
    }
}

/* What follows the mount point, without a slash in front; NULL if path is not below it.
 */
static const char *below(const char *mountpoint, const char *path)
{
    size_t size = strlen(mountpoint);

    if (strncmp(path, mountpoint, size) != 0 || path[size] != '/')
        return NULL;
    return path + size + 1;
}

int target_parse(const char *mountpoint, const char *folder, const char *target,
                 char ret_path[TARGET_SIZE], struct error *err)
{
    size_t room = strlen(mountpoint) + strlen(folder) + strlen(target) + 4;
    CLEANUP_FREE char *top = xcalloc(1, room);
    CLEANUP_FREE char *normal = xcalloc(1, room);
    const char *path, *slash;

    join(top, mountpoint);
    if (target[0] != '/') {
        join(normal, mountpoint);
        join(normal, folder);
    }
    join(normal, target);
    path = below(top, normal);
    slash = path ? strchr(path, '/') : NULL;
    if (!path || (slash && strchr(slash + 1, '/')))
        return fail(err, EINVAL, "'%.500s' does not lead to a version of a model",
                    target);
    if (strlen(path) >= TARGET_SIZE)
        return fail(err, ENOENT, "'%.500s' does not exist", target);
    memcpy(ret_path, path, strlen(path) + 1);
    return 0;
}
