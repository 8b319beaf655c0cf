/* files.h: files on local disks: whole reads, write-then-rename, folders.
 *
 * dir_fd is an open folder or AT_FDCWD. Paths from outside go through
 * files_open_beneath only. Thread-safe; sentences name the path. */
#ifndef COMMON_FILES_H
#define COMMON_FILES_H

#include "common/bytes.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Append all of fd from its offset; -EFBIG past the limit of to. */
int files_read_fd(int fd, struct bytes *to, struct error *err);

/* Append all of a file; -ENOENT without it. */
int files_read(int dir_fd, const char *path, struct bytes *to, struct error *err);

/* All of size bytes at offset; -EIO if the file ends before. */
int files_pread(int fd, void *to, size_t size, uint64_t offset, struct error *err);
int files_pwrite(int fd, const void *from, size_t size, uint64_t offset,
                 struct error *err);
int files_write_fd(int fd, const void *from, size_t size, struct error *err);

/* Replace a file in one step: temporary name beside it, mode as given (the umask does not
 * count), fsync of file and folder, rename. No trace is left on failure, but for a failed
 * fsync of the folder: then the file is the new one, perhaps only until the power fails.
 * Beneath dir_fd no link is followed. */
int files_replace(int dir_fd, const char *path, const void *data, size_t size,
                  mode_t mode, struct error *err);

/* The same without fsync: after a power loss the file may be empty or torn. For what
 * carries a checksum and can be had again. */
int files_replace_unsynced(int dir_fd, const char *path, const void *data, size_t size,
                           mode_t mode, struct error *err);

/* Create a folder and those above it, mode & ~umask; fine if it exists. */
int files_make_folders(int dir_fd, const char *path, mode_t mode, struct error *err);

/* The same below dir_fd, following no link: for a folder in which others write too. */
int files_make_folders_beneath(int dir_fd, const char *path, mode_t mode,
                               struct error *err);

/* The same below root, which must exist, and open the folder: its descriptor, or -errno.
 */
int files_make_and_open(const char *root, const char *path, mode_t mode,
                        struct error *err);

/* Open the folder that path lies in, beneath dir_fd unless that is AT_FDCWD. Points
 * ret_name at the last part of path. */
int files_open_parent(int dir_fd, const char *path, const char **ret_name,
                      struct error *err);

/* open(2) of a path that must not leave dir_fd and follows no link (openat2); O_CLOEXEC
 * and O_NONBLOCK are added. The descriptor, or -errno (-ELOOP at a link, -EXDEV outside).
 */
int files_open_beneath(int dir_fd, const char *path, int flags, mode_t mode,
                       struct error *err);

/* A file that is gone when it is closed, in a folder; where the disk can have none
 * without a name it has one for a moment. The descriptor, or -errno. */
int files_open_unnamed(const char *folder, mode_t mode, struct error *err);

/* Call each for every name in a folder beneath dir_fd, but for "." and "..", in the order
 * of the disk; folder_fd is that folder. What each returns other than 0 ends it, and is
 * returned. */
typedef int files_each(void *arg, int folder_fd, const char *name, struct error *err);
int files_list(int dir_fd, const char *path, files_each *each, void *arg,
               struct error *err);

/* The same for a folder that is open; the descriptor is closed. path: in messages. */
int files_list_fd(int take_fd, const char *path, files_each *each, void *arg,
                  struct error *err);

/* Remove a file or a folder with all in it, following no link; fine if there is none, or
 * if others remove it at the same time. */
int files_remove_tree(int dir_fd, const char *path, struct error *err);

#endif
