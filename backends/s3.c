/* s3.c: a bucket as repository. */
#include "backends/s3.h"

#include "backends/bytes_sink.h"
#include "backends/digest.h"
#include "backends/plain.h"
#include "backends/s3_conditional.h"
#include "backends/s3_diagnose.h"
#include "backends/s3_list.h"
#include "backends/s3_put.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct s3 {
    struct backend base; /* constant after open, as all but is_there */
    char *location;
    struct s3_client *client;
    struct s3_conditional *conditional;
    struct lock lock;
    bool is_there; /* guarded by lock: the bucket was seen to exist */
};

struct s3_object {
    struct object base;
    char *path;
};

static struct s3 *s3_of(struct backend *backend)
{
    return (struct s3 *)backend;
}

static void s3_close(struct backend *backend)
{
    struct s3 *s3 = s3_of(backend);

    s3_client_close(s3->client);
    s3_conditional_close(s3->conditional);
    lock_done(&s3->lock);
    free(s3->location);
    free(s3);
}

static int open_kind(const struct backend_ops *ops, const struct backend_options *options,
                     struct backend **ret_backend, struct error *err)
{
    struct s3 *s3;
    struct s3_client *client = NULL;
    int rc;

    if (!options->host || !options->host[0])
        return fail(err, EINVAL, "backend '%s': 'host' names no server", ops->kind);
    if (!options->repository)
        return fail(err, EINVAL, "backend '%s': 'name' names no bucket", ops->kind);
    rc = s3_client_open(options->host, options->repository, options->http, &client, err);
    if (rc < 0)
        return fail_context(err, rc, "backend '%s'", ops->kind);
    s3 = XNEW(struct s3);
    s3->base.ops = ops;
    s3->client = client;
    s3_conditional_open(client, &s3->conditional);
    lock_init(&s3->lock);
    s3->location = xasprintf("%s%s/%s", strstr(options->host, "://") ? "" : "s3://",
                             options->host, options->repository);
    s3->base.location = s3->location;
    *ret_backend = &s3->base;
    return 0;
}

static int s3_open(const struct backend_options *options, struct backend **ret_backend,
                   struct error *err)
{
    return open_kind(&s3_ops, options, ret_backend, err);
}

static int minio_open(const struct backend_options *options, struct backend **ret_backend,
                      struct error *err)
{
    return open_kind(&minio_ops, options, ret_backend, err);
}

static void diagnose(struct backend *backend, backend_finding *each, void *arg)
{
    const struct s3 *s3 = s3_of(backend);

    s3_diagnose(s3->client, s3->conditional, each, arg);
}

static void note_bucket(struct s3 *s3, bool is_there)
{
    lock_acquire(&s3->lock);
    s3->is_there = is_there;
    lock_release(&s3->lock);
}

static int ask_bucket(struct s3 *s3, struct http_reply *reply, struct error *err)
{
    return s3_client_do(s3->client, NULL, NULL,
                        &(struct http_request){.method = HTTP_HEAD}, reply, err);
}

/* Every request on an object goes through here. The reply to a HEAD cannot tell a missing
 * object from a missing bucket. */
static int ask(struct s3 *s3, const char *path, const struct http_request *request,
               struct http_reply *reply, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply bucket = {0};
    struct error other = {0};
    bool is_there;
    int rc = s3_client_do(s3->client, path, NULL, request, reply, err), bucket_rc;

    if (rc == 0 || rc == -EHOSTUNREACH)
        note_bucket(s3, rc == 0);
    if (rc != -ENOENT || request->method != HTTP_HEAD)
        return rc;
    lock_acquire(&s3->lock);
    is_there = s3->is_there;
    lock_release(&s3->lock);
    if (is_there)
        return rc;
    bucket_rc = ask_bucket(s3, &bucket, &other);
    if (bucket_rc == 0)
        note_bucket(s3, true);
    /* Who may read objects may still not ask for the bucket. */
    if (bucket_rc == 0 || bucket_rc == -EACCES)
        return rc;
    *err = other;
    return bucket_rc;
}

static int take_stat(const struct s3 *s3, const char *path,
                     const struct http_reply *reply, struct backend_stat *ret_stat,
                     struct error *err)
{
    if (!reply->etag[0] || !reply->has_object_size)
        return fail(err, EIO, "'%s' does not tell the %s of '%s'",
                    s3_client_host(s3->client), reply->etag[0] ? "size" : "ETag", path);
    *ret_stat =
        (struct backend_stat){.size = reply->object_size, .mtime_s = reply->modified_s};
    memcpy(ret_stat->tag, reply->etag, sizeof ret_stat->tag);
    return 0;
}

