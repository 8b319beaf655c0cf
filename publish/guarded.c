/* guarded.c: conditional writes, or a look before the write. */
#include "publish/guarded.h"

#include <errno.h>
#include <string.h>

/* 1: the path exists, 0: it does not. */
static int look(struct backend *backend, const char *path, struct backend_stat *ret_stat,
                struct error *err)
{
    struct error reason = {0};
    int rc = backend_stat(backend, path, ret_stat, &reason);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        *err = reason;
    return rc < 0 ? rc : 1;
}

int guarded_create(struct backend *backend, const char *path,
                   const struct backend_content *content, struct error *err)
{
    struct error reason = {0};
    struct backend_stat stat;
    int rc = backend_put(backend, path, content, BACKEND_PUT_IF_ABSENT, &reason);

    if (rc < 0 && rc != -ENOTSUP)
        *err = reason;
    if (rc != -ENOTSUP)
        return rc;
    rc = look(backend, path, &stat, err);
    if (rc == 1)
        return fail(err, EEXIST, "'%s' exists already", path);
    return rc == 0 ? backend_put(backend, path, content, 0, err) : rc;
}

int guarded_replace(struct backend *backend, const char *path,
                    const struct backend_content *content, const char *expected_tag,
                    struct error *err)
{
    struct error reason = {0};
    struct backend_stat stat;
    int rc = backend_replace(backend, path, content, expected_tag, &reason);

    if (rc < 0 && rc != -ENOTSUP)
        *err = reason;
    if (rc != -ENOTSUP)
        return rc;
    rc = look(backend, path, &stat, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || strcmp(stat.tag, expected_tag) != 0)
        return fail(err, ESTALE, "'%s' is not the version that was expected", path);
    return content ? backend_put(backend, path, content, 0, err)
                   : backend_remove(backend, path, err);
}
