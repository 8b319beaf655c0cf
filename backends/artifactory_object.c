/* artifactory_object.c: reads of files, each tied to one version. */
#include "backends/artifactory_object.h"

#include "backends/artifactory_storage.h"
#include "backends/bytes_sink.h"
#include "backends/digest.h"
#include "common/memory.h"
#include "common/sync.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { READ_TRIES = 4 };

struct artifactory_object {
    struct object base;
    struct artifactory_client *client;
    char *path;
    struct artifactory_item item; /* constant after open */
    struct lock lock;
    char etag[BACKEND_TAG_MAX]; /* guarded by lock; of a reply without digests that was
                                 * of our version */
};

/* What the fields of a reply say about the whole file. */
struct facts {
    char md5[DIGEST_MD5_SIZE];
    char sha1[41];
    char sha256[DIGEST_SHA256_SIZE];
    char etag[BACKEND_TAG_MAX];
};

/* A digest that is none is as good as not told. */
static void set_digest(char *digest, size_t size, const char *value)
{
    digest[0] = '\0';
    if (strlen(value) != size - 1 || strspn(value, "0123456789abcdefABCDEF") != size - 1)
        return;
    for (size_t i = 0; i < size; i++)
        digest[i] = (char)tolower((unsigned char)value[i]);
}

static void see_field(void *arg, const char *name, const char *value)
{
    struct facts *facts = arg;

    if (strcmp(name, "x-checksum-md5") == 0)
        set_digest(facts->md5, sizeof facts->md5, value);
    else if (strcmp(name, "x-checksum-sha1") == 0)
        set_digest(facts->sha1, sizeof facts->sha1, value);
    else if (strcmp(name, "x-checksum-sha256") == 0)
        set_digest(facts->sha256, sizeof facts->sha256, value);
    else if (strcmp(name, "etag") == 0)
        snprintf(facts->etag, sizeof facts->etag, "%s", value);
}

/* 1: the same, 0: not both are known, -1: another. */
static int compare_digests(const char *a, const char *b)
{
    if (!a[0] || !b[0])
        return 0;
    return strcmp(a, b) == 0 ? 1 : -1;
}

/* Is a reply with these fields of this version? The same answers. */
static int compare(const struct facts *facts, const struct artifactory_item *item)
{
    int order = compare_digests(facts->sha256, item->sha256);

    if (order == 0)
        order = compare_digests(facts->sha1, item->sha1);
    return order ? order : compare_digests(facts->md5, item->md5);
}

static void fill_stat(const struct artifactory_item *item, struct backend_stat *ret_stat)
{
    ret_stat->size = item->size;
    ret_stat->mtime_s = item->modified_s;
    artifactory_storage_tag(item, ret_stat->tag);
}

/* What the fields of a reply tell as the storage API would. */
static void fill_item(const struct facts *facts, const struct http_reply *reply,
                      uint64_t size, struct artifactory_item *ret_item)
{
    *ret_item = (struct artifactory_item){.size = size, .modified_s = reply->modified_s};
    memcpy(ret_item->md5, facts->md5, sizeof ret_item->md5);
    memcpy(ret_item->sha1, facts->sha1, sizeof ret_item->sha1);
    memcpy(ret_item->sha256, facts->sha256, sizeof ret_item->sha256);
}

/* Which version the bytes of a whole reply are of; -EIO if they are not what it says. */
static int identify(struct artifactory_client *client, const char *path,
                    const struct facts *facts, const struct http_reply *reply,
                    struct artifactory_item *ret_item, struct error *err)
{
    char md5[DIGEST_MD5_SIZE];
    int rc = digest_md5(reply->body.data, reply->body.size, md5, err);

    if (rc < 0)
        return rc;
    if (compare_digests(facts->md5, md5) < 0)
        return fail(err, EIO, "'%s' arrived damaged: its MD5 is %s and not %s", path, md5,
                    facts->md5);
    fill_item(facts, reply, reply->body.size, ret_item);
    if (facts->sha256[0])
        return 0;
    rc = artifactory_storage_stat_file(client, path, ret_item, err);
    if (rc == 0 && compare_digests(ret_item->md5, md5) < 0)
        rc = fail(err, ESTALE, "'%s' was replaced while it was read", path);
    return rc;
}

int artifactory_object_get(struct artifactory_client *client, const char *path,
                           struct bytes *to, struct backend_stat *ret_stat,
                           struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    size_t room = to->limit - to->size;
    struct artifactory_item item;
    struct facts facts = {0};
    int rc = artifactory_client_do(client, ARTIFACTORY_FILES, path,
                                   &(struct http_request){
                                       .method = HTTP_GET,
                                       .field = see_field,
                                       .arg = &facts,
                                       .body_max = room > 0 ? room : 1,
                                   },
                                   &reply, err);

    if (rc == 0)
        rc = identify(client, path, &facts, &reply, &item, err);
    if (rc == 0)
        rc = bytes_append(to, reply.body.data, reply.body.size, err);
    if (rc == 0)
        fill_stat(&item, ret_stat);
    return rc;
}

static struct object *object_new(struct backend *backend,
                                 struct artifactory_client *client, const char *path,
                                 const struct artifactory_item *item)
{
    struct artifactory_object *object = XNEW(struct artifactory_object);

    lock_init(&object->lock);
    object->base.backend = backend;
    object->client = client;
    object->path = xstrdup(path);
    object->item = *item;
    fill_stat(item, &object->base.stat);
    return &object->base;
}

int artifactory_object_open(struct backend *backend, struct artifactory_client *client,
                            const char *path, struct object **ret_object,
                            struct error *err)
{
    struct artifactory_item item;
    int rc = artifactory_storage_stat_file(client, path, &item, err);

