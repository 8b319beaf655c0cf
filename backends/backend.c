/* backend.c: the one checked way into each kind of backend, and the table of kinds. */
#include "backends/backend.h"

#include "backends/artifactory.h"
#include "backends/backend_ops.h"
#include "backends/backend_path.h"
#include "backends/file.h"
#include "backends/s3.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { GET_TRIES = 3 };

static const struct backend_ops *const kinds[] = {
    &file_ops,
    &s3_ops,
    &minio_ops,
    &artifactory_ops,
};

static int fail_unknown_kind(const char *kind, struct error *err)
{
    int rc = fail(err, EINVAL, "unknown backend '%.80s'; known are:", kind);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t used = strlen(err->message);

        snprintf(err->message + used, sizeof err->message - used, " '%s'",
                 kinds[i]->kind);
    }
    return rc;
}

/* NULL for an unknown kind. */
static const struct backend_ops *find_kind(const char *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i]->kind, kind) == 0)
            return kinds[i];
    }
    return NULL;
}

int backend_find_kind(const char *kind, bool *ret_host_is_path, struct error *err)
{
    const struct backend_ops *ops = find_kind(kind);

    if (!ops)
        return fail_unknown_kind(kind, err);
    *ret_host_is_path = ops->host_is_path;
    return 0;
}

int backend_open(const char *kind, const struct backend_options *options,
                 struct backend **ret_backend, struct error *err)
{
    const struct backend_ops *ops = find_kind(kind);

    return ops ? ops->open(options, ret_backend, err) : fail_unknown_kind(kind, err);
}

void backend_close(struct backend *backend)
{
    if (backend)
        backend->ops->close(backend);
}

const char *backend_kind(const struct backend *backend)
{
    return backend->ops->kind;
}

const char *backend_location(const struct backend *backend)
{
    return backend->location;
}

int backend_stat(struct backend *backend, const char *path, struct backend_stat *ret_stat,
                 struct error *err)
{
    int rc = backend_path_check(path, err);

    if (rc == 0)
        rc = backend->ops->stat(backend, path, ret_stat, err);
    assert(rc <= 0);
    return rc;
}

int backend_checksum(struct backend *backend, const char *path,
                     char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    int rc = backend_path_check(path, err);

    if (rc == 0)
        rc = backend->ops->checksum(backend, path, ret_md5, err);
    assert(rc <= 0);
    return rc;
}

int backend_list(struct backend *backend, const char *folder, backend_each *each,
                 void *arg, struct error *err)
{
    int rc = folder[0] ? backend_path_check(folder, err) : 0;

    if (rc == 0)
        rc = backend->ops->list(backend, folder, each, arg, err);
    assert(rc <= 0);
    return rc;
}

int backend_list_deep(struct backend *backend, const char *folder, unsigned depth,
                      backend_each *each, void *arg, struct error *err)
{
    int rc = folder[0] ? backend_path_check(folder, err) : 0;

    assert(depth <= BACKEND_DEPTH_MAX);
    if (rc == 0)
        rc = backend->ops->list_deep(backend, folder, depth, each, arg, err);
    assert(rc <= 0);
    return rc;
}

struct first_seen {
    bool is_seen;
};

static int stop_at_first(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct first_seen *first = arg;

    (void)entry; /* that there is an answer is all we want */
    first->is_seen = true;
    return fail(err, ECANCELED, "stopped at the first name");
}

int backend_check(struct backend *backend, struct error *err)
{
    struct first_seen first = {.is_seen = false};
    struct error stopped = {0};
    int rc = backend_list(backend, "", stop_at_first, &first, &stopped);

    if (rc == 0 || first.is_seen)
        return 0;
    *err = stopped;
    return rc;
}

void backend_diagnose(struct backend *backend, backend_finding *each, void *arg)
{
    backend->ops->diagnose(backend, each, arg);
}

bool backend_is_local(const struct backend *backend)
{
    return backend->ops->host_is_path;
}

bool backend_lists_deep_slowly(const struct backend *backend)
{
    return backend->ops->lists_deep_slowly;
}

int backend_put(struct backend *backend, const char *path,
                const struct backend_content *content, enum backend_put_flags flags,
                struct error *err)
{
    int rc = backend_path_check(path, err);

