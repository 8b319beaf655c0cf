/* staging_lookup.c: looking at staged files and at the reports beside them. */
#include "fs/staging_lookup.h"

#include "fs/describe.h"
#include "fs/staging_attr.h"
#include "fs/staging_job.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The made-up files beside a manifest. */
static int find_report(struct fs *fs, const char *name, struct answer *answer,
                       struct error *err)
{
    char job[NAME_MAX + 1];
    struct place place = {.name = job};
    enum job_report report;
    int rc;

    if (!staging_job_has_report(fs, name, job, &report))
        return -ENOENT;
    place.kind = report == JOB_STATUS ? NODE_STAGING_STATUS : NODE_STAGING_RESULT;
    rc = describe(fs, &place, RESOLVE_KNOWN, &answer->entry, err);
    answer->kind = ANSWER_ENTRY;
    return rc;
}

int staging_lookup(struct fs *fs, const struct call *call, const struct place *place,
                   enum resolve_how how, struct answer *answer, struct error *err)
{
    uint64_t number;
    struct stat st;
    int rc, fd;

    (void)how;
    rc = place->kind == NODE_STAGING ? find_report(fs, call->name, answer, err) : -ENOENT;
    if (rc != -ENOENT)
        return rc;
    fd = staging_disk_folder(fs->staging->disk, place->number, err);
    if (fd < 0)
        return fd;
    rc = fstatat(fd, call->name, &st, AT_SYMLINK_NOFOLLOW) < 0
             ? fail_errno(err, "look at staged file '%s'", call->name)
             : 0;
    close(fd);
    return rc < 0
               ? rc
               : staging_entry(fs, place->number, call->name, &st, answer, &number, err);
}

int staging_getattr(struct fs *fs, const struct call *call, const struct place *place,
                    enum resolve_how how, struct answer *answer, struct error *err)
{
    (void)call;
    answer->kind = ANSWER_ATTR;
    return describe(fs, place, how, &answer->entry, err);
}

int staging_readlink(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct answer *answer, struct error *err)
{
    char target[PATH_MAX];
    struct staging_at at;
    ssize_t size;
    int rc = staging_disk_locate(fs->staging->disk, place->number, &at, err);

    (void)call;
    (void)how;
    if (rc < 0)
        return rc;
    size = readlinkat(at.folder_fd, at.name, target, sizeof target - 1);
    rc = size < 0 ? fail_errno(err, "read staged link '%s'", at.name) : 0;
    close(at.folder_fd);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_TEXT;
    return bytes_append(&answer->bytes, target, (size_t)size, err);
}
