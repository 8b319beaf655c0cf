/* artifactory.c: the operations of a backend as requests to an Artifactory. */
#include "backends/artifactory.h"

#include "backends/artifactory_client.h"
#include "backends/artifactory_object.h"
#include "backends/artifactory_storage.h"
#include "backends/digest.h"
#include "backends/plain.h"
#include "common/memory.h"

#include <errno.h>
#include <string.h>

struct artifactory {
    struct backend base;
    struct artifactory_client *client; /* constant after open */
};

static struct artifactory_client *client_of(const struct backend *backend)
{
    return ((const struct artifactory *)backend)->client;
}

static int artifactory_open(const struct backend_options *options,
                            struct backend **ret_backend, struct error *err)
{
    struct artifactory_client *client;
    struct artifactory *artifactory;
    int rc = artifactory_client_open(options->host, options->repository, options->http,
                                     &client, err);

    if (rc < 0)
        return rc;
    artifactory = XNEW(struct artifactory);
    artifactory->base.ops = &artifactory_ops;
    artifactory->base.location = artifactory_client_location(client);
    artifactory->client = client;
    *ret_backend = &artifactory->base;
    return 0;
}

static void artifactory_close(struct backend *backend)
{
    artifactory_client_close(client_of(backend));
    free(backend);
}

static int artifactory_stat(struct backend *backend, const char *path,
                            struct backend_stat *ret_stat, struct error *err)
{
    struct artifactory_item item;
    int rc = artifactory_storage_stat_file(client_of(backend), path, &item, err);

    if (rc < 0)
        return rc;
    *ret_stat = (struct backend_stat){.size = item.size, .mtime_s = item.modified_s};
    artifactory_storage_tag(&item, ret_stat->tag);
    return 0;
}

static int artifactory_checksum(struct backend *backend, const char *path,
                                char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    struct artifactory_item item;
    int rc = artifactory_storage_stat_file(client_of(backend), path, &item, err);

    if (rc == 0)
        memcpy(ret_md5, item.md5, BACKEND_CHECKSUM_MAX);
    return rc;
}

static int artifactory_get(struct backend *backend, const char *path, struct bytes *to,
                           struct backend_stat *ret_stat, struct error *err)
{
    return artifactory_object_get(client_of(backend), path, to, ret_stat, err);
}

static int artifactory_list(struct backend *backend, const char *folder,
                            backend_each *each, void *arg, struct error *err)
{
    return artifactory_storage_list(client_of(backend), folder, each, arg, err);
}

/* audbackend makes the folder before the first file in it. That the server makes it by
 * itself is why a refusal here is not yet a failure. */
static int make_folder(struct artifactory_client *client, const char *path,
                       struct error *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    CLEANUP_FREE char *folder = NULL;
    struct artifactory_item ignored;
    struct error failure = {0};
    int rc;

    if (!slash)
        return 0;
    folder = xasprintf("%.*s/", (int)(slash - path), path);
    folder[slash - path] = '\0';
    rc = artifactory_storage_stat(client, folder, &ignored, &failure);
    if (rc == -ENOENT) {
        folder[slash - path] = '/';
        rc = artifactory_client_do(client, ARTIFACTORY_FILES, folder,
                                   &(struct http_request){.method = HTTP_PUT}, &reply,
                                   &failure);
    }
    if (rc >= 0 || rc == -EISDIR || reply.status)
        return 0;
    *err = failure;
    return rc;
}

static int digest_content(const struct backend_content *content,
                          char ret_md5[DIGEST_MD5_SIZE], struct error *err)
{
    return content->data ? digest_md5(content->data, (size_t)content->size, ret_md5, err)
                         : digest_md5_fd(content->fd, 0, content->size, ret_md5, err);
}

/* A server that does not compare what arrived with X-Checksum-Md5 tells what it has. */
static int check_reply(const struct http_reply *reply, const char *path, const char *md5,
                       struct error *err)
{
    CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json =
        artifactory_json_new(NULL, NULL);
    struct artifactory_item item;
    struct error ignored; /* it need not say anything */

    if (artifactory_json_feed(json, reply->body.data, reply->body.size, &ignored) == 0 &&
        artifactory_json_end(json, &item, &ignored) == 0 && item.md5[0] &&
        strcmp(item.md5, md5) != 0)
        return fail(err, EIO, "'%s' arrived damaged: the server has MD5 %s and not %s",
                    path, item.md5, md5);
    return 0;
}

static int artifactory_put(struct backend *backend, const char *path,
                           const struct backend_content *content,
                           enum backend_put_flags flags, struct error *err)
{
    struct artifactory_client *client = client_of(backend);
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    char md5[DIGEST_MD5_SIZE];
    int rc;

    if (flags & BACKEND_PUT_IF_ABSENT)
        return fail(err, ENOTSUP, "'%s': Artifactory has no conditional writes", path);
    rc = digest_content(content, md5, err);
    if (rc == 0)
        rc = make_folder(client, path, err);
    if (rc == 0)
        rc = artifactory_client_do(client, ARTIFACTORY_FILES, path,
                                   &(struct http_request){
                                       .method = HTTP_PUT,
                                       .extra = {{"X-Checksum-Md5", md5}},
                                       .body = { .data = content->data,
                                                 .fd = content->fd,
                                                 .size = content->size,
                                                 .progress = content->progress,
                                                 .arg = content->arg},
        },
                                   &reply, err);
    return rc == 0 ? check_reply(&reply, path, md5, err) : rc;
}

