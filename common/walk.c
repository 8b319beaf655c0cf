/* walk.c: all that lies below a folder, one folder after the other. */
#include "common/walk.h"

#include "common/bytes.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

enum { FOLDERS_SIZE_MAX = 256 << 20 }; /* bytes of all folder paths */

struct walk {
    walk_each *each;
    void *arg;
    char folder[PATH_MAX]; /* that is being listed, "" for the top */
    struct bytes folders;  /* paths still to be listed, each ended by NUL */
};

static int see(void *arg, int folder_fd, const char *name, struct error *err)
{
    struct walk *walk = arg;
    const char *folder = walk->folder;
    char path[PATH_MAX + 1 + NAME_MAX + 1];
    struct walk_entry entry = {.path = path, .folder_fd = folder_fd, .name = name};
    int size = snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    int rc;

    if (size < 0 || (size_t)size >= sizeof path)
        return fail(err, ENAMETOOLONG, "a name in '%.80s...' is too long", path);
    entry.path_size = (size_t)size;
    if (fstatat(folder_fd, name, &entry.stat, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno(err, "stat '%s'", path);
    rc = walk->each(walk->arg, &entry, err);
    if (rc == 0 && S_ISDIR(entry.stat.st_mode))
        rc = bytes_append(&walk->folders, path, entry.path_size + 1, err);
    return rc;
}

int walk_folder(int dir_fd, walk_each *each, void *arg, struct error *err)
{
    struct walk walk = {.each = each, .arg = arg, .folder = ""};
    int rc;

    bytes_init(&walk.folders, FOLDERS_SIZE_MAX);
    rc = files_list(dir_fd, ".", see, &walk, err);
    for (size_t at = 0; at < walk.folders.size && rc == 0;) {
        size_t size = strlen(walk.folders.data + at) + 1;

        if (size > sizeof walk.folder) {
            rc = fail(err, ENAMETOOLONG, "'%.80s...' has too long a path",
                      walk.folders.data + at);
            break;
        }
        memcpy(walk.folder, walk.folders.data + at, size); /* the list moves */
        at += size;
        rc = files_list(dir_fd, walk.folder, see, &walk, err);
    }
    bytes_done(&walk.folders);
    return rc;
}
