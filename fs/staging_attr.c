/* staging_attr.c: attributes and numbers of staged files. */
#include "fs/staging_attr.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t staging_inode(uint64_t inode)
{
    char text[64];

    snprintf(text, sizeof text, "@staging/%ju", (uintmax_t)inode);
    return place_inode(text);
}

/* Of a file that is open or not, by its number. */
static int look_at(struct fs *fs, uint64_t number, struct stat *ret_st, struct error *err)
{
    CLEANUP_CLOSE int fd = staging_handles_dup(fs->staging->handles, number);
    struct staging_at at;
    struct stat st;
    int rc = fd >= 0 ? 0 : staging_disk_locate(fs->staging->disk, number, &at, err);

    if (rc < 0)
        return rc;
    if ((fd >= 0 ? fstat(fd, &st)
                 : fstatat(at.folder_fd, at.name, &st, AT_SYMLINK_NOFOLLOW)) < 0)
        rc = fail_errno(err, "look at a staged file");
    if (fd < 0)
        close(at.folder_fd);
    if (rc == 0)
        *ret_st = st;
    return rc;
}

/* The name among the unlinked does not count. */
static nlink_t count_names(struct fs *fs, uint64_t number, const struct stat *st)
{
    if (staging_node_is_dead(fs->staging->nodes, number))
        return 0;
    return st->st_nlink - (S_ISREG(st->st_mode) && st->st_nlink > 1 &&
                           staging_disk_is_kept(fs->staging->disk, number, st->st_ino));
}

static void fill(struct fs *fs, uint64_t number, const struct stat *st,
                 struct fuse_entry_param *entry)
{
    entry->attr = *st;
    entry->attr.st_nlink = count_names(fs, number, st);
    entry->attr.st_ino = staging_inode(st->st_ino);
    entry->attr_timeout = STAGING_KEEP_S;
    entry->entry_timeout = STAGING_KEEP_S;
}

int staging_describe(struct fs *fs, const struct place *place,
                     struct fuse_entry_param *ret_entry, struct error *err)
{
    struct fuse_entry_param entry = {.ino = 0};
    struct stat st;
    int rc;

    if (place->kind != NODE_STAGING && place->kind != NODE_STAGED)
        return fail(err, EINVAL, "no staged file");
    rc = look_at(fs, place->number, &st, err);
    if (rc < 0)
        return rc;
    fill(fs, place->number, &st, &entry);
    rc = place_id(fs->slots, place, &entry.ino, err);
    if (rc == 0)
        *ret_entry = entry;
    return rc;
}

bool staging_job_of(const char *name, const char *suffix, char ret_job[NAME_MAX + 1])
{
    size_t size = strlen(name), end = strlen(suffix);

    if (name[0] == '.' || size <= end || size > NAME_MAX ||
        strcmp(name + size - end, suffix) != 0)
        return false;
    memcpy(ret_job, name, size - end);
    ret_job[size - end] = '\0';
    return true;
}

/* Will a publish remove the name? Then the kernel is to ask: who has read the result may
 * look at once. */
static bool may_vanish(struct fs *fs, const char *name)
{
    char job[NAME_MAX + 1];

    return staging_job_of(name, ".yaml", job) || job_is_known(fs->staging->board, name);
}

int staging_entry(struct fs *fs, uint64_t parent, const char *name, const struct stat *st,
                  struct answer *answer, uint64_t *ret_number, struct error *err)
{
    struct place place = {.kind = NODE_STAGED};
    int rc;

    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        return fail(err, ENOENT, "'%s' is a device, which @staging does not show", name);
    rc = staging_node_intern(fs->staging->nodes, st->st_ino, parent, name, &place.number,
                             err);
    if (rc == 0)
        rc = place_id(fs->slots, &place, &answer->entry.ino, err);
    if (rc < 0)
        return rc;
    fill(fs, place.number, st, &answer->entry);
    if (parent == 0 && may_vanish(fs, name))
        answer->entry.entry_timeout = 0;
    answer->kind = ANSWER_ENTRY;
    *ret_number = place.number;
    return 0;
}

static int expect_idle(struct fs *fs, const char *top, struct error *err)
{
    struct job_board *board = fs->staging->board;
    char job[NAME_MAX + 1];

    if (job_is_running(board, top) ||
        (staging_job_of(top, ".yaml", job) && job_is_running(board, job)))
        return fail(err, EBUSY, "'%s' is being published", top);
    return 0;
}

int staging_expect_idle(struct fs *fs, uint64_t parent, const char *name,
                        struct error *err)
{
    char top[NAME_MAX + 1];

    if (parent == 0)
        return expect_idle(fs, name, err);
    return staging_node_top(fs->staging->nodes, parent, top) > 0
               ? expect_idle(fs, top, err)
               : 0;
}

int staging_expect_idle_file(struct fs *fs, uint64_t number, struct error *err)
{
    char top[NAME_MAX + 1];

    return staging_node_top(fs->staging->nodes, number, top) > 0
               ? expect_idle(fs, top, err)
               : 0;
}