static int artifactory_replace(struct backend *backend, const char *path,
                               const struct backend_content *content,
                               const char *expected_tag, struct error *err)
{
    (void)backend;
    (void)content;
    (void)expected_tag;
    return fail(err, ENOTSUP, "'%s': Artifactory has no conditional writes", path);
}

/* A folder would go with all in it, so the path must be a file. For that reason too the
 * folder above stays: somebody may put a file into it meanwhile. */
static int artifactory_remove(struct backend *backend, const char *path,
                              struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct artifactory_item item;
    int rc = artifactory_storage_stat_file(client_of(backend), path, &item, err);

    if (rc < 0)
        return rc;
    rc =
        artifactory_client_do(client_of(backend), ARTIFACTORY_FILES, path,
                              &(struct http_request){.method = HTTP_DELETE}, &reply, err);
    return rc == -ENOENT && reply.tries > 1 ? 0 : rc; /* an earlier try did it */
}

/* What is in a folder. */
struct content {
    unsigned count;
    const char *name; /* that is looked for; NULL: none */
    bool has_name;    /* as a folder */
};

static int see_entry(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct content *content = arg;

    (void)err; /* cannot fail */
    content->count++;
    content->has_name |=
        content->name && entry->is_folder && strcmp(entry->name, content->name) == 0;
    return 0;
}

/* Whether a folder has only the folder name in it, or nothing with NULL. 1, 0, -errno. */
static int has_only(struct artifactory_client *client, const char *folder,
                    const char *name, struct error *err)
{
    struct content content = {.name = name};
    int rc = artifactory_storage_list(client, folder, see_entry, &content, err);

    if (rc < 0)
        return rc;
    return name ? content.count == 1 && content.has_name : content.count == 0;
}

static int artifactory_prune(struct backend *backend, const char *path, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    CLEANUP_FREE char *folder = xstrdup(path), *above = NULL;
    struct artifactory_client *client = client_of(backend);
    char *slash = strrchr(folder, '/');
    int rc;

    if (slash)
        *slash = '\0';
    slash = slash ? strrchr(folder, '/') : NULL;
    above = xstrndup(folder, slash ? (size_t)(slash - folder) : 0);
    if (!strchr(above, '/')) /* those at the top are everybody's */
        return 0;
    rc = has_only(client, folder, NULL, err);
    if (rc == 1)
        rc = has_only(client, above, slash + 1, err);
    if (rc == 1)
        rc = artifactory_client_do(client, ARTIFACTORY_FILES, above,
                                   &(struct http_request){.method = HTTP_DELETE}, &reply,
                                   err);
    return rc < 0 && rc != -ENOENT ? rc : 0;
}

static int artifactory_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    (void)backend;
    (void)ret_fd;
    return fail(err, ENOTSUP, "an Artifactory is no disk");
}

static int artifactory_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct error refused = {0};
    int rc = artifactory_client_do(client_of(backend), ARTIFACTORY_REPOSITORY, "",
                                   &(struct http_request){.method = HTTP_GET}, &reply,
                                   &refused);

    if (reply.date_s) { /* whatever else it says */
        *ret_now_s = reply.date_s;
        return 0;
    }
    if (rc < 0) {
        *err = refused;
        return rc;
    }
    return fail(err, EIO, "'%s' does not tell its time", backend->location);
}

static int open_object(struct backend *backend, const char *path,
                       struct object **ret_object, struct error *err)
{
    return artifactory_object_open(backend, client_of(backend), path, ret_object, err);
}

static int open_tail(struct backend *backend, const char *path, size_t tail_size,
                     struct bytes *tail, struct object **ret_object, struct error *err)
{
    struct error failure = {0};
    int rc = artifactory_object_open_tail(backend, client_of(backend), path, tail_size,
                                          tail, ret_object, &failure);

    if (rc == -EAGAIN)
        return plain_object_open_tail(backend, path, tail_size, tail, ret_object, err);
    if (rc < 0)
        *err = failure;
    return rc;
}

static int object_descriptor(struct object *object)
{
    (void)object; /* never a local file */
    return -1;
}

const struct backend_ops artifactory_ops = {
    .kind = "artifactory",
    .open = artifactory_open,
    .close = artifactory_close,
    .diagnose = plain_diagnose,
    .stat = artifactory_stat,
    .checksum = artifactory_checksum,
    .get = artifactory_get,
    .list = artifactory_list,
    .list_deep = plain_list_deep,
    .lists_deep_slowly = true,
    .put = artifactory_put,
    .replace = artifactory_replace,
    .remove = artifactory_remove,
    .prune = artifactory_prune,
    .spool = artifactory_spool,
    .now = artifactory_now,
    .object_open = open_object,
    .object_open_tail = open_tail,
    .object_read = artifactory_object_read,
    .object_check = artifactory_object_check,
    .object_fd = object_descriptor,
    .object_close = artifactory_object_close,
};
