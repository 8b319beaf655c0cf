/* counting_backend.c: counts, then asks the backend inside. */
#include "tests/fakes/counting_backend.h"

#include "backends/plain.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdlib.h>

struct counting {
    struct backend base;
    struct backend *inner;
    struct lock lock;
    struct counting_calls calls; /* guarded by lock */
};

struct counting_object {
    struct object base;
    struct object *inner;
};

struct counting_sink {
    struct sink base;
    struct sink *inner;
    struct counting *counting;
};

static void count(struct counting *counting, uint64_t *counter, uint64_t by)
{
    lock_acquire(&counting->lock);
    *counter += by;
    lock_release(&counting->lock);
}

static int counting_open(const struct backend_options *options,
                         struct backend **ret_backend, struct error *err)
{
    (void)options;
    (void)ret_backend;
    return fail(err, ENOTSUP, "use counting_backend_new");
}

static void counting_close(struct backend *backend)
{
    struct counting *counting = (struct counting *)backend;

    backend_close(counting->inner);
    lock_done(&counting->lock);
    free(counting);
}

static int counting_stat(struct backend *backend, const char *path,
                         struct backend_stat *ret_stat, struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.stat, 1);
    return backend_stat(counting->inner, path, ret_stat, err);
}

static int counting_checksum(struct backend *backend, const char *path,
                             char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.checksum, 1);
    return backend_checksum(counting->inner, path, ret_md5, err);
}

static int counting_get(struct backend *backend, const char *path, struct bytes *to,
                        struct backend_stat *ret_stat, struct error *err)
{
    struct counting *counting = (struct counting *)backend;
    size_t before = to->size;
    int rc;

    count(counting, &counting->calls.get, 1);
    rc = backend_get_version(counting->inner, path, to, ret_stat, err);
    count(counting, &counting->calls.bytes_read, to->size - before);
    return rc;
}

static int counting_list(struct backend *backend, const char *folder, backend_each *each,
                         void *arg, struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.list, 1);
    return backend_list(counting->inner, folder, each, arg, err);
}

static int counting_list_deep(struct backend *backend, const char *folder, unsigned depth,
                              backend_each *each, void *arg, struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.list_deep, 1);
    return backend_list_deep(counting->inner, folder, depth, each, arg, err);
}

static int counting_put(struct backend *backend, const char *path,
                        const struct backend_content *content,
                        enum backend_put_flags flags, struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.put, 1);
    return backend_put(counting->inner, path, content, flags, err);
}

static int counting_replace(struct backend *backend, const char *path,
                            const struct backend_content *content,
                            const char *expected_tag, struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.replace, 1);
    return backend_replace(counting->inner, path, content, expected_tag, err);
}

static int counting_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    return backend_spool(((struct counting *)backend)->inner, ret_fd, err);
}

static int counting_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    return backend_now(((struct counting *)backend)->inner, ret_now_s, err);
}

static int counting_remove(struct backend *backend, const char *path, struct error *err)
{
    struct counting *counting = (struct counting *)backend;

    count(counting, &counting->calls.remove, 1);
    return backend_remove(counting->inner, path, err);
}

static int counting_prune(struct backend *backend, const char *path, struct error *err)
{
    return backend_prune(((struct counting *)backend)->inner, path, err);
}

static struct object *wrap_object(struct backend *backend, struct object *take_inner)
{
    struct counting_object *object = XNEW(struct counting_object);

    object->base = (struct object){
        .backend = backend,
        .stat = take_inner->stat,
        .has_another = object_has_another(take_inner),
    };
    object->inner = take_inner;
    return &object->base;
}

static int counting_object_open(struct backend *backend, const char *path,
                                struct object **ret_object, struct error *err)
{
    struct counting *counting = (struct counting *)backend;
    struct object *inner;
    int rc;

    count(counting, &counting->calls.object_open, 1);
    rc = backend_object_open(counting->inner, path, &inner, err);
    if (rc == 0)
        *ret_object = wrap_object(backend, inner);
    return rc;
}

static int counting_object_open_tail(struct backend *backend, const char *path,
                                     size_t tail_size, struct bytes *tail,
                                     struct object **ret_object, struct error *err)
{
    struct counting *counting = (struct counting *)backend;
    size_t before = tail->size;
    struct object *inner;
    int rc;

    count(counting, &counting->calls.object_open_tail, 1);
    rc = backend_object_open_tail(counting->inner, path, tail_size, tail, &inner, err);
    count(counting, &counting->calls.bytes_read, tail->size - before);
    if (rc == 0)
        *ret_object = wrap_object(backend, inner);
    return rc;
}

static int write_counted(struct sink *base, const void *data, size_t size,
                         struct error *err)
{
    struct counting_sink *sink = (struct counting_sink *)base;

    count(sink->counting, &sink->counting->calls.bytes_read, size);
    return sink->inner->write(sink->inner, data, size, err);
}

static int counting_object_read(struct object *object, struct range range,
                                struct sink *to, struct error *err)
{
    struct counting *counting = (struct counting *)object->backend;
    struct counting_sink sink = {
        .base.write = write_counted, .inner = to, .counting = counting};

    count(counting, &counting->calls.object_read, 1);
    return object_read(((struct counting_object *)object)->inner, range, &sink.base, err);
}

static int counting_object_check(struct object *object, struct error *err)
{
    struct counting *counting = (struct counting *)object->backend;

    count(counting, &counting->calls.object_check, 1);
    return object_check(((struct counting_object *)object)->inner, err);
}

static int counting_object_fd(struct object *object)
{
    return object_fd(((struct counting_object *)object)->inner);
}

static void counting_object_close(struct object *object)
{
    object_close(((struct counting_object *)object)->inner);
    free(object);
}

static const struct backend_ops counting_ops = {
    .kind = "counting",
    .open = counting_open,
    .close = counting_close,
    .diagnose = plain_diagnose,
    .stat = counting_stat,
    .checksum = counting_checksum,
    .get = counting_get,
    .list = counting_list,
    .list_deep = counting_list_deep,
    .put = counting_put,
    .replace = counting_replace,
    .remove = counting_remove,
    .prune = counting_prune,
    .spool = counting_spool,
    .now = counting_now,
    .object_open = counting_object_open,
    .object_open_tail = counting_object_open_tail,
    .object_read = counting_object_read,
    .object_check = counting_object_check,
    .object_fd = counting_object_fd,
    .object_close = counting_object_close,
};

struct backend *counting_backend_new(struct backend *take_inner)
{
    struct counting *counting = XNEW(struct counting);

    counting->base =
        (struct backend){.ops = &counting_ops, .location = take_inner->location};
    counting->inner = take_inner;
    lock_init(&counting->lock);
    return &counting->base;
}

struct counting_calls counting_backend_calls(struct backend *backend)
{
    struct counting *counting = (struct counting *)backend;
    struct counting_calls calls;

    lock_acquire(&counting->lock);
    calls = counting->calls;
    lock_release(&counting->lock);
    return calls;
}

void counting_backend_reset(struct backend *backend)
{
    struct counting *counting = (struct counting *)backend;

    lock_acquire(&counting->lock);
    counting->calls = (struct counting_calls){0};
    lock_release(&counting->lock);
}

uint64_t counting_backend_total(struct backend *backend)
{
    struct counting_calls calls = counting_backend_calls(backend);

    return calls.stat + calls.checksum + calls.get + calls.list + calls.list_deep +
           calls.put + calls.replace + calls.remove + calls.object_open +
           calls.object_open_tail + calls.object_read + calls.object_check;
}
