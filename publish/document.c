/* document.c: reads a document with its version, writes it if it still has that. */
#include "publish/document.h"

#include "publish/guarded.h"

#include <errno.h>
#include <string.h>

int document_read(struct backend *backend, const char *path, struct bytes *to,
                  struct document_version *ret_version, struct error *err)
{
    struct error reason = {0};
    struct backend_stat stat;
    int rc = backend_get_version(backend, path, to, &stat, &reason);

    if (rc < 0 && rc != -ENOENT) {
        *err = reason;
        return rc;
    }
    *ret_version = (struct document_version){0};
    if (rc == 0)
        memcpy(ret_version->tag, stat.tag, sizeof stat.tag);
    return 0;
}

int document_write(struct backend *backend, const char *path, const struct bytes *text,
                   const struct document_version *version, struct error *err)
{
    const struct backend_content content = {.data = text->data, .size = text->size};
    int rc;

    if (version->tag[0])
        rc = guarded_replace(backend, path, &content, version->tag, err);
    else
        rc = guarded_create(backend, path, &content, err);
    return rc == -EEXIST
               ? fail(err, ESTALE, "'%s' was written by another meanwhile", path)
               : rc;
}
