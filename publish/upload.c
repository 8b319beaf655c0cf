/* upload.c: puts a file where none is, or over what a crashed attempt left. */
#include "publish/upload.h"

#include "publish/guarded.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TRIES = 5 };

/* 1: the path holds these bytes; 0: it does not. */
static int has_bytes(struct backend *backend, const char *path,
                     const struct backend_stat *stat,
                     const struct backend_content *content, const char *md5,
                     struct error *err)
{
    char found[BACKEND_CHECKSUM_MAX];
    int rc;

    if (stat->size != content->size)
        return 0;
    rc = backend_checksum(backend, path, found, err);
    if (rc < 0)
        return rc == -ENOENT || rc == -ESTALE ? 0 : rc;
    return strcmp(found, md5) == 0;
}

/* 0, -EEXIST or -ESTALE when another was quicker. */
static int put_once(struct backend *backend, const char *path,
                    const struct backend_content *content, const char *md5,
                    const struct upload_guard *guard, struct upload *upload,
                    bool *ret_is_refused, struct error *err)
{
    struct backend_stat stat;
    int rc = backend_stat(backend, path, &stat, err);

    if (rc == -ENOENT) {
        upload->is_ours = true;
        return guarded_create(backend, path, content, err);
    }
    if (rc == 0)
        rc = has_bytes(backend, path, &stat, content, md5, err);
    if (rc < 0)
        return rc;
    upload->is_ours = rc == 0;
    if (rc == 1)
        return 0;
    rc = guard->may_overwrite(guard->arg, err);
    *ret_is_refused = rc < 0;
    return rc < 0 ? rc : guarded_replace(backend, path, content, stat.tag, err);
}

int upload_put(struct backend *backend, const char *path,
               const struct backend_content *content, const char *md5,
               const struct upload_guard *guard, struct upload *ret_upload,
               struct error *err)
{
    struct upload upload = {.size = content->size};
    struct error reason = {0};
    struct backend_stat stat;
    bool is_refused = false;
    int rc = -EEXIST;

    for (int try = 0; try < TRIES && !is_refused && (rc == -EEXIST || rc == -ESTALE);
         try++)
        rc = put_once(backend, path, content, md5, guard, &upload, &is_refused, &reason);
    if (rc == 0)
        rc = backend_stat(backend, path, &stat, &reason);
    if (rc < 0) {
        *err = reason;
        return rc;
    }
    memcpy(upload.tag, stat.tag, sizeof upload.tag);
    snprintf(upload.md5, sizeof upload.md5, "%s", md5);
    *ret_upload = upload;
    return 0;
}

static int fail_overwritten(const char *path, struct error *err)
{
    return fail(err, EEXIST, "'%s' was overwritten by another meanwhile", path);
}

int upload_check(struct backend *backend, const char *path, const struct upload *upload,
                 struct error *err)
{
    struct backend_stat stat;
    int rc = backend_stat(backend, path, &stat, err);

    if (rc == -ENOENT || (rc == 0 && strcmp(stat.tag, upload->tag) != 0))
        return fail_overwritten(path, err);
    return rc;
}

int upload_verify(struct backend *backend, const char *path, const struct upload *upload,
                  struct error *err)
{
    char found[BACKEND_CHECKSUM_MAX];
    struct backend_stat stat;
    int rc = backend_checksum(backend, path, found, err);

    if (rc == -ENOENT || rc == -ESTALE)
        return fail_overwritten(path, err);
    if (rc == 0) /* after the checksum: then it is that of this version */
        rc = upload_check(backend, path, upload, err);
    if (rc == 0)
        rc = backend_stat(backend, path, &stat, err);
    if (rc < 0)
        return rc;
    if (stat.size != upload->size || (found[0] && strcmp(found, upload->md5) != 0))
        return fail(err, EIO,
                    "'%s' arrived damaged: %llu bytes with MD5 '%s' instead of %llu with "
                    "'%s'",
                    path, (unsigned long long)stat.size, found,
                    (unsigned long long)upload->size, upload->md5);
    return 0;
}

void upload_undo(struct backend *backend, const char *path, const struct upload *upload)
{
    struct error ignored; /* see upload.h */

    if (upload->is_ours && upload->tag[0])
        (void)guarded_replace(backend, path, NULL, upload->tag, &ignored);
}
