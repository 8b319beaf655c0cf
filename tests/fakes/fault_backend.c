/* fault_backend.c: asks its rules first, then the backend inside. */
#include "tests/fakes/fault_backend.h"

#include "backends/plain.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 60000 };

struct rule {
    unsigned calls; /* 0: no rule */
    char *path;     /* NULL: any */
    int code;
    uint64_t number; /* times, bytes, offset; block: 1: further calls pass */
};

struct fault {
    struct backend base;
    struct backend *inner;
    struct lock lock;
    struct condition changed;
    struct rule fail, truncate, corrupt, block, lose; /* guarded by lock */
    unsigned blocked;                                 /* guarded by lock */
};

struct fault_object {
    struct object base;
    struct object *inner;
    char *path;
};

struct fault_sink {
    struct sink base;
    struct sink *inner;
    const char *path;
    uint64_t at;         /* offset in the object of the next byte */
    uint64_t left;       /* bytes until it ends */
    uint64_t corrupt_at; /* UINT64_MAX: nowhere */
};

static bool rule_matches(const struct rule *rule, unsigned call, const char *path)
{
    return (rule->calls & call) && (!rule->path || strstr(path, rule->path));
}

static void rule_set(struct fault *fault, struct rule *rule, const struct rule *to)
{
    lock_acquire(&fault->lock);
    free(rule->path);
    *rule = *to;
    rule->path = to->path ? xstrdup(to->path) : NULL;
    condition_broadcast(&fault->changed);
    lock_release(&fault->lock);
}

static int wait_locked(struct fault *fault, unsigned call, const char *path,
                       struct error *err) REQUIRES(fault->lock)
{
    int64_t deadline = clock_now_ms() + WAIT_MS;
    int rc = 0;

    if (!rule_matches(&fault->block, call, path) || fault->block.number)
        return 0;
    fault->blocked++;
    condition_broadcast(&fault->changed);
    while (rc == 0 && rule_matches(&fault->block, call, path))
        rc = condition_wait_until(&fault->changed, &fault->lock, deadline);
    fault->blocked--;
    return rc < 0 ? fail(err, ETIMEDOUT, "fault: '%s' was never released", path) : 0;
}

static int enter(struct fault *fault, unsigned call, const char *path, struct error *err)
{
    lock_acquire(&fault->lock);
    int rc = wait_locked(fault, call, path, err);

    if (rc == 0 && fault->fail.number > 0 && rule_matches(&fault->fail, call, path)) {
        fault->fail.number -= fault->fail.number != FAULT_ALWAYS;
        rc = fail(err, fault->fail.code, "fault: '%s' fails on purpose", path);
    }
    lock_release(&fault->lock);
    return rc;
}

/* After the call was done. */
static int leave(struct fault *fault, unsigned call, const char *path, struct error *err)
{
    int rc = 0;

    lock_acquire(&fault->lock);
    if (fault->lose.number > 0 && rule_matches(&fault->lose, call, path)) {
        fault->lose.number -= fault->lose.number != FAULT_ALWAYS;
        rc = fail(err, ETIMEDOUT, "fault: the reply for '%s' is lost on purpose", path);
    }
    lock_release(&fault->lock);
    return rc;
}

static int fault_open(const struct backend_options *options, struct backend **ret_backend,
                      struct error *err)
{
    (void)options;
    (void)ret_backend;
    return fail(err, ENOTSUP, "use fault_backend_new");
}

static void fault_close(struct backend *backend)
{
    struct fault *fault = (struct fault *)backend;

    backend_close(fault->inner);
    free(fault->fail.path);
    free(fault->truncate.path);
    free(fault->corrupt.path);
    free(fault->block.path);
    free(fault->lose.path);
    condition_done(&fault->changed);
    lock_done(&fault->lock);
    free(fault);
}

static int fault_stat(struct backend *backend, const char *path,
                      struct backend_stat *ret_stat, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_STAT, path, err);

    return rc < 0 ? rc : backend_stat(fault->inner, path, ret_stat, err);
}

static int fault_checksum(struct backend *backend, const char *path,
                          char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_CHECKSUM, path, err);

    return rc < 0 ? rc : backend_checksum(fault->inner, path, ret_md5, err);
}

/* Are the bytes of an object to be changed? */
static bool changes_bytes(struct fault *fault, const char *path)
{
    bool changes;

    lock_acquire(&fault->lock);
    changes = rule_matches(&fault->truncate, FAULT_OBJECT_READ, path) ||
              rule_matches(&fault->corrupt, FAULT_OBJECT_READ, path);
    lock_release(&fault->lock);
    return changes;
}

