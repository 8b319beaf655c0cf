/* cmd_unmount.c: modelfs unmount. */
#include "cli/busy.h"
#include "cli/cmd.h"
#include "cli/mount_point.h"
#include "cli/mount_table.h"
#include "common/bytes.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/user.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define LIST_THEM "'findmnt -t fuse.modelfs' lists what modelfs mounted"

enum {
    GONE_TIMEOUT_MS = 10000,
    USERS_SIZE = 512,
    HELPER_TEXT_MAX = 4096,
};

extern char **environ;

enum way {
    WAY_NORMAL,
    WAY_DETACH, /* from the tree at once, for good when nobody uses it any more */
};

/* Only our own mounts: "modelfs unmount /home" is a slip. */
static bool is_ours(const char *type)
{
    return strcmp(type, "fuse.modelfs") == 0 || strcmp(type, "fuse") == 0;
}

/* What to do about a path that is no mount point: perhaps it lies in one. */
static int fail_no_mount(const char *given, const char *path, struct error *err)
{
    CLEANUP_FREE char *folder = xstrdup(path);
    struct mount_entry entry;
    struct error ignored; /* then nothing more is known */
    char *slash;

    while ((slash = strrchr(folder, '/')) && slash != folder) {
        bool is_mounted = false;

        *slash = '\0';
        if (mount_table_find(folder, &is_mounted, &entry, &ignored) < 0)
            break;
        if (is_mounted && is_ours(entry.type))
            return fail(err, EINVAL,
                        "'%s' lies in the mount at '%s': 'modelfs unmount %s' unmounts "
                        "that",
                        given, folder, folder);
    }
    return fail(err, EINVAL, "nothing is mounted at '%s'; " LIST_THEM, given);
}

/* path as it is written, else without links. */
static int find_mount(const char *given, char **ret_path, struct mount_entry *ret_entry,
                      struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    bool is_mounted = false;
    int rc = mount_point_name(given, &path, err);

    if (rc == 0)
        rc = mount_table_find(path, &is_mounted, ret_entry, err);
    if (rc == 0 && !is_mounted) {
        char *real = realpath(path, NULL);

        if (real) {
            free(path);
            path = real;
            rc = mount_table_find(path, &is_mounted, ret_entry, err);
        }
    }
    if (rc < 0)
        return rc;
    if (!is_mounted)
        return fail_no_mount(given, path, err);
    if (!is_ours(ret_entry->type))
        return fail(err, EINVAL,
                    "what is mounted at '%s' is no modelfs but %s; " LIST_THEM, given,
                    ret_entry->type);
    *ret_path = steal_ptr(&path);
    return 0;
}

/* What the program says on stderr goes to text. Its exit status, or -errno. */
static int run_helper(char *const *argv, struct bytes *text, struct error *err)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    int status = 0;
    pid_t child;
    int rc;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(err, "make a pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    errno = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    rc = errno ? fail_errno(err, "run '%s', which unmounts for users", argv[0]) : 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (rc == 0) {
        struct error ignored = {0}; /* a text that is too long is cut */

        (void)files_read_fd(ends[0], text, &ignored);
        close(ends[0]);
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    close(ends[0]);
    return rc;
}

static int fail_not_yours(const char *path, long long owner, struct error *err)
{
    CLEANUP_FREE char *name = NULL;
    struct error nameless; /* then the number has to do */

    if (user_name((uid_t)owner, &name, &nameless) < 0)
        name = xasprintf("%lld", owner);
    return fail(err, EPERM,
                "'%s' was mounted by the user %s: only that user and root can unmount it",
                path, name);
}

static int unmount_as_user(const char *path, enum way way, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    const char *argv[] = {"fusermount3",
                          "-u",
                          way == WAY_DETACH ? "-z" : "--",
                          way == WAY_DETACH ? "--" : path,
                          way == WAY_DETACH ? path : NULL,
                          NULL};
    int rc;

    bytes_init(&text, HELPER_TEXT_MAX);
    rc = run_helper((char *const *)argv, &text, err);
    if (rc <= 0)
        return rc;
    text.data[strcspn(text.data, "\n")] = '\0';
    if (strstr(text.data, strerror(EBUSY)) || strstr(text.data, "busy"))
        return fail(err, EBUSY, "busy");
    return fail(err, EPERM, "cannot unmount '%s': %s%s", path,
                *text.data ? text.data : "fusermount3 failed",
                access("/etc/mtab", R_OK) < 0 ? "; 'modelfs doctor' says what to do"
                                              : "");
}

static int unmount_once(const char *path, const struct mount_entry *entry, enum way way,
                        struct error *err)
{
    int flags = UMOUNT_NOFOLLOW | (way == WAY_DETACH ? MNT_DETACH : 0);

    if (umount2(path, flags) == 0)
        return 0;
    if (errno != EPERM)
        return fail_errno(err, "cannot unmount '%s'", path);
    if (geteuid() != 0 && entry->owner >= 0 && entry->owner != getuid())
        return fail_not_yours(path, entry->owner, err);
    return unmount_as_user(path, way, err);
}

/* statfs, since the kernel answers stat from what it remembers. */
static bool is_dead(const char *path)
{
    struct statfs st;

    return statfs(path, &st) < 0 && errno == ENOTCONN;
}

static int fail_busy(const char *path, long long mount_id, struct error *err)
{
    char users[USERS_SIZE];

    busy_users(path, mount_id, users, sizeof users);
    if (!*users)
        return fail(err, EBUSY,
                    "'%s' is in use, by whom cannot be seen: end what uses it, then try "
                    "again",
                    path);
    return fail(err, EBUSY,
                "'%s' is in use by %s: end them or let them leave it, then try again",
                path, users);
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    struct mount_entry entry;
    int rc = find_mount(arguments->operands[0], &path, &entry, err);

    if (rc < 0)
        return rc;
    /* Or it is in use by ourselves, when called from a folder in it. */
    if (chdir("/") < 0)
        return fail_errno(err, "change to '/'");
    rc = unmount_once(path, &entry, WAY_NORMAL, err);
    if (rc == -EBUSY && is_dead(path))
        rc = unmount_once(path, &entry, WAY_DETACH, err);
    if (rc == -EBUSY)
        return fail_busy(path, entry.id, err);
    return rc < 0 ? rc : mount_table_wait_gone(path, entry.id, GONE_TIMEOUT_MS, err);
}

const struct command cmd_unmount = {
    .name = "unmount",
    .operands = "MOUNTPOINT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "unmount what modelfs mount mounted",
    .more = "A dead mount, whose process is gone, is removed, too.\n",
    .run = run,
};