static int s3_stat(struct backend *backend, const char *path,
                   struct backend_stat *ret_stat, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    int rc = ask(s3_of(backend), path, &(struct http_request){.method = HTTP_HEAD},
                 &reply, err);

    return rc == 0 ? take_stat(s3_of(backend), path, &reply, ret_stat, err) : rc;
}

static void see_checksum(void *arg, const char *name, const char *value)
{
    if (strcmp(name, "x-amz-meta-checksum") == 0)
        snprintf(arg, BACKEND_CHECKSUM_MAX, "%s", value);
}

static int s3_checksum(struct backend *backend, const char *path,
                       char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    char md5[BACKEND_CHECKSUM_MAX] = "";
    int rc = ask(
        s3_of(backend), path,
        &(struct http_request){.method = HTTP_HEAD, .field = see_checksum, .arg = md5},
        &reply, err);

    if (rc == 0)
        memcpy(ret_md5, md5, sizeof md5);
    return rc;
}

/* A whole object as it comes. */
struct document {
    struct bytes_sink sink;
    char md5[BACKEND_CHECKSUM_MAX]; /* as its metadata says; "" where it does not */
};

static void see_document_field(void *arg, const char *name, const char *value)
{
    if (strlen(value) == DIGEST_MD5_SIZE - 1) /* others are none of audbackend's */
        see_checksum(((struct document *)arg)->md5, name, value);
}

static int restart_document(void *arg, struct error *err)
{
    struct document *document = arg;

    document->md5[0] = '\0'; /* it may be another version that comes */
    return bytes_sink_restart(&document->sink, err);
}

/* Content-Length may lie, and half a document of YAML is YAML, too. */
static int check_document(const struct document *document, const char *path,
                          const struct bytes *to, struct error *err)
{
    size_t before = document->sink.before;
    char md5[DIGEST_MD5_SIZE];
    int rc;

    if (!document->md5[0])
        return 0;
    rc = digest_md5(to->data + before, to->size - before, md5, err);
    if (rc == 0 && strcasecmp(md5, document->md5) != 0)
        rc = fail(err, EIO, "'%s' arrived damaged: its MD5 is %s and not %s", path, md5,
                  document->md5);
    return rc;
}

static int s3_get(struct backend *backend, const char *path, struct bytes *to,
                  struct backend_stat *ret_stat, struct error *err)
{
    struct document document = {.sink = bytes_sink_of(to)};
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    int rc = ask(s3_of(backend), path,
                 &(struct http_request){.method = HTTP_GET,
                                        .to = &document.sink.base,
                                        .restart = restart_document,
                                        .field = see_document_field,
                                        .arg = &document},
                 &reply, err);

    if (rc == 0)
        rc = check_document(&document, path, to, err);
    if (rc < 0) {
        bytes_cut(to, 0, document.sink.before);
        return rc;
    }
    reply.object_size = to->size - document.sink.before;
    reply.has_object_size = true;
    return take_stat(s3_of(backend), path, &reply, ret_stat, err);
}

static struct object *new_object(struct backend *backend, const char *path,
                                 const struct backend_stat *stat)
{
    struct s3_object *object = XNEW(struct s3_object);

    object->base.backend = backend;
    object->base.stat = *stat;
    object->path = xstrdup(path);
    return &object->base;
}

static int s3_object_open(struct backend *backend, const char *path,
                          struct object **ret_object, struct error *err)
{
    struct backend_stat stat;
    int rc = s3_stat(backend, path, &stat, err);

    if (rc == 0)
        *ret_object = new_object(backend, path, &stat);
    return rc;
}

static int s3_object_open_tail(struct backend *backend, const char *path,
                               size_t tail_size, struct bytes *tail,
                               struct object **ret_object, struct error *err)
{
    struct bytes_sink sink = bytes_sink_of(tail);
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct backend_stat stat;
    struct error refused = {0};
    int rc = ask(s3_of(backend), path,
                 &(struct http_request){.method = HTTP_GET,
                                        .part = HTTP_SUFFIX,
                                        .suffix_size = tail_size,
                                        .to = &sink.base,
                                        .restart = bytes_sink_restart,
                                        .arg = &sink},
                 &reply, &refused);

    if (reply.status == 416) { /* an empty object has no last bytes */
        rc = s3_object_open(backend, path, ret_object, err);
        return rc;
    }
    if (rc < 0) {
        *err = refused;
        return rc;
    }
    rc = take_stat(s3_of(backend), path, &reply, &stat, err);
    if (rc < 0)
        return rc;
    *ret_object = new_object(backend, path, &stat);
    (*ret_object)->has_another = reply.has_another;
    return 0;
}