static int fault_get(struct backend *backend, const char *path, struct bytes *to,
                     struct backend_stat *ret_stat, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc;

    if (changes_bytes(fault, path))
        return plain_get(backend, path, to, ret_stat, err);
    rc = enter(fault, FAULT_OBJECT_OPEN, path, err);
    if (rc == 0)
        rc = enter(fault, FAULT_OBJECT_READ, path, err);
    return rc < 0 ? rc : backend_get_version(fault->inner, path, to, ret_stat, err);
}

static int fault_list_deep(struct backend *backend, const char *folder, unsigned depth,
                           backend_each *each, void *arg, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_LIST, folder, err);

    return rc < 0 ? rc : backend_list_deep(fault->inner, folder, depth, each, arg, err);
}

static int fault_list(struct backend *backend, const char *folder, backend_each *each,
                      void *arg, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_LIST, folder, err);

    return rc < 0 ? rc : backend_list(fault->inner, folder, each, arg, err);
}

static int fault_put(struct backend *backend, const char *path,
                     const struct backend_content *content, enum backend_put_flags flags,
                     struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_PUT, path, err);

    if (rc == 0)
        rc = backend_put(fault->inner, path, content, flags, err);
    return rc == 0 ? leave(fault, FAULT_PUT, path, err) : rc;
}

static int fault_replace(struct backend *backend, const char *path,
                         const struct backend_content *content, const char *expected_tag,
                         struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_REPLACE, path, err);

    return rc < 0 ? rc : backend_replace(fault->inner, path, content, expected_tag, err);
}

static int fault_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    return backend_spool(((struct fault *)backend)->inner, ret_fd, err);
}

static int fault_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    return backend_now(((struct fault *)backend)->inner, ret_now_s, err);
}

static int fault_remove(struct backend *backend, const char *path, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    int rc = enter(fault, FAULT_REMOVE, path, err);

    return rc < 0 ? rc : backend_remove(fault->inner, path, err);
}

static int fault_prune(struct backend *backend, const char *path, struct error *err)
{
    return backend_prune(((struct fault *)backend)->inner, path, err);
}

static struct object *wrap_object(struct backend *backend, const char *path,
                                  struct object *take_inner)
{
    struct fault_object *object = XNEW(struct fault_object);

    object->base = (struct object){
        .backend = backend,
        .stat = take_inner->stat,
        .has_another = object_has_another(take_inner),
    };
    object->inner = take_inner;
    object->path = xstrdup(path);
    return &object->base;
}

static int fault_object_open(struct backend *backend, const char *path,
                             struct object **ret_object, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    struct object *inner;
    int rc = enter(fault, FAULT_OBJECT_OPEN, path, err);

    if (rc == 0)
        rc = backend_object_open(fault->inner, path, &inner, err);
    if (rc == 0)
        *ret_object = wrap_object(backend, path, inner);
    return rc;
}

static int fault_object_open_tail(struct backend *backend, const char *path,
                                  size_t tail_size, struct bytes *tail,
                                  struct object **ret_object, struct error *err)
{
    struct fault *fault = (struct fault *)backend;
    struct object *inner;
    int rc;

    if (changes_bytes(fault, path))
        return plain_object_open_tail(backend, path, tail_size, tail, ret_object, err);
    rc = enter(fault, FAULT_OBJECT_OPEN, path, err);
    if (rc == 0)
        rc = enter(fault, FAULT_OBJECT_READ, path, err);
    if (rc == 0)
        rc = backend_object_open_tail(fault->inner, path, tail_size, tail, &inner, err);
    if (rc == 0)
        *ret_object = wrap_object(backend, path, inner);
    return rc;
}

static int write_faulty(struct sink *base, const void *data, size_t size,
                        struct error *err)
{
    struct fault_sink *sink = (struct fault_sink *)base;
    size_t pass = size < sink->left ? size : (size_t)sink->left;
    CLEANUP_FREE unsigned char *copy = xcalloc(1, size);
    int rc = 0;

    memcpy(copy, data, size);
    if (sink->corrupt_at >= sink->at && sink->corrupt_at - sink->at < size)
        copy[sink->corrupt_at - sink->at] ^= 0xff;
    if (pass > 0)
        rc = sink->inner->write(sink->inner, copy, pass, err);
    sink->at += pass;
    sink->left -= pass;
    if (rc == 0 && pass < size)
        rc = fail(err, EIO, "fault: '%s' ends early on purpose", sink->path);
    return rc;
}

static int fault_object_read(struct object *base, struct range range, struct sink *to,
                             struct error *err)
{
    struct fault *fault = (struct fault *)base->backend;
    struct fault_object *object = (struct fault_object *)base;
    struct fault_sink sink = {.base.write = write_faulty,
                              .inner = to,
                              .path = object->path,
                              .at = range.first,
                              .left = UINT64_MAX,
                              .corrupt_at = UINT64_MAX};
    int rc = enter(fault, FAULT_OBJECT_READ, object->path, err);

