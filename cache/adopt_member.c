/* adopt_member.c: one member, linked or copied from a local folder. */
#include "cache/adopt_member.h"

#include "cache/archive_state.h"
#include "cache/checksum.h"
#include "cache/internal.h"
#include "cache/tree_member.h"
#include "common/cleanup.h"
#include "common/copy.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { PIECE_SIZE = 1 << 20 };

/* The folder, or -1: the caller closes it. */
static int take_folder(struct archive *archive, enum cache_adopt *ret_how)
{
    int fd = -1;

    lock_acquire(&archive->lock);
    if (archive->is_adopting)
        fd = fcntl(archive->adopt_fd, F_DUPFD_CLOEXEC, 0);
    *ret_how = archive->adopt_how;
    lock_release(&archive->lock);
    return fd;
}

/* CRC-32 and checksum of a file of size bytes. */
static int sum_up(int fd, uint64_t size, uint32_t *ret_crc32, uint64_t *ret_xxh3,
                  struct error *err)
{
    CLEANUP_FREE unsigned char *buffer = xcalloc(1, PIECE_SIZE);
    struct checksum *sum = checksum_new();
    uint32_t crc = 0;
    int rc = 0;

    for (uint64_t at = 0; rc == 0 && at < size;) {
        size_t piece = size - at < PIECE_SIZE ? (size_t)(size - at) : PIECE_SIZE;

        rc = files_pread(fd, buffer, piece, at, err);
        if (rc == 0) {
            crc = checksum_crc32(crc, buffer, piece);
            checksum_add(sum, buffer, piece);
        }
        at += piece;
    }
    *ret_crc32 = crc;
    *ret_xxh3 = checksum_value(sum);
    checksum_free(sum);
    return rc;
}

static int copy(struct archive *archive, struct member *member, int from,
                struct error *err)
{
    int fd = tree_member_create(archive->tree, member->index, err);
    int rc = fd < 0 ? fd : copy_range(from, 0, fd, 0, member->size, err);

    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : fd;
}

/* The staged file itself becomes the member: owner and mode as of those fetched. */
static int share(struct archive *archive, struct member *member, int folder_fd,
                 const char *path, struct error *err)
{
    int fd = tree_member_link(archive->tree, member->index, folder_fd, path, err);

    if (fd < 0)
        return fd;
    if (fchown(fd, geteuid(), getegid()) == 0 &&
        fchmod(fd, archive->cache->store.file_mode) == 0)
        return fd;
    close(fd);
    return fail_errno(err, "set owner and mode of '%s'", path);
}

/* May the file be shared: nobody else has a name for it, and nobody writes to it? */
static bool is_ours_alone(int folder_fd, const char *path, const struct stat *st,
                          enum cache_adopt how)
{
    struct stat link;

    return how == CACHE_ADOPT_SHARE && st->st_nlink == 1 && st->st_uid == geteuid() &&
           fstatat(folder_fd, path, &link, AT_SYMLINK_NOFOLLOW) == 0 &&
           link.st_ino == st->st_ino && link.st_dev == st->st_dev;
}

static int bring(struct archive *archive, struct member *member, int folder_fd,
                 const char *path, enum cache_adopt how, struct error *err)
{
    /* Links were followed when the archive was made. */
    CLEANUP_CLOSE int from = openat(folder_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int fd = -1;

    if (from < 0 || fstat(from, &st) < 0)
        return fail_errno(err, "open '%s'", path);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != member->size)
        return fail(err, EINVAL, "'%s' has another size", path);
    if (is_ours_alone(folder_fd, path, &st, how))
        fd = share(archive, member, folder_fd, path, err);
    return fd >= 0 ? fd : copy(archive, member, from, err);
}

int adopt_member(struct archive *archive, struct member *member, const char *path,
                 uint64_t *ret_xxh3)
{
    const struct toc_entry *entry = toc_entry(archive->toc, member->index);
    enum cache_adopt how;
    CLEANUP_CLOSE int folder_fd = take_folder(archive, &how);
    struct error unused = {0};
    uint32_t crc32 = 0;
    int fd;

    if (folder_fd < 0 || member->fd >= 0)
        return 0;
    fd = bring(archive, member, folder_fd, path, how, &unused);
    if (fd < 0)
        return 0;
    if (sum_up(fd, member->size, &crc32, ret_xxh3, &unused) < 0 ||
        crc32 != entry->crc32) {
        close(fd);
        tree_member_drop(archive->tree, member->index);
        return 0;
    }
    lock_acquire(&archive->lock);
    member->fd = fd;
    lock_release(&archive->lock);
    return 1;
}