    if (rc == 0)
        *ret_object = object_new(backend, client, path, &item);
    return rc;
}

int artifactory_object_open_tail(struct backend *backend,
                                 struct artifactory_client *client, const char *path,
                                 size_t tail_size, struct bytes *tail,
                                 struct object **ret_object, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct bytes_sink sink = bytes_sink_of(tail);
    struct artifactory_item item;
    struct facts facts = {0};
    int rc = artifactory_client_do(client, ARTIFACTORY_FILES, path,
                                   &(struct http_request){
                                       .method = HTTP_GET,
                                       .part = HTTP_SUFFIX,
                                       .suffix_size = tail_size,
                                       .field = see_field,
                                       .arg = &facts,
                                       .to = &sink.base,
                                   },
                                   &reply, err);

    /* An empty file has no last bytes. */
    if (reply.status == 416 || (rc == 0 && (!reply.has_object_size || !facts.sha256[0])))
        rc = fail(err, EAGAIN, "the reply does not tell which version it is of");
    if (rc < 0) {
        bytes_cut(tail, 0, sink.before);
        return rc;
    }
    fill_item(&facts, &reply, reply.object_size, &item);
    *ret_object = object_new(backend, client, path, &item);
    (*ret_object)->has_another = reply.has_another;
    return 0;
}

static int fail_stale(const struct artifactory_object *object, struct error *err)
{
    return fail(err, ESTALE, "'%s' was replaced", object->path);
}

static bool is_known_etag(struct artifactory_object *object, const char *etag)
{
    bool result;

    lock_acquire(&object->lock);
    result = strcmp(object->etag, etag) == 0;
    lock_release(&object->lock);
    return result;
}

static void note_etag(struct artifactory_object *object, const char *etag)
{
    lock_acquire(&object->lock);
    memcpy(object->etag, etag, sizeof object->etag);
    lock_release(&object->lock);
}

int artifactory_object_check(struct object *base, struct error *err)
{
    struct artifactory_object *object = (struct artifactory_object *)base;
    char tag[BACKEND_TAG_MAX];
    struct artifactory_item item;
    int rc = artifactory_storage_stat_file(object->client, object->path, &item, err);

    if (rc == -ENOENT)
        return fail_stale(object, err);
    if (rc < 0)
        return rc;
    artifactory_storage_tag(&item, tag);
    return strcmp(tag, base->stat.tag) == 0 ? 0 : fail_stale(object, err);
}

/* Looks at the fields of a reply before it hands on the first byte. */
struct checked_sink {
    struct sink base;
    struct sink *to;
    struct artifactory_object *object;
    struct facts facts;
    bool is_checked;
    bool is_unknown; /* it has an ETag of which we do not know whose it is */
};

static void see_range_field(void *arg, const char *name, const char *value)
{
    struct checked_sink *checked = arg;

    checked->is_checked = false;
    see_field(&checked->facts, name, value);
}

static int check_facts(struct checked_sink *checked, struct error *err)
{
    int order = compare(&checked->facts, &checked->object->item);

    if (order < 0)
        return fail_stale(checked->object, err);
    if (order == 0 && checked->facts.etag[0] &&
        !is_known_etag(checked->object, checked->facts.etag)) {
        checked->is_unknown = true;
        return fail(err, EAGAIN, "not known which version the reply is of");
    }
    checked->is_checked = true;
    return 0;
}

static int write_checked(struct sink *sink, const void *data, size_t size,
                         struct error *err)
{
    struct checked_sink *checked = (struct checked_sink *)sink;
    int rc = checked->is_checked ? 0 : check_facts(checked, err);

    return rc < 0 ? rc : checked->to->write(checked->to, data, size, err);
}

static int read_once(struct checked_sink *checked, struct range range, struct error *err)
{
    struct artifactory_object *object = checked->object;
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    int rc = artifactory_client_do(object->client, ARTIFACTORY_FILES, object->path,
                                   &(struct http_request){
                                       .method = HTTP_GET,
                                       .part = HTTP_RANGE,
                                       .range = range,
                                       .field = see_range_field,
                                       .to = &checked->base,
                                       .arg = checked,
                                   },
                                   &reply, err);

    object->base.has_another = reply.has_another;
    return rc == -ENOENT ? fail_stale(object, err) : rc;
}

/* A reply without digests is known by its ETag, once the storage API has said that our
 * version is still there; one without an ETag too is only as good as that, afterwards. */
int artifactory_object_read(struct object *base, struct range range, struct sink *to,
                            struct error *err)
{
    struct artifactory_object *object = (struct artifactory_object *)base;
    int rc = -EAGAIN;

    for (int try = 0; try < READ_TRIES && rc == -EAGAIN; try++) {
        struct checked_sink checked = {
            .base.write = write_checked, .to = to, .object = object};
        struct error failure = {0};

        rc = read_once(&checked, range, &failure);
        if (rc == 0 && compare(&checked.facts, &object->item) == 0 &&
            !checked.facts.etag[0])
            return artifactory_object_check(base, err);
        if (rc < 0)
            *err = failure;
        if (!checked.is_unknown)
            return rc;
        rc = artifactory_object_check(base, err);
        if (rc < 0)
            return rc;
        note_etag(object, checked.facts.etag);
        rc = -EAGAIN;
    }
    return fail(err, ESTALE, "'%s' comes in many versions at once", object->path);
}

void artifactory_object_close(struct object *base)
{
    struct artifactory_object *object = (struct artifactory_object *)base;

    lock_done(&object->lock);
    free(object->path);
    free(object);
}