    if (rc == 0)
        rc = backend->ops->put(backend, path, content, flags, err);
    assert(rc <= 0);
    return rc;
}

int backend_replace(struct backend *backend, const char *path,
                    const struct backend_content *content, const char *expected_tag,
                    struct error *err)
{
    int rc = backend_path_check(path, err);

    assert(expected_tag[0]);
    if (rc == 0)
        rc = backend->ops->replace(backend, path, content, expected_tag, err);
    assert(rc <= 0);
    return rc;
}

int backend_remove(struct backend *backend, const char *path, struct error *err)
{
    int rc = backend_path_check(path, err);

    if (rc == 0)
        rc = backend->ops->remove(backend, path, err);
    assert(rc <= 0);
    return rc;
}

int backend_prune(struct backend *backend, const char *path, struct error *err)
{
    int rc = backend_path_check(path, err);

    if (rc == 0)
        rc = backend->ops->prune(backend, path, err);
    assert(rc <= 0);
    return rc;
}

int backend_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    int rc = backend->ops->spool(backend, ret_fd, err);

    assert(rc <= 0);
    return rc;
}

int backend_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    int rc = backend->ops->now(backend, ret_now_s, err);

    assert(rc <= 0);
    return rc;
}

int backend_object_open(struct backend *backend, const char *path,
                        struct object **ret_object, struct error *err)
{
    int rc = backend_path_check(path, err);

    if (rc == 0)
        rc = backend->ops->object_open(backend, path, ret_object, err);
    assert(rc <= 0);
    return rc;
}

int object_read(struct object *object, struct range range, struct sink *to,
                struct error *err)
{
    assert(range.first <= range.last);
    int rc = object->backend->ops->object_read(object, range, to, err);

    assert(rc <= 0);
    return rc;
}

int object_check(struct object *object, struct error *err)
{
    int rc = object->backend->ops->object_check(object, err);

    assert(rc <= 0);
    return rc;
}

const struct backend_stat *object_stat(const struct object *object)
{
    return &object->stat;
}

bool object_has_another(struct object *object)
{
    return object->has_another;
}

int object_fd(struct object *object)
{
    return object->backend->ops->object_fd(object);
}

void object_close(struct object *object)
{
    if (object)
        object->backend->ops->object_close(object);
}

/* To what was there before a call that failed. */
static void cut_back(struct bytes *bytes, size_t size)
{
    if (bytes->size == size)
        return;
    bytes->size = size;
    bytes->data[size] = '\0';
}

int backend_get_version(struct backend *backend, const char *path, struct bytes *to,
                        struct backend_stat *ret_stat, struct error *err)
{
    size_t before = to->size;
    int rc = backend_path_check(path, err);

    /* audmodel overwrites documents in place: who reads meanwhile tries again. */
    for (int try = 1; rc == 0; try++) {
        rc = backend->ops->get(backend, path, to, ret_stat, err);
        assert(rc <= 0);
        if (rc == 0)
            return 0;
        cut_back(to, before);
        if (rc == -ESTALE && try < GET_TRIES)
            rc = 0;
    }
    return rc;
}

int backend_get(struct backend *backend, const char *path, struct bytes *to,
                struct error *err)
{
    struct backend_stat ignored; /* any version will do */

    return backend_get_version(backend, path, to, &ignored, err);
}

int backend_object_open_tail(struct backend *backend, const char *path, size_t tail_size,
                             struct bytes *tail, struct object **ret_object,
                             struct error *err)
{
    CLEANUP_OBJECT struct object *object = NULL;
    size_t before = tail->size;
    int rc = backend_path_check(path, err);

    assert(tail_size > 0);
    if (rc == 0)
        rc = backend->ops->object_open_tail(backend, path, tail_size, tail, &object, err);
    assert(rc <= 0);
    if (rc == 0 && object->stat.size < tail_size)
        tail_size = (size_t)object->stat.size;
    if (rc == 0 && tail->size - before != tail_size)
        rc = fail(err, EIO, "'%s' has %llu bytes; of its last %zu came %zu", path,
                  (unsigned long long)object->stat.size, tail_size, tail->size - before);
    if (rc == 0)
        *ret_object = steal_ptr(&object);
    else
        cut_back(tail, before);
    return rc;
}