    if (rc < 0)
        return rc;
    lock_acquire(&fault->lock);
    if (rule_matches(&fault->truncate, FAULT_OBJECT_READ, object->path))
        sink.left = fault->truncate.number;
    if (rule_matches(&fault->corrupt, FAULT_OBJECT_READ, object->path))
        sink.corrupt_at = fault->corrupt.number;
    lock_release(&fault->lock);
    return object_read(object->inner, range, &sink.base, err);
}

static int fault_object_check(struct object *base, struct error *err)
{
    struct fault_object *object = (struct fault_object *)base;
    int rc = enter((struct fault *)base->backend, FAULT_OBJECT_CHECK, object->path, err);

    return rc < 0 ? rc : object_check(object->inner, err);
}

/* Never the descriptor: whoever reads it would pass the rules by. */
static int fault_object_fd(struct object *object)
{
    return object_fd(((struct fault_object *)object)->inner);
}

static void fault_object_close(struct object *base)
{
    struct fault_object *object = (struct fault_object *)base;

    object_close(object->inner);
    free(object->path);
    free(object);
}

static const struct backend_ops fault_ops = {
    .kind = "fault",
    .open = fault_open,
    .close = fault_close,
    .diagnose = plain_diagnose,
    .stat = fault_stat,
    .checksum = fault_checksum,
    .get = fault_get,
    .list = fault_list,
    .list_deep = fault_list_deep,
    .put = fault_put,
    .replace = fault_replace,
    .remove = fault_remove,
    .prune = fault_prune,
    .spool = fault_spool,
    .now = fault_now,
    .object_open = fault_object_open,
    .object_open_tail = fault_object_open_tail,
    .object_read = fault_object_read,
    .object_check = fault_object_check,
    .object_fd = fault_object_fd,
    .object_close = fault_object_close,
};

struct backend *fault_backend_new(struct backend *take_inner)
{
    struct fault *fault = XNEW(struct fault);

    fault->base = (struct backend){.ops = &fault_ops, .location = take_inner->location};
    fault->inner = take_inner;
    lock_init(&fault->lock);
    condition_init(&fault->changed);
    return &fault->base;
}

void fault_backend_fail(struct backend *backend, unsigned calls, const char *path,
                        int code, uint64_t times)
{
    struct fault *fault = (struct fault *)backend;
    struct rule rule = {
        .calls = calls, .path = (char *)path, .code = code, .number = times};

    rule_set(fault, &fault->fail, &rule);
}

void fault_backend_lose_reply(struct backend *backend, unsigned calls, const char *path,
                              uint64_t times)
{
    struct fault *fault = (struct fault *)backend;
    struct rule rule = {.calls = calls, .path = (char *)path, .number = times};

    rule_set(fault, &fault->lose, &rule);
}

void fault_backend_truncate(struct backend *backend, const char *path, uint64_t bytes)
{
    struct fault *fault = (struct fault *)backend;
    struct rule rule = {
        .calls = FAULT_OBJECT_READ, .path = (char *)path, .number = bytes};

    rule_set(fault, &fault->truncate, &rule);
}

void fault_backend_corrupt(struct backend *backend, const char *path, uint64_t at)
{
    struct fault *fault = (struct fault *)backend;
    struct rule rule = {.calls = FAULT_OBJECT_READ, .path = (char *)path, .number = at};

    rule_set(fault, &fault->corrupt, &rule);
}

void fault_backend_block(struct backend *backend, unsigned calls, const char *path)
{
    struct fault *fault = (struct fault *)backend;
    struct rule rule = {.calls = calls, .path = (char *)path};

    rule_set(fault, &fault->block, &rule);
}

bool fault_backend_wait_blocked(struct backend *backend, unsigned count)
{
    struct fault *fault = (struct fault *)backend;
    int64_t deadline = clock_now_ms() + WAIT_MS;
    int rc = 0;

    lock_acquire(&fault->lock);
    while (rc == 0 && fault->blocked < count)
        rc = condition_wait_until(&fault->changed, &fault->lock, deadline);
    lock_release(&fault->lock);
    return rc == 0;
}

void fault_backend_pass(struct backend *backend)
{
    struct fault *fault = (struct fault *)backend;

    lock_acquire(&fault->lock);
    fault->block.number = 1;
    lock_release(&fault->lock);
}

void fault_backend_release(struct backend *backend)
{
    struct fault *fault = (struct fault *)backend;

    rule_set(fault, &fault->block, &(struct rule){0});
}

void fault_backend_clear(struct backend *backend)
{
    struct fault *fault = (struct fault *)backend;

    rule_set(fault, &fault->fail, &(struct rule){0});
    rule_set(fault, &fault->lose, &(struct rule){0});
    rule_set(fault, &fault->truncate, &(struct rule){0});
    rule_set(fault, &fault->corrupt, &(struct rule){0});
    fault_backend_release(backend);
}