static int s3_object_read(struct object *base, struct range range, struct sink *to,
                          struct error *err)
{
    const struct s3_object *object = (struct s3_object *)base;
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    int rc;

    if (range.last >= base->stat.size)
        return fail(err, EIO, "'%s' has %llu bytes, asked for byte %llu", object->path,
                    (unsigned long long)base->stat.size, (unsigned long long)range.last);
    rc = ask(s3_of(base->backend), object->path,
             &(struct http_request){.method = HTTP_GET,
                                    .part = HTTP_RANGE,
                                    .range = range,
                                    .if_match = base->stat.tag,
                                    .to = to},
             &reply, err);
    if (rc == -ENOENT)
        return fail(err, ESTALE, "'%s' was removed", object->path);
    base->has_another = reply.has_another;
    return rc;
}

static int s3_object_check(struct object *base, struct error *err)
{
    const struct s3_object *object = (struct s3_object *)base;
    struct backend_stat stat;
    int rc = s3_stat(base->backend, object->path, &stat, err);

    if (rc == -ENOENT)
        return fail(err, ESTALE, "'%s' was removed", object->path);
    if (rc == 0 && strcmp(stat.tag, base->stat.tag) != 0)
        return fail(err, ESTALE, "'%s' was replaced", object->path);
    return rc;
}

static int s3_object_fd(struct object *object)
{
    (void)object; /* none is a local file */
    return -1;
}

static void s3_object_close(struct object *base)
{
    struct s3_object *object = (struct s3_object *)base;

    free(object->path);
    free(object);
}

static int s3_list_flat(struct backend *backend, const char *folder, backend_each *each,
                        void *arg, struct error *err)
{
    return s3_list(s3_of(backend)->client, folder, S3_LIST_FLAT, each, arg, err);
}

static int s3_list_deep(struct backend *backend, const char *folder, unsigned depth,
                        backend_each *each, void *arg, struct error *err)
{
    return s3_list(s3_of(backend)->client, folder, (int)depth, each, arg, err);
}

static int s3_put_path(struct backend *backend, const char *path,
                       const struct backend_content *content,
                       enum backend_put_flags flags, struct error *err)
{
    const struct s3 *s3 = s3_of(backend);

    if (flags & BACKEND_PUT_IF_ABSENT)
        return s3_conditional_create(s3->conditional, path, content, err);
    return s3_put(&(struct s3_put){.client = s3->client, .key = path, .content = content},
                  err);
}

static int s3_replace(struct backend *backend, const char *path,
                      const struct backend_content *content, const char *expected_tag,
                      struct error *err)
{
    const struct s3 *s3 = s3_of(backend);

    return content
               ? s3_conditional_replace(s3->conditional, path, content, expected_tag, err)
               : s3_conditional_remove(s3->conditional, path, expected_tag, err);
}

/* A store says of a removal that it is done, also where there was nothing. */
static int s3_remove(struct backend *backend, const char *path, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct backend_stat stat;
    int rc = s3_stat(backend, path, &stat, err);

    return rc == 0
               ? s3_client_do(s3_of(backend)->client, path, NULL,
                              &(struct http_request){.method = HTTP_DELETE}, &reply, err)
               : rc;
}

static int s3_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    (void)ret_fd; /* nothing of a bucket is a local disk */
    return fail(err, ENOTSUP, "'%s' is no local disk", backend->location);
}

static int s3_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    struct s3 *s3 = s3_of(backend);
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct error refused = {0};
    int rc = ask_bucket(s3, &reply, &refused);

    if (reply.date_s) { /* whatever else it says */
        *ret_now_s = reply.date_s;
        return 0;
    }
    if (rc < 0) {
        *err = refused;
        return rc;
    }
    return fail(err, EIO, "'%s' does not tell the time", s3_client_host(s3->client));
}

#define S3_OPS(name, open_function)                                                      \
    {                                                                                    \
        .kind = (name), .open = (open_function), .close = s3_close,                      \
        .diagnose = diagnose, .stat = s3_stat, .checksum = s3_checksum, .get = s3_get,   \
        .list = s3_list_flat, .list_deep = s3_list_deep, .put = s3_put_path,             \
        .replace = s3_replace, .remove = s3_remove, .prune = plain_prune,                \
        .spool = s3_spool, .now = s3_now, .object_open = s3_object_open,                 \
        .object_open_tail = s3_object_open_tail, .object_read = s3_object_read,          \
        .object_check = s3_object_check, .object_fd = s3_object_fd,                      \
        .object_close = s3_object_close,                                                 \
    }

const struct backend_ops s3_ops = S3_OPS("s3", s3_open);
const struct backend_ops minio_ops = S3_OPS("minio", minio_open);
