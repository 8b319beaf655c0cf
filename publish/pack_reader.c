/* pack_reader.c: reads a listed file and notices when it changes meanwhile. */
#include "publish/pack_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static int fail_changed(const char *path, struct error *err)
{
    char text[128];

    return fail(err, ESTALE, "'%s' changed while it was read; try again",
                pack_scan_print(path, text));
}

static bool is_same(const struct pack_file *file, const struct stat *now)
{
    return S_ISREG(now->st_mode) && now->st_dev == file->device &&
           now->st_ino == file->inode && now->st_size == (off_t)file->size &&
           now->st_mode == file->mode && now->st_mtim.tv_sec == file->mtime.tv_sec &&
           now->st_mtim.tv_nsec == file->mtime.tv_nsec;
}

static int check(const struct pack_reader *reader, struct error *err)
{
    struct stat now;
    char text[128];

    if (fstat(reader->fd, &now) < 0)
        return fail_errno(err, "stat '%s'", pack_scan_print(reader->path, text));
    return is_same(reader->file, &now) ? 0 : fail_changed(reader->path, err);
}

int pack_reader_open(int folder_fd, const struct pack_list *list,
                     const struct pack_file *file, struct pack_reader *ret_reader,
                     struct error *err)
{
    struct pack_reader reader = {.file = file, .path = pack_scan_path(list, file)};
    char text[128];
    int rc;

    /* A pipe put in the file's place must not hold us up. */
    reader.fd =
        openat(folder_fd, reader.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (reader.fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return fail_changed(reader.path, err);
    if (reader.fd < 0)
        return fail_errno(err, "open '%s'", pack_scan_print(reader.path, text));
    rc = check(&reader, err);
    if (rc < 0) {
        pack_reader_close(&reader);
        return rc;
    }
    *ret_reader = reader;
    return 0;
}

ssize_t pack_reader_read(struct pack_reader *reader, void *buffer, size_t size,
                         struct error *err)
{
    ssize_t got = TEMP_FAILURE_RETRY(read(reader->fd, buffer, size));
    char text[128];

    if (got < 0)
        return fail_errno(err, "read '%s'", pack_scan_print(reader->path, text));
    reader->done += (uint64_t)got;
    if (reader->done > reader->file->size ||
        (got == 0 && reader->done < reader->file->size))
        return fail_changed(reader->path, err);
    return got == 0 ? check(reader, err) : got;
}

int pack_reader_at(const struct pack_reader *reader, void *buffer, size_t size,
                   uint64_t offset, struct error *err)
{
    char text[128];

    for (size_t done = 0; done < size;) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(reader->fd, (char *)buffer + done,
                                               size - done, (off_t)(offset + done)));

        if (got < 0)
            return fail_errno(err, "read '%s'", pack_scan_print(reader->path, text));
        if (got == 0)
            return fail_changed(reader->path, err);
        done += (size_t)got;
    }
    return 0;
}

void pack_reader_close(struct pack_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
}
